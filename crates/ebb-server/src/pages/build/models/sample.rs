//! The first records of a query, as a table.

use ebb_core::{Column, ColumnKind, RecordSet, Value, port::Clock};
use ebb_workspace::{Preview, SystemClock};

use crate::pages::words::ago;

/// Longer values are cut; the whole stands in the title.
const WIDEST: usize = 60;

/// A preview, ready to be shown.
pub(in crate::pages::build) struct Sample {
    pub(in crate::pages::build) heads: Vec<Head>,
    pub(in crate::pages::build) rows: Vec<Vec<Cell>>,
    /// How long ago it was read; `None` if it was for this.
    pub(in crate::pages::build) age: Option<String>,
    /// What the preview says of the identifier column: whether it is fine, and in words.
    pub(in crate::pages::build) facts: Vec<(bool, String)>,
}

/// The head of a column.
#[derive(Clone)]
pub(in crate::pages::build) struct Head {
    pub(in crate::pages::build) name: String,
    /// The type as the warehouse names it.
    pub(in crate::pages::build) native: String,
    pub(in crate::pages::build) right: bool,
    /// Whether it names the records.
    pub(in crate::pages::build) key: bool,
}

/// Whether a column is among these.
pub(in crate::pages::build) fn among(heads: &[Head], name: &str) -> bool {
    heads.iter().any(|head| head.name == name)
}

/// A value.
pub(in crate::pages::build) struct Cell {
    pub(in crate::pages::build) text: String,
    /// The whole of what was cut.
    pub(in crate::pages::build) whole: Option<String>,
    pub(in crate::pages::build) null: bool,
    pub(in crate::pages::build) right: bool,
}

impl Sample {
    pub(super) fn new(preview: &Preview, id: &str) -> Self {
        let Preview { records, read_at, fresh } = preview;
        let heads: Vec<Head> = records.columns().iter().map(|column| head(column, id)).collect();
        let row = |record: ebb_core::Record<'_>| {
            let cells = heads.iter().enumerate();
            cells.map(|(place, head)| cell(&record.value(place), head.right)).collect()
        };
        Self {
            rows: records.iter().map(row).collect(),
            facts: facts(records, &heads),
            heads,
            age: (!fresh).then(|| ago(SystemClock.now(), *read_at)),
        }
    }
}

/// The type as the warehouse names it; what a source without types gives is told by kind.
pub(in crate::pages::build) fn type_of(column: &Column) -> String {
    let native = column.native.to_lowercase();
    if native.is_empty() { column.kind.to_string() } else { native }
}

fn head(column: &Column, id: &str) -> Head {
    Head {
        name: column.name.clone(),
        native: type_of(column),
        right: matches!(column.kind, ColumnKind::Integer | ColumnKind::Float | ColumnKind::Decimal),
        key: column.name == id,
    }
}

fn cell(value: &Value<'_>, right: bool) -> Cell {
    let text = value.as_str().map_or_else(|| value.to_json(), str::to_owned);
    let line = text.replace(['\n', '\r', '\t'], " ");
    let null = *value == Value::Null;
    if line.chars().count() <= WIDEST {
        return Cell { text: line, whole: None, null, right };
    }
    let cut = line.chars().take(WIDEST - 1).chain(['…']).collect();
    Cell { text: cut, whole: Some(text), null, right }
}

/// What ten records can tell of an identifier: not that it is right, but often that it is not.
fn facts(records: &RecordSet, heads: &[Head]) -> Vec<(bool, String)> {
    let Some(place) = heads.iter().position(|head| head.key) else { return Vec::new() };
    let values: Vec<String> = records.iter().map(|record| record.value(place).to_json()).collect();
    let nulls = values.iter().filter(|value| *value == "null").count();
    let given = values.iter().enumerate().filter(|(_, value)| *value != "null");
    let twice = given
        .filter(|(at, value)| values.iter().take(*at).any(|earlier| earlier == *value))
        .count();
    let fact = |number: usize, what: &str| match number {
        0 => (true, format!("No {what} in the preview")),
        number => (false, format!("{number} of {} have a {what} in the preview", values.len())),
    };
    vec![fact(nulls, "null"), fact(twice, "duplicate")]
}
