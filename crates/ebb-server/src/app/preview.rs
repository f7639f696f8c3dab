//! The first records of a query: read in the warehouse, or kept from a while ago.

use std::sync::Arc;

use ebb_core::{Failure, RecordSet, port::Clock, port::ModelQuery};
use ebb_workspace::SystemClock;
use jiff::{SignedDuration, Timestamp};

use super::App;

/// How long a preview is good for.
const KEPT: SignedDuration = SignedDuration::from_mins(10);

/// Whether a preview that was kept will do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Freshness {
    Kept,
    ReadNow,
}

/// The first records of a query.
pub(crate) struct Preview {
    pub(crate) records: RecordSet,
    /// When they were read.
    pub(crate) read_at: Timestamp,
    /// Whether that was just now, for this.
    pub(crate) fresh: bool,
}

impl App {
    /// Reads the first records of a query. What the warehouse says is told without secrets.
    pub(crate) async fn preview(
        &self,
        source: &str,
        query: &ModelQuery,
        freshness: Freshness,
    ) -> Result<Preview, Failure> {
        let configuration = self.configuration();
        let workspace = &configuration.workspace;
        let limit = workspace.project.limits.preview;
        let key = workspace.query_key(source, &query.sql, &query.id, limit)?;
        // As it is kept: to the microsecond.
        let now = SystemClock.now();
        let now = Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now);
        let oldest = now.checked_sub(KEPT).unwrap_or(Timestamp::UNIX_EPOCH);
        let kept = match freshness {
            Freshness::Kept => self.store.preview(&key, oldest).await?,
            Freshness::ReadNow => None,
        };
        let fresh = kept.is_none();
        let (read_at, rows) = if let Some(kept) = kept {
            kept
        } else {
            let redactor = workspace.redactor();
            let told = |failure: Failure| failure.map_message(|text| redactor.redact(&text));
            let warehouse = workspace.warehouse(source)?;
            let rows = warehouse.preview(query, limit).await.map_err(told)?.rows;
            self.store.keep_preview(&key, now, &rows, oldest).await?;
            (now, rows)
        };
        let records = RecordSet::new(&rows, Arc::from(""), Arc::from(""))?;
        Ok(Preview { records, read_at, fresh })
    }
}
