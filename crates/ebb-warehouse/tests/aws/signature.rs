//! Signatures of version 4, as the services check them.

use std::fmt::Write;

use http::request::Parts;
use ring::{
    digest::{SHA256, digest},
    hmac::{HMAC_SHA256, Key, sign},
};

/// What an `authorization` header claims.
pub(super) struct Claim<'a> {
    pub(super) key: &'a str,
    date: &'a str,
    region: &'a str,
    pub(super) service: &'a str,
    headers: &'a str,
    signature: &'a str,
}

impl<'a> Claim<'a> {
    /// Reads `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`.
    pub(super) fn read(header: &'a str) -> Option<Self> {
        let mut parts = header.strip_prefix("AWS4-HMAC-SHA256 ")?.split(',').map(str::trim);
        let mut scope = parts.next()?.strip_prefix("Credential=")?.split('/');
        let headers = parts.next()?.strip_prefix("SignedHeaders=")?;
        let signature = parts.next()?.strip_prefix("Signature=")?;
        Some(Self {
            key: scope.next()?,
            date: scope.next()?,
            region: scope.next()?,
            service: scope.next()?,
            headers,
            signature,
        })
    }

    /// Whether the request was signed with this secret.
    pub(super) fn holds(&self, request: &Parts, body: &[u8], secret: &str) -> bool {
        let mut query: Vec<_> = request
            .uri
            .query()
            .unwrap_or_default()
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| if pair.contains('=') { pair.to_owned() } else { format!("{pair}=") })
            .collect();
        query.sort();
        let hash = hex(digest(&SHA256, body).as_ref());
        if request.headers["x-amz-content-sha256"] != *hash {
            return false;
        }
        let mut canonical =
            format!("{}\n{}\n{}\n", request.method, request.uri.path(), query.join("&"));
        for name in self.headers.split(';') {
            let value = request.headers[name].to_str().unwrap().trim();
            writeln!(canonical, "{name}:{value}").unwrap();
        }
        write!(canonical, "\n{}\n{hash}", self.headers).unwrap();
        let time = request.headers["x-amz-date"].to_str().unwrap();
        let scope = format!("{}/{}/{}/aws4_request", self.date, self.region, self.service);
        let text = format!(
            "AWS4-HMAC-SHA256\n{time}\n{scope}\n{}",
            hex(digest(&SHA256, canonical.as_bytes()).as_ref())
        );
        let start = format!("AWS4{secret}").into_bytes();
        let key = [self.date, self.region, self.service, "aws4_request", &text]
            .iter()
            .fold(start, |key, part| {
                sign(&Key::new(HMAC_SHA256, &key), part.as_bytes()).as_ref().to_vec()
            });
        let is_host_signed = self.headers.split(';').any(|name| name == "host");
        is_host_signed && time.starts_with(self.date) && hex(&key) == self.signature
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}
