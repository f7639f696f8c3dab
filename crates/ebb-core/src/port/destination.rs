//! A destination's action as the engine sees it: pure planning, and one way to send.

use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use serde::{Deserialize, Serialize};

use crate::{Failure, Operation, Record};

/// What one batch may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Batching {
    /// Most items of one batch; 1 sends every record alone.
    pub max_items: usize,
    /// Most bytes of the items of one batch, separators included.
    pub max_bytes: usize,
}

/// How fast a destination may be called.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    /// Most requests a second; `None` leaves it to the destination's answers.
    pub requests_per_second: Option<f64>,
    /// Most batches in flight at once.
    pub concurrency: usize,
}

/// One mapped and validated record, in the form its action makes requests from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The change's place in its sync.
    pub seq: u64,
    /// What happened to the record.
    pub operation: Operation,
    /// Items of different groups never share a batch; holds what the request takes from its items
    /// in common.
    pub group: Bytes,
    /// What the request takes from this item alone.
    pub bytes: Bytes,
}

/// Where the bytes of items are written: many to one piece of memory, which is free again when the
/// last of them is.
#[derive(Debug, Default)]
pub struct ItemBuffer {
    text: Vec<u8>,
    page: BytesMut,
}

impl ItemBuffer {
    /// Bytes of one piece of memory; an item that is larger has its own.
    const PAGE: usize = 64 * 1024;

    /// The bytes that `write` appends to an empty vector.
    pub fn fill<E>(
        &mut self,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<Bytes, E> {
        self.text.clear();
        write(&mut self.text)?;
        if self.page.capacity() < self.text.len() {
            self.page = BytesMut::with_capacity(self.text.len().max(Self::PAGE));
        }
        self.page.extend_from_slice(&self.text);
        Ok(self.page.split().freeze())
    }
}

/// The items of one request, in the order of `seq`, all of one group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Never empty.
    pub items: Vec<Item>,
}

/// A request header; a secret one is never shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Lower-case name.
    pub name: String,
    /// The value.
    pub value: String,
    /// Whether the value must not be shown.
    pub secret: bool,
}

/// A request's body.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Body {
    /// None.
    #[default]
    Empty,
    /// JSON text.
    Json(Bytes),
    /// `application/x-www-form-urlencoded`.
    Form(Bytes),
    /// Any other text; the type is among the headers.
    Text(Bytes),
}

impl Body {
    /// The bytes that are sent.
    pub fn bytes(&self) -> Bytes {
        match self {
            Self::Empty => Bytes::new(),
            Self::Json(bytes) | Self::Form(bytes) | Self::Text(bytes) => bytes.clone(),
        }
    }
}

/// One HTTP request, complete but for the credentials that [`Transport`] adds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// `GET`, `POST`, …
    pub method: String,
    /// The whole address, query included.
    pub url: String,
    /// Headers of the action and of the destination.
    pub headers: Vec<Header>,
    /// The body.
    pub body: Body,
}

/// What the destination answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// Headers with lower-case names.
    pub headers: Vec<(String, String)>,
    /// The body, cut at a bound that [`Transport`] sets.
    pub body: Bytes,
    /// From the first byte sent to the last byte received.
    pub elapsed: Duration,
}

/// A request and its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// What was sent.
    pub request: Request,
    /// What came back.
    pub reply: Reply,
}

/// What to do next with a batch.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Send these, in order; then ask again with all exchanges so far.
    Send(Vec<Request>),
    /// One answer per item, in the order of the batch: `Ok` is delivered.
    Done(Vec<Result<(), Failure>>),
    /// The batch as a whole was refused, and nothing is known of any single item. The failure's
    /// remedy says what follows: again, in halves, or not at all.
    Refused(Failure),
}

/// One action of one configured destination, compiled for one sync's columns. Pure: neither clock
/// nor network, so that a preview shows exactly what would be sent.
pub trait Action: Send + Sync {
    /// What a batch may hold.
    fn batching(&self) -> Batching;

    /// Maps and validates one record; the item's bytes lie in `buffer`. The failure's remedy is
    /// [`crate::Remedy::RejectRow`] when only this record is at fault.
    fn prepare(&self, record: &Record<'_>, buffer: &mut ItemBuffer) -> Result<Item, Failure>;

    /// From the items and what was answered so far to the next requests or the outcomes.
    fn next(&self, batch: &Batch, exchanges: &[Exchange]) -> Result<Step, Failure>;
}

/// Sends requests with a destination's credentials, refreshing them once on a 401.
#[async_trait]
pub trait Transport: Send + Sync {
    /// How fast the destination may be called.
    fn pace(&self) -> Pace;

    /// Sends one request. `Err` means that no answer came: `D201`, `D210`, or `D204` when no
    /// credentials could be had. An answer of any status is `Ok`.
    async fn send(&self, request: &Request) -> Result<Reply, Failure>;
}

/// A request as people may see it: secrets are replaced.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ShownRequest {
    /// `GET`, `POST`, …
    pub method: String,
    /// The address, redacted.
    pub url: String,
    /// Headers, secret values replaced.
    pub headers: Vec<(String, String)>,
    /// The body as text, redacted.
    pub body: String,
}

/// Where a request went, as people may see it: secrets are replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestHead {
    /// `GET`, `POST`, …
    pub method: String,
    /// The address, redacted.
    pub url: String,
    /// Headers, secret values replaced. Those that [`Transport`] adds are not among them.
    pub headers: Vec<(String, String)>,
}

impl Request {
    /// The request without its secrets.
    pub fn shown(&self, redactor: &crate::Redactor) -> ShownRequest {
        let RequestHead { method, url, headers } = self.head(redactor);
        let body = redactor.redact(&String::from_utf8_lossy(&self.body.bytes()));
        ShownRequest { method, url, headers, body }
    }

    /// The request without its secrets and without its body.
    pub fn head(&self, redactor: &crate::Redactor) -> RequestHead {
        let headers = self.headers.iter().map(|header| {
            let value = if header.secret {
                crate::secret::REDACTED.to_owned()
            } else {
                redactor.redact(&header.value)
            };
            (header.name.clone(), value)
        });
        RequestHead {
            method: self.method.clone(),
            url: redactor.redact(&self.url),
            headers: headers.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_keep_their_bytes_whatever_is_written_after_them() {
        let mut buffer = ItemBuffer::default();
        let mut fill = |byte, length| {
            buffer.fill(|out| {
                assert!(out.is_empty());
                out.resize(length, byte);
                if length == 13 { Err("refused") } else { Ok(()) }
            })
        };
        let lengths = [0, 1, 13, 40_000, 40_000, 200_000, 7];
        let filled: Vec<_> =
            (b'a'..).zip(lengths).map(|(byte, length)| fill(byte, length)).collect();
        for ((byte, length), bytes) in (b'a'..).zip(lengths).zip(filled) {
            match bytes {
                Ok(bytes) => assert_eq!(bytes, vec![byte; length]),
                Err(reason) => assert_eq!((reason, length), ("refused", 13)),
            }
        }
    }
}
