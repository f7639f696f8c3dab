//! The form of a rule: of what was typed a document, and of a rule what would be typed.

use std::time::Duration;

use ebb_core::{
    Failure,
    config::{AlertRule, Trouble},
};
use serde_json::{Map, Value, json};

use crate::{
    alerts::words,
    app::Configuration,
    pages::build::{
        field::{Choice, Field, Input, Need, Problems},
        settings::number,
        typed::Typed,
    },
    prose::prose,
};

/// The form, ready to be shown.
pub(super) struct RuleForm {
    pub(super) name: Field,
    pub(super) enabled: Field,
    /// The troubles, each with the field of its measure where it has one.
    pub(super) troubles: Vec<TroubleBox>,
    /// Whether it is for some mappings alone.
    pub(super) some: bool,
    pub(super) mappings: Vec<Choice>,
    pub(super) channels: Vec<Choice>,
    pub(super) wrong_troubles: Option<Failure>,
    pub(super) wrong_mappings: Option<Failure>,
    /// What is wrong and belongs to no field.
    pub(super) failures: Vec<Failure>,
}

/// A trouble that may be told.
pub(super) struct TroubleBox {
    pub(super) choice: Choice,
    pub(super) help: &'static str,
    pub(super) measure: Option<Field>,
}

const fn help(trouble: Trouble) -> &'static str {
    match trouble {
        Trouble::Failed => "A sync could not go on. Over when one has gone through.",
        Trouble::Partial => "Some records were not delivered. Over when all of a sync's are.",
        Trouble::Held => "A guard holds a sync until somebody approves.",
        Trouble::Late => "A sync was due and has not started for this long.",
        Trouble::DeliveryRate => {
            "Of the last 24 hours' records, less than this share was delivered."
        }
        Trouble::VolumeChange => "24 hours had so many more or fewer changes than the days before.",
    }
}

/// The name of a trouble's measure in a document, with its label.
const fn measure(trouble: Trouble) -> Option<(&'static str, &'static str)> {
    match trouble {
        Trouble::Failed | Trouble::Partial | Trouble::Held => None,
        Trouble::Late => Some(("late_after", "After, such as 30m or 2h")),
        Trouble::DeliveryRate => Some(("min_delivery_rate", "At least, 0 to 1")),
        Trouble::VolumeChange => Some(("max_volume_change", "At most, as a share of the usual")),
    }
}

/// The document that was typed. Measures of what is not told are left out.
pub(super) fn document(typed: &Typed) -> Map<String, Value> {
    let mut document = Map::new();
    let when: Vec<&str> = typed.all("when").collect();
    for (key, _) in Trouble::ALL
        .into_iter()
        .filter(|trouble| when.contains(&trouble.as_str()))
        .filter_map(measure)
    {
        let given = typed.get(key);
        if !given.is_empty() {
            let value = if key == "late_after" { given.into() } else { number(given) };
            document.insert(key.to_owned(), value);
        }
    }
    document.insert("when".to_owned(), json!(when));
    if typed.get("which") == "some" {
        document.insert("mappings".to_owned(), typed.all("mapping").collect());
    }
    let to: Vec<&str> = typed.all("to").collect();
    if !to.is_empty() {
        document.insert("to".to_owned(), json!(to));
    }
    if !typed.has("enabled") {
        document.insert("enabled".to_owned(), false.into());
    }
    document
}

/// A rule as it would be typed.
pub(super) fn typed(name: &str, rule: &AlertRule) -> Typed {
    let mut typed = Typed::default();
    typed.set("name", name);
    for trouble in &rule.when {
        typed.add("when", trouble.as_str());
    }
    typed.set("late_after", length(rule.late_after));
    typed.set("min_delivery_rate", rule.min_delivery_rate.to_string());
    typed.set("max_volume_change", rule.max_volume_change.to_string());
    if let Some(mappings) = &rule.mappings {
        typed.set("which", "some");
        for name in mappings {
            typed.add("mapping", name.as_str());
        }
    }
    for name in &rule.to {
        typed.add("to", name.as_str());
    }
    if rule.enabled {
        typed.set("enabled", "true");
    }
    typed
}

