//! The mapping language and the fields, compared with the reference implementation.

#![expect(clippy::indexing_slicing, reason = "a wrong index fails the test, as it should")]

mod compare;
mod fields;
mod generate;
mod liquid;
mod mapping;
mod oracle;
mod record;
