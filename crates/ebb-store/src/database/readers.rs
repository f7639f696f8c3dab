//! Connections that read. In WAL mode they see the last commit and never wait for the writer.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use ebb_core::{Code, Failure};
use rusqlite::{Connection, Transaction};

use super::{connection, fault::Fault};

/// Idle connections that are kept.
const IDLE: usize = 4;

/// Reads on the threads for blocking work.
#[derive(Debug, Clone)]
pub(super) struct Readers {
    file: Arc<PathBuf>,
    idle: Arc<Mutex<Vec<Connection>>>,
}

impl Readers {
    /// Readers of a file that a writer has open.
    pub(super) fn new(file: PathBuf) -> Self {
        Self { file: Arc::new(file), idle: Arc::default() }
    }

    /// Runs a query; all it reads is of one moment.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Transaction<'_>) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let readers = self.clone();
        tokio::task::spawn_blocking(move || readers.run(query)).await.unwrap_or_else(|error| {
            let failure = Failure::new(Code::Interrupted, "reading was interrupted");
            Err(failure.caused_by(error).into())
        })
    }

    fn run<T>(&self, query: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut connection = idle.map_or_else(|| connection::open_reader(&self.file), Ok)?;
        let value = query(&connection.transaction()?)?;
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE {
            idle.push(connection);
        }
        Ok(value)
    }
}
