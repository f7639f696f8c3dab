//! The mapping language, and the fields that a mapped payload must satisfy.
//!
//! A [`Mapping`] is a tree of values and directives (`@path`, `@template`, …), compiled once per
//! sync against the model's columns and evaluated once per record. The language is the reference's,
//! so that mappings move here unchanged: it is defined by JavaScript's values (module `script`), it
//! fails where that fails, and the tests compare the two.

mod check;
mod directive;
pub mod fields;
mod line;
mod liquid;
mod mapping;
mod moment;
mod plan;
mod problem;
mod scope;
mod script;

pub use fields::{Field, FieldError, FieldKind, Fields, Schema};
pub use line::map_line;
pub use mapping::{Input, Mapping};
pub use moment::milliseconds;
pub use plan::References;
pub use problem::{MappingError, Problem};
