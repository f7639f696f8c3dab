//! What every statement is told, so that it means the same whatever the user's profile says.

use std::time::Duration;

/// The same for all statements.
const ALWAYS: [(&str, &str); 38] = [
    // Values and their text.
    ("session_timezone", "UTC"),
    ("date_time_output_format", "iso"),
    ("bool_true_representation", "true"),
    ("bool_false_representation", "false"),
    ("output_format_decimal_trailing_zeros", "0"),
    ("output_format_json_quote_64bit_integers", "0"),
    ("output_format_json_quote_decimals", "0"),
    ("output_format_json_quote_denormals", "0"),
    ("output_format_json_named_tuples_as_objects", "1"),
    ("output_format_json_escape_forward_slashes", "0"),
    ("output_format_arrow_string_as_string", "1"),
    ("output_format_arrow_compression_method", "lz4_frame"),
    ("enable_http_compression", "0"),
    // What a row has no counterpart for is null, and a name in a statement is first of all a column's.
    ("join_use_nulls", "1"),
    ("prefer_column_name_to_alias", "1"),
    // Sorts what it joins, on disk if need be; the others where it cannot join so.
    ("join_algorithm", "full_sorting_merge,hash"),
    // A result that stops short would look like records that are gone.
    ("read_overflow_mode", "throw"),
    ("read_overflow_mode_leaf", "throw"),
    ("group_by_overflow_mode", "throw"),
    ("sort_overflow_mode", "throw"),
    ("result_overflow_mode", "throw"),
    ("distinct_overflow_mode", "throw"),
    ("transfer_overflow_mode", "throw"),
    ("join_overflow_mode", "throw"),
    ("set_overflow_mode", "throw"),
    ("timeout_overflow_mode", "throw"),
    ("limit", "0"),
    ("offset", "0"),
    ("use_query_cache", "0"),
    // Rows are there when a statement has ended, wherever the next one is run, and none is taken for another.
    ("async_insert", "0"),
    ("insert_deduplicate", "0"),
    ("select_sequential_consistency", "1"),
    ("database_replicated_allow_heavy_create", "1"),
    // Tables of Ebb's own may be of any size, and statements long.
    ("max_table_size_to_drop", "0"),
    ("max_partition_size_to_drop", "0"),
    ("allow_suspicious_low_cardinality_types", "1"),
    ("max_query_size", "67108864"),
    ("max_ast_elements", "1000000"),
];

/// What a statement is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Rows as lines of JSON, all of them at once.
    Rows,
    /// Rows as a stream of Arrow.
    Stream,
    /// Tables, in such a way that doing it twice is the same as once.
    Tables,
    /// Rows that come with the statement, which must not be written twice.
    Insert,
    /// Ending other statements.
    Kill,
}

impl Purpose {
    /// The form in which rows are answered.
    pub(super) const fn format(self) -> &'static str {
        match self {
            Self::Stream => "ArrowStream",
            Self::Rows | Self::Tables | Self::Insert | Self::Kill => "JSONCompactEachRow",
        }
    }

    /// Whether the statement may be run once more when its answer was lost.
    pub(super) const fn is_repeatable(self) -> bool {
        match self {
            Self::Rows | Self::Stream | Self::Tables | Self::Kill => true,
            Self::Insert => false,
        }
    }

    /// Whether the server ends the statement when the request ends.
    pub(super) const fn only_reads(self) -> bool {
        match self {
            Self::Rows | Self::Stream => true,
            Self::Tables | Self::Insert | Self::Kill => false,
        }
    }
}

/// The settings of a statement.
pub(super) fn settings(
    purpose: Purpose,
    refuses_writes: bool,
    limit: Duration,
) -> impl Iterator<Item = (&'static str, String)> {
    let mut own = vec![
        ("default_format", purpose.format().to_owned()),
        ("max_execution_time", limit.as_secs_f64().to_string()),
        // Otherwise a statement may end because it is estimated to take too long.
        ("timeout_before_checking_execution_speed", "0".to_owned()),
    ];
    if refuses_writes {
        // 2 and not 1, so that a model may have settings of its own.
        own.push(("readonly", "2".to_owned()));
    }
    match purpose {
        Purpose::Stream => {}
        Purpose::Rows | Purpose::Tables | Purpose::Insert | Purpose::Kill => {
            // Nothing of an answer is sent before it is whole, but for a sign of life: what lies between would
            // take a silent connection for a dead one.
            own.push(("wait_end_of_query", "1".to_owned()));
            own.push(("send_progress_in_http_headers", "1".to_owned()));
            own.push(("http_headers_progress_interval_ms", beat(limit).as_millis().to_string()));
        }
    }
    if purpose.only_reads() {
        own.push(("cancel_http_readonly_queries_on_client_close", "1".to_owned()));
    }
    ALWAYS.into_iter().map(|(name, value)| (name, value.to_owned())).chain(own)
}

/// Between two signs of life. Each is a header, of which an answer may have a hundred.
fn beat(limit: Duration) -> Duration {
    let (shortest, longest) = (Duration::from_secs(45), Duration::from_secs(110));
    if limit.is_zero() { longest } else { (limit / 80).clamp(shortest, longest) }
}
