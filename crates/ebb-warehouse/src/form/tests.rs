//! Every form against itself, and against what reads settings by it.

use std::collections::BTreeSet;

use ebb_core::{Code, Failure, Limits, config::Settings};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{Form, Setting, SettingKind};
use crate::registry::{connect, form, forms};

/// The forms of kinds that this build has.
fn available() -> Vec<&'static Form> {
    forms().filter(|form| form.available).collect()
}

/// Settings of a kind that are enough, in the fewest ways that leave each optional setting out once.
fn enough(kind: &str) -> Vec<Map<String, Value>> {
    let samples = match kind {
        "postgres" | "mysql" => vec![json!({ "host": "h", "user": "ann" })],
        "redshift" => vec![
            json!({ "host": "h", "user": "ann" }),
            json!({ "host": "h", "database": "d", "workgroup": "shop", "region": "eu-central-1" }),
        ],
        "azure" => vec![
            json!({ "hostname": "h", "database": "d", "user": "ann", "password": "p" }),
            json!({ "hostname": "h", "database": "d", "access_token": "t" }),
        ],
        "snowflake" => vec![
            json!({ "account": "a", "database": "d", "token": "t" }),
            json!({ "host": "h", "database": "d", "oauth_token": "t" }),
        ],
        "databricks" => vec![
            json!({ "hostname": "h", "http_path": "/sql/1.0/warehouses/a", "catalog": "c", "token": "t" }),
            json!({
                "hostname": "h", "http_path": "/sql/1.0/warehouses/a", "catalog": "c",
                "client_id": "c", "client_secret": "s",
            }),
        ],
        "clickhouse" => {
            vec![json!({ "host": "h", "user": "ann" }), json!({ "host": "h", "token": "t" })]
        }
        "bigquery" => vec![json!({ "project": "shop" })],
        "sqlite" | "duckdb" => vec![json!({ "path": "shop.db" })],
        other => panic!("no settings of a `{other}` source are known to be enough"),
    };
    samples.into_iter().map(|sample| sample.as_object().unwrap().clone()).collect()
}

/// What is said of settings, if they do not fit.
fn refused(form: &Form, settings: Map<String, Value>) -> Option<Failure> {
    connect(form.kind, &Settings::from(settings), "managed", &Limits::default()).err()
}

fn with(
    mut settings: Map<String, Value>,
    key: &str,
    value: impl Into<Value>,
) -> Map<String, Value> {
    settings.insert(key.to_owned(), value.into());
    settings
}

fn told(failure: &Failure) -> String {
    format!("{} | {}", failure.message(), failure.advice())
}

/// Something that may well be given.
fn example(form: &Form, setting: &Setting) -> String {
    match (setting.default, setting.kind) {
        (Some(default), _) => default.to_owned(),
        (None, SettingKind::Choice(choices)) => choices[0].to_owned(),
        (None, SettingKind::Number) => "7".to_owned(),
        (None, SettingKind::Length) => "7s".to_owned(),
        (None, _) if setting.key == "url" => format!("{}://h", form.schemes[0]),
        (None, _) => "x".to_owned(),
    }
}

#[test]
fn a_kind_is_found_by_its_name_and_the_nearest_is_told() {
    assert_eq!(form("mysql").unwrap().name, "MySQL");
    let failure = form("mysq").unwrap_err();
    assert_eq!(failure.code, Code::ConfigName);
    assert!(failure.advice().starts_with("Did you mean `mysql`?"), "{}", failure.advice());
}

#[test]
fn texts_begin_with_a_capital_and_are_one_sentence_without_a_full_stop() {
    for form in forms() {
        let settings = form.settings.iter().flat_map(|Setting { label, help, .. }| {
            assert!(label.chars().count() <= 24, "{label}");
            [*label, *help]
        });
        for text in [form.name, form.description].into_iter().chain(settings) {
            assert!(text.starts_with(char::is_uppercase), "{}: {text}", form.kind);
            assert!(!text.ends_with('.') && !text.contains(". "), "{}: {text}", form.kind);
            assert_eq!(text.trim(), text, "{}", form.kind);
        }
    }
}

#[test]
fn keys_are_unique_and_stand_in_the_order_of_the_parts() {
    for form in forms() {
        let keys: BTreeSet<_> = form.settings.iter().map(|setting| setting.key).collect();
        assert_eq!(keys.len(), form.settings.len(), "{}", form.kind);
        assert!(form.settings.is_sorted_by_key(|setting| setting.part), "{}", form.kind);
        assert_eq!(form.schemes.is_empty(), form.setting("url").is_none(), "{}", form.kind);
    }
}

