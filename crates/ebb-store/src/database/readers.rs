//! Connections that read. They see the last commit and never wait for the writer.

use std::sync::{Arc, Mutex, PoisonError};

use ebb_core::{Code, Failure};
use tokio::sync::Semaphore;

use super::{
    fault::Fault,
    place::{Connection, Place},
    sql::Transaction,
};

/// Connections, at most. Who finds all of them at work waits for one; idle ones are kept.
const MOST: usize = 8;

/// Reads on the threads for blocking work.
#[derive(Debug, Clone)]
pub(super) struct Readers {
    place: Place,
    idle: Arc<Mutex<Vec<Connection>>>,
    room: Arc<Semaphore>,
}

impl Readers {
    /// Readers of a database that a writer has open.
    pub(super) fn new(place: Place) -> Self {
        Self { place, idle: Arc::default(), room: Arc::new(Semaphore::new(MOST)) }
    }

    /// Runs a query; all it reads is of one moment.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Transaction<'_>) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let interrupted = || Failure::new(Code::Interrupted, "reading was interrupted");
        let room = Arc::clone(&self.room).acquire_owned().await;
        let room = room.map_err(|error| interrupted().caused_by(error))?;
        let readers = self.clone();
        let reading = tokio::task::spawn_blocking(move || {
            let read = readers.run(query);
            drop(room);
            read
        });
        reading.await.unwrap_or_else(|error| Err(interrupted().caused_by(error).into()))
    }

    fn run<T>(&self, query: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut connection = idle.map_or_else(|| self.place.open_reader(), Ok)?;
        let value = connection.read(query)?;
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        Ok(value)
    }
}
