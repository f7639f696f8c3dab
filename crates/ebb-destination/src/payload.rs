//! Mapped payloads held to an action's fields.

use ebb_core::{Failure, Value};
use ebb_mapping::Fields;

/// Validates payloads of one action.
#[derive(Debug)]
pub(crate) struct Payloads {
    keys: Vec<String>,
}

impl Payloads {
    /// Compiles the fields of an action.
    pub(crate) fn new(fields: &Fields) -> Self {
        Self { keys: fields.keys().map(str::to_owned).collect() }
    }

    /// The payload as the action may use it; a failure rejects the record.
    #[expect(clippy::unnecessary_wraps, reason = "the fields' schema will have its say here")]
    pub(crate) fn validate<'v>(
        &self,
        payload: Value<'v>,
        _batched: bool,
    ) -> Result<Value<'v>, Failure> {
        let Value::Object(mut object) = payload else { return Ok(payload) };
        object.retain(|key, _| self.keys.iter().any(|known| known == key));
        Ok(object.into())
    }
}
