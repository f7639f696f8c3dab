//! Parquet files of which only pieces are here: the footer, then one row group after the other.

use std::ops::Range;

use arrow_array::RecordBatch;
use bytes::{Buf, Bytes, buf::Reader};
use parquet::{
    arrow::arrow_reader::{
        ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
    },
    errors::{ParquetError, Result},
    file::{
        metadata::{ParquetMetaDataReader, RowGroupMetaData},
        reader::{ChunkReader, Length},
    },
};

/// Rows that are decoded at once.
const ROWS: usize = 1024;

/// A piece of a file.
pub(super) struct Piece {
    /// Where it begins.
    start: u64,
    bytes: Bytes,
    /// The length of the file.
    length: u64,
}

/// What a file says of itself.
#[derive(Clone)]
pub(super) struct Footer(ArrowReaderMetadata);

/// The end of a file that holds its footer, or from where on that begins.
pub(super) enum End {
    Footer(Footer),
    From(u64),
}

impl Length for Piece {
    fn len(&self) -> u64 {
        self.length
    }
}

impl ChunkReader for Piece {
    type T = Reader<Bytes>;

    fn get_read(&self, start: u64) -> Result<Self::T> {
        let end = self.start + u64::try_from(self.bytes.len())?;
        let length = usize::try_from(end.saturating_sub(start))?;
        Ok(self.get_bytes(start, length)?.reader())
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        let from = start.checked_sub(self.start).and_then(|from| usize::try_from(from).ok());
        let range = from.and_then(|from| Some(from..from.checked_add(length)?));
        range.filter(|range| range.end <= self.bytes.len()).map_or_else(
            || Err(ParquetError::EOF("a file names a piece that it does not have".to_owned())),
            |range| Ok(self.bytes.slice(range)),
        )
    }
}

impl Piece {
    pub(super) const fn new(start: u64, bytes: Bytes, length: u64) -> Self {
        Self { start, bytes, length }
    }

    /// What the end of a file says, if it is long enough.
    pub(super) fn end(&self) -> Result<End> {
        let mut reader = ParquetMetaDataReader::new();
        match reader.try_parse_sized(self, self.length) {
            Ok(()) => {}
            Err(ParquetError::NeedMoreData(needed)) => {
                let from = self.length.checked_sub(u64::try_from(needed)?);
                return from.filter(|from| *from < self.start).map(End::From).ok_or_else(|| {
                    ParquetError::EOF("a file is shorter than its footer says".to_owned())
                });
            }
            Err(error) => return Err(error),
        }
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let metadata = ArrowReaderMetadata::try_new(reader.finish()?.into(), options)?;
        Ok(End::Footer(Footer(metadata)))
    }

    /// The rows of the one row group that this piece is.
    pub(super) fn rows(
        self,
        footer: &Footer,
        group: usize,
    ) -> Result<impl Iterator<Item = std::result::Result<RecordBatch, arrow_schema::ArrowError>>>
    {
        ParquetRecordBatchReaderBuilder::new_with_metadata(self, footer.0.clone())
            .with_row_groups(vec![group])
            .with_batch_size(ROWS)
            .build()
    }
}

impl Footer {
    /// Where the row groups lie.
    pub(super) fn groups(&self) -> Vec<Range<u64>> {
        self.0.metadata().row_groups().iter().map(range).collect()
    }
}

fn range(group: &RowGroupMetaData) -> Range<u64> {
    let columns = || {
        group.columns().iter().map(|column| {
            let (start, length) = column.byte_range();
            start..start.saturating_add(length)
        })
    };
    let start = columns().map(|range| range.start).min().unwrap_or(0);
    start..columns().map(|range| range.end).max().unwrap_or(start)
}
