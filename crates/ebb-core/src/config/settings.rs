//! Settings of a source or destination, which may hold secrets.

use std::{fmt, ops::Deref};

use serde_json::{Map, Value};

/// Free-form settings of a source or destination, checked by its kind, secrets resolved.
///
/// Read like a JSON object. `Debug` shows the keys alone, and there is no `Serialize`, on purpose.
#[derive(Clone, PartialEq, Default)]
pub struct Settings(Map<String, Value>);

impl Deref for Settings {
    type Target = Map<String, Value>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl From<Map<String, Value>> for Settings {
    fn from(values: Map<String, Value>) -> Self {
        Self(values)
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_keys_and_no_values() {
        let Value::Object(values) = serde_json::json!({ "url": "postgres://u:hunter2@h/db" })
        else {
            panic!("an object")
        };
        assert_eq!(format!("{:?}", Settings::from(values)), r#"{"url"}"#);
    }
}
