//! Where a control database lies, and connections to it whatever that is.

use std::{fmt, path::PathBuf, sync::Arc};

use rusqlite::TransactionBehavior;

use super::{
    fault::Fault,
    postgres::{self, Server, SessionLocks},
    sql::Transaction,
    sqlite,
};

/// Where a control database lies. Shown as people know it, without user and password.
#[derive(Debug, Clone)]
pub(super) enum Place {
    /// A file of `SQLite`.
    File(PathBuf),
    /// A schema on a PostgreSQL server.
    Server(Arc<Server>),
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(file) => file.display().fmt(out),
            Self::Server(server) => server.url().fmt(out),
        }
    }
}

impl Place {
    /// The connection that writes; the database is made and migrated as needed. `locks` are the rights that it
    /// holds where it is a server that keeps them.
    pub(super) fn open_writer(&self, locks: Arc<SessionLocks>) -> Result<Connection, Fault> {
        match self {
            Self::File(file) => sqlite::open_writer(file).map(Connection::File),
            Self::Server(server) => {
                // Whoever opens may be at work for a runtime, where nothing may wait.
                let opened =
                    std::thread::scope(|scope| scope.spawn(|| server.open_writer(locks)).join());
                let opened = opened.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                Ok(Connection::Server(Box::new(opened?)))
            }
        }
    }

    /// A connection that reads; a writer is open already.
    pub(super) fn open_reader(&self) -> Result<Connection, Fault> {
        match self {
            Self::File(file) => sqlite::open_reader(file).map(Connection::File),
            Self::Server(server) => Ok(Connection::Server(Box::new(server.open_reader()))),
        }
    }
}

/// A connection.
#[derive(Debug)]
pub(super) enum Connection {
    /// To a file.
    File(rusqlite::Connection),
    /// To a server.
    Server(Box<postgres::Connection>),
}

impl Connection {
    /// Reads; all of it is of one moment.
    pub(super) fn read<T>(
        &mut self,
        query: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        match self {
            Self::File(file) => {
                let transaction = file.transaction()?;
                query(&Transaction::Sqlite(&transaction))
            }
            Self::Server(server) => server.transaction(|transaction, _| query(transaction)),
        }
    }

    /// Writes, while nobody else does; what was written is taken back when `work` fails. When it is to be
    /// durable, it survives a power loss once this returns, and so does everything before.
    pub(super) fn write<T>(
        &mut self,
        durable: bool,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let file = match self {
            Self::File(file) => file,
            Self::Server(server) => return server.transaction(|transaction, _| work(transaction)),
        };
        file.pragma_update(None, "synchronous", if durable { "full" } else { "normal" })?;
        let transaction = file.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let value = work(&Transaction::Sqlite(&transaction))?;
        transaction.commit()?;
        Ok(value)
    }

    /// Whether all that is written is durable, asked for or not.
    pub(super) const fn is_always_durable(&self) -> bool {
        matches!(self, Self::Server(_))
    }

    /// Does what waits until there is no transaction.
    pub(super) fn tidy(&mut self) {
        if let Self::Server(server) = self {
            server.tidy();
        }
    }
}
