//! `@liquid`: templates in the Liquid language.

use ebb_core::Value;

use crate::MappingError;

/// A template that was read.
#[derive(Debug)]
pub(crate) struct Liquid(Box<str>);

impl Liquid {
    /// Reads a template; the error says why it cannot be read.
    pub(crate) fn new(text: &str) -> Result<Self, String> {
        if text.encode_utf16().count() > 1000 {
            return Err("`@liquid` takes a template of at most 1000 characters".to_owned());
        }
        Ok(Self(text.into()))
    }

    /// Fills in the values.
    pub(crate) fn render(&self, _root: &Value<'_>) -> Result<String, MappingError> {
        Err(MappingError::new(format!("`{}` cannot be rendered", self.0)))
    }
}
