//! Rows that came in any order, in the order of `seq`.

use arrow_array::{Array, Int64Array, RecordBatch};
use arrow_select::interleave::interleave_record_batch;
use ebb_core::{Failure, record::SEQ};

use super::failure::unlike;
use crate::http;

/// Rows of one batch of those that leave.
const ROWS: usize = 8192;

/// Rows while they are gathered.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    batches: Vec<RecordBatch>,
    /// Each row's `seq`, the place of its batch, and its place there.
    places: Vec<(i64, usize, usize)>,
    bytes: usize,
}

impl Gathered {
    /// Takes a staged batch.
    pub(super) fn push(&mut self, batch: RecordBatch) -> Result<(), Failure> {
        let seqs = batch.column_by_name(SEQ).and_then(|seqs| seqs.as_any().downcast_ref());
        let seqs: &Int64Array = seqs.ok_or_else(|| unlike("the changes have no numbers"))?;
        let at = self.batches.len();
        self.places.extend(seqs.values().iter().enumerate().map(|(row, seq)| (*seq, at, row)));
        self.bytes += batch.columns().iter().map(|column| size(column)).sum::<usize>();
        self.batches.push(batch);
        Ok(())
    }

    /// How much memory the values take.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// A `seq` up to which about half of the rows lie, and beyond which at least one does; `None` if they
    /// cannot be told apart.
    pub(super) fn middle(&mut self) -> Option<i64> {
        let last = self.places.len().checked_sub(2)?;
        let (_, (seq, ..), _) = self.places.select_nth_unstable(last / 2);
        Some(*seq)
    }

    /// The rows in their order. Fails if one is there twice.
    pub(super) fn sorted(mut self) -> Result<Sorted, Failure> {
        self.places.sort_unstable();
        if self.places.windows(2).any(|pair| matches!(pair, [(one, ..), (next, ..)] if one == next))
        {
            return Err(http::lost("a change came twice"));
        }
        Ok(Sorted { batches: self.batches, places: self.places.into_iter() })
    }
}

/// The bytes of a column's values, without what else its buffers hold.
fn size(column: &dyn Array) -> usize {
    let exact = column.to_data().get_slice_memory_size();
    exact.unwrap_or_else(|_| column.get_array_memory_size())
}

/// Rows in their order, which leave batch by batch.
#[derive(Debug)]
pub(super) struct Sorted {
    batches: Vec<RecordBatch>,
    places: std::vec::IntoIter<(i64, usize, usize)>,
}

impl Iterator for Sorted {
    type Item = Result<RecordBatch, Failure>;

    fn next(&mut self) -> Option<Self::Item> {
        let places = self.places.by_ref().take(ROWS).map(|(_, batch, row)| (batch, row));
        let places: Vec<_> = places.collect();
        if places.is_empty() {
            return None;
        }
        let batches: Vec<_> = self.batches.iter().collect();
        let batch = interleave_record_batch(&batches, &places);
        Some(batch.map_err(|error| unlike("changes do not fit together").caused_by(error)))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
    use ebb_core::record::SEQ;

    use super::Gathered;

    fn gathered(all: &[&[i64]]) -> Gathered {
        let mut gathered = Gathered::default();
        for seqs in all {
            let texts: StringArray = seqs.iter().map(|seq| Some(format!("text {seq}"))).collect();
            let seqs: ArrayRef = Arc::new(Int64Array::from(seqs.to_vec()));
            let columns = [(SEQ, seqs), ("text", Arc::new(texts) as ArrayRef)];
            gathered.push(RecordBatch::try_from_iter(columns).unwrap()).unwrap();
        }
        gathered
    }

    fn texts(gathered: Gathered) -> Vec<String> {
        let batches = gathered.sorted().unwrap().map(Result::unwrap);
        let texts = batches.flat_map(|batch| {
            let texts: &StringArray = batch.column(1).as_any().downcast_ref().unwrap();
            texts.iter().map(|text| text.unwrap().to_owned()).collect::<Vec<_>>()
        });
        texts.collect()
    }

    #[test]
    fn rows_leave_in_order() {
        assert_eq!(
            texts(gathered(&[&[5, 2], &[], &[9, 1]])).join(" "),
            "text 1 text 2 text 5 text 9"
        );
        let many: Vec<i64> = (1..=20_000).rev().collect();
        let sorted = gathered(&[&many]).sorted().unwrap().map(Result::unwrap);
        assert_eq!(sorted.map(|batch| batch.num_rows()).collect::<Vec<_>>(), [8192, 8192, 3616]);
        assert!(texts(gathered(&[])).is_empty());
    }

    #[test]
    fn a_row_that_came_twice_is_told() {
        assert!(gathered(&[&[5, 2], &[2]]).sorted().is_err());
    }

    #[test]
    fn the_middle_leaves_rows_on_both_sides() {
        let middle = |seqs: &[i64]| gathered(&[seqs]).middle();
        assert_eq!(middle(&[]), None);
        assert_eq!(middle(&[7]), None);
        assert_eq!(middle(&[9, 7]), Some(7));
        assert_eq!(middle(&[9, 7, 8]), Some(7));
        assert_eq!(middle(&[1, 2, 3, 4, 5, 6]), Some(3));
    }

    #[test]
    fn memory_is_counted_by_the_values() {
        assert!((64..1024).contains(&gathered(&[&[1, 2, 3, 4]]).bytes()));
    }
}
