//! The list of files that the cluster wrote.

use ebb_core::{Code, Failure};
use serde::Deserialize;

/// A file with rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct File {
    pub(super) key: String,
    /// How many bytes it has.
    pub(super) length: u64,
}

#[derive(Debug, Deserialize)]
struct Manifest {
    entries: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
struct Entry {
    url: String,
    meta: Meta,
}

#[derive(Debug, Deserialize)]
struct Meta {
    content_length: u64,
}

/// The files that a manifest lists, in their order.
pub(super) fn files(manifest: &[u8], bucket: &str) -> Result<Vec<File>, Failure> {
    let odd = || Failure::new(Code::SourceLost, "the list of unloaded files cannot be read");
    let manifest: Manifest =
        serde_json::from_slice(manifest).map_err(|error| odd().caused_by(error))?;
    let file = |entry: Entry| {
        let key = entry.url.strip_prefix("s3://")?.strip_prefix(bucket)?.strip_prefix('/')?;
        Some(File { key: key.to_owned(), length: entry.meta.content_length })
    };
    manifest.entries.into_iter().map(|entry| file(entry).ok_or_else(odd)).collect()
}

#[cfg(test)]
mod tests {
    use super::{File, files};

    #[test]
    fn files_are_listed_in_order_and_those_of_other_buckets_refused() {
        let manifest = br#"{"entries": [
            {"url": "s3://shop/ebb/000.parquet", "meta": {"content_length": 7, "record_count": 1}},
            {"url": "s3://shop/ebb/001.parquet", "meta": {"content_length": 8, "record_count": 1}}
        ], "meta": {"content_length": 15, "record_count": 2}}"#;
        let file = |key: &str, length| File { key: key.to_owned(), length };
        let listed = files(manifest, "shop").unwrap();
        assert_eq!(listed, [file("ebb/000.parquet", 7), file("ebb/001.parquet", 8)]);
        assert!(files(manifest, "sho").is_err());
        assert!(files(b"{}", "shop").is_err());
    }
}
