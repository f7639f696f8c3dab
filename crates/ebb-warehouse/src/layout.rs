//! Where a mapping's tables lie and what their columns are called.

use std::collections::HashSet;

use ebb_core::{Code, Column, Failure, SyncId, port::DiffJob};

use crate::{
    connection::SEQS,
    dialect::{Dialect, Model},
    state::State,
};

/// `op` of rows that a diff found and put aside. They are counted, never streamed or committed.
pub(crate) mod aside {
    /// One of several rows with an identifier that is not tracked.
    pub(crate) const DUPLICATE_NEW: i64 = 3;
    /// One of several rows with an identifier that is tracked.
    pub(crate) const DUPLICATE_TRACKED: i64 = 4;
    /// A row whose identifier is null.
    pub(crate) const NULL: i64 = 5;
    /// A tracked record that is gone while more rows than before have no identifier: it may be one
    /// of those.
    pub(crate) const WITHHELD: i64 = 6;
}

/// Names of the columns that are Ebb's own in the changes table, three of them also in the tracked state.
const OWN: [&str; 4] = ["seq", "op", "record_id", "checksum"];

/// The bare names of a mapping's and a sync's tables.
#[derive(Debug, Clone)]
pub(crate) struct Tables {
    /// The tracked records.
    pub(crate) records: String,
    /// The one row that says what the tracked records are worth.
    pub(crate) checkpoints: String,
    /// Tracked records while they are built anew.
    pub(crate) rebuild: String,
}

impl Tables {
    /// The tables of a mapping.
    pub(crate) fn of(mapping: &str) -> Self {
        Self {
            records: format!("records_{mapping}"),
            checkpoints: format!("checkpoints_{mapping}"),
            rebuild: format!("rebuild_{mapping}"),
        }
    }
}

/// The bare name of a sync's changes table.
pub(crate) fn changes_table(sync: SyncId) -> String {
    format!("changes_{sync}")
}

/// The sync that a table of the managed schema belongs to, by the table's bare name.
pub(crate) fn sync_of(table: &str) -> Option<SyncId> {
    let (what, sync) = table.rsplit_once('_')?;
    if matches!(what, "changes" | "seqs") { sync.parse().ok() } else { None }
}

/// What a job's statements are made from: quoted tables, columns, and the type of the identifier.
#[derive(Debug)]
pub(crate) struct Layout<'a, D: ?Sized> {
    /// The warehouse's SQL.
    pub(crate) dialect: &'a D,
    /// The managed schema's bare name.
    pub(crate) schema: &'a str,
    /// The job.
    pub(crate) job: &'a DiffJob,
    /// The model's query without a semicolon at its end.
    pub(crate) model: Model<'a>,
    /// Bare table names.
    pub(crate) tables: Tables,
    /// The changes table, quoted.
    pub(crate) changes: String,
    /// The tracked records, quoted.
    pub(crate) records: String,
    /// The table of seqs that a commit fills, quoted.
    pub(crate) seqs: String,
    /// The identifier column.
    pub(crate) id: &'a Column,
    /// The timestamp column of an incremental model.
    pub(crate) timestamp: Option<&'a Column>,
    /// The names of the model's columns in Ebb's tables, quoted, in the model's order.
    pub(crate) stored: Vec<String>,
    /// The type of `record_id` in the changes table of this job.
    pub(crate) key_type: String,
    /// The tracked state before this job.
    pub(crate) state: Option<&'a State>,
}

impl<'a, D: Dialect + ?Sized> Layout<'a, D> {
    /// The layout of a job on a tracked state. Fails if the job names a column that it does not have.
    pub(crate) fn new(
        dialect: &'a D,
        schema: &'a str,
        job: &'a DiffJob,
        state: Option<&'a State>,
    ) -> Result<Self, Failure> {
        let column = |name: &str| {
            job.columns.iter().find(|column| column.name == name).ok_or_else(|| {
                Failure::new(Code::ModelColumnMissing, format!("the model has no column `{name}`"))
            })
        };
        let id = column(&job.model.id)?;
        let timestamp = job.model.timestamp.as_deref().map(column).transpose()?;
        let native = dialect.key_type(id);
        // Identifiers of another type than the tracked ones are compared as text, which fits both.
        let key_type = match state {
            Some(state) if state.key_type != native => dialect.text_type().to_owned(),
            Some(_) | None => native,
        };
        let tables = Tables::of(&job.mapping);
        Ok(Self {
            dialect,
            schema,
            job,
            model: dialect.model(crate::query::bare(&*dialect.grammar(), &job.model.sql))?,
            changes: dialect.table(schema, &changes_table(job.sync)),
            records: dialect.table(
                schema,
                state.and_then(|state| state.records_in.as_deref()).unwrap_or(&tables.records),
            ),
            seqs: dialect
                .lasting_seqs(schema, &changes_table(job.sync))
                .unwrap_or_else(|| SEQS.to_owned()),
            tables,
            id,
            timestamp,
            stored: stored_names(&job.columns).iter().map(|name| dialect.quote(name)).collect(),
            key_type,
            state,
        })
    }

