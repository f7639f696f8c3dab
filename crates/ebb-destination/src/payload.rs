//! Mapped payloads held to an action's fields.

use ebb_core::{Code, Failure, Value};
use ebb_mapping::{Fields, Schema};

/// Validates payloads of one action.
#[derive(Debug)]
pub(crate) struct Payloads(Schema);

impl Payloads {
    /// Compiles the fields of an action, in the mapping's way of writing records.
    pub(crate) fn new(fields: &Fields) -> Self {
        Self(Schema::new(fields))
    }

    /// The payload as the action may use it; a failure rejects the record.
    pub(crate) fn validate<'v>(
        &self,
        payload: Value<'v>,
        batched: bool,
    ) -> Result<Value<'v>, Failure> {
        let valid =
            if batched { self.0.validate_in_batch(payload) } else { self.0.validate(payload) };
        valid.map_err(|errors| {
            let lacks: Vec<_> = errors.iter().map(ToString::to_string).collect();
            Failure::new(Code::PayloadInvalid, lacks.join("; "))
        })
    }
}
