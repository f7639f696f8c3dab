//! Reads an IPC stream that comes in pieces.

use arrow_array::{ArrayRef, RecordBatch};
use arrow_buffer::Buffer;
use arrow_ipc::reader::StreamDecoder;
use arrow_schema::SchemaRef;
use bytes::Bytes;
use ebb_core::{Column, Failure, record::staged_schema};

use super::{staged, unexpected};

/// One IPC stream: its schema, then any number of batches. Columns by dictionary are refused.
pub(crate) struct Reader {
    decoder: StreamDecoder,
    schema: SchemaRef,
    /// Who sends the stream, for failures.
    service: &'static str,
}

impl Reader {
    /// A reader of the columns that `Session::stream` promises.
    pub(crate) fn new(columns: &[Column], service: &'static str) -> Self {
        Self { decoder: StreamDecoder::new(), schema: staged_schema(columns).into(), service }
    }

    /// The staged batches that a piece completes; a piece may end anywhere. Values stay where the piece
    /// has them. Fails with `S105` if the bytes are no such stream.
    pub(crate) fn read(&mut self, piece: Bytes) -> Result<Vec<RecordBatch>, Failure> {
        self.read_as(piece, |batch| batch.columns().to_vec())
    }

    /// The same where an engine has types of its own: `columns` gives a batch's columns in types that
    /// [`staged`] knows.
    pub(crate) fn read_as(
        &mut self,
        piece: Bytes,
        columns: impl Fn(&RecordBatch) -> Vec<ArrayRef>,
    ) -> Result<Vec<RecordBatch>, Failure> {
        let mut rest = Buffer::from(piece);
        let mut batches = Vec::new();
        while !rest.is_empty() {
            let batch = self.decoder.decode(&mut rest);
            let batch = batch.map_err(|error| unexpected(self.service, error))?;
            if let Some(batch) = batch.filter(|batch| batch.num_rows() > 0) {
                batches.push(staged(&columns(&batch), &self.schema, self.service)?);
            }
        }
        Ok(batches)
    }

    /// Ends the stream. Fails with `S105` if it was cut within a batch.
    pub(crate) fn finish(mut self) -> Result<(), Failure> {
        self.decoder.finish().map_err(|error| unexpected(self.service, error))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{
        ArrayRef, Float64Array, Int64Array, LargeStringArray, NullArray, RecordBatch, StringArray,
        TimestampMicrosecondArray,
    };
    use arrow_ipc::writer::StreamWriter;
    use bytes::Bytes;
    use ebb_core::{Code, Column, ColumnKind, RecordSet};

    use super::Reader;

    fn columns() -> [Column; 4] {
        [
            Column::new("n", ColumnKind::Float, "DOUBLE"),
            Column::new("name", ColumnKind::Text, "STRING"),
            Column::new("at", ColumnKind::Timestamp, "TIMESTAMP"),
            Column::new("none", ColumnKind::Text, "VOID"),
        ]
    }

    /// A stream of two batches as a service may write it, under names of its own.
    fn stream() -> Bytes {
        let moments =
            TimestampMicrosecondArray::from(vec![Some(1), None]).with_timezone("Europe/Berlin");
        let arrays: [ArrayRef; 8] = [
            Arc::new(Int64Array::from(vec![1, 2])),
            Arc::new(Int64Array::from(vec![1, 1])),
            Arc::new(StringArray::from(vec!["7", "8"])),
            Arc::new(StringArray::from(vec!["x", "y"])),
            Arc::new(Float64Array::from(vec![f64::NAN, 0.5])),
            Arc::new(LargeStringArray::from(vec![Some("é"), None])),
            Arc::new(moments),
            Arc::new(NullArray::new(2)),
        ];
        let named = arrays.into_iter().enumerate().map(|(n, array)| (format!("c{n}"), array));
        let batch = RecordBatch::try_from_iter(named).unwrap();
        let mut bytes = Vec::new();
        let mut writer = StreamWriter::try_new(&mut bytes, &batch.schema()).unwrap();
        writer.write(&batch).unwrap();
        writer.write(&batch.slice(1, 1)).unwrap();
        writer.finish().unwrap();
        drop(writer);
        bytes.into()
    }

    fn told(batches: &[RecordBatch]) -> Vec<String> {
        let sets = batches.iter().map(|batch| {
            let set = RecordSet::new(batch, "m".into(), "t".into()).unwrap();
            set.iter().map(|record| record.properties().to_json()).collect::<Vec<_>>()
        });
        sets.flatten().collect()
    }

    #[test]
    fn a_stream_in_pieces_of_any_length_becomes_records() {
        let expected = [
            r#"{"n":null,"name":"é","at":"1970-01-01T00:00:00.000001Z","none":null}"#,
            r#"{"n":0.5,"name":null,"at":null,"none":null}"#,
            r#"{"n":0.5,"name":null,"at":null,"none":null}"#,
        ];
        let stream = stream();
        for length in [1, 7, 1000, stream.len()] {
            let mut reader = Reader::new(&columns(), "Test");
            let mut batches = Vec::new();
            for start in (0..stream.len()).step_by(length) {
                let piece = stream.slice(start..stream.len().min(start + length));
                batches.extend(reader.read(piece).unwrap());
            }
            reader.finish().unwrap();
            assert_eq!(told(&batches), expected, "{length}");
        }
    }

    #[test]
    fn what_is_no_such_stream_is_refused() {
        let columns = columns();
        let mut cut = Reader::new(&columns, "Test");
        cut.read(stream().slice(..1000)).unwrap();
        let mut other = Reader::new(&columns[1..], "Test");
        let mut text = Reader::new(&columns, "Test");
        let page = Bytes::from_static(b"<Error>no</Error>");
        let text = text.read(page).and_then(|_| text.finish());
        for refused in [cut.finish(), other.read(stream()).map(drop), text] {
            assert_eq!(refused.unwrap_err().code, Code::SourceQuery);
        }
    }
}
