//! SQL that is written once and runs on both engines.
//!
//! Statements are in the subset that SQLite and PostgreSQL share: parameters are `?1`, `?2`, …, all of
//! them used; `on conflict (…) do update` names its columns, and those that it reads with their table;
//! a parameter that is only compared with null is cast. Every statement is prepared once for a connection.

mod value;

use super::{fault::Fault, postgres::Session, sqlite};
pub(super) use value::{AsValue, FromValue, Value, params};

/// An open transaction.
#[derive(Clone, Copy)]
pub(super) enum Transaction<'a> {
    /// On `SQLite`.
    Sqlite(&'a rusqlite::Connection),
    /// On PostgreSQL.
    Postgres(&'a Session),
}

/// A row of an answer.
#[derive(Clone, Copy)]
pub(super) enum Row<'a> {
    /// Of `SQLite`.
    Sqlite(&'a rusqlite::Row<'a>),
    /// Of PostgreSQL.
    Postgres(&'a tokio_postgres::Row),
}

impl Transaction<'_> {
    /// Runs a statement and gives the number of rows that it wrote.
    pub(super) fn execute(&self, sql: &str, values: &[Value<'_>]) -> Result<u64, Fault> {
        match self {
            Self::Sqlite(connection) => sqlite::execute(connection, sql, values),
            Self::Postgres(session) => session.execute(sql, values),
        }
    }

    /// Runs a statement for each of these.
    pub(super) fn execute_each<const N: usize>(
        &self,
        sql: &str,
        each: &[[Value<'_>; N]],
    ) -> Result<(), Fault> {
        match self {
            Self::Sqlite(connection) => each
                .iter()
                .try_for_each(|values| sqlite::execute(connection, sql, values).map(|_| ())),
            Self::Postgres(session) => session.execute_each(sql, each),
        }
    }

    /// Reads all rows.
    pub(super) fn query<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        mut read: impl FnMut(&Row<'_>) -> Result<T, Fault>,
    ) -> Result<Vec<T>, Fault> {
        match self {
            Self::Sqlite(connection) => sqlite::query(connection, sql, values, read),
            Self::Postgres(session) => {
                session.query(sql, values)?.iter().map(|row| read(&Row::Postgres(row))).collect()
            }
        }
    }

    /// Reads the first row that a query gives for each of these; `None` where it gives none.
    pub(super) fn query_each<const N: usize, T>(
        &self,
        sql: &str,
        each: &[[Value<'_>; N]],
        mut read: impl FnMut(&Row<'_>) -> Result<T, Fault>,
    ) -> Result<Vec<Option<T>>, Fault> {
        match self {
            Self::Sqlite(_) => {
                each.iter().map(|values| self.query_optional(sql, values, &mut read)).collect()
            }
            Self::Postgres(session) => session
                .query_each(sql, each)?
                .iter()
                .map(|row| row.as_ref().map(|row| read(&Row::Postgres(row))).transpose())
                .collect(),
        }
    }

    /// Reads the first row, if there is one.
    pub(super) fn query_optional<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        read: impl FnMut(&Row<'_>) -> Result<T, Fault>,
    ) -> Result<Option<T>, Fault> {
        Ok(self.query(sql, values, read)?.into_iter().next())
    }

    /// Reads the row that there always is.
    pub(super) fn query_row<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        read: impl FnMut(&Row<'_>) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let found = self.query_optional(sql, values, read)?;
        found.ok_or_else(|| Fault::Content("a row is missing".into()))
    }

    /// The number of the connection. What was known by one of another number may never have been
    /// committed.
    pub(super) fn connection(&self) -> u64 {
        match self {
            Self::Sqlite(_) => 0,
            Self::Postgres(session) => session.number(),
        }
    }
}

impl<'a> Row<'a> {
    /// Reads a column, counted from 0.
    pub(super) fn get<T: FromValue<'a>>(&self, column: usize) -> Result<T, Fault> {
        let value = match self {
            Self::Sqlite(row) => Value::of_sqlite(row.get_ref(column)?),
            Self::Postgres(row) => Some(row.try_get(column)?),
        };
        value.and_then(T::from_value).ok_or_else(|| {
            Fault::Content(format!("column {column} holds something unexpected").into())
        })
    }
}
