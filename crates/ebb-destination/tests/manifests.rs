//! Every manifest satisfies its own examples.

use ebb_destination::{Catalog, render_line};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// One example of an action.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Example {
    name: String,
    /// The payload, field by field.
    row: Map<String, Value>,
    /// What else a mapping says: sync mode, outputs of hooks.
    #[serde(default)]
    mapping: Map<String, Value>,
    #[serde(default)]
    settings: Map<String, Value>,
    /// The requests that are made; nothing is said of them in an example of an answer.
    #[serde(default)]
    sends: Option<Vec<Value>>,
    /// What the service answers.
    #[serde(default)]
    answer: Option<Value>,
    #[serde(default)]
    outcome: Outcome,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    #[default]
    Delivered,
    /// The failure says this, among other things.
    Rejected(String),
}

/// The request as examples show it: forms field by field.
fn shown(request: &Value) -> Value {
    let mut shown = json!({ "method": request["method"], "url": request["url"] });
    if request["bodyType"] == json!("form") {
        for pair in request["body"].as_array().unwrap() {
            let value: Value = serde_json::from_str(pair[1].as_str().unwrap()).unwrap();
            shown["body"][pair[0].as_str().unwrap()] = value;
        }
    } else if !request["body"].is_null() {
        shown["body"] = request["body"].clone();
    }
    shown
}

fn check(catalog: &Catalog, kind: &str, action: &str, example: &Example) {
    let mut mapping = example.row.clone();
    mapping.extend(example.mapping.clone());
    let line = json!({
        "destination": kind,
        "action": action,
        "settings": example.settings,
        "mapping": mapping,
        "payloads": [{}],
        "responses": example.answer.iter().collect::<Vec<_>>(),
        "now": "2026-01-15T12:00:00Z",
        "seed": 7,
    });
    let answer: Value = serde_json::from_str(&render_line(&line.to_string(), catalog)).unwrap();
    let place = format!("{kind}, {action}, `{}`", example.name);
    let result = &answer["results"][0];
    match &example.outcome {
        Outcome::Delivered => assert_eq!(result["ok"], json!(true), "{place}: {answer}"),
        Outcome::Rejected(reason) => {
            let message = result["error"]["message"].as_str().unwrap_or_default();
            assert!(message.contains(reason), "{place}: {answer}");
        }
    }
    if let Some(sends) = &example.sends {
        let requests: Vec<Value> =
            answer["requests"].as_array().unwrap().iter().map(shown).collect();
        assert_eq!(&requests, sends, "{place}");
    }
}

#[test]
fn every_action_has_a_success_a_rejection_and_an_edge_and_all_hold() {
    let catalog = Catalog::built_in();
    for (kind, definition) in catalog.definitions() {
        let definition = definition.unwrap();
        let examples: std::collections::BTreeMap<String, Vec<Example>> =
            toml::from_str(&definition.examples).unwrap_or_else(|error| panic!("{kind}: {error}"));
        let unknown = examples.keys().find(|key| definition.manifest.actions.get(key).is_none());
        assert_eq!(unknown, None, "{kind} has examples of an action that it has not");
        for action in definition.manifest.actions.keys() {
            let of = examples.get(action).map(Vec::as_slice).unwrap_or_default();
            let rejected =
                of.iter().filter(|it| matches!(it.outcome, Outcome::Rejected(_))).count();
            assert!(rejected > 0, "{kind}, {action}: no example of a rejection");
            assert!(of.len() - rejected > 1, "{kind}, {action}: a success and an edge are wanted");
            for example in of {
                check(&catalog, kind, action, example);
            }
        }
    }
}

#[test]
fn every_destination_has_a_small_drawing_and_a_description_as_data() {
    for (kind, definition) in Catalog::built_in().definitions() {
        let definition = definition.unwrap();
        assert!(definition.icon.starts_with("<svg") && definition.icon.len() <= 1024, "{kind}");
        let description = serde_json::to_value(definition.describe()).unwrap();
        assert_eq!(description["kind"], json!(kind));
        assert!(description["actions"].as_array().is_some_and(|actions| !actions.is_empty()));
    }
}

#[test]
fn every_built_in_destination_says_what_it_is_for() {
    let catalog = Catalog::built_in();
    for (kind, definition) in catalog.definitions() {
        let categories = &definition.unwrap().manifest.categories;
        assert!(!categories.is_empty(), "`{kind}` has no `categories`");
        let mut once = categories.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), categories.len(), "`{kind}` names a category twice");
    }
}
