//! Which mappings are valid, before any record is seen.
//!
//! The rules are the reference's, gaps included: lists are not looked into, and what an option may
//! not be is often found only when a record reaches it. A mapping that runs there must run here.

use ebb_core::{Object, Value};

use crate::{Problem, script};

/// The most UTF-16 units of the text that `@replace` looks for, and of what it puts there.
pub(crate) const REPLACE_LENGTH: usize = 10;

/// Everything that is wrong with a mapping.
pub(crate) fn check(mapping: &Value<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    any(mapping, "", &mut problems);
    problems
}

/// The first key that names a directive.
pub(crate) fn directive_key<'v>(object: &'v Object<'_>) -> Option<&'v str> {
    object.keys().find(|key| key.starts_with('@'))
}

/// Whether an object is a directive: one or more `@` keys, and nothing else but `_metadata`.
pub(crate) fn is_directive(object: &Object<'_>) -> bool {
    directive_key(object).is_some()
        && object.keys().all(|key| key.starts_with('@') || key == "_metadata")
}

fn looks_like_directive(value: &Value<'_>) -> bool {
    value.as_object().is_some_and(|object| directive_key(object).is_some())
}

fn kind(value: Option<&Value<'_>>) -> &'static str {
    match value {
        None => "missing",
        Some(value) if looks_like_directive(value) => "a directive",
        Some(value) => match script::kind_of(value) {
            "object" => "an object",
            "array" => "a list",
            "string" => "text",
            "number" => "a number",
            "boolean" => "true or false",
            other => other,
        },
    }
}

fn any(value: &Value<'_>, path: &str, problems: &mut Vec<Problem>) {
    match value {
        Value::Object(object) if directive_key(object).is_some() => {
            directive(object, path, problems);
        }
        Value::Object(object) => entries(object, path, problems),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {}
    }
}

fn entries(object: &Object<'_>, path: &str, problems: &mut Vec<Problem>) {
    for (key, value) in object.iter() {
        any(value, &format!("{path}/{key}"), problems);
    }
}

fn expect(
    holds: bool,
    expectation: &str,
    value: Option<&Value<'_>>,
    path: &str,
    problems: &mut Vec<Problem>,
) -> bool {
    if !holds {
        problems.push(Problem::new(path, format!("must be {expectation}, but is {}", kind(value))));
    }
    holds
}

fn directive(object: &Object<'_>, path: &str, problems: &mut Vec<Problem>) {
    let directives = object.keys().filter(|key| key.starts_with('@')).count();
    let others = object.keys().filter(|key| !key.starts_with('@') && *key != "_metadata").count();
    if directives > 1 || others > 0 {
        problems.push(Problem::new(
            path,
            format!("must have one key, the directive's, but has {}", directives + others),
        ));
        return;
    }
    let Some((name, options)) = object.iter().find(|(key, _)| key.starts_with('@')) else { return };
    let path = &format!("{path}/{name}");
    match name {
        "@path" | "@template" => directive_or_text(Some(options), path, problems),
        "@literal" | "@excludeWhenNull" => directive_or_raw(options, path, problems),
        "@liquid" => text(Some(options), path, problems),
        "@if" => {
            with_options(options, path, problems, |options, problems| {
                for key in ["exists", "then", "else"] {
                    optional(options, key, path, problems, |value, path, problems| {
                        directive_or_raw(value, path, problems);
                    });
                }
            });
        }
        "@case" => with_options(options, path, problems, |options, problems| {
            optional(options, "operator", path, problems, |value, path, problems| {
                text(Some(value), path, problems);
            });
            optional(options, "value", path, problems, |value, path, problems| {
                directive_or_text(Some(value), path, problems);
            });
        }),
        "@replace" => with_options(options, path, problems, |options, problems| {
            replace(options, path, problems);
        }),
        "@arrayPath" => array_path(options, path, problems),
        "@json" => with_options(options, path, problems, |options, problems| {
            required(options, "value", path, problems, directive_or_raw);
            required(options, "mode", path, problems, |value, path, problems| {
                one_of(value, &["encode", "decode"], path, problems);
            });
        }),
        "@flatten" => with_options(options, path, problems, |options, problems| {
            optional(options, "separator", path, problems, |value, path, problems| {
                text(Some(value), path, problems);
            });
            required(options, "value", path, problems, directive_or_raw);
        }),
        "@merge" => with_options(options, path, problems, |options, problems| {
            merge(options, path, problems);
        }),
        "@transform" => with_options(options, path, problems, |options, problems| {
            required(options, "apply", path, problems, directive_or_object);
            required(options, "mapping", path, problems, directive_or_object);
        }),
        _ => problems.push(Problem::new(
            path.strip_suffix(&format!("/{name}")).unwrap_or(path),
            format!(
                "has the unknown directive `{name}`. {}",
                ebb_core::suggest::allowed(name, DIRECTIVES.iter().copied())
            ),
        )),
    }
}

/// The names of all directives.
const DIRECTIVES: [&str; 13] = [
    "@path",
    "@template",
    "@literal",
    "@if",
    "@case",
    "@replace",
    "@arrayPath",
    "@json",
    "@flatten",
    "@merge",
    "@transform",
    "@excludeWhenNull",
    "@liquid",
];

fn with_options(
    options: &Value<'_>,
    path: &str,
    problems: &mut Vec<Problem>,
    rules: impl FnOnce(&Object<'_>, &mut Vec<Problem>),
) {
    match options {
        Value::Object(options) if directive_key(options).is_none() => {
            entries(options, path, problems);
            rules(options, problems);
        }
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_) => {
            expect(false, "an object of options", Some(options), path, problems);
        }
    }
}

fn optional(
    options: &Object<'_>,
    key: &str,
    path: &str,
    problems: &mut Vec<Problem>,
    rule: impl FnOnce(&Value<'_>, &str, &mut Vec<Problem>),
) {
    if let Some(value) = options.get(key) {
        rule(value, &format!("{path}/{key}"), problems);
    }
}

fn required(
    options: &Object<'_>,
    key: &str,
    path: &str,
    problems: &mut Vec<Problem>,
    rule: impl FnOnce(&Value<'_>, &str, &mut Vec<Problem>),
) {
    match options.get(key) {
        Some(value) => rule(value, &format!("{path}/{key}"), problems),
        None => problems.push(Problem::new(path, format!("must have the option `{key}`"))),
    }
}

fn directive_or_raw(value: &Value<'_>, path: &str, problems: &mut Vec<Problem>) {
    if let Value::Object(object) = value
        && directive_key(object).is_some()
    {
        directive(object, path, problems);
    }
}

fn directive_or_object(value: &Value<'_>, path: &str, problems: &mut Vec<Problem>) {
    if value.as_object().is_some() {
        any(value, path, problems);
    } else {
        expect(false, "an object or a directive", Some(value), path, problems);
    }
}

fn directive_or_text(value: Option<&Value<'_>>, path: &str, problems: &mut Vec<Problem>) {
    match value {
        Some(Value::String(_)) => {}
        Some(Value::Object(object)) if directive_key(object).is_some() => {
            directive(object, path, problems);
        }
        other => {
            expect(false, "text or a directive", other, path, problems);
        }
    }
}

fn text(value: Option<&Value<'_>>, path: &str, problems: &mut Vec<Problem>) {
    expect(value.and_then(Value::as_str).is_some(), "text", value, path, problems);
}

fn one_of(value: &Value<'_>, allowed: &[&str], path: &str, problems: &mut Vec<Problem>) {
    let Some(text) = value.as_str() else {
        expect(false, "text", Some(value), path, problems);
        return;
    };
    if !allowed.contains(&&*text.to_lowercase()) {
        problems.push(Problem::new(
            path,
            format!("must be one of {}, but is `{text}`", allowed.join(", ")),
        ));
    }
}

fn length(value: &Value<'_>, least: usize, path: &str, problems: &mut Vec<Problem>) {
    text(Some(value), path, problems);
    let units = value.as_str().map(script::units);
    if units.is_some_and(|units| units < least || units > REPLACE_LENGTH) {
        problems
            .push(Problem::new(path, format!("must have {least} to {REPLACE_LENGTH} characters")));
    }
}

fn replace(options: &Object<'_>, path: &str, problems: &mut Vec<Problem>) {
    required(options, "pattern", path, problems, |value, path, problems| {
        length(value, 1, path, problems);
    });
    optional(options, "replacement", path, problems, |value, path, problems| {
        length(value, 0, path, problems);
    });
    required(options, "value", path, problems, |value, path, problems| {
        directive_or_text(Some(value), path, problems);
    });
    for key in ["ignorecase", "global"] {
        optional(options, key, path, problems, |value, path, problems| {
            expect(value.as_bool().is_some(), "true or false", Some(value), path, problems);
        });
    }
}

fn array_path(options: &Value<'_>, path: &str, problems: &mut Vec<Problem>) {
    let Some(items) = options.as_array() else {
        expect(false, "a list of a path and a shape", Some(options), path, problems);
        return;
    };
    directive_or_text(items.first(), path, problems);
    if let Some(shape) = items.get(1) {
        any(shape, path, problems);
    }
}

fn merge(options: &Object<'_>, path: &str, problems: &mut Vec<Problem>) {
    optional(options, "direction", path, problems, |value, path, problems| {
        one_of(value, &["left", "right"], path, problems);
    });
    required(options, "objects", path, problems, |value, path, problems| {
        let Some(objects) = value.as_array() else {
            expect(false, "a list of objects", Some(value), path, problems);
            return;
        };
        for (place, object) in objects.iter().enumerate() {
            directive_or_object(object, &format!("{path}/{place}"), problems);
        }
    });
}
