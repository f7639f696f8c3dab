//! Projects that are right.

use ebb_core::{Schedule, Subscription, config::MANAGED_SCHEMA, schedule::Interval};
use ebb_warehouse::SettingKind;
use serde_json::json;

use super::{SHOP, folder, load, project};

#[test]
fn files_are_merged_from_the_folder_and_the_folders_below() {
    let project = project(&[
        ("ebb.yaml", "project: shop\nstate: elsewhere\n"),
        ("a.yml", "sources: { one: { kind: sqlite } }\n"),
        ("sources/b.yaml", "sources: { two: { kind: postgres, schema: mine } }\n"),
        (
            "models/deep/c.yaml",
            "models: { users: { source: one, sql: models/users.sql, id: id } }\n",
        ),
        ("models/users.sql", "select 1 as id -- ${env:NOT_A_REFERENCE_HERE}\n"),
        ("destinations/d.yaml", "destinations: { hook: { kind: mine, enabled: false } }\n"),
        ("destinations/mine/manifest.toml", "not = 'yaml'"),
        ("mappings/e.yaml", "mappings: { a: { model: users, destination: hook, action: send } }\n"),
        (".hidden.yaml", "not: ours\n"),
        ("other/f.yaml", "not: ours\n"),
        ("empty.yaml", "# nothing yet\n"),
        ("models/empty.yaml", "models:\n"),
    ]);
    assert_eq!(project.name, "shop");
    assert_eq!(project.state, project.root.join("elsewhere"));
    assert_eq!(project.sources["one"].schema, MANAGED_SCHEMA);
    assert_eq!(project.sources["two"].schema, "mine");
    assert_eq!(project.models["users"].query, "select 1 as id -- ${env:NOT_A_REFERENCE_HERE}\n");
    assert!(!project.destinations["hook"].enabled);
    assert_eq!(project.mappings["a"].action, "send");
    assert_eq!(
        project.places.get("mappings.a.action").unwrap().to_string(),
        "mappings/e.yaml:1:51"
    );
    assert_eq!(
        project.places.get("mappings.a.fields.url").unwrap().to_string(),
        "mappings/e.yaml:1:13"
    );
}

#[test]
fn what_is_absent_has_its_default() {
    let text =
        format!("{SHOP}mappings: {{ a: {{ model: users, destination: hook, action: send }} }}");
    let project = project(&[("ebb.yaml", &text)]);
    assert_eq!(project.state, project.root.join(".ebb"));
    let mapping = &project.mappings["a"];
    assert_eq!(mapping.records, Subscription::AddedOrUpdated);
    assert_eq!(mapping.schedule, Schedule::Manual);
    assert!(mapping.enabled && mapping.enable_batching && !mapping.keep_deleted_values);
    assert!((mapping.guards.max_deleted - 0.5).abs() < f64::EPSILON);
    assert!(project.destinations["hook"].enabled);
    assert_eq!(project.models["users"].timestamp, None);
    assert_eq!(project.models["users"].lookback.as_secs(), 600);
}

#[test]
fn what_is_given_is_taken_and_guards_come_from_the_project() {
    let text = format!(
        "{SHOP}
guards: {{ max_deleted: 0.1 }}
mappings:
  a: &a
    model: users
    destination: hook
    action: send
    records: deleted
    fields: {{ z: 1, a: {{ '@path': $.properties.email }}, m: [true, null, 1.5, text] }}
    schedule: {{ every: 1h }}
    enabled: false
    enable_batching: false
    keep_deleted_values: true
  b: {{ <<: *a, guards: {{ max_deleted: 1 }}, schedule: manual }}
"
    );
    let project = project(&[("ebb.yaml", &text)]);
    let (a, b) = (&project.mappings["a"], &project.mappings["b"]);
    assert_eq!(a.records, Subscription::Deleted);
    assert_eq!(
        serde_json::to_string(&a.fields).unwrap(),
        r#"{"z":1,"a":{"@path":"$.properties.email"},"m":[true,null,1.5,"text"]}"#
    );
    assert_eq!(a.schedule, Schedule::Every { every: Interval::Hour });
    assert!(!a.enabled && !a.enable_batching && a.keep_deleted_values);
    assert!((a.guards.max_deleted - 0.1).abs() < f64::EPSILON);
    assert!((b.guards.max_deleted - 1.0).abs() < f64::EPSILON);
    assert_eq!((b.schedule.clone(), &b.fields), (Schedule::Manual, &a.fields));
}

