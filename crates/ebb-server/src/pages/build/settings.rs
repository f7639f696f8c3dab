//! Settings of sources, destinations and channels: fields of what their kind takes, and what was typed as a document.

use std::collections::BTreeSet;

use ebb_core::{Redactor, config::ChannelKind};
use ebb_destination::{Manifest, SettingKind as Takes};
use ebb_warehouse::{Form, Part, SettingKind};
use serde_json::{Map, Value};

use super::{
    field::{Choice, Field, Input, Need, Problems},
    typed::Typed,
};
use crate::{alerts::Takes as Given, app::is_secret, prose::prose};

/// A setting of either, as far as forms differ.
pub(super) struct Setting {
    key: String,
    label: String,
    help: String,
    required: bool,
    default: String,
    takes: Kind,
    part: Part,
}

enum Kind {
    Text,
    Code,
    Secret { lines: bool },
    Number,
    Boolean,
    Choice(Vec<String>),
}

/// The settings of a kind of source.
pub(super) fn of_source(form: &Form) -> Vec<Setting> {
    let setting = |setting: &ebb_warehouse::Setting| Setting {
        key: setting.key.to_owned(),
        label: setting.label.to_owned(),
        help: setting.help.to_owned(),
        required: setting.required,
        default: setting.default.unwrap_or_default().to_owned(),
        takes: match setting.kind {
            SettingKind::Text | SettingKind::Length | SettingKind::Path => Kind::Code,
            SettingKind::Secret => Kind::Secret { lines: false },
            SettingKind::SecretLines => Kind::Secret { lines: true },
            SettingKind::Number => Kind::Number,
            SettingKind::Choice(choices) => {
                Kind::Choice(choices.iter().map(|&choice| choice.to_owned()).collect())
            }
        },
        part: setting.part,
    };
    form.settings.iter().map(setting).collect()
}

/// The settings of a kind of destination.
pub(super) fn of_destination(manifest: &Manifest) -> Vec<Setting> {
    let setting = |(key, setting): (&str, &ebb_destination::Setting)| Setting {
        key: key.to_owned(),
        label: setting.label.clone(),
        help: setting.help.clone(),
        required: setting.required && setting.default.is_none(),
        default: setting.default.as_ref().map(shown).unwrap_or_default(),
        takes: match setting.kind {
            Takes::String => Kind::Text,
            Takes::Secret => Kind::Secret { lines: false },
            Takes::Number => Kind::Number,
            Takes::Boolean => Kind::Boolean,
            Takes::Choice => Kind::Choice(setting.choices.keys().map(str::to_owned).collect()),
        },
        part: Part::Connection,
    };
    manifest.settings.iter().map(setting).collect()
}

/// The settings of a kind of channel.
pub(super) fn of_channel(kind: ChannelKind) -> Vec<Setting> {
    let setting = |setting: &crate::alerts::ChannelSetting| Setting {
        key: setting.key.to_owned(),
        label: setting.label.to_owned(),
        help: setting.help.to_owned(),
        required: setting.required,
        default: setting.default.to_owned(),
        takes: match setting.takes {
            Given::Text => Kind::Code,
            Given::Secret => Kind::Secret { lines: false },
            Given::Number => Kind::Number,
            Given::Choice(choices) => {
                Kind::Choice(choices.iter().map(|&choice| choice.to_owned()).collect())
            }
        },
        part: Part::Connection,
    };
    crate::alerts::settings(kind).iter().map(setting).collect()
}

/// The name of a setting's input.
fn input(key: &str) -> String {
    format!("s-{key}")
}

/// The name of the box that removes a secret.
fn forget(key: &str) -> String {
    format!("forget-{key}")
}

impl Setting {
    /// The part of the form that it stands in.
    pub(super) const fn part(&self) -> Part {
        self.part
    }

