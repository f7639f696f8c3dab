//! What both protocols do: they run a statement, and give its result in pieces.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use ebb_core::Failure;
use tokio::time;

use super::{answer::RowType, rows::Rows};
use crate::http;

/// What the service may take longer than a statement's time-out to say so.
const GRACE: Duration = Duration::from_secs(5);

/// What decides how values turn into text, in every statement.
pub(super) const PARAMETERS: [(&str, &str); 7] = [
    ("TIMEZONE", "UTC"),
    ("BINARY_OUTPUT_FORMAT", "HEX"),
    ("DATE_OUTPUT_FORMAT", "YYYY-MM-DD"),
    ("TIME_OUTPUT_FORMAT", "HH24:MI:SS.FF9"),
    ("TIMESTAMP_NTZ_OUTPUT_FORMAT", "YYYY-MM-DD HH24:MI:SS.FF9"),
    ("TIMESTAMP_LTZ_OUTPUT_FORMAT", "YYYY-MM-DD\"T\"HH24:MI:SS.FF9TZH:TZM"),
    ("TIMESTAMP_TZ_OUTPUT_FORMAT", "YYYY-MM-DD\"T\"HH24:MI:SS.FF9TZH:TZM"),
];

/// What is asked of the service.
#[derive(Debug, Clone)]
pub(super) struct Statement {
    pub(super) sql: String,
    /// How many statements the text holds.
    pub(super) count: usize,
    /// What it is labelled with.
    pub(super) label: String,
    pub(super) form: Form,
}

/// How rows are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// As the text of their values.
    Text,
    /// In the form that is fastest to read.
    Batches,
}

/// A way to have statements run.
#[async_trait]
pub(super) trait Runner: Send + Sync {
    /// Runs a statement to its end, several of them as one. When the future is dropped, the service is
    /// asked to stop.
    async fn run(self: Arc<Self>, statement: Statement) -> Result<Answer, Failure>;
}

/// What a statement gave.
pub(super) struct Answer {
    pub(super) columns: Vec<RowType>,
    pub(super) pieces: Arc<dyn Pieces>,
}

/// The rows of a result, in their order.
#[async_trait]
pub(super) trait Pieces: Send + Sync {
    /// How many pieces there are, at least one.
    fn count(&self) -> usize;

    /// A piece by its number, from 0.
    async fn piece(&self, number: usize) -> Result<Piece, Failure>;
}

/// One piece of a result.
pub(super) struct Piece {
    pub(super) rows: Rows,
    /// How many rows the service says that there are.
    pub(super) promised: Option<usize>,
}

impl Piece {
    /// Fails with `S107` unless so many rows are what was promised.
    pub(super) fn expect(promised: Option<usize>, rows: usize) -> Result<(), Failure> {
        match promised {
            Some(promised) if promised != rows => Err(http::lost(&format!(
                "a piece of the result has {rows} rows in place of {promised}"
            ))),
            Some(_) | None => Ok(()),
        }
    }
}

/// Waits for a statement as long as it may take; a limit of zero is none.
pub(super) async fn within<T>(
    limit: Duration,
    statement: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    if limit.is_zero() {
        return statement.await;
    }
    match time::timeout(limit + GRACE, statement).await {
        Ok(answer) => answer,
        Err(_) => Err(http::too_long(limit)),
    }
}
