//! What is checked of a manifest when it is loaded, beyond its syntax.

use ebb_core::{Code, Failure, Object, Redactor, Value};

use super::{Manifest, SettingKind};
use crate::planner::Compiler;

/// Compiles every action once, with settings made up, so that a wrong name is found at load.
pub(crate) fn check(manifest: &Manifest) -> Result<(), Failure> {
    let wrong = |reason: String| {
        Failure::new(
            Code::DestinationManifest,
            format!("the manifest of `{}` is not valid: {reason}", manifest.slug),
        )
    };
    if manifest.slug.is_empty()
        || !manifest
            .slug
            .chars()
            .all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '-')
    {
        return Err(wrong("`slug` must be lower-case letters, digits and dashes".to_owned()));
    }
    if manifest.actions.is_empty() {
        return Err(wrong("it has no `actions`".to_owned()));
    }
    let mut settings = Object::new();
    for (key, setting) in manifest.settings.iter() {
        let value: Value<'static> = match setting.kind {
            SettingKind::String | SettingKind::Secret => Value::from("made-up"),
            SettingKind::Choice => {
                let Some((_, value)) = setting.choices.iter().next() else {
                    return Err(wrong(format!("`settings.{key}` is a choice without `choices`")));
                };
                Value::from(value.clone())
            }
            SettingKind::Boolean => true.into(),
            SettingKind::Number => 1_i64.into(),
        };
        settings.insert(key.to_owned(), value);
    }
    for (key, action) in manifest.actions.iter() {
        for batched in [false, true] {
            let compiler = Compiler {
                manifest,
                key,
                action,
                settings: &settings,
                redactor: Redactor::default(),
                sync_mode: action.sync_modes.as_ref().map(|modes| modes.default.clone()),
                hooks: Object::new(),
                batched,
                batch_size: None,
                batch_keys: Vec::new(),
                constant_fields: Vec::new(),
            };
            compiler.compile()?;
        }
    }
    Ok(())
}
