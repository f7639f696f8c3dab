//! A real HTTP server on a loopback port, for tests that go through a socket.

use std::{
    fmt, io,
    net::{Ipv4Addr, SocketAddr},
    ops::Deref,
    sync::Arc,
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response, body::Incoming, header::RETRY_AFTER, server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpListener, task::JoinSet, time::sleep};

use crate::inbox::{Exchange, Inbox, Script};

/// A receiver on a free port of 127.0.0.1, which lives until it is dropped.
///
/// It is its [`Inbox`] too: `receiver.records()`, `receiver.refuse(…)`.
#[derive(Debug)]
pub struct ScriptedReceiver {
    inbox: Arc<Inbox>,
    address: SocketAddr,
    /// Dropping it stops the server and its connections.
    _server: JoinSet<()>,
}

impl ScriptedReceiver {
    /// Starts on the current tokio runtime. Fails when no port can be had.
    pub async fn start(script: Script) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let inbox = Arc::new(Inbox::new(script));
        let mut server = JoinSet::new();
        server.spawn(serve(listener, Arc::clone(&inbox)));
        Ok(Self { inbox, address, _server: server })
    }

    /// The address of a path, which begins with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

impl Deref for ScriptedReceiver {
    type Target = Inbox;

    fn deref(&self) -> &Inbox {
        &self.inbox
    }
}

async fn serve(listener: TcpListener, inbox: Arc<Inbox>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                // a client that is gone already needs no answer
                let Ok((stream, _)) = accepted else { continue };
                let inbox = Arc::clone(&inbox);
                connections.spawn(async move {
                    let service = service_fn(|request| answer(&inbox, request));
                    // an error is a cut connection: ours on purpose, or the client's
                    drop(http1::Builder::new().serve_connection(TokioIo::new(stream), service).await);
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn answer(inbox: &Inbox, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Cut> {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let body = request.into_body().collect().await.map_err(|_| Cut)?.to_bytes();
    let answer = inbox.begin(&path, &body);
    let exchange = Exchange::new(inbox, answer.number);
    let delay = inbox.delay();
    if !delay.is_zero() {
        sleep(delay).await;
    }
    let Some(status) = answer.status else { return Err(Cut) };
    let mut response =
        Response::builder().status(status).header("content-type", "application/json");
    if let Some(seconds) = answer.retry_after {
        response = response.header(RETRY_AFTER, seconds);
    }
    let response = response.body(Full::new(answer.body)).map_err(|_| Cut)?;
    exchange.answer();
    Ok(response)
}

/// Ends the connection without an answer.
#[derive(Debug)]
struct Cut;

impl fmt::Display for Cut {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("the script cuts the connection")
    }
}

impl std::error::Error for Cut {}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpStream,
    };

    use super::ScriptedReceiver;
    use crate::{
        fault::{Fault, Faults},
        inbox::Script,
    };

    const BODY: &str = r#"[{"__segment_id":"7","messageId":"m"}]"#;

    async fn post(receiver: &ScriptedReceiver, path: &str) -> String {
        let mut stream = TcpStream::connect(receiver.address).await.unwrap();
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{BODY}",
            BODY.len()
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn a_request_is_answered_and_remembered() {
        let receiver = ScriptedReceiver::start(Script::default()).await.unwrap();
        let answer = post(&receiver, "/in?a=b").await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.ends_with(r#"{"accepted":1}"#), "{answer}");
        assert_eq!(receiver.records()["7"][0].message_id, "m");
        let request = receiver.requests().remove(0);
        assert_eq!((request.path.as_str(), request.answered), ("/in?a=b", true));
    }

    #[tokio::test]
    async fn a_busy_receiver_says_when_to_come_again() {
        let script = Script::with_faults(Faults { busy: 1.0, ..Faults::NONE });
        let receiver = ScriptedReceiver::start(script).await.unwrap();
        let answer = post(&receiver, "/in").await;
        assert!(answer.starts_with("HTTP/1.1 429 "), "{answer}");
        assert!(answer.contains("\r\nretry-after: 1\r\n"), "{answer}");
        assert_eq!(receiver.record_count(), 0);
    }

    #[tokio::test]
    async fn a_cut_connection_brings_no_answer() {
        let script = Script::with_faults(Faults { cut: 1.0, ..Faults::NONE });
        let receiver = ScriptedReceiver::start(script).await.unwrap();
        for _ in 0..16 {
            assert_eq!(post(&receiver, "/in").await, "");
        }
        let requests = receiver.requests();
        assert!(requests.iter().all(|request| !request.answered && request.ended.is_some()));
        let accepted =
            requests.iter().filter(|request| request.fault == Some(Fault::CutAfterAccepting));
        assert_eq!(accepted.count(), receiver.records().get("7").map_or(0, Vec::len));
    }
}
