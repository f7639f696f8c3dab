//! The one row of `checkpoints_<mapping>`: what the tracked records are worth.

use ebb_core::{
    Code, Column, ColumnKind, Failure, SyncId,
    port::{DiffJob, Recipe, Tracked},
};

use crate::dialect::{Dialect, Transactions};

/// The version of the tables' form that this build writes, and the newest that it reads.
pub(crate) const FORM: u32 = 1;

/// The column that tells how many records are tracked.
pub(crate) const RECORDS: &str = "records";

/// The columns of `checkpoints_<mapping>`, all of them text.
const COLUMNS: [&str; 12] = [
    "form",
    "source_id",
    "model_id",
    "checkpoint",
    "checkpoint_of",
    "sync_id",
    "recipe_version",
    "recipe_columns",
    RECORDS,
    "key_type",
    "kept_columns",
    "unidentified",
];

/// What stands between a recipe's version and its generation, if that is not the first. A build that knows
/// no generations takes both for a version that it cannot compare with, and holds the sync.
const GENERATION: &str = " #";

/// The column that names the table of tracked records, where commits take turns with two.
const RECORDS_IN: &str = "records_in";

/// The columns of an engine's table.
fn columns<D: Dialect + ?Sized>(dialect: &D) -> impl Iterator<Item = &'static str> {
    let turns = dialect.transactions() == Transactions::Alone;
    COLUMNS.into_iter().chain(turns.then_some(RECORDS_IN))
}

/// What is known of a mapping's tracked records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct State {
    /// What the port tells of it.
    pub(crate) tracked: Tracked,
    /// Name and type of the timestamp column that the checkpoint is of.
    pub(crate) checkpoint_of: Option<String>,
    /// The type of `record_id`.
    pub(crate) key_type: String,
    /// The model's columns whose values the records hold; name and native type alone matter.
    pub(crate) kept: Vec<Column>,
    /// Rows of the model without identifier when the tracked state was last in accord with it.
    pub(crate) unidentified: u64,
    /// The bare name of the table of tracked records, where commits take turns with two.
    pub(crate) records_in: Option<String>,
}

impl State {
    /// The shape of the tracked records as one text: the type of `record_id`, then name and type of
    /// each kept column.
    pub(crate) fn shape<'a>(key_type: &str, kept: impl Iterator<Item = &'a Column>) -> String {
        let kept = kept.flat_map(|column| [column.name.as_str(), column.native.as_str()]);
        let shape: Vec<_> = std::iter::once(key_type).chain(kept).collect();
        serde_json::to_string(&shape).expect("a list of texts is valid JSON")
    }

    /// The state with the shape that a text of [`State::shape`] tells.
    pub(crate) fn in_shape(self, shape: &str) -> Result<Self, Failure> {
        let shape: Vec<String> = serde_json::from_str(shape).map_err(|_| damaged())?;
        let (key_type, kept) = shape.split_first().ok_or_else(damaged)?;
        Ok(Self { key_type: key_type.clone(), kept: paired(kept), ..self })
    }
}

/// Columns from their names and types, one after the other.
fn paired(pairs: &[String]) -> Vec<Column> {
    let pairs = pairs.chunks_exact(2).filter_map(|pair| match pair {
        [name, native] => Some(Column::new(name, ColumnKind::Text, native)),
        _ => None,
    });
    pairs.collect()
}

fn damaged() -> Failure {
    Failure::new(Code::SourceStateNewer, "the tracked state has an unknown form")
        .help("Use the version of Ebb that wrote it, or reset the mapping")
}

/// The query that reads the row.
pub(crate) fn select<D: Dialect + ?Sized>(dialect: &D, table: &str) -> String {
    let columns: Vec<_> = columns(dialect).map(|name| dialect.quote(name)).collect();
    format!("select {} from {table}", columns.join(", "))
}

/// The statement that makes the table if it is not there.
pub(crate) fn create<D: Dialect + ?Sized>(dialect: &D, table: &str) -> String {
    dialect.create_texts(table, &COLUMNS)
}

