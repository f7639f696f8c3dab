//! Many rows by way of S3: the cluster writes them to files, which are read, and deleted.

mod files;
mod manifest;
mod parquet;
mod read;
mod statement;

pub(super) use files::Unload;
pub(super) use read::stream;

/// Where and from how many rows on results go by way of S3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct UnloadSettings {
    pub(super) bucket: String,
    /// What the names of files begin with; empty, or with a slash at its end.
    pub(super) prefix: String,
    /// The role that the cluster writes with, or `default`.
    pub(super) role: String,
    /// Fewer rows come through a cursor.
    pub(super) rows: u64,
}
