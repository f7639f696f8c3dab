//! The line format of `ebb map`: JSON lines in, JSON lines out.

use ebb_core::{Object, Value};

use crate::{Input, Mapping, MappingError, Problem, script::is_undefined};

/// Answers one line: `{id?, mapping, payload}` or `{id?, mapping, payloads}` gives
/// `{id?, ok: true, output}` or `{id?, ok: false, stage, error}`.
pub fn map_line(line: &str) -> String {
    let input = match Value::from_json(line) {
        Ok(input) => input,
        Err(error) => {
            let message = format!("the line is not JSON: {error}");
            return Value::from(failed("input", &message)).to_string();
        }
    };
    let get = |key| input.as_object().and_then(|object| object.get(key));
    let mut answer = match Mapping::compile(get("mapping").unwrap_or(&Value::Null), None) {
        Ok(mapping) => answer(&mapping, get("payload"), get("payloads")),
        Err(problems) => invalid(&problems),
    };
    if let Some(id) = get("id") {
        answer.insert("id", id.clone());
    }
    Value::from(answer).to_string()
}

fn answer(
    mapping: &Mapping,
    payload: Option<&Value<'static>>,
    payloads: Option<&Value<'static>>,
) -> Object<'static> {
    // Without a payload the event is an empty object, as in the reference.
    let empty = Value::Object(Object::new());
    let output = match (payloads, payload) {
        (Some(Value::Array(events)), _) => {
            mapping.apply_all(events).map(|payloads| Value::Array(payloads).into_owned())
        }
        (Some(_), _) => Err(MappingError::new("`payloads` must be a list")),
        (None, payload) => {
            mapping.answer(Input::Event(payload.unwrap_or(&empty))).map(Value::into_owned)
        }
    };
    match output {
        Ok(output) => {
            let mut answer = Object::new();
            answer.push("ok", true.into());
            if !is_undefined(&output) {
                answer.push("output", output);
            }
            answer
        }
        Err(error) => failed("resolve", &error.to_string()),
    }
}

fn failed(stage: &'static str, message: &str) -> Object<'static> {
    let mut error = Object::new();
    error.push("name", "MappingError".into());
    error.push("message", message.to_owned().into());
    let mut answer = Object::new();
    answer.push("ok", false.into());
    answer.push("stage", stage.into());
    answer.push("error", error.into());
    answer
}

fn invalid(problems: &[Problem]) -> Object<'static> {
    let messages: Vec<_> = problems.iter().map(|problem| problem.message.clone()).collect();
    let mut answer = failed("validate", &messages.join("\n"));
    let errors = problems.iter().map(|problem| {
        let mut error = Object::new();
        error.push("path", problem.path.clone().into());
        error.push("message", problem.message.clone().into());
        Value::Object(error)
    });
    if let Some(Value::Object(error)) = answer.get_mut("error") {
        error.push("errors", errors.collect::<Vec<_>>().into());
    }
    answer
}
