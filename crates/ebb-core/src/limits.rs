//! The limits of DESIGN, in one place.

use std::time::Duration;

/// Bounds that are checked, each with a clear failure. The defaults are the product's; an operator
/// may raise them.
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// Characters of a model's query.
    pub query_length: usize,
    /// Characters of the names of identifier and timestamp columns.
    pub key_column_name: usize,
    /// The shortest time between two scheduled syncs of a mapping.
    pub schedule_interval: Duration,
    /// Changes that one sync takes; the rest follows in the next.
    pub records: u64,
    /// Columns of a model.
    pub columns: usize,
    /// Characters of a column's name.
    pub column_name: usize,
    /// Bytes of a record as JSON.
    pub record_bytes: usize,
    /// Bytes of one column's value as JSON.
    pub column_bytes: usize,
    /// Mappings of one destination.
    pub mappings_per_destination: usize,
    /// Records of a preview.
    pub preview: usize,
    /// Syncs after which a failed record is given up.
    pub attempts: u32,
    /// Time after which a failed record is given up.
    pub retry_for: Duration,
    /// How long parts are kept for a replay.
    pub retention: Duration,
    /// Records that may be processed in a month; `None` is no limit.
    pub usage: Option<u64>,
}

const DAY: Duration = Duration::from_hours(24);

impl Default for Limits {
    fn default() -> Self {
        Self {
            query_length: 131_072,
            key_column_name: 191,
            schedule_interval: Duration::from_mins(15),
            records: 30_000_000,
            columns: 512,
            column_name: 128,
            record_bytes: 512 * 1024,
            column_bytes: 128 * 1024,
            mappings_per_destination: 50,
            preview: 10,
            attempts: 5,
            retry_for: DAY.saturating_mul(14),
            retention: DAY.saturating_mul(14),
            usage: None,
        }
    }
}
