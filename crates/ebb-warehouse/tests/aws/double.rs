//! The server: it checks who asks, and answers what the test told it to.

use std::{
    collections::{BTreeMap, VecDeque},
    convert::Infallible,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use http::{Request, Response, request::Parts};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;

use super::{s3, signature::Claim};

/// An access key that the double knows.
const KEY: (&str, &str) = ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
/// The one that it gives to whom takes a role over.
const ROLE: (&str, &str, &str) = ("ASIAIOSFODNN7EXAMPLE", "of-the-role", "session-of-the-role");
/// The region that tests live in.
const REGION: &str = "eu-central-1";

/// Status, headers and body.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Bytes,
}

impl Answer {
    /// A good one.
    pub(crate) fn of(body: impl Into<Bytes>) -> Self {
        Self { status: 200, headers: Vec::new(), body: body.into() }
    }

    /// A refusal in the form of the query protocol.
    pub(crate) fn refusal(status: u16, code: &str, message: &str) -> Self {
        let body = format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
        );
        Self { status, ..Self::of(body) }
    }
}

#[derive(Default)]
struct State {
    answers: VecDeque<Answer>,
    log: Vec<String>,
    /// The files of all buckets by `bucket/name`.
    files: BTreeMap<String, Bytes>,
}

/// A server of its own for each test.
#[derive(Clone)]
pub(crate) struct Aws {
    pub(crate) url: String,
    state: Arc<Mutex<State>>,
}

impl Aws {
    /// Listens for as long as the test's runtime lives.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://127.0.0.1:{}", listener.local_addr().unwrap().port());
        let double = Self { url, state: Arc::default() };
        let served = double.clone();
        let accept = async move {
            while let Ok((stream, _)) = listener.accept().await {
                let double = served.clone();
                let answer = service_fn(move |request| double.clone().answer(request));
                let serve = async move {
                    drop(
                        http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await,
                    );
                };
                #[expect(clippy::disallowed_methods, reason = "it ends with the test's runtime")]
                drop(tokio::spawn(serve));
            }
        };
        #[expect(clippy::disallowed_methods, reason = "it ends with the test's runtime")]
        drop(tokio::spawn(accept));
        double
    }

    /// The settings of a source that asks this server, with a key that it knows.
    pub(crate) fn settings(&self) -> Map<String, Value> {
        let settings = json!({
            "region": REGION, "aws_endpoint": self.url, "access_key_id": KEY.0, "secret_access_key": KEY.1,
        });
        settings.as_object().unwrap().clone()
    }

    /// What is answered next to signed requests, one after the other.
    pub(crate) fn will_answer(&self, answers: impl IntoIterator<Item = Answer>) {
        self.state.lock().unwrap().answers.extend(answers);
    }

    /// What was asked: service, host, action or path, each with the key that signed.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.state.lock().unwrap().log.clone()
    }

    /// Puts a file into a bucket, as a cluster does by its role.
    pub(crate) fn put(&self, bucket: &str, key: &str, file: impl Into<Bytes>) {
        self.state.lock().unwrap().files.insert(format!("{bucket}/{key}"), file.into());
    }

    /// The names of all files.
    pub(crate) fn files(&self) -> Vec<String> {
        self.state.lock().unwrap().files.keys().cloned().collect()
    }

    async fn answer(self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let Answer { status, headers, body } = self.judged(&parts, &body);
        let mut response = Response::builder().status(status);
        for (name, value) in headers {
            response = response.header(name, value);
        }
        Ok(response.body(Full::new(body)).unwrap())
    }

    fn judged(&self, request: &Parts, body: &Bytes) -> Answer {
        let header = |name: &str| request.headers.get(name).map(|value| value.to_str().unwrap());
        let Some(claim) = header("authorization").and_then(Claim::read) else {
            return Answer::refusal(403, "MissingAuthenticationToken", "not signed");
        };
        let (secret, token) = match claim.key {
            key if key == KEY.0 => (KEY.1, None),
            key if key == ROLE.0 => (ROLE.1, Some(ROLE.2)),
            _ => return Answer::refusal(403, "InvalidClientTokenId", "the key is not known"),
        };
        let expected = format!("{}.{REGION}.amazonaws.com", claim.service);
        let host = header("host").unwrap_or_default();
        let is_for_host = host == expected || host.ends_with(&format!(".{expected}"));
        if !claim.holds(request, body, secret)
            || header("x-amz-security-token") != token
            || !is_for_host
        {
            return Answer::refusal(403, "SignatureDoesNotMatch", "the signature is not right");
        }
        let text = String::from_utf8_lossy(body);
        let target = header("x-amz-target").unwrap_or_default();
        let line = [request.method.as_str(), host, request.uri.path(), target, &text];
        let mut state = self.state.lock().unwrap();
        if claim.service == "sts" {
            state.log.push(format!(
                "sts {} with {}",
                request.uri.query().unwrap_or_default(),
                claim.key
            ));
            return Answer::of(format!(
                "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>{}</AccessKeyId>\
                 <SecretAccessKey>{}</SecretAccessKey><SessionToken>{}</SessionToken>\
                 <Expiration>2999-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>",
                ROLE.0, ROLE.1, ROLE.2
            ));
        }
        if claim.service == "s3" {
            let path = format!("{} {host}{}", request.method, request.uri);
            state.log.push(path);
            let told = state.answers.pop_front();
            return told.unwrap_or_else(|| s3::answer(&mut state.files, request, host));
        }
        state.log.push(format!("{} with {}", line.join(" "), claim.key));
        state.answers.pop_front().unwrap_or_else(|| Answer::refusal(500, "", "nothing more to say"))
    }
}
