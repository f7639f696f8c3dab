//! Drivers that block: each call runs on a thread of its own and is stopped when nobody waits for it.

use std::{sync::Arc, time::Duration};

use arrow_array::RecordBatch;
use ebb_core::{Code, Failure, port::BatchStream};
use futures_util::stream;
use tokio::{
    sync::mpsc,
    task::{JoinError, JoinHandle, spawn_blocking},
    time::timeout,
};

/// What stops a driver's running statement, from any thread.
type Interrupt = Arc<dyn Fn() + Send + Sync>;

/// A blocking driver's connection with a time-out for each call.
pub(crate) struct Blocking<C> {
    /// Gone while a call runs, and for good when its future was dropped.
    connection: Option<C>,
    interrupt: Interrupt,
    timeout: Option<Duration>,
}

/// Stops the running statement unless it has ended.
struct InterruptOnDrop(Option<Interrupt>);

impl Drop for InterruptOnDrop {
    fn drop(&mut self) {
        if let Some(interrupt) = &self.0 {
            interrupt();
        }
    }
}

impl<C: Send + 'static> Blocking<C> {
    /// A connection and what stops its running statement.
    pub(crate) fn new(
        connection: C,
        interrupt: impl Fn() + Send + Sync + 'static,
        timeout: Option<Duration>,
    ) -> Self {
        Self { connection: Some(connection), interrupt: Arc::new(interrupt), timeout }
    }

    /// Runs a call. Fails with `S106` after the time-out; the connection is given up then.
    pub(crate) async fn run<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut C) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let mut connection = self.take()?;
        let mut guard = InterruptOnDrop(Some(Arc::clone(&self.interrupt)));
        let task = spawn_blocking(move || {
            let outcome = work(&mut connection);
            (connection, outcome)
        });
        let joined = match self.timeout {
            None => task.await,
            Some(limit) => timeout(limit, task).await.map_err(|_| too_long(limit))?,
        };
        guard.0 = None;
        let (connection, outcome) = joined.map_err(stopped)?;
        self.connection = Some(connection);
        outcome
    }

    fn take(&mut self) -> Result<C, Failure> {
        self.connection
            .take()
            .ok_or_else(|| Failure::new(Code::SourceLost, "the session of the source was given up"))
    }

    /// A stream of what a producer hands over. The producer runs on a thread of its own, waits when
    /// nobody takes the next batch, and ends when handing over says `false` or the stream is dropped.
    /// The time-out is for each batch, and the reader's own time does not count.
    pub(crate) fn stream(
        mut self,
        produce: impl FnOnce(&mut C, &mut dyn FnMut(RecordBatch) -> bool) -> Result<(), Failure>
        + Send
        + 'static,
    ) -> Result<BatchStream, Failure> {
        let mut connection = self.take()?;
        let (sender, batches) = mpsc::channel(WAITING);
        let producer = spawn_blocking(move || {
            let mut send = |batch| sender.blocking_send(Ok(batch)).is_ok();
            if let Err(failure) = produce(&mut connection, &mut send) {
                // Nobody waits for the failure of a stream that was let go.
                sender.blocking_send(Err(failure)).ok();
            }
        });
        let reading = Reading {
            batches,
            producer: Some(producer),
            timeout: self.timeout,
            guard: InterruptOnDrop(Some(self.interrupt)),
        };
        Ok(Box::pin(stream::unfold(reading, Reading::next)))
    }
}

/// Batches that wait between the driver's thread and the reader; the driver waits when it is full.
const WAITING: usize = 2;

struct Reading {
    batches: mpsc::Receiver<Result<RecordBatch, Failure>>,
    producer: Option<JoinHandle<()>>,
    timeout: Option<Duration>,
    guard: InterruptOnDrop,
}

impl Reading {
    async fn next(mut self) -> Option<(Result<RecordBatch, Failure>, Self)> {
        let received = match self.timeout {
            None => self.batches.recv().await,
            Some(limit) => match timeout(limit, self.batches.recv()).await {
                Ok(received) => received,
                Err(_) => Some(Err(too_long(limit))),
            },
        };
        if let Some(item) = received {
            return Some((item, self));
        }
        // A producer that died must not look like one that has ended.
        let ended = self.producer.take()?.await;
        self.guard.0 = None;
        ended.err().map(|error| (Err(stopped(error)), self))
    }
}

fn too_long(limit: Duration) -> Failure {
    let limit = limit.as_secs();
    Failure::new(Code::SourceTimeout, format!("a statement took longer than `{limit}` seconds"))
}

/// The failure of a driver's thread that ended by itself.
pub(crate) fn stopped(error: JoinError) -> Failure {
    Failure::new(Code::SourceLost, "the source's driver stopped unexpectedly").caused_by(error)
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            Arc,
            atomic::{AtomicBool, Ordering},
        },
        time::Duration,
    };

    use ebb_core::Code;
    use futures_util::TryStreamExt;

    use super::Blocking;

    #[tokio::test]
    async fn a_call_that_takes_too_long_is_stopped() {
        let stop = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&stop);
        let interrupt = move || seen.store(true, Ordering::SeqCst);
        let mut driver = Blocking::new((), interrupt, Some(Duration::from_millis(10)));
        let outcome = driver
            .run(move |()| {
                while !stop.load(Ordering::SeqCst) {
                    std::thread::yield_now();
                }
                Ok(())
            })
            .await;
        assert_eq!(outcome.unwrap_err().code, Code::SourceTimeout);
        assert_eq!(driver.run(|()| Ok(())).await.unwrap_err().code, Code::SourceLost);
    }

    #[tokio::test]
    async fn a_stream_that_is_dropped_stops_its_query() {
        let (stop, stopped) = std::sync::mpsc::channel();
        let (tell, told) = tokio::sync::oneshot::channel();
        let driver = Blocking::new((), move || stop.send(()).unwrap(), None);
        let batches = driver
            .stream(move |(), _| {
                stopped.recv().unwrap();
                tell.send(()).unwrap();
                Ok(())
            })
            .unwrap();
        drop(batches);
        told.await.unwrap();
    }

    #[tokio::test]
    async fn a_producer_that_dies_is_a_failure() {
        let driver = Blocking::new((), || (), None);
        let batches = driver.stream(|(), _| panic!("the driver's own fault")).unwrap();
        let failure = batches.try_collect::<Vec<_>>().await.unwrap_err();
        assert_eq!(failure.code, Code::SourceLost);
    }
}
