//! Files in a bucket: listed, read in pieces, deleted.

use std::{ops::Range, sync::Arc};

use bytes::Bytes;
use ebb_core::{Code, Failure};
use http::{Method, Request, StatusCode, header::RANGE};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::client::{Ask, Aws};

/// What stands for itself in an address that is signed.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// The same in a path, whose parts stay apart.
const PATH: &AsciiSet = &PLAIN.remove(b'/');

/// A bucket.
pub(crate) struct Bucket {
    aws: Arc<Aws>,
    name: String,
}

/// One page of a list.
#[derive(Debug, Deserialize)]
struct Page {
    #[serde(rename = "Contents", default)]
    contents: Vec<Entry>,
    #[serde(rename = "NextContinuationToken", default)]
    next: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Entry {
    #[serde(rename = "Key")]
    key: String,
}

impl Bucket {
    pub(crate) const fn new(aws: Arc<Aws>, name: String) -> Self {
        Self { aws, name }
    }

    /// The bucket's name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// A file, or some bytes of it.
    pub(crate) async fn get(&self, key: &str, range: Option<Range<u64>>) -> Result<Bytes, Failure> {
        let path = utf8_percent_encode(key, PATH).to_string();
        let mut request = Request::get(self.address(&path, ""));
        if let Some(Range { start, end }) = range {
            request = request.header(RANGE, format!("bytes={start}-{}", end.saturating_sub(1)));
        }
        let request = request.body(Bytes::new()).map_err(unusable)?;
        self.ask(request, "give the unloaded rows").await
    }

    /// The files whose names begin so.
    pub(crate) async fn list(&self, prefix: &str) -> Result<Vec<String>, Failure> {
        let mut keys = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let prefix = utf8_percent_encode(prefix, PLAIN);
            let after = token.map_or_else(String::new, |token| {
                format!("continuation-token={}&", utf8_percent_encode(&token, PLAIN))
            });
            let query = format!("?{after}list-type=2&prefix={prefix}");
            let request = Request::get(self.address("", &query)).body(Bytes::new());
            let answer = self.ask(request.map_err(unusable)?, "list the unloaded files").await?;
            let page: Page = quick_xml::de::from_reader(answer.as_ref()).map_err(|error| {
                Failure::new(Code::SourceUnreachable, "what answers in place of S3 is not S3")
                    .help("Correct `unload`, `region` or `aws_endpoint` in the source's settings")
                    .caused_by(error)
            })?;
            keys.extend(page.contents.into_iter().map(|entry| entry.key));
            token = page.next.filter(|token| !token.is_empty());
            if token.is_none() {
                return Ok(keys);
            }
        }
    }

    /// Deletes a file; one that is gone is no failure.
    pub(crate) async fn delete(&self, key: &str) -> Result<(), Failure> {
        let path = utf8_percent_encode(key, PATH).to_string();
        let request = Request::builder()
            .method(Method::DELETE)
            .uri(self.address(&path, ""))
            .body(Bytes::new())
            .map_err(unusable)?;
        let ask = Ask { service: "s3", request, wanted: "delete the unloaded files" };
        match self.aws.send(ask).await? {
            Ok(_) => Ok(()),
            Err(refused) if refused.status == StatusCode::NOT_FOUND => Ok(()),
            Err(refused) => Err(refused.failure("delete the unloaded files")),
        }
    }

    async fn ask(&self, request: Request<Bytes>, wanted: &'static str) -> Result<Bytes, Failure> {
        self.aws.ask(Ask { service: "s3", request, wanted }).await
    }

    fn address(&self, path: &str, query: &str) -> String {
        let host = self.aws.host("s3");
        // A certificate has one name in place of the bucket's, and so one without a dot.
        if self.name.contains('.') {
            format!("https://{host}/{}/{path}{query}", self.name)
        } else {
            format!("https://{}.{host}/{path}{query}", self.name)
        }
    }
}

fn unusable(error: http::Error) -> Failure {
    Failure::new(Code::SourceSettings, "`unload` and `region` make no valid address")
        .caused_by(error)
}
