//! Turns rows of SQLite into staged batches.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, RecordBatch,
    builder::{Int64Builder, StringBuilder},
};
use arrow_schema::SchemaRef;
use base64::{Engine, prelude::BASE64_STANDARD};
use ebb_core::{Code, Column, Failure, record::staged_schema};
use rusqlite::{Connection, Row, types::ValueRef};
use serde_json::value::RawValue;

use super::session::failed;

/// Rows of one batch, at most.
const ROWS: usize = 8192;
/// Bytes of one batch's values after which it is handed over.
const BYTES: usize = 4 << 20;

/// Runs a query and hands its rows over as batches, until nobody takes them.
pub(super) fn stream(
    connection: &Connection,
    sql: &str,
    columns: &[Column],
    send: &mut dyn FnMut(RecordBatch) -> bool,
) -> Result<(), Failure> {
    let mut statement = connection.prepare(sql).map_err(failed)?;
    let mut rows = statement.query([]).map_err(failed)?;
    let mut batch = Batch::new(columns);
    while let Some(row) = rows.next().map_err(failed)? {
        batch.push(row).map_err(failed)?;
        if batch.is_full() && !send(batch.take()?) {
            return Ok(());
        }
    }
    if batch.rows > 0 {
        send(batch.take()?);
    }
    Ok(())
}

/// What a column was declared to be, where that changes how its values are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Declared {
    Boolean,
    Json,
    Other,
}

impl Declared {
    fn of(column: &Column) -> Self {
        match column.native.to_ascii_uppercase().as_str() {
            "BOOLEAN" | "BOOL" => Self::Boolean,
            "JSON" | "JSONB" => Self::Json,
            _ => Self::Other,
        }
    }
}

struct Batch {
    schema: SchemaRef,
    seq: Int64Builder,
    op: Int64Builder,
    record_id: StringBuilder,
    checksum: StringBuilder,
    values: Vec<(Declared, StringBuilder)>,
    rows: usize,
    bytes: usize,
    scratch: String,
}

impl Batch {
    fn new(columns: &[Column]) -> Self {
        Self {
            schema: staged_schema(columns).into(),
            seq: Int64Builder::new(),
            op: Int64Builder::new(),
            record_id: StringBuilder::new(),
            checksum: StringBuilder::new(),
            values: columns
                .iter()
                .map(|column| (Declared::of(column), StringBuilder::new()))
                .collect(),
            rows: 0,
            bytes: 0,
            scratch: String::new(),
        }
    }

    fn push(&mut self, row: &Row<'_>) -> rusqlite::Result<()> {
        self.seq.append_value(row.get(0)?);
        self.op.append_value(row.get(1)?);
        for (place, builder) in [(2, &mut self.record_id), (3, &mut self.checksum)] {
            match row.get_ref(place)? {
                ValueRef::Text(bytes) => builder.append_value(String::from_utf8_lossy(bytes)),
                ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) | ValueRef::Blob(_) => {
                    builder.append_null();
                }
            }
        }
        for (place, (declared, builder)) in self.values.iter_mut().enumerate() {
            self.scratch.clear();
            if write_json(row.get_ref(place + 4)?, *declared, &mut self.scratch) {
                self.bytes += self.scratch.len();
                builder.append_value(&self.scratch);
            } else {
                builder.append_null();
            }
        }
        self.rows += 1;
        Ok(())
    }

    fn is_full(&self) -> bool {
        self.rows >= ROWS || self.bytes >= BYTES
    }

    fn take(&mut self) -> Result<RecordBatch, Failure> {
        self.rows = 0;
        self.bytes = 0;
        let mut arrays: Vec<ArrayRef> = vec![
            Arc::new(self.seq.finish()),
            Arc::new(self.op.finish()),
            Arc::new(self.record_id.finish()),
            Arc::new(self.checksum.finish()),
        ];
        let values = self.values.iter_mut();
        arrays.extend(values.map(|(_, builder)| Arc::new(builder.finish()) as ArrayRef));
        RecordBatch::try_new(Arc::clone(&self.schema), arrays).map_err(|error| {
            Failure::new(Code::SourceQuery, "SQLite gave rows of another form than it promised")
                .caused_by(error)
        })
    }
}

/// Writes a value as JSON; `false` for null. Text that is not UTF-8 has its wrong bytes replaced by
/// U+FFFD, bytes become base64, infinities null.
fn write_json(value: ValueRef<'_>, declared: Declared, out: &mut String) -> bool {
    match (value, declared) {
        (ValueRef::Null, _) => return false,
        (ValueRef::Integer(0), Declared::Boolean) => out.push_str("false"),
        (ValueRef::Integer(1), Declared::Boolean) => out.push_str("true"),
        (ValueRef::Integer(number), _) => out.push_str(&number.to_string()),
        (ValueRef::Real(number), _) => match serde_json::Number::from_f64(number) {
            Some(number) => out.push_str(&number.to_string()),
            None => return false,
        },
        (ValueRef::Text(bytes), declared) => {
            let text = String::from_utf8_lossy(bytes);
            if declared == Declared::Json && serde_json::from_str::<&RawValue>(&text).is_ok() {
                out.push_str(&text);
            } else {
                write_text(&text, out);
            }
        }
        (ValueRef::Blob(bytes), _) => {
            out.push('"');
            BASE64_STANDARD.encode_string(bytes, out);
            out.push('"');
        }
    }
    true
}

fn write_text(text: &str, out: &mut String) {
    let quoted = serde_json::to_string(text).expect("a text is valid JSON");
    out.push_str(&quoted);
}

#[cfg(test)]
mod tests {
    use rusqlite::types::ValueRef;

    use super::{Declared, write_json};

    fn json(value: ValueRef<'_>, declared: Declared) -> Option<String> {
        let mut out = String::new();
        write_json(value, declared, &mut out).then_some(out)
    }

    #[test]
    fn each_value_is_written_as_what_it_is() {
        use ValueRef::{Blob, Integer, Null, Real, Text};
        for (value, declared, expected) in [
            (Null, Declared::Other, None),
            (Integer(i64::MIN), Declared::Other, Some("-9223372036854775808")),
            (Integer(1), Declared::Other, Some("1")),
            (Integer(1), Declared::Boolean, Some("true")),
            (Integer(0), Declared::Boolean, Some("false")),
            (Integer(2), Declared::Boolean, Some("2")),
            (Text(b"yes"), Declared::Boolean, Some("\"yes\"")),
            (Real(0.1), Declared::Other, Some("0.1")),
            (Real(f64::INFINITY), Declared::Other, None),
            (Text(b"a\"\n\0"), Declared::Other, Some("\"a\\\"\\n\\u0000\"")),
            (Text(b"{\"a\":1}"), Declared::Other, Some("\"{\\\"a\\\":1}\"")),
            (Text(b"{\"a\":1}"), Declared::Json, Some("{\"a\":1}")),
            (Text(b"{a"), Declared::Json, Some("\"{a\"")),
            (Text(b"a\xffb"), Declared::Other, Some("\"a\u{fffd}b\"")),
            (Blob(b"\x00\xff"), Declared::Other, Some("\"AP8=\"")),
        ] {
            assert_eq!(json(value, declared).as_deref(), expected, "{value:?}");
        }
    }
}
