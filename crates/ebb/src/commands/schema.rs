//! `ebb schema`: what an editor needs to complete and check project files.

use crate::report::{Finish, Stop, print_json};

/// Print the JSON Schema of project files, for editors
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {}

/// Prints the JSON Schema.
#[expect(clippy::unnecessary_wraps, reason = "every command has this form")]
pub(crate) fn run(_: &Arguments) -> Result<Finish, Stop> {
    print_json(&ebb_core::config::schema());
    Ok(Finish::Done)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    const GUIDE: &str = include_str!("../../../../docs/configuration.md");

    fn keys<'a>(schema: &'a Value, into: &mut BTreeSet<&'a str>) {
        match schema {
            Value::Object(entries) => {
                let properties = entries.get("properties").and_then(Value::as_object);
                into.extend(
                    properties.into_iter().flat_map(|keys| keys.keys().map(String::as_str)),
                );
                entries.values().for_each(|inner| keys(inner, into));
            }
            Value::Array(items) => items.iter().for_each(|inner| keys(inner, into)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    #[test]
    fn the_guide_has_every_key_and_no_other() {
        let schema = ebb_core::config::schema().to_value();
        let mut expected = BTreeSet::new();
        keys(&schema, &mut expected);
        let documented = GUIDE
            .lines()
            .filter_map(|line| line.strip_prefix("| `")?.split_once("` | "))
            .filter(|(_, rest)| rest.matches(" | ").count() == 2)
            .map(|(key, _)| key)
            .collect::<BTreeSet<_>>();
        assert_eq!(documented, expected);
    }

    #[test]
    fn every_table_of_the_schema_is_closed_or_free_and_every_key_says_what_it_is() {
        fn visit(schema: &Value, path: &str) {
            if let Some(properties) = schema["properties"].as_object() {
                assert_eq!(schema["additionalProperties"], false, "{path}");
                for (key, inner) in properties {
                    let path = format!("{path}.{key}");
                    assert!(inner["description"].is_string(), "{path}");
                    visit(inner, &path);
                }
            }
            if schema["additionalProperties"].is_object() {
                visit(&schema["additionalProperties"], &format!("{path}.*"));
            }
            for branch in schema["anyOf"].as_array().into_iter().flatten() {
                visit(branch, path);
            }
        }
        visit(&ebb_core::config::schema().to_value(), "");
    }
}
