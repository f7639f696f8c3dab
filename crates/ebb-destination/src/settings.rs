//! A connection's settings, held to what its manifest asks for.

use ebb_core::{Code, Failure, Object, Redactor, Secret, Value, config::Settings, suggest};

use crate::{
    manifest::{Manifest, Setting, SettingKind},
    template::text_of,
};

/// Settings that are complete and valid: defaults filled in, choices replaced by their values.
#[derive(Clone)]
pub(crate) struct Resolved {
    pub(crate) values: Object<'static>,
    pub(crate) redactor: Redactor,
}

/// All problems of a connection's settings, each a `D209` with its remedy; none if they will do.
pub fn check_settings(manifest: &Manifest, given: &Settings) -> Vec<Failure> {
    let mut failures = Vec::new();
    for key in given.keys() {
        if manifest.settings.get(key).is_none() {
            let failure = wrong(format!("{} has no setting `{key}`", manifest.name));
            failures.push(failure.help(suggest::allowed(key, manifest.settings.keys())));
        }
    }
    for (key, setting) in manifest.settings.iter() {
        if let Err(failure) = value_of(key, setting, given.get(key)) {
            failures.push(failure);
        }
    }
    failures
}

/// The settings as actions use them; the first problem is the failure.
pub(crate) fn resolve(manifest: &Manifest, given: &Settings) -> Result<Resolved, Failure> {
    if let Some(failure) = check_settings(manifest, given).into_iter().next() {
        return Err(failure);
    }
    let mut values = Object::new();
    let mut secrets = Vec::new();
    for (key, setting) in manifest.settings.iter() {
        if let Some(value) = value_of(key, setting, given.get(key))? {
            if setting.kind == SettingKind::Secret {
                secrets.push(Secret::new(text_of(&value).into_owned()));
            }
            values.push(key.to_owned(), value);
        }
    }
    Ok(Resolved { values, redactor: Redactor::new(secrets) })
}

fn wrong(message: String) -> Failure {
    Failure::new(Code::DestinationSettings, message)
}

fn value_of(
    key: &str,
    setting: &Setting,
    given: Option<&serde_json::Value>,
) -> Result<Option<Value<'static>>, Failure> {
    let given = given.filter(|value| !value.is_null()).or(setting.default.as_ref());
    let Some(given) = given.filter(|value| !(setting.required && *value == "")) else {
        if setting.required {
            return Err(wrong(format!("the setting `{key}` is missing")).help(
                if setting.help.is_empty() {
                    format!("Add `{key}` to the destination's `settings`")
                } else {
                    format!("Add `{key}` to the destination's `settings`: {}", setting.help)
                },
            ));
        }
        return Ok(None);
    };
    // A secret's value must not be shown, so no message quotes what was given.
    let mistyped = |wanted: &str| wrong(format!("the setting `{key}` must be {wanted}"));
    match (setting.kind, given) {
        (SettingKind::String | SettingKind::Secret, serde_json::Value::String(text)) => {
            Ok(Some(text.clone().into()))
        }
        (SettingKind::String | SettingKind::Secret, serde_json::Value::Number(number)) => {
            Ok(Some(number.to_string().into()))
        }
        (SettingKind::String | SettingKind::Secret, _) => Err(mistyped("text")),
        (SettingKind::Choice, given) => {
            let text = given.as_str().map_or_else(|| given.to_string(), str::to_owned);
            let value = setting.choices.get(&text).ok_or_else(|| {
                wrong(format!("the setting `{key}` cannot be `{text}`"))
                    .help(suggest::allowed(&text, setting.choices.keys()))
            })?;
            Ok(Some(value.clone().into()))
        }
        (SettingKind::Boolean, serde_json::Value::Bool(value)) => Ok(Some((*value).into())),
        (SettingKind::Boolean, _) => Err(mistyped("`true` or `false`")),
        (SettingKind::Number, serde_json::Value::Number(number)) => {
            Ok(Value::from_json(&number.to_string()).ok())
        }
        (SettingKind::Number, _) => Err(mistyped("a number")),
    }
}
