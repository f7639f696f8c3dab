//! `ebb source kinds`: what can be read from, and by which settings.

use ebb_warehouse::{Form, Setting, SettingKind};
use serde_json::json;

use crate::{
    cli::Global,
    report::{Finish, Stop, print_json, print_text},
    table::Table,
};

/// List kinds of sources, or one kind's settings
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The kind
    kind: Option<String>,
}

/// Shows them.
pub(crate) fn run(arguments: &Arguments, global: &Global) -> Result<Finish, Stop> {
    match &arguments.kind {
        None if global.json => {
            print_json(&json!({ "kinds": ebb_warehouse::forms().collect::<Vec<_>>() }));
        }
        None => print_text(&all()),
        Some(kind) => {
            let form = ebb_warehouse::form(kind)?;
            if global.json {
                print_json(form);
            } else {
                print_text(&one(form));
            }
        }
    }
    Ok(Finish::Done)
}

fn all() -> String {
    let mut table = Table::new(["kind", "name", "what it is"]);
    for form in ebb_warehouse::forms() {
        table.row([form.kind, form.name, &format!("{}{}", form.description, lacking(form))]);
    }
    table.to_string()
}

fn one(form: &Form) -> String {
    let Form { kind, name, description, guide, settings, .. } = form;
    let mut table = Table::new(["setting", "type", "", "default", "what it is"]);
    for setting in *settings {
        let Setting { key, help, default, required, .. } = setting;
        let needed = if *required { "required" } else { "" };
        table.row([
            key,
            shape(setting.kind),
            needed,
            default.unwrap_or_default(),
            &what(setting, help),
        ]);
    }
    format!("{name} ({kind}){}\n{description}\n{guide}\n\n{table}", lacking(form))
}

/// What a build has to say of a kind that it lacks.
const fn lacking(form: &Form) -> &'static str {
    if form.available { "" } else { " (not in this build)" }
}

fn what(setting: &Setting, help: &str) -> String {
    match setting.kind {
        SettingKind::Choice(choices) => format!("{help}: {}", choices.join(", ")),
        SettingKind::Text
        | SettingKind::Secret
        | SettingKind::SecretLines
        | SettingKind::Number
        | SettingKind::Length
        | SettingKind::Path => help.to_owned(),
    }
}

const fn shape(kind: SettingKind) -> &'static str {
    match kind {
        SettingKind::Text => "text",
        SettingKind::Secret | SettingKind::SecretLines => "secret",
        SettingKind::Number => "number",
        SettingKind::Length => "time",
        SettingKind::Path => "file",
        SettingKind::Choice(_) => "choice",
    }
}

#[cfg(test)]
mod tests {
    use super::{all, one};

    #[test]
    fn the_kinds_are_listed_with_what_they_are() {
        let sqlite = "sqlite      SQLite      An SQLite database file on Ebb's own machine, which Ebb only reads";
        assert!(all().lines().any(|line| line == sqlite), "{}", all());
        assert_eq!(all().contains("(not in this build)"), !cfg!(feature = "duckdb"));
    }

    #[test]
    fn a_kind_is_told_with_its_settings() {
        let form = ebb_warehouse::form("sqlite").unwrap();
        insta::assert_snapshot!(one(form), @r"
        SQLite (sqlite)
        An SQLite database file on Ebb's own machine, which Ebb only reads
        docs/sources/sqlite.md

        setting            type            default  what it is
        path               file  required           The database's file; a relative path starts from the project folder
        statement_timeout  time            1h       The longest that one statement may take; `0` is no limit
        ");
    }

    #[test]
    fn choices_are_told_behind_what_a_setting_is() {
        let told = one(ebb_warehouse::form("bigquery").unwrap());
        let line = told.lines().find(|line| line.starts_with("storage_read ")).unwrap();
        assert!(line.contains(" choice "), "{line}");
        assert!(line.ends_with(": auto, always, never"), "{line}");
    }
}
