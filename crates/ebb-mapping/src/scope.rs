//! What a directive's paths start from, and how they are read from a row without looking up names.

use ebb_core::{Column, Record, Value};

use crate::script::{Path, undefined};

/// What the paths of a directive start from.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Scope<'s> {
    /// A value: an event, an item of a list, what `@transform` made.
    Value(&'s Value<'s>),
    /// A row, standing for its event.
    Record(Record<'s>),
}

impl<'s> Scope<'s> {
    /// The whole of it.
    pub(crate) fn whole(self) -> Value<'s> {
        match self {
            Self::Value(value) => value.borrowed(),
            Self::Record(record) => record.event(),
        }
    }
}

/// A path that knows where in a row it leads.
#[derive(Debug)]
pub(crate) struct Source {
    path: Path,
    /// For rows: where the path's first steps lead, and the steps that remain.
    row: Option<(Place, Path)>,
}

/// A place in a row's event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// The event itself.
    Event,
    /// Its type.
    Type,
    /// Its name.
    Name,
    /// Its message id.
    MessageId,
    /// Its timestamp.
    Timestamp,
    /// The record's identifier.
    RecordId,
    /// All columns.
    Properties,
    /// One column, by its place in the model.
    Column(usize),
    /// Nothing.
    Nowhere,
}

impl Source {
    /// A path that does not start from a row.
    pub(crate) fn of_value(path: Path) -> Self {
        Self { path, row: None }
    }

    /// A path that may start from a row with these columns.
    pub(crate) fn of_row(path: Path, columns: &[Column]) -> Self {
        let mut steps = path.steps().iter();
        let place = match steps.next().map(|step| &**step) {
            None => Place::Event,
            Some("type") => Place::Type,
            Some("event") => Place::Name,
            Some("messageId") => Place::MessageId,
            Some("timestamp") => Place::Timestamp,
            Some("__segment_id") => Place::RecordId,
            Some("properties") => match steps.next() {
                None => Place::Properties,
                Some(name) => columns
                    .iter()
                    .position(|column| *column.name == **name)
                    .map_or(Place::Nowhere, Place::Column),
            },
            Some(_) => Place::Nowhere,
        };
        let rest = steps.cloned().collect();
        Self { path, row: Some((place, rest)) }
    }

    /// Where the path leads in a row.
    pub(crate) fn place(&self) -> Option<Place> {
        self.row.as_ref().map(|(place, _)| *place)
    }

    /// The path as text.
    pub(crate) fn text(&self) -> String {
        format!("$.{}", self.path.steps().join("."))
    }

    /// The column that the path names, whether there is one or not.
    pub(crate) fn column(&self) -> Option<&str> {
        match self.path.steps() {
            [first, column, ..] if &**first == "properties" => Some(column),
            _ => None,
        }
    }

    /// What lies at the path.
    pub(crate) fn read<'s>(&'s self, scope: Scope<'s>) -> Value<'s> {
        match (scope, &self.row) {
            (Scope::Value(value), _) => self.path.of(value),
            (Scope::Record(record), Some((place, rest))) => read_row(record, *place, rest),
            (Scope::Record(record), None) => self.path.of(&record.event()).into_owned(),
        }
    }
}

fn read_row<'s>(record: Record<'s>, place: Place, rest: &'s Path) -> Value<'s> {
    let value = match place {
        Place::Event => record.event(),
        Place::Type => "track".into(),
        Place::Name => record.operation().event().into(),
        Place::MessageId => record.message_id().into(),
        Place::Timestamp => record.timestamp().into(),
        Place::RecordId => record.record_id().into(),
        Place::Properties => record.properties(),
        Place::Column(column) => record.value(column),
        Place::Nowhere => return undefined(),
    };
    if rest.steps().is_empty() { value } else { rest.of(&value).into_owned() }
}
