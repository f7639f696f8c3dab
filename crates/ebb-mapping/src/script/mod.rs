//! What JavaScript makes of values: the mapping language is defined by it.

mod date;
mod json;
mod kind;
mod number;
mod object;
mod path;
mod text;
mod undefined;

pub(crate) use date::{is_date, milliseconds_of_date};
pub(crate) use json::{parse_json, stringify};
pub(crate) use kind::{is_truthy, kind_of};
pub(crate) use number::{from_length, number_of_text, to_length, to_whole, value_of_f64};
pub(crate) use object::{assign, entries, is_index};
pub(crate) use path::Path;
pub(crate) use text::{is_space, push_text, text_of, trim, units};
pub(crate) use undefined::{is_nullish, is_undefined, remove_undefined, undefined};