    /// The table in which the tracked records are built anew, quoted.
    pub(crate) fn rebuild(&self) -> String {
        self.dialect.table(self.schema, self.rebuild_in())
    }

    /// The bare name of the table in which the tracked records are built anew: the other one where two
    /// take turns.
    pub(crate) fn rebuild_in(&self) -> &str {
        let Tables { records, rebuild, .. } = &self.tables;
        match self.state {
            Some(state) if state.records_in.as_ref() != Some(rebuild) => rebuild,
            Some(_) | None => records,
        }
    }

    /// A model's column read from the alias `m`.
    pub(crate) fn read(&self, column: &Column) -> String {
        format!("m.{}", self.dialect.quote(&column.name))
    }

    /// The identifier of a model's row, in the type of this job.
    pub(crate) fn key(&self) -> String {
        let read = self.read(self.id);
        if self.key_type == self.dialect.key_type(self.id) {
            self.dialect.key(self.id, &read)
        } else {
            self.dialect.text(&read)
        }
    }

    /// The identifier of a tracked record, in the type of this job.
    pub(crate) fn tracked_key(&self, expression: &str) -> String {
        match self.state {
            Some(state) if state.key_type != self.key_type => self.dialect.text(expression),
            Some(_) | None => expression.to_owned(),
        }
    }

    /// The checksum of a model's row.
    pub(crate) fn checksum(&self) -> String {
        let mut columns: Vec<_> =
            self.job.columns.iter().map(|column| (column, self.read(column))).collect();
        columns.sort_by(|(one, _), (other, _)| one.name.cmp(&other.name));
        let salt = salt(columns.iter().map(|(column, _)| *column), self.job.generation);
        self.dialect.checksum(&salt, &columns)
    }

    /// What the timestamp column's checkpoint is remembered under.
    pub(crate) fn checkpoint_of(&self) -> Option<String> {
        self.timestamp.map(|column| format!("{} {}", column.name, column.native))
    }

    /// Where an incremental model is read from; `None` reads all of it, as a new generation must.
    pub(crate) fn checkpoint(&self) -> Option<&'a str> {
        let state = self.state?;
        let same = state.checkpoint_of == self.checkpoint_of()
            && state.tracked.recipe.generation == self.job.generation;
        state.tracked.checkpoint.as_deref().filter(|_| same)
    }

    /// From where an incremental model is read, if that is before its checkpoint.
    pub(crate) fn earlier(&self, timestamp: &Column, checkpoint: &str) -> Option<String> {
        let seconds = self.job.model.lookback.as_secs();
        if seconds == 0 { None } else { self.dialect.earlier(timestamp, checkpoint, seconds) }
    }

    /// How many records were tracked before this job.
    pub(crate) fn tracked_records(&self) -> u64 {
        self.state.map_or(0, |state| state.tracked.records)
    }

    /// The columns that the tracked state holds after this job, with their names there.
    pub(crate) fn kept(&self) -> impl Iterator<Item = (&'a Column, &str)> {
        let columns: &'a [Column] =
            if self.job.keep_deleted_values { &self.job.columns } else { &[] };
        columns.iter().zip(self.stored.iter().map(String::as_str))
    }

    /// The column of the tracked state, as it is now, that holds the values of a model's column.
    pub(crate) fn tracked_column(&self, column: &Column) -> Option<String> {
        let kept = &self.state?.kept;
        let place =
            kept.iter().position(|one| one.name == column.name && one.native == column.native)?;
        stored_names(kept).get(place).map(|name| self.dialect.quote(name))
    }
}

/// The names of a model's columns, so that no two are alike and none is Ebb's own: a column `seq` is
/// kept as `seq_`.
pub(crate) fn stored_names(columns: &[Column]) -> Vec<String> {
    let mut taken: HashSet<String> = OWN.iter().map(|name| (*name).to_owned()).collect();
    // Names that can stay as they are keep them, whatever comes before.
    taken.extend(columns.iter().map(|column| column.name.to_lowercase()));
    columns
        .iter()
        .map(|column| {
            let mut name = column.name.clone();
            if OWN.contains(&name.to_lowercase().as_str()) {
                while taken.contains(&name.to_lowercase()) {
                    name.push('_');
                }
                taken.insert(name.to_lowercase());
            }
            name
        })
        .collect()
}

/// One text that names the columns and the generation of a checksum; no two of them give the same.
pub(crate) fn salt<'a>(columns: impl Iterator<Item = &'a Column>, generation: u32) -> String {
    let names =
        serde_json::to_string(&columns.map(|column| column.name.as_str()).collect::<Vec<_>>())
            .expect("a list of texts is valid JSON");
    // The first one says nothing, as before there were others.
    if generation == 0 { names } else { format!("{names} {generation}") }
}
