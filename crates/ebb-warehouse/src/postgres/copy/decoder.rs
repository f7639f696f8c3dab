//! Tuples of a copy, wherever the network cut them, to record batches.

use std::{mem, sync::Arc};

use arrow_array::{RecordBatch, RecordBatchOptions};
use arrow_schema::{ArrowError, SchemaRef};

use super::reader::Reader;
use crate::pgwire::{BATCH_BYTES, BATCH_ROWS, Losses};

const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";
/// Signature, flags, length of the extension.
const HEADER: usize = SIGNATURE.len() + 4;

/// The server sent what is no binary copy of these columns.
#[derive(Debug, thiserror::Error)]
pub(in crate::postgres) enum Malformed {
    #[error("the copy does not begin with its signature")]
    Signature,
    #[error("a row has {0} values where {1} were expected")]
    Values(i16, usize),
    #[error("the value of column {0} does not have the format of its type")]
    Value(usize),
    #[error("the copy ended within a row")]
    Cut,
    #[error("the rows do not fit the schema: {0}")]
    Schema(#[from] ArrowError),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expect {
    Header,
    Rows,
    Nothing,
}

/// Turns the bytes of one copy into record batches.
#[derive(Debug)]
pub(in crate::postgres) struct Decoder {
    schema: SchemaRef,
    readers: Vec<Reader>,
    expect: Expect,
    /// The beginning of a row whose end has not arrived.
    pending: Vec<u8>,
    rows: usize,
    bytes: usize,
}

impl Decoder {
    /// A decoder of rows with one reader for each field of the schema.
    pub(in crate::postgres) const fn new(schema: SchemaRef, readers: Vec<Reader>) -> Self {
        Self { schema, readers, expect: Expect::Header, pending: Vec::new(), rows: 0, bytes: 0 }
    }

    /// Takes the next bytes, cut anywhere.
    pub(in crate::postgres) fn push(&mut self, bytes: &[u8]) -> Result<(), Malformed> {
        if self.pending.is_empty() {
            let rest = self.consume(bytes)?;
            self.pending.extend_from_slice(rest);
        } else {
            let mut pending = mem::take(&mut self.pending);
            pending.extend_from_slice(bytes);
            let left = self.consume(&pending)?.len();
            pending.drain(..pending.len() - left);
            self.pending = pending;
        }
        Ok(())
    }

    /// Whether enough rows came for a batch.
    pub(in crate::postgres) const fn is_full(&self) -> bool {
        self.rows >= BATCH_ROWS || self.bytes >= BATCH_BYTES
    }

    /// The rows that came since the last batch.
    pub(in crate::postgres) fn batch(&mut self) -> Result<RecordBatch, Malformed> {
        let columns = self.readers.iter_mut().map(Reader::finish).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(mem::take(&mut self.rows)));
        self.bytes = 0;
        Ok(RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)?)
    }

    /// The rows after the last full batch, if any, once the copy has ended.
    pub(in crate::postgres) fn last_batch(&mut self) -> Result<Option<RecordBatch>, Malformed> {
        if self.expect != Expect::Nothing {
            return Err(Malformed::Cut);
        }
        if self.rows == 0 { Ok(None) } else { self.batch().map(Some) }
    }

    /// The columns with values that could not be carried over as they are.
    pub(in crate::postgres) fn losses(&self) -> impl Iterator<Item = (&str, Losses)> {
        self.schema
            .fields()
            .iter()
            .zip(&self.readers)
            .map(|(field, reader)| (field.name().as_str(), reader.losses()))
            .filter(|(_, losses)| *losses != Losses::default())
    }

    /// Reads as many rows as are whole and gives the bytes that are left.
    fn consume<'a>(&mut self, mut bytes: &'a [u8]) -> Result<&'a [u8], Malformed> {
        if self.expect == Expect::Header {
            let Some(rest) = header(bytes)? else { return Ok(bytes) };
            bytes = rest;
            self.expect = Expect::Rows;
        }
        while self.expect == Expect::Rows {
            let Some((count, values)) = bytes.split_first_chunk::<2>() else { return Ok(bytes) };
            let count = i16::from_be_bytes(*count);
            if count == -1 {
                self.expect = Expect::Nothing;
                return Ok(&[]);
            }
            if usize::try_from(count) != Ok(self.readers.len()) {
                return Err(Malformed::Values(count, self.readers.len()));
            }
            // A row goes into the builders as a whole or not at all.
            let Some(length) = length(values, self.readers.len()) else { return Ok(bytes) };
            let (row, rest) = values.split_at_checked(length).ok_or(Malformed::Cut)?;
            self.row(row)?;
            bytes = rest;
        }
        Ok(&[])
    }

    /// Reads the values of one whole row.
    fn row(&mut self, mut bytes: &[u8]) -> Result<(), Malformed> {
        self.rows += 1;
        self.bytes += bytes.len();
        for (place, reader) in self.readers.iter_mut().enumerate() {
            let (length, rest) = bytes.split_first_chunk::<4>().ok_or(Malformed::Cut)?;
            // A negative length stands for null.
            if let Ok(length) = usize::try_from(i32::from_be_bytes(*length)) {
                let (value, rest) = rest.split_at_checked(length).ok_or(Malformed::Cut)?;
                reader.value(value).ok_or(Malformed::Value(place + 1))?;
                bytes = rest;
            } else {
                reader.null();
                bytes = rest;
            }
        }
        Ok(())
    }
}

