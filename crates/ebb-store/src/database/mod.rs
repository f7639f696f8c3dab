//! The control database of one machine: `SQLite` with a write-ahead log.
//!
//! All writes go through one thread ([`writer`]). Outcomes are committed in groups and survive the
//! death of the process at once, a power loss after 100 ms at most; every other write is durable
//! when it returns. Nothing is kept per delivered change: a group adds a compressed set of `seq`
//! ([`journal`]), and these are folded into chunks of 65,536.

mod alerts;
mod answers;
mod bits;
mod connection;
mod entries;
mod fault;
mod groups;
mod history;
mod journal;
mod lease;
mod outbox;
mod people;
mod previews;
mod readers;
mod rows;
mod store;
mod writer;

use std::path::{Path, PathBuf};

use ebb_core::{Code, Failure};
use rusqlite::Transaction;

use crate::folder;
pub use alerts::{Alert, AlertEnd, AlertFilter, AlertTurn, Ending, Load, Notice, NoticeEvent};
pub use answers::Once;
pub use entries::{AuditLine, Edit, Entry, Sealed};
use fault::Fault;
pub use history::SyncFilter;
pub use outbox::{AlertMessage, ChannelState, Told};
pub use people::{Guest, Person, Role, Token};
use readers::Readers;
use writer::{Memory, Writer};

/// The control database in a state folder. Any number of processes may have it open.
///
/// A process that had a mapping's lock and lost it to another is refused (`R407`) when it writes
/// to syncs of that mapping. Dropping the database waits some milliseconds until all is durable.
#[derive(Debug)]
pub struct Database {
    state: PathBuf,
    file: PathBuf,
    // Before the writer, so that the writer's connection is the last to close and tidies the log.
    readers: Readers,
    writer: Writer,
}

impl Database {
    /// Opens `<state>/control.db`; makes folder and file if missing, and brings an older schema up
    /// to date. `R414` if a newer version wrote it; `R415` if it cannot be used.
    ///
    /// Blocks for some milliseconds.
    pub fn open(state: &Path) -> Result<Self, Failure> {
        folder::create(state).map_err(|error| {
            let message = format!("the state folder `{}` cannot be made", state.display());
            Failure::new(Code::StateUnavailable, message).caused_by(error)
        })?;
        let file = state.join("control.db");
        let new = !file.exists();
        let writer = connection::open_writer(&file)
            .and_then(|connection| Ok(Writer::start(connection)?))
            .map_err(|fault| fault.told(&file))?;
        if new {
            // Else a power loss could take back the folder's name with all that is in it.
            for folder in state.ancestors().take(2).filter(|folder| folder.is_dir()) {
                if let Err(error) = folder::sync(folder) {
                    // A folder above may be one that this user may not open.
                    tracing::debug!(%error, folder = %folder.display(), "folder was not synced");
                }
            }
        }
        let readers = Readers::new(file.clone());
        Ok(Self { state: state.to_owned(), file, readers, writer })
    }

    async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Transaction<'_>) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Failure> {
        self.readers.read(query).await.map_err(|fault| fault.told(&self.file))
    }

    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>, &mut Memory) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Failure> {
        self.writer.write(work).await.map_err(|fault| fault.told(&self.file))
    }
}
