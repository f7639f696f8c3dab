//! How the finding of keys reads files and asks others.

use std::{fmt, time::Duration};

use bytes::Bytes;
use http::{Request, Response, Uri, uri::Scheme};
use reqsign_core::{Error, FileRead, HttpSend, Result};
use url::Url;

/// The longest that a machine's own metadata service takes; elsewhere nobody answers at its address.
const METADATA: Duration = Duration::from_secs(2);

/// Sends what finds keys.
#[derive(Clone)]
pub(super) struct Sender {
    pub(super) http: reqwest::Client,
    pub(super) endpoint: Option<Url>,
}

impl fmt::Debug for Sender {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Sender").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

impl HttpSend for Sender {
    async fn http_send(&self, request: Request<Bytes>) -> Result<Response<Bytes>> {
        let is_metadata = request.uri().scheme() == Some(&Scheme::HTTP);
        let failed =
            |error: reqwest::Error| Error::unexpected("no answer").with_source(error.without_url());
        let mut request = self.outgoing(request).map_err(failed)?;
        if is_metadata {
            *request.timeout_mut() = Some(METADATA);
        }
        let response = self.http.execute(request).await.map_err(failed)?;
        let mut answer = Response::builder().status(response.status());
        if let Some(headers) = answer.headers_mut() {
            headers.clone_from(response.headers());
        }
        answer
            .body(response.bytes().await.map_err(failed)?)
            .map_err(|error| Error::unexpected("no valid answer").with_source(error))
    }
}

impl Sender {
    /// A request with its final address. It keeps the header `host`, which was signed.
    pub(super) fn outgoing(
        &self,
        mut request: Request<Bytes>,
    ) -> std::result::Result<reqwest::Request, reqwest::Error> {
        if let Some(endpoint) = &self.endpoint
            && request.uri().scheme() == Some(&Scheme::HTTPS)
            && let Some(uri) = moved(request.uri(), endpoint)
        {
            *request.uri_mut() = uri;
        }
        request.try_into()
    }
}

/// A path and query at another address.
fn moved(uri: &Uri, endpoint: &Url) -> Option<Uri> {
    let at = endpoint.as_str().trim_end_matches('/');
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    format!("{at}{path}").parse().ok()
}

/// Reads shared files and tokens.
#[derive(Debug, Clone, Copy)]
pub(super) struct Files;

impl FileRead for Files {
    async fn file_read(&self, path: &str) -> Result<Vec<u8>> {
        let path = path.to_owned();
        let unreadable = |error| Error::config_invalid("a file cannot be read").with_source(error);
        tokio::task::spawn_blocking(move || std::fs::read(path))
            .await
            .map_err(|error| Error::unexpected("reading was stopped").with_source(error))?
            .map_err(unreadable)
    }
}
