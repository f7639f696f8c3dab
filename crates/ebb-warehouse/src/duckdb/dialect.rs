//! The SQL of DuckDB.

use ebb_core::Column;
use sqlparser::dialect::{Dialect as Grammar, DuckDbDialect};

use super::types::{Handling, handling};
use crate::dialect::{Dialect, is_moment};

/// DuckDB's SQL.
#[derive(Debug)]
pub(crate) struct DuckDialect;

impl Dialect for DuckDialect {
    fn grammar(&self) -> Box<dyn Grammar> {
        Box::new(DuckDbDialect {})
    }

    /// The engine's hash depends on the place of each value, nulls included.
    fn checksum(&self, salt: &str, columns: &[(&Column, String)]) -> String {
        let columns: Vec<_> = columns.iter().map(|(_, read)| read.as_str()).collect();
        format!("hash({}, {})", self.literal(salt), columns.join(", "))
    }

    fn key_type(&self, id: &Column) -> String {
        match (handling(&id.native), id.native.as_str()) {
            (Handling::Integer, _) => "bigint",
            (_, "UUID") => "uuid",
            _ => self.text_type(),
        }
        .to_owned()
    }

    fn text_type(&self) -> &'static str {
        "varchar"
    }

    fn earlier(&self, column: &Column, moment: &str, seconds: u64) -> Option<String> {
        is_moment(column.kind).then(|| format!("{moment} - interval '{seconds} seconds'"))
    }

    fn null(&self, column: &Column) -> String {
        format!("cast(null as {})", column.native)
    }

    fn staged(&self, column: &Column, expression: &str) -> String {
        match handling(&column.native) {
            Handling::Boolean | Handling::Text | Handling::Binary => expression.to_owned(),
            Handling::Integer => self.integer(expression),
            // As moments of coarser types are written.
            Handling::AsText if column.native == "TIMESTAMP_NS" => {
                format!("replace({}, ' ', 'T')", self.text(expression))
            }
            Handling::Exact | Handling::AsText | Handling::Time | Handling::Json => {
                self.text(expression)
            }
            Handling::Single => format!(
                "case when isfinite({expression}) then cast({} as double) end",
                self.text(expression)
            ),
            Handling::Double | Handling::Date | Handling::LocalMoment | Handling::Moment => {
                let value = if column.native.starts_with("TIMESTAMP_") {
                    format!("cast({expression} as timestamp)")
                } else {
                    expression.to_owned()
                };
                format!("case when isfinite({expression}) then {value} end")
            }
            Handling::Nested => self.text(&format!("to_json({expression})")),
        }
    }

    fn not_finite(&self, column: &Column, expression: &str) -> Option<String> {
        match handling(&column.native) {
            Handling::Single
            | Handling::Double
            | Handling::Date
            | Handling::LocalMoment
            | Handling::Moment => Some(format!("not isfinite({expression})")),
            Handling::Boolean
            | Handling::Integer
            | Handling::Exact
            | Handling::Text
            | Handling::AsText
            | Handling::Binary
            | Handling::Time
            | Handling::Nested
            | Handling::Json => None,
        }
    }

    /// The engine keeps the order in which rows were written.
    fn in_order(&self) -> &'static str {
        ""
    }
}