#[test]
fn a_mapping_without_a_schedule_has_its_models() {
    let text = SHOP.replace("id: id }", "id: id, schedule: { every: 1h } }");
    let text = format!(
        "{text}
mappings:
  its: {{ model: users, destination: hook, action: send }}
  own: {{ model: users, destination: hook, action: send, schedule: manual }}
"
    );
    let project = project(&[("ebb.yaml", &text)]);
    let hourly = Schedule::Every { every: Interval::Hour };
    let [its, own] = ["its", "own"].map(|name| &project.mappings[name]);
    assert_eq!((&its.schedule, its.inherits_schedule), (&hourly, true));
    assert_eq!((&own.schedule, own.inherits_schedule), (&Schedule::Manual, false));
    assert_eq!(project.models["users"].schedule, Some(hourly));
}

#[test]
fn files_of_sources_start_from_the_project_folder() {
    let folder = folder(&[(
        "ebb.yaml",
        "\
sources:
  a: { kind: sqlite, settings: { path: data/shop.db } }
  b: { kind: duckdb, settings: { path: /var/shop.db } }
  c: { kind: sqlite, settings: { path: ':memory:' } }
  d: { kind: databricks, settings: { http_path: sql/1.0/warehouses/a } }
  e: { kind: mysql, settings: { sslrootcert: certs/ca.pem } }
  f: { kind: bigquery, settings: { credentials_path: key.json } }
",
    )]);
    let project = load(folder.path()).unwrap();
    let path = |name: &str| project.sources[name].settings["path"].clone();
    assert_eq!(path("a"), json!(folder.path().join("data/shop.db")));
    assert_eq!(path("b"), json!("/var/shop.db"));
    assert_eq!(path("c"), json!(":memory:"));
    let setting = |name: &str, key: &str| project.sources[name].settings[key].clone();
    assert_eq!(setting("d", "http_path"), json!("sql/1.0/warehouses/a"));
    assert_eq!(setting("e", "sslrootcert"), json!(folder.path().join("certs/ca.pem")));
    assert_eq!(setting("f", "credentials_path"), json!(folder.path().join("key.json")));
}

#[test]
fn every_setting_that_is_a_file_starts_from_the_project_folder_and_no_other() {
    for form in ebb_warehouse::forms() {
        let settings = form.settings.iter().map(|setting| format!("{}: a/b", setting.key));
        let settings: Vec<_> = settings.collect();
        let kind = form.kind;
        let yaml =
            format!("sources:\n  a: {{ kind: {kind}, settings: {{ {} }} }}\n", settings.join(", "));
        let folder = folder(&[("ebb.yaml", &yaml)]);
        let source = load(folder.path()).unwrap().sources.remove("a").unwrap();
        for setting in form.settings {
            let moved = source.settings[setting.key] != json!("a/b");
            assert_eq!(moved, setting.kind == SettingKind::Path, "{kind} {}", setting.key);
        }
    }
}

#[test]
fn what_a_mapping_demands_names_the_columns_of_its_source() {
    let project = project(&[(
        "ebb.yaml",
        "\
sources:
  shop: { kind: sqlite, consent: { advertising: ads_ok, analytics: stats_ok } }
  crm: { kind: sqlite, consent: { advertising: marketing } }
destinations:
  ads: { kind: webhook, consent: [advertising] }
  hook: { kind: webhook }
",
    )]);
    let demands = |source: &str, destination: &str| {
        let demands = project.demands(source, destination).into_iter();
        demands.map(|demand| (demand.category, demand.column)).collect::<Vec<_>>()
    };
    let advertising = |column: &str| vec![("advertising".to_owned(), column.to_owned())];
    assert_eq!(demands("shop", "ads"), advertising("ads_ok"));
    assert_eq!(demands("crm", "ads"), advertising("marketing"));
    assert_eq!(demands("shop", "hook"), []);
}
