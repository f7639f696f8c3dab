//! The mapping language, and the fields that a mapped payload must satisfy.

pub mod fields;

pub use fields::{Field, FieldKind, Fields};
