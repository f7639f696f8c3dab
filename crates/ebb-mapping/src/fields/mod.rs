//! An action's fields, and the schema that a mapped payload must satisfy.

mod condition;
mod definition;
mod format;

pub use condition::{Condition, Conditions, Match, Operator, Subject};
pub use definition::{Choice, Field, FieldKind, Fields, Required};
pub use format::Format;
