//! `${env:…}` and `${file:…}`: looked up, and never shown.

use insta::assert_snapshot;

use super::{complaint, folder, load_without_secrets, project, told};

// Every test process has it.
const VARIABLE: &str = "CARGO_PKG_NAME";

#[test]
fn missing_variables_and_files_are_named_with_their_place() {
    assert_snapshot!(complaint(&[("ebb.yaml", "\
sources:
  shop:
    kind: postgres
    settings:
      url: postgres://app:${env:EBB_NO_SUCH}@host/shop
      password: ${file:secrets/pasword}
      options: [a, { deep: '${env:EBB_NEITHER} ${evn:X}' }]
models:
  users: { source: shop, query: 'select ${1}', id: '${env:' }
"), ("secrets/password", "hunter2")]), @r"
    error[C508]: the environment variable `EBB_NO_SUCH` is not set
       at: ebb.yaml:5:12
     help: Set `EBB_NO_SUCH` in the environment of `ebb`
    error[C508]: the file `secrets/pasword` does not exist
       at: ebb.yaml:6:17
     help: Did you mean `secrets/password`? Create the file or correct its path
    error[C504]: `${evn:X}` is not a reference
       at: ebb.yaml:7:28
     help: Allowed: `${env:NAME}`, `${file:PATH}`; write `$${` for a plain `${`
    error[C504]: `${1}` is not a reference
       at: ebb.yaml:9:33
     help: Allowed: `${env:NAME}`, `${file:PATH}`; write `$${` for a plain `${`
    error[C504]: `${` has no closing `}`
       at: ebb.yaml:9:52
     help: Close the reference, or write `$${` for a plain `${`
    ");
}

#[test]
fn a_value_that_came_from_a_secret_is_never_shown() {
    let files = [("ebb.yaml", "\
models:
  users: { source: '${file:secret}', sql: '${file:secret}', id: id }
mappings:
  a:
    model: ${file:secret}
    destination: ${file:secret}
    action: send
    records: ${file:secret}
    schedule: { days: ['${file:secret}'], at: ['${file:secret}'], timezone: '${file:secret}' }
  b: { model: '${file:secret}', destination: '${file:secret}', action: a, enabled: '${file:secret}' }
"), ("secret", "hunter2\n")];
    let answer = complaint(&files);
    assert!(!answer.contains("hunter2"), "{answer}");
    assert_snapshot!(answer, @r#"
    error[C506]: the model `users` names the source `${file:secret}`, which is not defined
       at: ebb.yaml:2:20
     help: None is defined yet
    error[C501]: the file `${file:secret}` of the model `users` does not exist
       at: ebb.yaml:2:43
     help: Create the file or correct its path
    error[C504]: `mappings.a.records` cannot be the value of `${file:secret}`
       at: ebb.yaml:8:14
     help: Allowed: `added`, `updated`, `added_or_updated`, `deleted`
    error[C504]: `mappings.a.schedule.days.0` cannot be the value of `${file:secret}`
       at: ebb.yaml:9:24
     help: Allowed: `mon`, `tue`, `wed`, `thu`, `fri`, `sat`, `sun`
    error[C504]: `mappings.a.schedule.at.0` cannot be the value of `${file:secret}`
       at: ebb.yaml:9:48
     help: Allowed: full hours from "00:00" to "23:00", in quotes
    error[C504]: `mappings.a.schedule.timezone` cannot be the value of `${file:secret}`
       at: ebb.yaml:9:77
     help: Allowed: IANA names such as `Europe/Berlin`, and `UTC`
    error[C504]: `mappings.b.enabled` must be true or false, but is text
       at: ebb.yaml:10:84
     help: Write `true` or `false`, without quotes
    "#);
}

#[test]
fn secrets_are_resolved_in_settings_and_kept_for_redaction() {
    let project = project(&[
        (
            "ebb.yaml",
            "\
destinations:
  hook:
    kind: webhook
    settings: { key: '${file:secret}', name: 'a ${env:CARGO_PKG_NAME} $${env:X}', port: 1 }
",
        ),
        ("secret", "hunter2\n"),
    ]);
    let settings = &project.destinations["hook"].settings;
    assert_eq!(settings["key"], "hunter2");
    assert_eq!(settings["name"], "a ebb-workspace ${env:X}");
    assert_eq!(VARIABLE, "CARGO_PKG_NAME");
    let exposed: Vec<_> = project.secrets.iter().map(ebb_core::Secret::expose).collect();
    assert_eq!(exposed, ["hunter2", "ebb-workspace"]);
    let shown = format!("{project:?}");
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[test]
fn a_project_can_be_checked_without_its_secrets() {
    let good = folder(&[(
        "ebb.yaml",
        "\
sources:
  shop: { kind: sqlite, settings: { path: '${env:EBB_NO_SUCH}', mode: 'a$${' } }
models:
  users: { source: '${env:EBB_NO_SUCH}', sql: '${env:EBB_NO_SUCH}', id: '${file:no}' }
mappings:
  a: { model: users, destination: hook, action: send, schedule: { every: '${env:EBB_NO_SUCH}' } }
destinations:
  hook: { kind: webhook }
",
    )]);
    let project =
        load_without_secrets(good.path()).unwrap_or_else(|problems| panic!("{}", told(&problems)));
    let settings = &project.sources["shop"].settings;
    assert_eq!(
        (&settings["path"], &settings["mode"]),
        (&"${env:EBB_NO_SUCH}".into(), &"a${".into())
    );
    assert!(project.secrets.is_empty());

    let bad = folder(&[(
        "ebb.yaml",
        "\
models:
  users: { source: shp, query: '${env:EBB_NO_SUCH}', id: '${evn:X}' }
",
    )]);
    let problems = load_without_secrets(bad.path()).expect_err("the project is wrong");
    assert_snapshot!(told(&problems), @r"
    error[C506]: the model `users` names the source `shp`, which is not defined
       at: ebb.yaml:2:20
     help: None is defined yet
    error[C504]: `${evn:X}` is not a reference
       at: ebb.yaml:2:58
     help: Allowed: `${env:NAME}`, `${file:PATH}`; write `$${` for a plain `${`
    ");
}