/// The statements that make the row what the state says, repeatable; the first is [`create`].
pub(crate) fn replace<D: Dialect + ?Sized>(
    dialect: &D,
    table: &str,
    job: &DiffJob,
    state: &State,
) -> [String; 3] {
    let values = values(job, state)
        .map(|value| value.map_or_else(|| "null".to_owned(), |value| dialect.literal(&value)))
        .join(", ");
    let names = COLUMNS.map(|name| dialect.quote(name));
    [
        create(dialect, table),
        format!("delete from {table}{}", dialect.every_row()),
        format!("insert into {table} ({}) values ({values})", names.join(", ")),
    ]
}

/// The statement that makes the row what the state says, whether or not there is a table, in one step
/// with the number of the tracked records, which `count` asks for.
pub(crate) fn renew<D: Dialect + ?Sized>(
    dialect: &D,
    table: &str,
    job: &DiffJob,
    state: &State,
    count: &str,
) -> String {
    let values = values(job, state).into_iter().chain([state.records_in.clone()]);
    let row = columns(dialect).zip(values).map(|(name, value)| {
        let value = match value {
            _ if name == RECORDS => dialect.text(&format!("({count})")),
            Some(value) => dialect.literal(&value),
            None => dialect.text("null"),
        };
        format!("{value} as {}", dialect.quote(name))
    });
    dialect.create_table_as(table, &format!("select {}", row.collect::<Vec<_>>().join(", ")))
}

/// The values of [`COLUMNS`].
fn values(job: &DiffJob, state: &State) -> [Option<String>; 12] {
    let State { tracked, checkpoint_of, key_type, kept, unidentified, .. } = state;
    let json = |value: &[String]| {
        Some(serde_json::to_string(value).expect("a list of texts is valid JSON"))
    };
    let kept: Vec<String> =
        kept.iter().flat_map(|column| [column.name.clone(), column.native.clone()]).collect();
    [
        Some(FORM.to_string()),
        Some(job.source.clone()),
        Some(job.model_name.clone()),
        tracked.checkpoint.clone(),
        checkpoint_of.clone(),
        tracked.sync.map(|sync| sync.to_string()),
        Some(version_text(&tracked.recipe)),
        json(&tracked.recipe.columns),
        Some(tracked.records.to_string()),
        Some(key_type.clone()),
        json(&kept),
        Some(unidentified.to_string()),
    ]
}

/// A recipe's version and generation as one text.
fn version_text(Recipe { version, generation, .. }: &Recipe) -> String {
    if *generation == 0 { version.clone() } else { format!("{version}{GENERATION}{generation}") }
}

/// The recipe whose version and generation [`version_text`] wrote.
fn recipe(version: &str, columns: Vec<String>) -> Result<Recipe, Failure> {
    let (version, generation) = version.rsplit_once(GENERATION).unwrap_or((version, "0"));
    let generation = generation.parse().map_err(|_| damaged())?;
    Ok(Recipe { version: version.to_owned(), columns, generation })
}

/// The state that a row of [`select`] tells.
pub(crate) fn parse(mut row: Vec<Option<String>>) -> Result<State, Failure> {
    let records_in = row.get(COLUMNS.len()).cloned().flatten();
    row.truncate(COLUMNS.len());
    let row = <[Option<String>; 12]>::try_from(row).map_err(|_| damaged())?;
    let [form, _, _, checkpoint, checkpoint_of, sync, version, columns, records, key_type, ..] =
        row.clone();
    let [.., kept, unidentified] = row;
    let form: u32 = form.and_then(|form| form.parse().ok()).ok_or_else(damaged)?;
    if form > FORM {
        return Err(Failure::new(
            Code::SourceStateNewer,
            format!("the tracked state has form `{form}`, this build knows forms up to `{FORM}`"),
        ));
    }
    let list = |text: Option<String>| {
        serde_json::from_str::<Vec<String>>(&text.ok_or_else(damaged)?).map_err(|_| damaged())
    };
    let kept = paired(&list(kept)?);
    Ok(State {
        tracked: Tracked {
            recipe: recipe(&version.ok_or_else(damaged)?, list(columns)?)?,
            sync: sync.map(|sync| sync.parse::<SyncId>()).transpose().map_err(|_| damaged())?,
            records: records.and_then(|records| records.parse().ok()).ok_or_else(damaged)?,
            checkpoint,
        },
        checkpoint_of,
        key_type: key_type.ok_or_else(damaged)?,
        kept,
        unidentified: unidentified.and_then(|rows| rows.parse().ok()).ok_or_else(damaged)?,
        records_in,
    })
}
