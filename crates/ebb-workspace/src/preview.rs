//! Some records of a query: read in the warehouse, or kept from a while ago.

use std::sync::Arc;

use ebb_core::{
    Failure, RecordSet,
    port::{Clock, ModelQuery, Wanted},
};
use ebb_store::Database;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::{SystemClock, Workspace};

/// How long a preview is good for.
const KEPT: SignedDuration = SignedDuration::from_mins(10);

/// Whether a preview that was kept will do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// It will.
    Kept,
    /// The warehouse is asked.
    ReadNow,
}

/// Some records of a query.
pub struct Preview {
    /// The records.
    pub records: RecordSet,
    /// When they were read.
    pub read_at: Timestamp,
    /// Whether that was just now, for this.
    pub fresh: bool,
}

impl Workspace {
    /// Reads some records of a query. What the warehouse says is told without secrets.
    pub async fn preview(
        &self,
        store: &Database,
        source: &str,
        query: &ModelQuery,
        wanted: Wanted<'_>,
        freshness: Freshness,
    ) -> Result<Preview, Failure> {
        let limit = self.project.limits.preview;
        let (kind, settings) = self.as_configured(source)?;
        // All that it depends on, without secrets.
        let key = json!([kind, settings, query.sql, query.id, wanted, limit]).to_string();
        // As it is kept: to the microsecond.
        let now = SystemClock.now();
        let now = Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now);
        let oldest = now.checked_sub(KEPT).unwrap_or(Timestamp::UNIX_EPOCH);
        let kept = match freshness {
            Freshness::Kept => store.preview(&key, oldest).await?,
            Freshness::ReadNow => None,
        };
        let fresh = kept.is_none();
        let (read_at, rows) = if let Some(kept) = kept {
            kept
        } else {
            let redactor = self.redactor();
            let told = |failure: Failure| failure.map_message(|text| redactor.redact(&text));
            let warehouse = self.warehouse(source)?;
            let rows = warehouse.preview(query, wanted, limit).await.map_err(told)?.rows;
            store.keep_preview(&key, now, &rows, oldest).await?;
            (now, rows)
        };
        let records = RecordSet::new(&rows, Arc::from(""), Arc::from(""))?;
        Ok(Preview { records, read_at, fresh })
    }
}
