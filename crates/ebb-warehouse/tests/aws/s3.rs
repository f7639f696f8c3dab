//! Buckets: lists in pages of two, ranges, deletions.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Method, request::Parts};
use url::Url;

use super::Answer;

/// Names in one page of a list.
const PAGE: usize = 2;

pub(super) fn answer(files: &mut BTreeMap<String, Bytes>, request: &Parts, host: &str) -> Answer {
    let url: Url = format!("http://{host}{}", request.uri).parse().unwrap();
    let (bucket, _) = host.split_once(".s3.").unwrap();
    let key = format!("{bucket}{}", url.path());
    let query = |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value);
    if query("list-type").is_some() {
        let prefix = format!("{bucket}/{}", query("prefix").unwrap_or_default());
        let after = query("continuation-token").unwrap_or_default();
        return list(files, bucket, &prefix, &after);
    }
    if request.method == Method::DELETE {
        files.remove(&key);
        return Answer { status: 204, ..Answer::of("") };
    }
    let Some(file) = files.get(&key) else {
        let gone = "<Error><Code>NoSuchKey</Code><Message>no such file</Message></Error>";
        return Answer { status: 404, ..Answer::of(gone) };
    };
    let Some(range) = request.headers.get("range") else { return Answer::of(file.clone()) };
    let range = range.to_str().unwrap().strip_prefix("bytes=").unwrap();
    let (start, end) = range.split_once('-').unwrap();
    let (start, end): (usize, usize) = (start.parse().unwrap(), end.parse().unwrap());
    Answer { status: 206, ..Answer::of(file.slice(start..file.len().min(end + 1))) }
}

fn list(files: &BTreeMap<String, Bytes>, bucket: &str, prefix: &str, after: &str) -> Answer {
    let mut found = files.keys().filter(|name| name.starts_with(prefix) && name.as_str() > after);
    let page: Vec<_> = found.by_ref().take(PAGE).collect();
    let next = if found.next().is_some() {
        format!("<NextContinuationToken>{}</NextContinuationToken>", page.last().unwrap())
    } else {
        String::new()
    };
    let contents = page
        .iter()
        .map(|name| name.strip_prefix(bucket).unwrap().trim_start_matches('/'))
        .fold(String::new(), |contents, key| {
            contents + "<Contents><Key>" + key + "</Key><Size>1</Size></Contents>"
        });
    Answer::of(format!(
        "<?xml version=\"1.0\"?><ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
         <Name>{bucket}</Name>{contents}<IsTruncated>{}</IsTruncated>{next}</ListBucketResult>",
        !next.is_empty()
    ))
}
