//! The same receiver without a socket, for simulations on paused time.

use std::{ops::Deref, sync::Arc, time::Duration};

use async_trait::async_trait;
use ebb_core::{
    Code, Failure,
    port::{Pace, Reply, Request, Transport},
};
use tokio::time::sleep;

use crate::inbox::{Exchange, Inbox, Script};

/// A transport whose other end is an [`Inbox`]. A cut connection is `D201`.
///
/// Answers take the script's delay in tokio's time, which tests can pause.
#[derive(Debug, Clone)]
pub struct ScriptedTransport {
    inbox: Arc<Inbox>,
    pace: Pace,
}

impl ScriptedTransport {
    /// A transport with an inbox of its own.
    pub fn new(script: Script, pace: Pace) -> Self {
        Self { inbox: Arc::new(Inbox::new(script)), pace }
    }
}

impl Deref for ScriptedTransport {
    type Target = Inbox;

    fn deref(&self) -> &Inbox {
        &self.inbox
    }
}

#[async_trait]
impl Transport for ScriptedTransport {
    fn pace(&self) -> Pace {
        self.pace
    }

    async fn send(&self, request: &Request) -> Result<Reply, Failure> {
        let answer = self.inbox.begin(path_of(&request.url), &request.body.bytes());
        let exchange = Exchange::new(&self.inbox, answer.number);
        let delay = self.inbox.delay();
        sleep(delay.max(Duration::from_micros(1))).await;
        let Some(status) = answer.status else {
            return Err(Failure::new(Code::DestinationUnreachable, "the connection was cut"));
        };
        let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        if let Some(seconds) = answer.retry_after {
            headers.push(("retry-after".to_owned(), seconds.to_string()));
        }
        exchange.answer();
        Ok(Reply { status, headers, body: answer.body, elapsed: delay })
    }
}

/// An address without its scheme and host.
fn path_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find('/').and_then(|start| rest.get(start..)).unwrap_or("/")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;
    use ebb_core::{
        Code,
        port::{Body, Pace, Request, Transport},
    };

    use super::ScriptedTransport;
    use crate::{fault::Faults, inbox::Script};

    fn transport(faults: Faults) -> ScriptedTransport {
        let script = Script { delay: Duration::from_mins(1), ..Script::with_faults(faults) };
        ScriptedTransport::new(script, Pace { requests_per_second: None, concurrency: 4 })
    }

    fn request() -> Request {
        Request {
            method: "POST".to_owned(),
            url: "https://hook.test/in".to_owned(),
            headers: Vec::new(),
            body: Body::Json(Bytes::from_static(br#"{"__segment_id":7,"messageId":"m"}"#)),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_is_accepted_before_it_is_answered() {
        let transport = transport(Faults::NONE);
        let request = request();
        {
            let mut sending = transport.send(&request);
            assert!(futures_util::poll!(&mut sending).is_pending());
            assert_eq!(transport.record_count(), 1);
        }
        let dropped = transport.requests().remove(0);
        assert_eq!((dropped.answered, dropped.ended), (false, Some(2)));

        let reply = transport.send(&request).await.unwrap();
        assert_eq!((reply.status, reply.elapsed), (200, Duration::from_mins(1)));
        assert_eq!(transport.records()["7"].len(), 2);
        assert_eq!(transport.counts()["/in"].requests, 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_cut_connection_is_an_unreachable_destination() {
        let transport = transport(Faults { cut: 1.0, ..Faults::NONE });
        let failure = transport.send(&request()).await.unwrap_err();
        assert_eq!(failure.code, Code::DestinationUnreachable);
    }
}
