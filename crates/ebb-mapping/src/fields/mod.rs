//! An action's fields, and the schema that a mapped payload must satisfy.

mod coerce;
mod condition;
mod definition;
mod format;
mod rule;
mod schema;
mod validate;

pub use condition::{Condition, Conditions, Match, Operator, Subject};
pub use definition::{Choice, Field, FieldKind, Fields, Required};
pub use format::Format;
pub use schema::Schema;
pub use validate::FieldError;
