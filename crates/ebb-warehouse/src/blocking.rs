//! Drivers that block: each call runs on a thread of its own and is stopped when nobody waits for it.

use std::{sync::Arc, time::Duration};

use arrow_array::RecordBatch;
use ebb_core::{Code, Failure, port::BatchStream};
use futures_util::stream;
use tokio::{
    sync::mpsc,
    task::{JoinError, spawn_blocking},
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
            Some(limit) => timeout(limit, task).await.map_err(|_| {
                let limit = limit.as_secs();
                Failure::new(
                    Code::SourceTimeout,
                    format!("a statement took longer than `{limit}` seconds"),
                )
            })?,
        };
        guard.0 = None;
        let (connection, outcome) = joined.map_err(stopped)?;
        self.connection = Some(connection);
        outcome
    }

    /// The connection itself, for a call that outlives this value.
    pub(crate) fn take(&mut self) -> Result<C, Failure> {
        self.connection
            .take()
            .ok_or_else(|| Failure::new(Code::SourceLost, "the session of the source was given up"))
    }
}

/// Batches that wait between the driver's thread and the reader; the driver waits when it is full.
const WAITING: usize = 2;

/// A stream of what a blocking producer hands over. The producer runs on a thread of its own and stops
/// when handing over says `false`: then nobody reads any more.
pub(crate) fn stream(
    produce: impl FnOnce(&mut dyn FnMut(RecordBatch) -> bool) -> Result<(), Failure> + Send + 'static,
) -> BatchStream {
    let (sender, receiver) = mpsc::channel(WAITING);
    let producer = spawn_blocking(move || {
        if let Err(failure) = produce(&mut |batch| sender.blocking_send(Ok(batch)).is_ok()) {
            // Nobody waits for the failure of a stream that was let go.
            sender.blocking_send(Err(failure)).ok();
        }
    });
    Box::pin(stream::unfold((receiver, Some(producer)), |(mut receiver, producer)| async move {
        if let Some(item) = receiver.recv().await {
            return Some((item, (receiver, producer)));
        }
        // A producer that died must not look like one that has ended.
        let error = producer?.await.err()?;
        Some((Err(stopped(error)), (receiver, None)))
    }))
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

    use super::{Blocking, stream};

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
    async fn a_producer_that_dies_is_a_failure() {
        let batches = stream(|_| panic!("the driver's own fault"));
        let failure = batches.try_collect::<Vec<_>>().await.unwrap_err();
        assert_eq!(failure.code, Code::SourceLost);
    }
}
