//! Rows as they come, and whether they were all.
//!
//! What goes wrong in the middle of a result comes behind rows of an answer that began as a good one. A result is whole
//! only if its last bytes say so.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use arrow_array::RecordBatch;
use bytes::Bytes;
use ebb_core::{Column, Failure, port::BatchStream};
use futures_util::{StreamExt, stream};
use reqwest::Response;
use tokio::time;

use super::{answer::Exception, client::Client, failure, running::Running};
use crate::{arrow::Reader, http};

/// No byte for so long, once there was one, means that nobody sends any more.
const IDLE: Duration = Duration::from_mins(5);
/// What ends a stream of Arrow.
const END: [u8; 8] = [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0];
/// So many bytes at a result's end are kept for what they may tell.
const TAIL: usize = 64 * 1024;

/// A result that is being read.
struct Reading {
    client: Arc<Client>,
    response: Response,
    /// Gone once it gave up.
    reader: Option<Reader>,
    /// The last pieces that came.
    tail: Tail,
    /// Batches that nobody has taken yet.
    ready: VecDeque<RecordBatch>,
    running: Running,
    begun: bool,
}

/// The batches of a response.
pub(super) fn batches(
    client: Arc<Client>,
    response: Response,
    running: Running,
    columns: &[Column],
) -> BatchStream {
    let reader = Some(Reader::new(columns, "ClickHouse"));
    let (tail, ready) = (Tail::default(), VecDeque::new());
    let reading = Reading { client, response, reader, tail, ready, running, begun: false };
    stream::try_unfold(reading, Reading::next).boxed()
}

impl Reading {
    async fn next(mut self) -> Result<Option<(RecordBatch, Self)>, Failure> {
        loop {
            if let Some(batch) = self.ready.pop_front() {
                return Ok(Some((batch, self)));
            }
            match self.piece().await {
                Ok(Some(piece)) => {
                    self.tail.push(piece.clone());
                    // What follows bytes that make no sense may tell why.
                    let Some(reader) = &mut self.reader else { continue };
                    match reader.read(piece) {
                        Ok(batches) => self.ready.extend(batches),
                        Err(failure) => {
                            tracing::debug!(%failure, "a result is damaged");
                            self.reader = None;
                        }
                    }
                }
                Ok(None) => return self.end().map(|()| None),
                Err(failure) => {
                    return Err(self.tail.exception().map_or(failure, |exception| {
                        failure::refused(&exception, &self.client.settings)
                    }));
                }
            }
        }
    }

    async fn piece(&mut self) -> Result<Option<Bytes>, Failure> {
        let response = &mut self.response;
        let piece = if self.begun {
            let idle = |_| http::lost("no byte came for five minutes");
            time::timeout(IDLE, response.chunk()).await.map_err(idle)?
        } else {
            self.client.within(response.chunk()).await?
        };
        self.begun = true;
        piece.map_err(|error| failure::unanswered(error, &self.client.settings))
    }

    fn end(self) -> Result<(), Failure> {
        if let Some(reader) = self.reader.filter(|_| self.tail.is_whole()) {
            reader.finish()?;
            self.running.ended();
            return Ok(());
        }
        let exception = self.tail.exception();
        if exception.is_some() {
            self.running.ended();
        }
        Err(exception.map_or_else(
            || http::lost("a result ended in the middle"),
            |exception| failure::refused(&exception, &self.client.settings),
        ))
    }
}

/// The last bytes of what came in pieces.
#[derive(Debug, Default)]
struct Tail {
    pieces: VecDeque<Bytes>,
    bytes: usize,
}

impl Tail {
    fn push(&mut self, piece: Bytes) {
        self.bytes += piece.len();
        self.pieces.push_back(piece);
        while let Some(first) = self.pieces.front().filter(|first| self.bytes - first.len() >= TAIL)
        {
            self.bytes -= first.len();
            self.pieces.pop_front();
        }
    }

    fn is_whole(&self) -> bool {
        let last = self.pieces.iter().rev().flat_map(|piece| piece.iter().rev());
        self.bytes >= END.len() && last.take(END.len()).eq(END.iter().rev())
    }

    fn exception(&self) -> Option<Exception> {
        let bytes: Vec<u8> = self.pieces.iter().flatten().copied().collect();
        Exception::find(bytes.get(bytes.len().saturating_sub(TAIL)..)?)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::{END, TAIL, Tail};

    #[test]
    fn the_end_of_pieces_is_kept_and_no_more() {
        let mut tail = Tail::default();
        assert!(!tail.is_whole());
        for _ in 0..100 {
            tail.push(Bytes::from(vec![7; TAIL / 10]));
        }
        assert!(tail.bytes < TAIL * 2, "{}", tail.bytes);
        for byte in END {
            assert!(!tail.is_whole());
            tail.push(Bytes::from(vec![byte]));
        }
        assert!(tail.is_whole());
        tail.push(Bytes::from_static(b"Code: 241. DB::Exc"));
        tail.push(Bytes::from_static(b"eption: Memory limit exceeded"));
        assert!(!tail.is_whole());
        assert_eq!(tail.exception().map(|it| it.number), Some(241));
    }
}
