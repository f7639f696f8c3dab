//! What JavaScript makes of values: the mapping language is defined by it.

mod json;
mod kind;
mod object;
mod path;
mod text;
mod undefined;

pub(crate) use json::{parse_json, stringify};
pub(crate) use kind::{is_truthy, kind_of};
pub(crate) use object::{assign, entries, is_index};
pub(crate) use path::Path;
pub(crate) use text::{push_text, text_of, trim, units};
pub(crate) use undefined::{is_nullish, is_undefined, remove_undefined, undefined};
