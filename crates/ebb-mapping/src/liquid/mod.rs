//! `@liquid`: templates in the Liquid language.
//!
//! The mapping language's Liquid is that of one JavaScript library, with its leniency: what is
//! missing renders as nothing, unknown filters pass values on, values are JavaScript's. The crates
//! for Liquid are strict where it is not, and read other programs, so this is a reading of our own,
//! small because there are no loops and no partials.

mod cursor;
mod evaluate;
mod filters;
mod parse;
mod reads;
mod render;
mod syntax;
mod tokens;

use std::collections::BTreeSet;

use ebb_core::Value;

use crate::{MappingError, script::units};

/// The most UTF-16 units of a template.
const LENGTH: usize = 1000;

/// A template that was read.
#[derive(Debug)]
pub(crate) struct Liquid(Vec<syntax::Node>);

impl Liquid {
    /// Reads a template; the error says why it cannot be read.
    pub(crate) fn new(text: &str) -> Result<Self, String> {
        if units(text) > LENGTH {
            return Err(format!("`@liquid` takes a template of at most {LENGTH} characters"));
        }
        let nodes = tokens::tokens(text).and_then(parse::parse);
        nodes.map(Self).map_err(|reason| format!("the Liquid template cannot be read: {reason}"))
    }

    /// The columns that the template names.
    pub(crate) fn columns(&self) -> BTreeSet<String> {
        reads::Columns::of(&self.0)
    }

    /// Fills in the values.
    pub(crate) fn render(&self, root: &Value<'_>) -> Result<String, MappingError> {
        render::render(&self.0, root)
            .map_err(|reason| MappingError::new(format!("the Liquid template failed: {reason}")))
    }
}