/// The bytes after the header; `None` if it is not complete.
fn header(bytes: &[u8]) -> Result<Option<&[u8]>, Malformed> {
    let known = bytes.len().min(SIGNATURE.len());
    if bytes.get(..known) != SIGNATURE.get(..known) {
        return Err(Malformed::Signature);
    }
    let Some((extension, rest)) =
        bytes.get(HEADER..).and_then(|rest| rest.split_first_chunk::<4>())
    else {
        return Ok(None);
    };
    Ok(usize::try_from(u32::from_be_bytes(*extension))
        .ok()
        .and_then(|extension| rest.get(extension..)))
}

/// The length of a row's values; `None` if they are not complete.
fn length(bytes: &[u8], values: usize) -> Option<usize> {
    let mut rest = bytes;
    for _ in 0..values {
        let (length, after) = rest.split_first_chunk::<4>()?;
        // A negative length stands for null and has no bytes.
        let length = usize::try_from(i32::from_be_bytes(*length)).unwrap_or(0);
        rest = after.get(length..)?;
    }
    Some(bytes.len() - rest.len())
}

#[cfg(test)]
mod tests {
    use arrow_array::{Array, RecordBatch, cast::AsArray, types::Int64Type};
    use arrow_schema::{DataType, Field, Schema};
    use proptest::prelude::*;
    use tokio_postgres::types::Type;

    use super::{Arc, BATCH_BYTES, BATCH_ROWS, Decoder, Malformed};
    use crate::postgres::copy::{Format, Reader};

    fn decoder(columns: &[(Type, DataType)]) -> Decoder {
        let fields: Vec<Field> =
            columns.iter().map(|(_, arrow)| Field::new("c", arrow.clone(), true)).collect();
        let readers = columns
            .iter()
            .map(|(native, arrow)| Reader::new(Format::of(native, arrow).unwrap(), arrow))
            .collect();
        Decoder::new(Arc::new(Schema::new(fields)), readers)
    }

    fn copy(rows: &[Vec<Option<Vec<u8>>>]) -> Vec<u8> {
        let mut bytes = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0".to_vec();
        for row in rows {
            bytes.extend(u16::try_from(row.len()).unwrap().to_be_bytes());
            for value in row {
                match value {
                    Some(value) => {
                        bytes.extend(u32::try_from(value.len()).unwrap().to_be_bytes());
                        bytes.extend(value);
                    }
                    None => bytes.extend((-1_i32).to_be_bytes()),
                }
            }
        }
        bytes.extend((-1_i16).to_be_bytes());
        bytes
    }

    fn one(native: Type, arrow: DataType, value: &[u8]) -> RecordBatch {
        let mut decoder = decoder(&[(native, arrow)]);
        decoder.push(&copy(&[vec![Some(value.to_vec())]])).unwrap();
        decoder.last_batch().unwrap().unwrap()
    }

    #[test]
    fn what_has_no_counterpart_becomes_null_and_is_counted() {
        let moment = ColumnType::moment();
        let cases: [(Type, DataType, Vec<u8>); 5] = [
            (Type::FLOAT4, DataType::Float64, f32::NAN.to_be_bytes().to_vec()),
            (Type::FLOAT8, DataType::Float64, f64::INFINITY.to_be_bytes().to_vec()),
            (Type::NUMERIC, DataType::Utf8, vec![0, 0, 0, 0, 0xC0, 0, 0, 0]),
            (Type::DATE, DataType::Date32, i32::MAX.to_be_bytes().to_vec()),
            (Type::TIMESTAMPTZ, moment, i64::MIN.to_be_bytes().to_vec()),
        ];
        for (native, arrow, value) in cases {
            let mut decoder = decoder(&[(native, arrow)]);
            decoder.push(&copy(&[vec![Some(value)]])).unwrap();
            let batch = decoder.last_batch().unwrap().unwrap();
            assert!(batch.column(0).is_null(0));
            assert_eq!(decoder.losses().map(|(_, losses)| losses.nulled).sum::<u64>(), 1);
        }
    }

