//! Values arrive exactly: what each engine's types become.

#[cfg(feature = "duckdb")]
mod duckdb;
mod sqlite;

use ebb_core::Tally;

use crate::{bench::Bench, engine::Engine};

/// The columns of a model and its records, as lines, after a sync that must find nothing new.
pub(crate) async fn told<E: Engine>(bench: &mut Bench<E>, not_finite: u64) -> String {
    bench.keep_deleted_values = true;
    let extracted = bench.extract().await;
    assert_eq!(extracted.diff.not_finite, not_finite);
    let columns = extracted.job.columns.iter();
    let mut lines: Vec<_> = columns
        .map(|column| format!("{}: {} ({})", column.name, column.kind, column.native))
        .collect();
    lines.extend(extracted.lines());
    bench.commit(&extracted.commit()).await;
    let again = bench.extract().await;
    assert_eq!(again.diff.changes, Tally::default());
    bench.commit(&again.commit()).await;
    lines.join("\n")
}