    /// Its field.
    pub(super) fn field(
        &self,
        typed: &Typed,
        stored: &BTreeSet<String>,
        problems: &mut Problems,
    ) -> Field {
        let name = input(&self.key);
        let problem = problems
            .take(&format!("settings.{}", self.key))
            .or_else(|| problems.take_named("settings", &self.key));
        let given = typed.get(&name);
        let (input, value) = match &self.takes {
            Kind::Text => (Input::Line, given),
            Kind::Code | Kind::Number => (Input::Code, given),
            Kind::Secret { lines } => {
                let stored = stored.contains(&self.key);
                let typed = !typed.raw(&name).is_empty();
                (Input::Secret { stored, lines: *lines, typed }, "")
            }
            Kind::Boolean => (Input::Switch, given),
            Kind::Choice(choices) => (Input::Choice(self.choices(choices, given)), given),
        };
        let wide = matches!(input, Input::Secret { lines: true, .. });
        Field {
            label: self.label.clone(),
            help: prose(&self.help),
            need: if self.required { Need::Required } else { Need::Optional },
            value: value.to_owned(),
            default: self.default.clone(),
            name,
            input,
            problem,
            wide,
        }
    }

    fn choices(&self, choices: &[String], given: &str) -> Vec<Choice> {
        let by_default = match self.default.as_str() {
            "" => "As it comes".to_owned(),
            default => format!("{default} (default)"),
        };
        let left_out = (!self.required).then(|| Choice::new("", &by_default, given));
        let unchosen =
            (self.required && given.is_empty()).then(|| Choice::new("", "Choose one", given));
        let others = choices.iter().map(|choice| Choice::new(choice, choice, given));
        left_out.into_iter().chain(unchosen).chain(others).collect()
    }

    /// What was typed, as a document says it; `None` for nothing.
    fn value(&self, typed: &Typed) -> Option<Value> {
        let name = input(&self.key);
        match self.takes {
            Kind::Secret { lines } => {
                if typed.has(&forget(&self.key)) {
                    return Some(Value::Null);
                }
                let secret = if lines { typed.lines(&name) } else { typed.get(&name).to_owned() };
                (!secret.is_empty()).then(|| secret.into())
            }
            Kind::Boolean => Some(typed.has(&name).into()),
            Kind::Number => {
                let given = typed.get(&name);
                (!given.is_empty()).then(|| number(given))
            }
            Kind::Text | Kind::Code | Kind::Choice(_) => {
                let given = typed.get(&name);
                (!given.is_empty()).then(|| given.into())
            }
        }
    }
}

/// A number; what is none stays text, which whoever reads the document refuses with the reason.
pub(super) fn number(text: &str) -> Value {
    serde_json::from_str::<serde_json::Number>(text).map_or_else(|_| text.into(), Value::from)
}

/// What was typed for these settings, as a document says it.
pub(super) fn document(settings: &[Setting], typed: &Typed) -> Map<String, Value> {
    let given =
        settings.iter().filter_map(|setting| Some((setting.key.clone(), setting.value(typed)?)));
    given.collect()
}

/// The settings of a document as they would be typed.
pub(super) fn type_in(settings: &Map<String, Value>, typed: &mut Typed) {
    for (key, value) in settings {
        match value {
            // A box that is not checked is not sent.
            Value::Bool(false) | Value::Null => {}
            Value::Bool(true)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_)
            | Value::Object(_) => typed.set(input(key), shown(value)),
        }
    }
}

/// The keys of the secrets that a document refers to.
pub(super) fn stored(document: &Value) -> BTreeSet<String> {
    let settings = document.get("settings").and_then(Value::as_object);
    let secrets = settings.into_iter().flatten().filter(|(_, value)| is_secret(value));
    secrets.map(|(key, _)| key.clone()).collect()
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Settings of a file as people may see them: without what files refer to, which may be a secret.
pub(super) fn redacted<'s>(
    settings: impl Iterator<Item = (&'s String, &'s Value)>,
    redactor: &Redactor,
) -> Map<String, Value> {
    let shown = |value: &Value| {
        value.as_str().map_or_else(|| value.clone(), |text| redactor.redact(text).into())
    };
    settings.map(|(key, value)| (key.clone(), shown(value))).collect()
}
