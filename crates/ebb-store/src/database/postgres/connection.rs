//! A connection that is opened anew when it was lost, and its transactions.

use std::{sync::Arc, time::Duration};

use super::{failure, locks::SessionLocks, server::Server, session::Session};
use crate::database::{
    fault::Fault,
    sql::{Transaction, params},
};

/// How often it is asked, at most, whether an abandoned session has ended, and the pause in between.
const LOOKS: u32 = 50;
const PAUSE: Duration = Duration::from_millis(20);

/// Which session of the server it is: a process number may come again, its beginning does not.
#[derive(Debug)]
struct Backend {
    process: i64,
    since: String,
}

/// A connection.
#[derive(Debug)]
pub(in crate::database) struct Connection {
    server: Arc<Server>,
    /// The statements that begin a transaction.
    begin: String,
    session: Option<Session>,
    /// The session, or the one that was lost.
    backend: Option<Backend>,
    /// The rights that the session holds.
    locks: Arc<SessionLocks>,
}

impl Connection {
    /// A connection that is opened when it is needed.
    pub(super) fn new(server: Arc<Server>, begin: String, locks: Arc<SessionLocks>) -> Self {
        Self { server, begin, session: None, backend: None, locks }
    }

    /// Runs a transaction; it is taken back if `work` fails. What `work` asks of the server directly is part
    /// of it.
    ///
    /// When the connection is lost while it commits, it may have happened or not.
    pub(in crate::database) fn transaction<T>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>, &Session) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let session = self.begun()?;
        let done = work(&Transaction::Postgres(&session), &session);
        let (done, ended) = match done {
            Ok(value) => {
                let ended = session.commit();
                let usable = ended.is_ok();
                (ended.map(|()| value), usable)
            }
            Err(fault) => (Err(fault), session.batch("rollback").is_ok()),
        };
        if ended || session.is_open() && session.batch("rollback").is_ok() {
            self.session = Some(session);
        }
        done
    }

    /// Gives back the rights that nobody holds any more, and holds the others though the connection was lost.
    pub(in crate::database) fn tidy(&mut self) {
        for key in self.locks.released() {
            let Some(session) = &self.session else { break };
            if let Err(fault) = session.query("select pg_advisory_unlock(?1)", params![key]) {
                tracing::debug!(?fault, "a connection that held a mapping's lock was lost");
                self.session = None;
            }
        }
        if self.locks.are_taken() && !self.session.as_ref().is_some_and(Session::is_open) {
            match self.opened() {
                Ok(session) => self.session = Some(session),
                Err(fault) => tracing::debug!(?fault, "mappings' locks are not taken again yet"),
            }
        }
    }

    /// A session with a transaction begun. One that was lost meanwhile is replaced: nothing was asked of it.
    fn begun(&mut self) -> Result<Session, Fault> {
        if let Some(session) = self.session.take().filter(Session::is_open) {
            match session.begin(&self.begin) {
                Ok(()) => return Ok(session),
                Err(Fault::Postgres(error)) if failure::is_of_connection(&error) => {
                    tracing::debug!(%error, "the control database is connected to again");
                }
                Err(fault) => {
                    if session.batch("rollback").is_ok() {
                        self.session = Some(session);
                    }
                    return Err(fault);
                }
            }
        }
        let session = self.opened()?;
        session.begin(&self.begin)?;
        Ok(session)
    }

    /// A new session, which takes the place of the one before with all that it held.
    fn opened(&mut self) -> Result<Session, Fault> {
        let session = self.server.open()?;
        if let Some(lost) = self.backend.take() {
            end(&session, &lost)?;
        }
        let query = "select pid::bigint, backend_start::text from pg_catalog.pg_stat_activity
                     where pid = pg_catalog.pg_backend_pid()";
        let found = session.query(query, &[])?;
        self.backend = found
            .first()
            .map(|row| -> Result<Backend, Fault> {
                Ok(Backend { process: row.try_get(0)?, since: row.try_get(1)? })
            })
            .transpose()?;
        for key in self.locks.taken_again() {
            // Who took one meanwhile has a newer lease: this process is refused when it writes.
            session.query("select pg_try_advisory_lock(?1)", params![key])?;
        }
        Ok(session)
    }
}

/// Ends a session that the server may not know to be lost: it would keep its locks, and may still commit.
fn end(session: &Session, lost: &Backend) -> Result<(), Fault> {
    let its = "from pg_catalog.pg_stat_activity where pid::bigint = ?1
               and backend_start::text = ?2";
    let Backend { process, since } = lost;
    let values = params![process, since];
    session.query(&format!("select pg_catalog.pg_terminate_backend(pid) {its}"), values)?;
    for _ in 0..LOOKS {
        if session.query(&format!("select 1 {its}"), values)?.is_empty() {
            return Ok(());
        }
        std::thread::sleep(PAUSE);
    }
    tracing::warn!("a lost session of the control database did not end yet");
    Ok(())
}