#[test]
fn every_key_of_a_form_is_taken_and_none_of_the_others() {
    let every = forms().flat_map(|form| form.settings).map(|setting| setting.key);
    let every: BTreeSet<_> = every.collect();
    for form in available() {
        for key in &every {
            let value =
                form.setting(key).map_or_else(|| "x".to_owned(), |setting| example(form, setting));
            let said = refused(form, with(Map::new(), key, value));
            let unknown = said.is_some_and(|said| said.message().contains("is not a setting of"));
            assert_eq!(unknown, form.setting(key).is_none(), "{} {key}", form.kind);
        }
    }
}

proptest! {
    #[test]
    fn a_misspelt_key_is_refused_with_the_nearest(
        kind: prop::sample::Index,
        setting: prop::sample::Index,
        place: prop::sample::Index,
        letter in prop::option::of("[a-z_]"),
    ) {
        let form = *kind.get(&available());
        let mut key = setting.get(form.settings).key.to_owned();
        // Too short for a part of it to be like it.
        prop_assume!(key != "url");
        let place = place.index(key.len());
        match letter {
            Some(letter) => key.insert_str(place, &letter),
            None => drop(key.remove(place)),
        }
        prop_assume!(form.setting(&key).is_none());
        let said = refused(form, with(Map::new(), &key, "x")).expect("no such setting");
        prop_assert_eq!(said.code, Code::SourceSettings);
        let expected = format!("`{key}` is not a setting of");
        prop_assert!(said.message().starts_with(&expected), "{}", told(&said));
        let nearest = said.advice().split('`').nth(1).unwrap_or_default().to_owned();
        prop_assert!(said.advice().starts_with("Did you mean"), "{}", told(&said));
        prop_assert!(form.setting(&nearest).is_some(), "{}", told(&said));
    }
}

#[test]
fn what_is_required_cannot_be_left_out_and_everything_else_can() {
    for form in available() {
        let samples = enough(form.kind);
        for sample in &samples {
            let said = refused(form, sample.clone()).as_ref().map(told);
            assert_eq!(said, None, "{}", form.kind);
        }
        for setting in form.settings {
            let left_out = samples.iter().any(|sample| !sample.contains_key(setting.key));
            assert_eq!(left_out, !setting.required, "{} {}", form.kind, setting.key);
            let mut sample = samples[0].clone();
            if setting.required && sample.remove(setting.key).is_some() {
                let said = told(&refused(form, sample).expect("it is required"));
                let expected = format!("the setting `{}` is missing", setting.key);
                assert!(said.starts_with(&expected), "{}: {said}", form.kind);
            }
        }
    }
}

#[test]
fn every_choice_is_taken_and_no_other() {
    for form in available() {
        let sample = &enough(form.kind)[0];
        for Setting { key, kind, .. } in form.settings {
            let SettingKind::Choice(choices) = kind else { continue };
            for choice in *choices {
                let said = refused(form, with(sample.clone(), key, *choice)).as_ref().map(told);
                assert_eq!(said, None, "{} {key}", form.kind);
            }
            let said = told(&refused(form, with(sample.clone(), key, "nonsense")).unwrap());
            let (message, advice) = said.split_once(" | ").unwrap();
            assert_eq!(message, format!("`nonsense` is not allowed for `{key}`"), "{}", form.kind);
            let named: Vec<_> = advice.split('`').skip(1).step_by(2).collect();
            assert_eq!(named, *choices, "{}", form.kind);
        }
    }
}

#[test]
fn every_default_may_be_given_and_what_is_no_number_or_time_may_not() {
    for form in available() {
        let sample = &enough(form.kind)[0];
        // What belongs to a way of signing in or of reading is only looked at beside it.
        let sample = if form.kind == "redshift" {
            with(with(sample.clone(), "unload", "s3://bucket"), "region", "eu-central-1")
        } else {
            sample.clone()
        };
        for setting in form.settings {
            if let Some(default) = setting.default {
                let said = refused(form, with(sample.clone(), setting.key, default));
                assert_eq!(said.as_ref().map(told), None, "{} {}", form.kind, setting.key);
            }
            if matches!(setting.kind, SettingKind::Number | SettingKind::Length) {
                let said = refused(form, with(sample.clone(), setting.key, "soon"));
                let expected = format!("`soon` is not allowed for `{}`", setting.key);
                assert_eq!(said.expect("not allowed").message(), expected, "{}", form.kind);
            }
        }
    }
}