    struct ColumnType;

    impl ColumnType {
        fn moment() -> DataType {
            ebb_core::ColumnKind::Timestamp.data_type()
        }
    }

    #[test]
    fn text_that_is_not_utf_8_is_replaced_and_counted() {
        let mut decoder = decoder(&[(Type::TEXT, DataType::Utf8)]);
        decoder.push(&copy(&[vec![Some(vec![b'a', 0xFF])]])).unwrap();
        let batch = decoder.last_batch().unwrap().unwrap();
        assert_eq!(batch.column(0).as_string::<i32>().value(0), "a\u{FFFD}");
        assert_eq!(decoder.losses().map(|(_, losses)| losses.replaced).sum::<u64>(), 1);
    }

    #[test]
    fn singles_print_as_the_server_prints_them() {
        let batch = one(Type::FLOAT4, DataType::Float64, &0.1_f32.to_be_bytes());
        assert_eq!(
            batch.column(0).as_primitive::<arrow_array::types::Float64Type>().values(),
            &[0.1]
        );
    }

    #[test]
    fn uuids_are_hyphenated() {
        let bytes: Vec<u8> = (0..16).map(|byte| byte * 16 + 15 - byte).collect();
        let batch = one(Type::UUID, DataType::Utf8, &bytes);
        let text = batch.column(0).as_string::<i32>().value(0).to_owned();
        assert_eq!(text, "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0");
    }

    #[test]
    fn a_wrong_signature_a_wrong_count_and_a_cut_copy_are_refused() {
        let mut wrong = decoder(&[(Type::INT8, DataType::Int64)]);
        assert!(matches!(wrong.push(b"HELLO"), Err(Malformed::Signature)));
        let mut wrong = decoder(&[(Type::INT8, DataType::Int64)]);
        assert!(matches!(wrong.push(&copy(&[vec![None, None]])), Err(Malformed::Values(2, 1))));
        let mut wrong = decoder(&[(Type::INT8, DataType::Int64)]);
        assert!(matches!(wrong.push(&copy(&[vec![Some(vec![1])]])), Err(Malformed::Value(1))));
        let mut cut = decoder(&[(Type::INT8, DataType::Int64)]);
        let bytes = copy(&[vec![None]]);
        cut.push(&bytes[..bytes.len() - 2]).unwrap();
        assert!(matches!(cut.last_batch(), Err(Malformed::Cut)));
    }

    #[test]
    fn a_batch_is_full_after_its_rows_or_its_bytes() {
        let mut many = decoder(&[(Type::INT8, DataType::Int64)]);
        many.push(&copy(&vec![vec![None]; BATCH_ROWS])).unwrap();
        assert!(many.is_full());
        assert_eq!(many.batch().unwrap().num_rows(), BATCH_ROWS);
        assert!(!many.is_full());
        let mut large = decoder(&[(Type::TEXT, DataType::Utf8)]);
        large.push(&copy(&[vec![Some(vec![b'x'; BATCH_BYTES])]])).unwrap();
        assert!(large.is_full());
    }

    proptest! {
        #[test]
        fn rows_arrive_wherever_the_network_cuts_them(
            rows in prop::collection::vec((any::<Option<i64>>(), any::<Option<String>>()), 0..20),
            cuts in prop::collection::vec(1..40_usize, 1..40),
        ) {
            let bytes = copy(&rows.iter().map(|(number, text)| vec![
                number.map(|number| number.to_be_bytes().to_vec()),
                text.as_ref().map(|text| text.clone().into_bytes()),
            ]).collect::<Vec<_>>());
            let mut decoder = decoder(&[(Type::INT8, DataType::Int64), (Type::TEXT, DataType::Utf8)]);
            let mut rest = bytes.as_slice();
            let mut cuts = cuts.into_iter().cycle();
            while !rest.is_empty() {
                let (now, later) = rest.split_at(cuts.next().unwrap().min(rest.len()));
                decoder.push(now).unwrap();
                rest = later;
            }
            let batch = decoder.last_batch().unwrap();
            let got: Vec<(Option<i64>, Option<String>)> = batch.iter().flat_map(|batch| {
                let numbers = batch.column(0).as_primitive::<Int64Type>();
                let texts = batch.column(1).as_string::<i32>();
                numbers.iter().zip(texts).map(|(number, text)| (number, text.map(str::to_owned)))
            }).collect();
            prop_assert_eq!(got, rows);
        }

        #[test]
        fn no_bytes_make_the_decoder_panic(bytes: Vec<u8>) {
            let mut decoder = decoder(&[(Type::NUMERIC, DataType::Utf8), (Type::TIMETZ, DataType::Utf8)]);
            decoder.expect = super::Expect::Rows;
            drop(decoder.push(&bytes));
        }
    }
}
