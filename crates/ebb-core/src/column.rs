//! Columns of a model: what a value is, and how Arrow carries it.

use std::{collections::HashMap, fmt};

use arrow_schema::{DataType, Field, TimeUnit};
use serde::{Deserialize, Serialize};

/// What the values of a column are. Every warehouse maps its own types onto these, without loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnKind {
    /// `true` or `false`; Arrow `Boolean`.
    Boolean,
    /// Whole numbers of at most 64 bits; Arrow `Int64`.
    Integer,
    /// Doubles; Arrow `Float64`. NaN and infinities are staged as null and counted.
    Float,
    /// Exact decimals and whole numbers beyond 64 bits, as plain JSON number text; Arrow `Utf8`.
    Decimal,
    /// Text; Arrow `Utf8`.
    Text,
    /// Bytes, shown as base64; Arrow `Binary`.
    Binary,
    /// A day; Arrow `Date32`.
    Date,
    /// A time of day, as ISO 8601 text; Arrow `Utf8`.
    Time,
    /// A moment, shown as RFC 3339 in UTC; Arrow `Timestamp(Microsecond, "UTC")`.
    Timestamp,
    /// A local date and time without zone; Arrow `Timestamp(Microsecond, None)`.
    LocalTimestamp,
    /// A JSON document, array, or value of a source without column types, as JSON text; Arrow `Utf8`.
    Json,
}

/// The key of the Arrow field's metadata that holds the kind.
const KIND: &str = "ebb.kind";

impl ColumnKind {
    /// Every kind.
    pub const ALL: [Self; 11] = [
        Self::Boolean,
        Self::Integer,
        Self::Float,
        Self::Decimal,
        Self::Text,
        Self::Binary,
        Self::Date,
        Self::Time,
        Self::Timestamp,
        Self::LocalTimestamp,
        Self::Json,
    ];

    /// The kind as users see it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Boolean => "boolean",
            Self::Integer => "integer",
            Self::Float => "float",
            Self::Decimal => "decimal",
            Self::Text => "text",
            Self::Binary => "binary",
            Self::Date => "date",
            Self::Time => "time",
            Self::Timestamp => "timestamp",
            Self::LocalTimestamp => "local_timestamp",
            Self::Json => "json",
        }
    }

    /// The Arrow type that carries the kind.
    pub fn data_type(self) -> DataType {
        match self {
            Self::Boolean => DataType::Boolean,
            Self::Integer => DataType::Int64,
            Self::Float => DataType::Float64,
            Self::Decimal | Self::Text | Self::Time | Self::Json => DataType::Utf8,
            Self::Binary => DataType::Binary,
            Self::Date => DataType::Date32,
            Self::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Self::LocalTimestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
        }
    }
}

impl fmt::Display for ColumnKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.as_str())
    }
}

/// A column of a model's result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// The name as the query gives it.
    pub name: String,
    /// What its values are.
    pub kind: ColumnKind,
    /// The type's name in the warehouse, for people and for casts.
    pub native: String,
}

impl Column {
    /// A column.
    pub fn new(name: impl Into<String>, kind: ColumnKind, native: impl Into<String>) -> Self {
        Self { name: name.into(), kind, native: native.into() }
    }

    /// The nullable Arrow field that carries the column; kind and native type are its metadata.
    pub fn field(&self) -> Field {
        Field::new(&self.name, self.kind.data_type(), true).with_metadata(HashMap::from([
            (KIND.to_owned(), self.kind.as_str().to_owned()),
            ("ebb.native".to_owned(), self.native.clone()),
        ]))
    }

    /// The column that [`Column::field`] made the field of; `None` for any other field.
    pub fn of_field(field: &Field) -> Option<Self> {
        let kind = field.metadata().get(KIND)?;
        let kind = ColumnKind::ALL.into_iter().find(|known| known.as_str() == kind)?;
        let native = field.metadata().get("ebb.native").cloned().unwrap_or_default();
        Some(Self::new(field.name(), kind, native))
    }
}
