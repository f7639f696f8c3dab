//! The control database: `SQLite` in the state folder, or a schema on a PostgreSQL server.
//!
//! The SQL of the store is written once ([`sql`]); [`place`] knows the engines. All writes go through one
//! thread ([`writer`]). Outcomes are committed in groups and survive the death of the process at once, a
//! power loss after 100 ms at most; every other write is durable when it returns. Nothing is kept per
//! delivered change: a group adds a compressed set of `seq` ([`journal`]), and these are folded into chunks
//! of 65,536.

mod alerts;
mod answers;
mod bits;
mod entries;
mod fault;
mod groups;
mod history;
mod identities;
mod journal;
mod lease;
mod migrations;
mod outbox;
mod people;
mod place;
mod postgres;
mod previews;
mod readers;
mod remade;
mod right;
mod rows;
mod sql;
mod sqlite;
mod store;
mod usage;
mod writer;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use ebb_core::{Code, Failure};

use crate::folder;
pub use alerts::{Alert, AlertEnd, AlertFilter, AlertTurn, Ending, Load, Notice, NoticeEvent};
pub use answers::Once;
pub use entries::{AuditLine, Edit, Entry, Sealed};
use fault::Fault;
pub use history::{Latest, SyncFilter};
pub use identities::Identity;
pub use outbox::{AlertMessage, ChannelState, Told};
pub use people::{Guest, Person, Token};
use place::Place;
pub use postgres::DatabaseUrl;
use postgres::{Server, SessionLocks};
use readers::Readers;
pub use right::ServerLock;
use sql::Transaction;
use writer::{Memory, Writer};

/// The control database of a state folder. Any number of processes may have it open; on a server they may
/// be on several machines.
///
/// A process that had a mapping's lock and lost it to another is refused (`R407`) when it writes
/// to syncs of that mapping. Dropping the database waits some milliseconds until all is durable.
#[derive(Debug)]
pub struct Database {
    state: PathBuf,
    place: Place,
    // Before the writer, so that the writer's connection is the last to close and tidies the log.
    readers: Readers,
    writer: Writer,
    /// The rights to sync that the writer's session holds, where it is a server that keeps them.
    locks: Arc<SessionLocks>,
}

impl Database {
    /// Opens `<state>/control.db`; makes folder and file if missing, and brings an older schema up
    /// to date. `R414` if a newer version wrote it; `R415` if it cannot be used.
    ///
    /// Blocks for some milliseconds.
    pub fn open(state: &Path) -> Result<Self, Failure> {
        make(state)?;
        let file = state.join("control.db");
        let new = !file.exists();
        let database = Self::start(state, Place::File(file))?;
        if new {
            // Else a power loss could take back the folder's name with all that is in it.
            for folder in state.ancestors().take(2).filter(|folder| folder.is_dir()) {
                if let Err(error) = folder::sync(folder) {
                    // A folder above may be one that this user may not open.
                    tracing::debug!(%error, folder = %folder.display(), "folder was not synced");
                }
            }
        }
        Ok(database)
    }

    /// Opens the control database on a PostgreSQL server; makes its schema if missing, and brings an older
    /// one up to date. The state folder has the rest. `R414` if a newer version wrote it; `R415` if it
    /// cannot be used.
    ///
    /// Blocks until the server has answered, or for as long as the URL's `connect_timeout`.
    pub fn connect(state: &Path, url: &DatabaseUrl) -> Result<Self, Failure> {
        make(state)?;
        let server = Server::new(url.clone()).map_err(|error| {
            Failure::new(Code::StateUnavailable, "no thread can be started").caused_by(error)
        })?;
        Self::start(state, Place::Server(Arc::new(server)))
    }

    fn start(state: &Path, place: Place) -> Result<Self, Failure> {
        let locks = Arc::<SessionLocks>::default();
        let writer = place
            .open_writer(Arc::clone(&locks))
            .and_then(|connection| Ok(Writer::start(connection)?))
            .map_err(|fault| fault.told(&place))?;
        let readers = Readers::new(place.clone());
        Ok(Self { state: state.to_owned(), place, readers, writer, locks })
    }

    async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Transaction<'_>) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Failure> {
        self.readers.read(query).await.map_err(|fault| fault.told(&self.place))
    }

    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>, &mut Memory) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Failure> {
        self.writer.write(work).await.map_err(|fault| fault.told(&self.place))
    }
}

/// Makes the state folder.
fn make(state: &Path) -> Result<(), Failure> {
    folder::create(state).map_err(|error| {
        let message = format!("the state folder `{}` cannot be made", state.display());
        Failure::new(Code::StateUnavailable, message).caused_by(error)
    })
}
