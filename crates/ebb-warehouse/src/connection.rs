//! A warehouse's I/O: thin, without decisions.

use async_trait::async_trait;
use ebb_core::{Column, Failure, Operation, port::BatchStream};
use roaring::RoaringTreemap;

use crate::statement::read::condition;

/// What a session is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Reading: the session refuses every write, also one inside a model.
    Read,
    /// Writing in the managed schema.
    Write,
}

/// The temporary table that [`Session::load_seqs`] fills, unless the dialect names another.
pub(crate) const SEQS: &str = "ebb_seqs";

/// What a service knows of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KnownTable {
    /// Its bare name.
    pub(crate) name: String,
    /// What the statement said of it that made it.
    pub(crate) comment: Option<String>,
    /// How many rows it has.
    pub(crate) rows: u64,
}

/// The table by which [`Connection::try_beside`] tries: a column `seq` of different whole numbers from 1.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tried<'a> {
    /// Its bare name.
    pub(crate) name: &'a str,
    /// Its name in statements, quoted.
    pub(crate) quoted: &'a str,
}

/// A range of `seq`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Within {
    /// What it begins after, if anything.
    pub(crate) after: Option<u64>,
    /// What it ends with, if anything.
    pub(crate) until: Option<u64>,
}

/// The changes of a sync, or those of a range: the statement that streams them, and what it says for sessions
/// that have another way to them.
#[derive(Debug)]
pub(crate) struct Changes {
    /// As [`Session::stream`] takes it.
    pub(crate) sql: String,
    /// As [`Session::stream`] takes them.
    pub(crate) columns: Vec<Column>,
    /// A query for their number.
    pub(crate) count: String,
    /// The bare name of their table, which holds the columns of staged batches in that order.
    pub(crate) table: String,
    pub(crate) operations: Vec<Operation>,
    /// The range that they lie in.
    pub(crate) within: Within,
}

impl Changes {
    /// A condition for those in some range.
    pub(crate) fn condition(&self, within: Within) -> String {
        condition(&self.operations, within)
    }
}

/// Opens sessions.
#[async_trait]
pub(crate) trait Connection: Send + Sync {
    /// The engine and what of its version matters to checksums, such as `postgres-15`. Known at the
    /// latest once a session was opened.
    fn engine(&self) -> String;

    /// Opens a session for one operation. What decides how values turn into text (time zone, date
    /// style, float digits) is set to fixed values, the statement time-out to the source's.
    async fn open(&self, access: Access) -> Result<Box<dyn Session>, Failure>;

    /// Whether it is a file of Ebb's own machine, which nobody signs in to.
    fn is_file(&self) -> bool {
        false
    }

    /// What a sync needs beside sessions, as a step of the check; `None` if there is no such thing.
    fn beside(&self) -> Option<&'static str> {
        None
    }

    /// Tries that.
    async fn try_beside(&self, _table: &Tried<'_>) -> Result<(), Failure> {
        Ok(())
    }
}

/// One live session. Dropping it cancels what runs and rolls back an open transaction; dropping a
/// future of it does too, and leaves it unusable.
#[async_trait]
pub(crate) trait Session: Send {
    /// Says what the session works for, as `ebb:<mapping>:<sync>`, to engines that keep such a label
    /// with their statements.
    async fn label(&mut self, _label: &str) -> Result<(), Failure> {
        Ok(())
    }

    /// Those of some tables of the managed schema that are there, where a service tells it apart from
    /// statements; `None` leaves the question to the dialect's SQL.
    async fn tables(&mut self, _names: &[&str]) -> Result<Option<Vec<KnownTable>>, Failure> {
        Ok(None)
    }

    /// The names of all tables of the managed schema, where a service tells them apart from statements.
    async fn all_tables(&mut self) -> Result<Option<Vec<String>>, Failure> {
        Ok(None)
    }

    /// What `Dialect::described_tables` asks for, at most so many rows, where a service tells it apart from
    /// statements.
    async fn described_tables(
        &mut self,
        _rows: usize,
    ) -> Result<Option<Vec<Vec<Option<String>>>>, Failure> {
        Ok(None)
    }

    /// The bytes that this session's statements have read so far, where the service counts them; it may be
    /// what they are billed by.
    fn bytes_scanned(&self) -> Option<u64> {
        None
    }

    /// Another session for the same work, where having one more costs nothing.
    fn again(&self) -> Option<Box<dyn Session>> {
        None
    }

    /// Runs one statement, transaction control included. Gives the number of rows that an `insert`,
    /// `update` or `delete` wrote; any number for other statements.
    async fn execute(&mut self, sql: &str) -> Result<u64, Failure>;

    /// All rows of a small query as the engine's text of their values.
    async fn rows(&mut self, sql: &str) -> Result<Vec<Vec<Option<String>>>, Failure>;

    /// The columns of a query without running it. `native` is a type name that a cast understands.
    async fn describe(&mut self, query: &str) -> Result<Vec<Column>, Failure>;

    /// Creates the table of seqs anew and fills its one column `seq`: the temporary table [`SEQS`],
    /// inside the open transaction if any, or the one that `Dialect::lasting_seqs` named.
    async fn load_seqs(&mut self, table: &str, seqs: &RoaringTreemap) -> Result<(), Failure>;

    /// Streams a query in the order of its rows, as batches of `record::staged_schema(columns)`:
    /// four columns `seq`, `op` (64-bit integers), `record_id`, `checksum` (text), then one for each of
    /// `columns`, each an expression made by `Dialect::staged`. Bounded: the next batch is read when
    /// the last was taken. NaN and infinities become null. No batch at all if there is no row.
    async fn stream(
        self: Box<Self>,
        sql: String,
        columns: Vec<Column>,
    ) -> Result<BatchStream, Failure>;

    /// Streams changes like [`Session::stream`] does the rows of any query. They may be many.
    async fn stream_changes(self: Box<Self>, changes: Changes) -> Result<BatchStream, Failure> {
        self.stream(changes.sql, changes.columns).await
    }
}
