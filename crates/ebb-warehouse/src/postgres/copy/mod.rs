//! `COPY … TO STDOUT (FORMAT binary)`, decoded straight into Arrow.
//!
//! No value is allocated on its own: bytes go from the network's buffer into the builder of their
//! column, which knows its type once for the whole copy.

mod decoder;
mod numeric;
mod reader;
mod time;

pub(super) use decoder::{Decoder, Malformed};
pub(super) use reader::{Format, Reader};