/// A length as configuration has it, in its largest unit.
fn length(length: Duration) -> String {
    let seconds = length.as_secs();
    let units = [(86_400, "d"), (3_600, "h"), (60, "m")];
    let fits = units.into_iter().find(|(unit, _)| seconds.is_multiple_of(*unit));
    fits.map_or_else(
        || format!("{seconds}s"),
        |(unit, letter)| format!("{}{letter}", seconds / unit),
    )
}

impl RuleForm {
    pub(super) fn new(
        configuration: &Configuration,
        typed: &Typed,
        mut problems: Problems,
    ) -> Self {
        let project = &configuration.workspace.project;
        let chosen = |name: &str, key: &str| typed.all(key).any(|value| value == name);
        let choices = |names: Vec<&String>, key: &str| {
            let choice = |name: &String| Choice {
                value: name.clone(),
                label: name.clone(),
                chosen: chosen(name, key),
            };
            names.into_iter().map(choice).collect()
        };
        let troubles = Trouble::ALL.into_iter().map(|trouble| TroubleBox {
            choice: Choice {
                value: trouble.as_str().to_owned(),
                label: words(trouble).to_owned(),
                chosen: chosen(trouble.as_str(), "when"),
            },
            help: help(trouble),
            measure: measure(trouble).map(|(key, label)| Field {
                name: key.to_owned(),
                label: label.to_owned(),
                help: Vec::new(),
                need: Need::Required,
                input: Input::Code,
                value: typed.get(key).to_owned(),
                default: String::new(),
                problem: problems.take(key),
                wide: false,
            }),
        });
        let troubles = troubles.collect();
        Self {
            troubles,
            name: Field {
                name: "name".to_owned(),
                label: "Name".to_owned(),
                help: prose(
                    "Small letters, digits, `-` and `_`. One that is called `standard` replaces the rule that is built in",
                ),
                need: Need::Required,
                input: Input::Code,
                value: typed.get("name").to_owned(),
                default: String::new(),
                problem: problems.take_exactly(""),
                wide: true,
            },
            enabled: Field {
                name: "enabled".to_owned(),
                label: "The rule holds".to_owned(),
                help: Vec::new(),
                need: Need::Optional,
                input: Input::Switch,
                value: if typed.has("enabled") { "true".to_owned() } else { String::new() },
                default: String::new(),
                problem: problems.take("enabled"),
                wide: true,
            },
            some: typed.get("which") == "some",
            mappings: choices(project.mappings.keys().collect(), "mapping"),
            channels: choices(project.channels.keys().collect(), "to"),
            wrong_troubles: problems.take("when"),
            wrong_mappings: problems.take("mappings"),
            failures: problems.rest(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_typed_as_it_was_written() {
        let rule = AlertRule {
            when: [Trouble::Failed, Trouble::Late].into(),
            late_after: Duration::from_mins(90),
            mappings: Some(["a".to_owned()].into()),
            to: ["mail".to_owned()].into(),
            ..AlertRule::default()
        };
        let expected = json!({
            "late_after": "90m", "when": ["failed", "late"], "mappings": ["a"], "to": ["mail"],
        });
        assert_eq!(Value::from(document(&typed("x", &rule))), expected);
        let off =
            AlertRule { enabled: false, when: [Trouble::Held].into(), ..AlertRule::default() };
        let expected = json!({ "when": ["held"], "enabled": false });
        assert_eq!(Value::from(document(&typed("x", &off))), expected);
        assert_eq!(
            [90, 60, 7_200, 172_800].map(|seconds| length(Duration::from_secs(seconds))),
            ["90s", "1m", "2h", "2d"]
        );
    }
}