/// To be read by a person: what is missing here can be seen by everybody who may see a source.
#[test]
fn these_are_secrets() {
    let secrets = forms().map(|form| {
        let secrets = form.settings.iter().filter(|setting| setting.kind.is_secret());
        let keys: Vec<_> = secrets.map(|setting| setting.key).collect();
        let keys = if keys.is_empty() { "none".to_owned() } else { keys.join(", ") };
        format!("{}: {keys}", form.kind)
    });
    insta::assert_snapshot!(secrets.collect::<Vec<_>>().join("\n"), @r"
    postgres: url, password
    bigquery: credentials
    mysql: url, password
    redshift: url, password, secret_access_key, session_token
    azure: password, client_secret, access_token
    snowflake: private_key, private_key_passphrase, password, token, oauth_token, oauth_client_secret, oauth_refresh_token
    databricks: client_secret, token
    clickhouse: url, password, token
    sqlite: none
    duckdb: none
    ");
}

/// The same, turned round: whoever adds a setting here has decided that it may be shown.
#[test]
fn these_are_not() {
    let every = forms().flat_map(|form| form.settings).filter(|it| !it.kind.is_secret());
    let keys: BTreeSet<_> = every.map(|setting| setting.key).collect();
    insta::assert_snapshot!(keys.into_iter().collect::<Vec<_>>().join(" "), @"access_key_id account authority aws_endpoint catalog client_id cluster connect_timeout credentials_path database dataset endpoint external_id host hostname http_path location lock_timeout maximum_bytes_billed oauth_client_id oauth_scope oauth_token_url path port private_key_path profile project protocol region role role_arn schema sslcert sslkey sslmode sslrootcert start_timeout statement_timeout storage_endpoint storage_read tenant_id unload unload_role unload_rows user warehouse work_mem workgroup");
}

#[test]
fn what_is_said_of_settings_tells_no_secret() {
    const MARK: &str = "hunter2";
    for form in available() {
        let samples = enough(form.kind).into_iter().chain([Map::new()]);
        for sample in samples {
            for secret in form.settings.iter().filter(|setting| setting.kind.is_secret()) {
                let values = [
                    json!(MARK),
                    json!([MARK]),
                    json!(format!("{MARK}://{MARK}:{MARK}@{MARK}:{MARK}/{MARK}")),
                    json!(format!("{}://u:{MARK}@h:x", form.schemes.first().unwrap_or(&"x"))),
                ];
                for value in values {
                    let Some(said) = refused(form, with(sample.clone(), secret.key, value)) else {
                        continue;
                    };
                    let said = format!("{} {said:?}", told(&said));
                    assert!(!said.contains(MARK), "{} {}: {said}", form.kind, secret.key);
                }
            }
        }
    }
}

#[test]
fn a_setting_is_written_for_programs() {
    let setting = form("clickhouse").unwrap().setting("sslmode").unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(setting).unwrap(), @r#"
    {
      "key": "sslmode",
      "label": "Encryption",
      "help": "How strict the connection is about encryption and the server's certificate",
      "kind": "choice",
      "choices": [
        "disable",
        "require",
        "verify-ca",
        "verify-full"
      ],
      "default": "verify-full",
      "required": false,
      "part": "advanced"
    }
    "#);
    let secret = serde_json::to_value(form("snowflake").unwrap().setting("private_key")).unwrap();
    assert_eq!(secret["kind"], "secret_lines");
}

#[test]
fn whatever_names_a_server_or_guards_the_way_there_leads() {
    let leading =
        ["url", "host", "hostname", "port", "account", "endpoint", "sslmode", "sslrootcert"];
    for form in forms() {
        for setting in form.settings {
            let address = leading.contains(&setting.key)
                || ["_url", "_endpoint", "authority"].iter().any(|end| setting.key.ends_with(end));
            assert!(setting.leads || !address, "{} {}", form.kind, setting.key);
            let harmless = setting.kind == SettingKind::Length
                || setting.kind.is_secret() && setting.key != "url";
            assert!(!(setting.leads && harmless), "{} {}", form.kind, setting.key);
        }
    }
}
