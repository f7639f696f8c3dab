//! One connection, and what it is asked. Each call waits for its answer on the thread that makes it.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    fmt,
    future::Future,
    sync::Arc,
};

use futures_util::future::try_join_all;
use tokio::runtime::Handle;
use tokio_postgres::{Client, Error, Row, Statement, types::ToSql};

use crate::database::{fault::Fault, sql::Value};

/// Prepared statements that are kept. There are about a hundred.
const STATEMENTS: usize = 256;

/// Statements that are sent before their first answer is waited for.
const IN_FLIGHT: usize = 500;

/// A connection.
pub(in crate::database) struct Session {
    client: Client,
    runtime: Handle,
    number: u64,
    statements: RefCell<HashMap<String, Statement>>,
    /// Whether a statement of the open transaction failed: it cannot be committed then.
    failed: Cell<bool>,
}

impl fmt::Debug for Session {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Session").field("number", &self.number).finish_non_exhaustive()
    }
}

impl Session {
    /// A session over a connected client; `runtime` drives its socket.
    pub(super) fn new(client: Client, runtime: Handle, number: u64) -> Self {
        let (statements, failed) = (RefCell::default(), Cell::new(false));
        Self { client, runtime, number, statements, failed }
    }

    /// The number of the session; no other of this process has it.
    pub(in crate::database) fn number(&self) -> u64 {
        self.number
    }

    /// Whether the connection is there, as far as is known.
    pub(super) fn is_open(&self) -> bool {
        !self.client.is_closed()
    }

    /// Runs statements without parameters, which give no rows.
    pub(super) fn batch(&self, sql: &str) -> Result<(), Fault> {
        self.wait(self.client.batch_execute(sql))
    }

    /// Begins a transaction by these statements.
    pub(super) fn begin(&self, statements: &str) -> Result<(), Fault> {
        self.failed.set(false);
        self.batch(statements)
    }

    /// Ends the transaction.
    pub(super) fn commit(&self) -> Result<(), Fault> {
        if self.failed.get() {
            // The server would say that it is committed, and would have done nothing.
            self.batch("rollback")?;
            return Err(Fault::Content("a statement of the transaction failed".into()));
        }
        self.batch("commit")
    }

    /// Runs a statement; see [`crate::database::sql::Transaction::execute`].
    pub(in crate::database) fn execute(
        &self,
        sql: &str,
        values: &[Value<'_>],
    ) -> Result<u64, Fault> {
        let statement = self.prepared(sql)?;
        self.wait(self.client.execute(&statement, &parameters(values)))
    }

    /// Runs a statement for each of these; they travel together.
    pub(in crate::database) fn execute_each<const N: usize>(
        &self,
        sql: &str,
        each: &[[Value<'_>; N]],
    ) -> Result<(), Fault> {
        let statement = &self.prepared(sql)?;
        for some in each.chunks(IN_FLIGHT) {
            self.wait(try_join_all(some.iter().map(|values| async move {
                self.client.execute(statement, &parameters(values)).await
            })))?;
        }
        Ok(())
    }

    /// Reads all rows.
    pub(in crate::database) fn query(
        &self,
        sql: &str,
        values: &[Value<'_>],
    ) -> Result<Vec<Row>, Fault> {
        let statement = self.prepared(sql)?;
        self.wait(self.client.query(&statement, &parameters(values)))
    }

    /// Reads the first row for each of these; they travel together.
    pub(in crate::database) fn query_each<const N: usize>(
        &self,
        sql: &str,
        each: &[[Value<'_>; N]],
    ) -> Result<Vec<Option<Row>>, Fault> {
        let statement = &self.prepared(sql)?;
        let mut all = Vec::with_capacity(each.len());
        for some in each.chunks(IN_FLIGHT) {
            all.extend(self.wait(try_join_all(some.iter().map(|values| async move {
                let rows = self.client.query(statement, &parameters(values)).await?;
                Ok(rows.into_iter().next())
            })))?);
        }
        Ok(all)
    }

    fn prepared(&self, sql: &str) -> Result<Statement, Fault> {
        if let Some(known) = self.statements.borrow().get(sql) {
            return Ok(known.clone());
        }
        let statement = self.wait(self.client.prepare(&numbered(sql)))?;
        let mut statements = self.statements.borrow_mut();
        if statements.len() >= STATEMENTS {
            statements.clear();
        }
        statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    fn wait<T>(&self, answer: impl Future<Output = Result<T, Error>>) -> Result<T, Fault> {
        self.runtime.block_on(answer).map_err(|error| {
            self.failed.set(true);
            Fault::Postgres(Arc::new(error))
        })
    }
}

fn parameters<'a>(values: &'a [Value<'_>]) -> Vec<&'a (dyn ToSql + Sync)> {
    values.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

/// A statement with parameters as PostgreSQL writes them: `?1` is `$1`.
fn numbered(sql: &str) -> String {
    let mut pieces = sql.split('?');
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let sign = if piece.starts_with(|first: char| first.is_ascii_digit()) { '$' } else { '?' };
        out.push(sign);
        out.push_str(piece);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::numbered;

    #[test]
    fn parameters_are_written_as_the_server_has_them() {
        assert_eq!(
            numbered("update t set a = ?2 where b = ?1 or c = '?'"),
            "update t set a = $2 where b = $1 or c = '?'"
        );
        assert_eq!(numbered("select 1"), "select 1");
    }
}
