//! A server on loopback that answers by a list, and remembers what it was asked.

use std::{
    collections::VecDeque,
    convert::Infallible,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// One answer.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// Status, headers, body.
    Says(u16, Vec<(&'static str, &'static str)>, &'static str),
    /// The connection breaks off.
    Cut,
    /// No answer ever comes.
    Silence,
}

/// What was asked: method, path, `authorization`, body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) authorization: String,
    pub(crate) body: String,
}

/// The server.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    /// Starts a server; after the last answer it says 200.
    pub(crate) async fn start(answers: Vec<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let server = Self { url, asked: Arc::clone(&asked) };
        let answers = Arc::new(Mutex::new(VecDeque::from(answers)));
        let mut connections = tokio::task::JoinSet::new();
        #[expect(clippy::disallowed_methods, reason = "ends with the test's runtime")]
        let _listening = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (asked, answers) = (Arc::clone(&asked), Arc::clone(&answers));
                connections.spawn(async move {
                    let service = service_fn(move |request| {
                        answer(request, Arc::clone(&asked), Arc::clone(&answers))
                    });
                    // A connection that is cut is an error here, and meant.
                    let _ended =
                        http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        server
    }

    /// What was asked so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

async fn answer(
    request: Request<Incoming>,
    asked: Arc<Mutex<Vec<Asked>>>,
    answers: Arc<Mutex<VecDeque<Answer>>>,
) -> Result<Response<Full<Bytes>>, Box<dyn std::error::Error + Send + Sync>> {
    let text = |value: Option<&hyper::header::HeaderValue>| {
        value.and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
    };
    let mut entry = Asked {
        method: request.method().to_string(),
        path: request.uri().path().to_owned(),
        authorization: text(request.headers().get("authorization")),
        body: String::new(),
    };
    let body = request.into_body().collect().await?.to_bytes();
    entry.body = String::from_utf8_lossy(&body).into_owned();
    asked.lock().unwrap().push(entry);
    let next = answers.lock().unwrap().pop_front();
    match next.unwrap_or(Answer::Says(200, Vec::new(), "{}")) {
        Answer::Says(status, headers, body) => {
            let mut response = Response::builder().status(status);
            for (name, value) in headers {
                response = response.header(name, value);
            }
            Ok(response.body(Full::new(Bytes::from(body)))?)
        }
        Answer::Cut => Err("cut".into()),
        Answer::Silence => {
            tokio::time::sleep(Duration::from_hours(1)).await;
            Ok::<_, Infallible>(Response::new(Full::default())).map_err(Into::into)
        }
    }
}
