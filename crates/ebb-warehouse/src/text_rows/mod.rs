//! Rows whose values are text, as services give them that speak JSON, turned into staged batches value by
//! value, without a tree between. What stands around the rows is each service's own.

mod object;
mod values;

use std::{cell::Cell, fmt, sync::Arc};

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use ebb_core::{Column, ColumnKind, record::staged_schema};
use serde::{
    Deserializer,
    de::{DeserializeSeed, Error, Visitor},
};

pub(crate) use object::Object;
use values::Values;
pub(crate) use values::{json, time_of_day};

/// Rows of one batch, at most.
const ROWS: usize = 8192;
/// Bytes of one batch's values after which it is handed over.
const BYTES: usize = 4 << 20;

/// Batches while they are filled.
pub(crate) struct Batches {
    schema: SchemaRef,
    values: Vec<Values>,
    rows: usize,
    bytes: Cell<usize>,
    done: Vec<RecordBatch>,
}

impl Batches {
    /// Batches of `record::staged_schema(columns)`.
    pub(crate) fn new(columns: &[Column]) -> Self {
        let own = [ColumnKind::Integer, ColumnKind::Integer, ColumnKind::Text, ColumnKind::Text];
        let kinds = own.into_iter().chain(columns.iter().map(|column| column.kind));
        Self {
            schema: staged_schema(columns).into(),
            values: kinds.map(Values::new).collect(),
            rows: 0,
            bytes: Cell::new(0),
            done: Vec::new(),
        }
    }

    /// How many values a row has.
    pub(crate) fn width(&self) -> usize {
        self.values.len()
    }

    /// Where the values of the next row go, one after the other.
    pub(crate) fn places(&mut self) -> impl Iterator<Item = Place<'_>> {
        let Self { values, bytes, .. } = self;
        values.iter_mut().map(|values| Place { values, bytes })
    }

    /// Says that every place of a row was filled.
    pub(crate) fn row_is_full(&mut self) -> Result<(), serde_json::Error> {
        self.rows += 1;
        if self.rows >= ROWS || self.bytes.get() >= BYTES { self.take() } else { Ok(()) }
    }

    fn take(&mut self) -> Result<(), serde_json::Error> {
        let fields = self.schema.fields();
        let arrays = self
            .values
            .iter_mut()
            .zip(fields)
            .map(|(values, field)| values.finish(field.data_type()));
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), arrays.collect());
        self.done.push(batch.map_err(serde_json::Error::custom)?);
        self.rows = 0;
        self.bytes.set(0);
        Ok(())
    }

    /// All batches.
    pub(crate) fn finish(mut self) -> Result<Vec<RecordBatch>, serde_json::Error> {
        if self.rows > 0 {
            self.take()?;
        }
        Ok(self.done)
    }
}

/// Where one value goes: reads text or null.
pub(crate) struct Place<'a> {
    values: &'a mut Values,
    bytes: &'a Cell<usize>,
}

impl<'de> DeserializeSeed<'de> for Place<'_> {
    type Value = ();

    fn deserialize<R: Deserializer<'de>>(self, reader: R) -> Result<(), R::Error> {
        reader.deserialize_any(self)
    }
}

impl Visitor<'_> for Place<'_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("text or null")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.values.null();
        Ok(())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.bytes.set(self.bytes.get() + text.len());
        // The text is the user's: it stays out of messages.
        self.values.push(text).ok_or_else(|| E::custom("a value is not of its column's type"))
    }
}
