//! The port, implemented once for every dialect with its connection.

mod check;
mod commit;
mod diff;
mod read;
mod swap;
mod tables;

use std::collections::BTreeMap;

use async_trait::async_trait;
use ebb_core::{
    Column, Failure, Limits, Operation, SyncId,
    port::{
        BatchStream, Commit, Diff, DiffJob, Finding, ModelQuery, Preview, Recipe,
        Tables as SourceTables, Tracked, Wanted, Warehouse,
    },
};

use crate::{
    connection::{Access, Connection, Session},
    dialect::{Dialect, Transactions},
    layout::{Tables, changes_table, sync_of},
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
        let found = if let Some(known) = session.tables(tables).await? {
            known.len()
        } else {
            session.rows(&self.dialect.existing_tables(&self.schema, tables)).await?.len()
        };
        Ok(found == tables.len())
    }

    async fn state(
        &self,
        session: &mut dyn Session,
        mapping: &str,
    ) -> Result<Option<State>, Failure> {
        let tables = Tables::of(mapping);
        if let Some(statement) = self.dialect.mend(&self.schema, &tables.records) {
            session.execute(&statement).await?;
        }
        let Tables { records, checkpoints, .. } = &tables;
        // Where two tables take turns, the checkpoint's row says which of them counts.
        let takes_turns = self.dialect.transactions() == Transactions::Alone;
        let needed = if takes_turns { vec![&**checkpoints] } else { vec![&**records, checkpoints] };
        let table = self.dialect.table(&self.schema, checkpoints);
        if self.dialect.transactions() == Transactions::Rows {
            // Tables are swapped one by one before who lists them, and at once for who reads them: a
            // query waits for the swap's end. It fails where there is no table, which is asked next.
            session.rows(&state::select(&self.dialect, &table)).await.ok();
        }
        if !self.has_tables(session, &needed).await? {
            return Ok(None);
        }
        let row = session.rows(&state::select(&self.dialect, &table)).await?.pop();
        let Some(state) = row.map(state::parse).transpose()? else { return Ok(None) };
        if let Some(records) = &state.records_in
            && !self.has_tables(session, &[records]).await?
        {
            return Ok(None);
        }
        match self.shape(session, &tables.records).await? {
            Some(shape) => state.in_shape(&shape).map(Some),
            None => Ok(Some(state)),
        }
    }

    /// What tells the shape of tracked records apart from the checkpoint's row, if anything does.
    async fn shape(
        &self,
        session: &mut dyn Session,
        records: &str,
    ) -> Result<Option<String>, Failure> {
        if let Some(query) = self.dialect.shape(&self.schema, records) {
            return Ok(session.rows(&query).await?.into_iter().flatten().next().flatten());
        }
        let known = session.tables(&[records]).await?.unwrap_or_default();
        Ok(known.into_iter().find_map(|table| table.comment))
    }

    async fn drop_tables_of(&self, session: &mut dyn Session, sync: SyncId) -> Result<(), Failure> {
        let changes = changes_table(sync);
        let seqs = self.dialect.lasting_seqs(&self.schema, &changes);
        let changes = self.dialect.table(&self.schema, &changes);
        let drop = [Some(changes), seqs].into_iter().flatten();
        self.run(session, drop.map(|table| self.dialect.drop_table(&table))).await
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
    async fn try_steps(&self, told: &mut (dyn FnMut(Finding) + Send)) {
        check::check(self, told).await;
    }

    async fn columns(&self, model: &ModelQuery) -> Result<Vec<Column>, Failure> {
        let mut session = self.connection.open(Access::Read).await?;
        read::columns(self, &mut *session, model).await
    }

    async fn preview(
        &self,
        model: &ModelQuery,
        wanted: Wanted<'_>,
        limit: usize,
    ) -> Result<Preview, Failure> {
        read::preview(self, model, wanted, limit).await
    }

    async fn tables(&self) -> Result<SourceTables, Failure> {
        tables::tables(self).await
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
        let version = format!("{RECIPE}/{}", self.connection.engine());
        Recipe { version, columns, generation: job.generation }
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
        self.has_tables(&mut *session, &[&changes_table(job.sync)]).await
    }

    async fn commit(&self, commit: &Commit) -> Result<(), Failure> {
        commit::commit(self, commit).await
    }

    async fn finish(&self, job: &DiffJob) -> Result<(), Failure> {
        let mut session = self.write().await?;
        session.label(&label(job)).await?;
        self.drop_tables_of(&mut *session, job.sync).await
    }

    async fn leftovers(&self) -> Result<BTreeMap<SyncId, Vec<String>>, Failure> {
        let mut session = self.connection.open(Access::Read).await?;
        let tables = if let Some(tables) = session.all_tables().await? {
            tables
        } else {
            let rows = session.rows(&self.dialect.all_tables(&self.schema)).await?;
            rows.into_iter().flatten().flatten().collect()
        };
        let mut leftovers = BTreeMap::<_, Vec<_>>::new();
        for table in tables {
            if let Some(sync) = sync_of(&table) {
                leftovers.entry(sync).or_default().push(table);
            }
        }
        Ok(leftovers)
    }

    async fn clean(&self, sync: SyncId) -> Result<(), Failure> {
        let mut session = self.write().await?;
        self.drop_tables_of(&mut *session, sync).await
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
        let drop = tables
            .iter()
            .map(|table| self.dialect.drop_table(&self.dialect.table(&self.schema, table)));
        self.run(&mut *session, drop).await
    }
}
