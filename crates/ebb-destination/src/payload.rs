//! Mapped payloads held to an action's fields.

use ebb_core::{Code, Failure, Object, Value};
use ebb_mapping::{Fields, Input, Mapping, Schema, fields::Required};
use serde_json::Map;

use crate::{connector::value, planner::mapping_is_constant, template::Payload};

/// Validates payloads of one action.
///
/// What is the same for every record is mapped and validated once, and lies beside each payload.
#[derive(Debug)]
pub(crate) struct Payloads {
    schema: Schema,
    constants: Object<'static>,
}

impl Payloads {
    /// Compiles the fields of an action; every record is validated as a whole.
    pub(crate) fn new(fields: &Fields) -> Self {
        Self { schema: Schema::new(fields), constants: Object::new() }
    }

    /// Compiles the fields of an action, and takes out of `directives` what is the same for every
    /// record. Where that does not fit the fields, each record says so.
    pub(crate) fn split(
        fields: &Fields,
        directives: &mut Map<String, serde_json::Value>,
        batched: bool,
    ) -> Self {
        let depends = |field: &ebb_mapping::Field| matches!(field.required, Required::When(_));
        if fields.iter().any(|(_, field)| depends(field)) {
            return Self::new(fields);
        }
        let constant = |key: &str| directives.get(key).is_some_and(mapping_is_constant);
        let part = |wanted: bool| -> Fields {
            let part = fields.iter().filter(|(key, _)| constant(key) == wanted);
            part.map(|(key, field)| (key.to_owned(), field.clone())).collect()
        };
        let (same, varying) = (part(true), part(false));
        // A schema without fields takes anything; it must still remove what is unknown.
        if same.is_empty() || varying.is_empty() {
            return Self::new(fields);
        }
        let given: Map<String, serde_json::Value> = directives
            .iter()
            .filter(|(key, _)| same.get(key).is_some())
            .map(|(key, directive)| (key.clone(), directive.clone()))
            .collect();
        match constants(&same, given, batched) {
            Some(constants) => {
                directives.retain(|key, _| same.get(key).is_none());
                Self { schema: Schema::new(&varying), constants }
            }
            None => Self::new(fields),
        }
    }

    /// What the record gave, as the action may use it; a failure rejects the record.
    pub(crate) fn validate<'v>(
        &self,
        payload: Value<'v>,
        batched: bool,
    ) -> Result<Value<'v>, Failure> {
        checked(&self.schema, payload, batched)
    }

    /// A validated payload together with what is the same for every record.
    pub(crate) const fn whole<'v>(&'v self, payload: &'v Value<'v>) -> Payload<'v> {
        Payload::new(payload, &self.constants)
    }
}

fn checked<'v>(schema: &Schema, payload: Value<'v>, batched: bool) -> Result<Value<'v>, Failure> {
    let valid = if batched { schema.validate_in_batch(payload) } else { schema.validate(payload) };
    valid.map_err(|errors| {
        let lacks: Vec<_> = errors.iter().map(ToString::to_string).collect();
        Failure::new(Code::PayloadInvalid, lacks.join("; "))
    })
}

/// The validated values of constant directives; `None` if they do not fit.
fn constants(
    fields: &Fields,
    directives: Map<String, serde_json::Value>,
    batched: bool,
) -> Option<Object<'static>> {
    let mapping = Mapping::compile(&value(&serde_json::Value::Object(directives)), None).ok()?;
    let nothing = Value::Object(Object::new());
    let mapped = mapping.apply(Input::Event(&nothing)).ok()?.into_owned();
    match checked(&Schema::new(fields), mapped, batched).ok()? {
        Value::Object(object) => Some(object.into_owned()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            None
        }
    }
}
