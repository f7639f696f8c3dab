//! The port, implemented once for every dialect with its connection.

mod check;
mod commit;
mod diff;
mod read;
mod swap;

use async_trait::async_trait;
use ebb_core::{
    Column, Failure, Limits, Operation,
    port::{
        BatchStream, Commit, Diff, DiffJob, Finding, ModelQuery, Preview, Recipe, Tracked,
        Warehouse,
    },
};

use crate::{
    connection::{Access, Connection, Session},
    dialect::{Dialect, Transactions},
    layout::{Tables, changes_table},
    state::{self, State},
    statement,
};

/// The version of the checksums' recipe, apart from the engine's own.
const RECIPE: u32 = 1;

/// What a session's statements are labelled with, so that a warehouse's bill can be explained.
fn label(job: &DiffJob) -> String {
    format!("ebb:{}:{}", job.mapping, job.sync)
}

/// A warehouse: what it says, what it is reached by, and where Ebb's tables lie.
#[derive(Debug)]
pub(crate) struct Tracker<D, C> {
    dialect: D,
    connection: C,
    schema: String,
    limits: Limits,
}

impl<D: Dialect, C: Connection> Tracker<D, C> {
    /// A warehouse whose managed schema has this name.
    pub(crate) fn new(dialect: D, connection: C, schema: &str, limits: &Limits) -> Self {
        Self { dialect, connection, schema: schema.to_owned(), limits: limits.clone() }
    }

    /// Opens a session that may write, with the managed schema there.
    async fn write(&self) -> Result<Box<dyn Session>, Failure> {
        let mut session = self.connection.open(Access::Write).await?;
        if let Some(query) = self.dialect.schema_exists(&self.schema)
            && session.rows(&query).await?.is_empty()
        {
            session.execute(&self.dialect.create_schema(&self.schema)).await?;
        }
        Ok(session)
    }

    async fn has_tables(
        &self,
        session: &mut dyn Session,
        tables: &[&str],
    ) -> Result<bool, Failure> {
        Ok(self.existing(session, tables).await?.len() == tables.len())
    }

    /// Those of the tables that are there.
    async fn existing<'a>(
        &self,
        session: &mut dyn Session,
        tables: &[&'a str],
    ) -> Result<Vec<&'a str>, Failure> {
        let found = session.rows(&self.dialect.existing_tables(&self.schema, tables)).await?;
        let found: Vec<_> = found.into_iter().flatten().flatten().collect();
        let is_there = |table: &&&str| found.iter().any(|name| name.eq_ignore_ascii_case(table));
        Ok(tables.iter().filter(is_there).copied().collect())
    }

    async fn state(
        &self,
        session: &mut dyn Session,
        mapping: &str,
    ) -> Result<Option<State>, Failure> {
        let tables = Tables::of(mapping);
        let Tables { records, checkpoints, rebuild } = &tables;
        let found = self.existing(session, &[records, checkpoints, rebuild]).await?;
        let is_there = |table: &str| found.contains(&table);
        let takes_turns = self.dialect.transactions() == Transactions::Alone;
        if !is_there(checkpoints) || !(takes_turns || is_there(records)) {
            return Ok(None);
        }
        let table = self.dialect.table(&self.schema, &tables.checkpoints);
        let row = session.rows(&state::select(&self.dialect, &table)).await?.pop();
        let Some(state) = row.map(state::parse).transpose()? else { return Ok(None) };
        if !state.records_in.as_deref().is_none_or(is_there) {
            return Ok(None);
        }
        let Some(query) = self.dialect.shape(&self.schema, &tables.records) else {
            return Ok(Some(state));
        };
        let shape = session.rows(&query).await?.into_iter().flatten().next().flatten();
        shape.map_or(Ok(state.clone()), |shape| state.in_shape(&shape)).map(Some)
    }

    async fn run(
        &self,
        session: &mut dyn Session,
        statements: impl IntoIterator<Item = String> + Send,
    ) -> Result<(), Failure> {
        for statement in statements.into_iter().collect::<Vec<_>>() {
            session.execute(&statement).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl<D: Dialect, C: Connection> Warehouse for Tracker<D, C> {
    async fn check(&self) -> Vec<Finding> {
        check::check(self).await
    }

    async fn columns(&self, model: &ModelQuery) -> Result<Vec<Column>, Failure> {
        let mut session = self.connection.open(Access::Read).await?;
        read::columns(self, &mut *session, model).await
    }

    async fn preview(&self, model: &ModelQuery, limit: usize) -> Result<Preview, Failure> {
        read::preview(self, model, None, limit).await
    }

    async fn record(&self, model: &ModelQuery, record_id: &str) -> Result<Preview, Failure> {
        read::preview(self, model, Some(record_id), 1).await
    }

    async fn tracked(&self, mapping: &str) -> Result<Option<Tracked>, Failure> {
        let mut session = self.connection.open(Access::Read).await?;
        Ok(self.state(&mut *session, mapping).await?.map(|state| state.tracked))
    }

    fn recipe(&self, job: &DiffJob) -> Recipe {
        let describe = |column: &Column| format!("{}: {}", column.name, column.native);
        let mut columns: Vec<_> = job.columns.iter().map(describe).collect();
        columns.sort();
        let id = job.columns.iter().find(|column| column.name == job.model.id);
        columns.splice(0..0, id.map(describe));
        Recipe { version: format!("{RECIPE}/{}", self.connection.engine()), columns }
    }

    async fn diff(&self, job: &DiffJob) -> Result<Diff, Failure> {
        diff::diff(self, job).await
    }

    async fn changes(
        &self,
        job: &DiffJob,
        operations: &[Operation],
        after: Option<u64>,
    ) -> Result<BatchStream, Failure> {
        read::changes(self, job, operations, after).await
    }

    async fn has_changes(&self, job: &DiffJob) -> Result<bool, Failure> {
        let mut session = self.connection.open(Access::Read).await?;
        self.has_tables(&mut *session, &[&changes_table(job)]).await
    }

    async fn commit(&self, commit: &Commit) -> Result<(), Failure> {
        commit::commit(self, commit).await
    }

    async fn finish(&self, job: &DiffJob) -> Result<(), Failure> {
        let mut session = self.write().await?;
        session.label(&label(job)).await?;
        let changes = changes_table(job);
        let seqs = self.dialect.lasting_seqs(&self.schema, &changes);
        let changes = self.dialect.table(&self.schema, &changes);
        let drop = [Some(changes), seqs].into_iter().flatten();
        self.run(&mut *session, drop.map(|table| format!("drop table if exists {table}"))).await
    }

    async fn rebase(&self, job: &DiffJob) -> Result<u64, Failure> {
        commit::rebase(self, job).await
    }

    async fn reset(&self, mapping: &str) -> Result<(), Failure> {
        let mut session = self.write().await?;
        let Tables { records, checkpoints, rebuild } = Tables::of(mapping);
        // The checkpoint goes first: without it the rest means nothing.
        let mut tables = vec![checkpoints, records, rebuild];
        if self.dialect.transactions() == Transactions::Rows {
            tables.extend(statement::swap::names(mapping));
        }
        let drop = tables.iter().map(|table| {
            format!("drop table if exists {}", self.dialect.table(&self.schema, table))
        });
        self.run(&mut *session, drop).await
    }
}
