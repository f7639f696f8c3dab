//! Files that are not YAML, and keys that are wrong.

use insta::assert_snapshot;

use super::{complaint, complaint_about, folder};

#[test]
fn a_folder_without_a_project_says_so() {
    assert_snapshot!(complaint_about(folder(&[("other.yaml", "")]).path()), @r"
    error[C509]: `FOLDER` has no `ebb.yaml`
     help: Run `ebb init DIR` first, or name the folder with `--project`
    ");
}

#[test]
fn a_syntax_error_names_its_line_and_hides_nothing_of_other_files() {
    assert_snapshot!(complaint(&[
        ("ebb.yaml", "models:\n  users:\n    source: [a\n    id: id\n"),
        ("more.yml", "project: a: b\n"),
        ("sources/twice.yaml", "sources:\n  a: { kind: sqlite }\n  a: { kind: sqlite }\n"),
        ("mappings/two.yaml", "mappings: {}\n---\nmappings: {}\n"),
        ("models/tab.yaml", "models:\n\tusers: 1\n"),
    ]), @r"
    error[C502]: the file is not valid YAML: illegal placement of ':' indicator
       at: ebb.yaml:4:7
     help: Correct the line that is named
    error[C502]: the file has a second document after `---`
       at: mappings/two.yaml:3:1
     help: Give it a file of its own
    error[C502]: the file is not valid YAML: tabs disallowed within this context (block indentation)
       at: models/tab.yaml:2:2
     help: Correct the line that is named
    error[C502]: the file is not valid YAML: mapping values are not allowed in this context
       at: more.yml:1:11
     help: Correct the line that is named
    error[C505]: the key `a` is given twice here
       at: sources/twice.yaml:3:3
     help: Remove one of them, or put both values under one key
    ");
}

#[test]
fn unknown_keys_are_found_at_every_level() {
    assert_snapshot!(complaint(&[("ebb.yaml", "\
projekt: shop
source: {}
guards: { max_delete: 0.5 }
limits: { colums: 600 }
sources:
  shop: { kind: sqlite, settings: { anything: goes }, schem: x }
models:
  users: { source: shop, query: select 1, id: id, timestmap: at }
destinations:
  hook: { kind: webhook, enable: true }
mappings:
  users-to-hook:
    model: users
    destination: hook
    action: send
    record: added
    fields: { any: { '@thing': goes } }
    schedule: { every: 1h, timezone: UTC }
    guards: { max: 1 }
")]), @r"
    error[C503]: the top of a file has no key `projekt`
       at: ebb.yaml:1:1
     help: Did you mean `project`? Allowed: `project`, `state`, `guards`, `limits`, `usage`, `dbt_cloud`, `network`, `sources`, `models`, `destinations`, `mappings`, `channels`, `alert_rules`, `sign_in`, `url`
    error[C503]: the top of a file has no key `source`
       at: ebb.yaml:2:1
     help: Did you mean `sources`? Allowed: `project`, `state`, `guards`, `limits`, `usage`, `dbt_cloud`, `network`, `sources`, `models`, `destinations`, `mappings`, `channels`, `alert_rules`, `sign_in`, `url`
    error[C503]: `guards` has no key `max_delete`
       at: ebb.yaml:3:11
     help: Did you mean `max_deleted`? Allowed: `max_deleted`
    error[C503]: `limits` has no key `colums`
       at: ebb.yaml:4:11
     help: Did you mean `columns`? Allowed: `query_length`, `key_column_name`, `schedule_interval`, `records`, `columns`, `column_name`, `record_bytes`, `column_bytes`, `mappings_per_destination`, `preview`, `attempts`, `retry_for`, `retention`
    error[C503]: `sources.shop` has no key `schem`
       at: ebb.yaml:6:55
     help: Did you mean `schema`? Allowed: `kind`, `settings`, `max_concurrent_syncs`, `schema`, `consent`
    error[C503]: `models.users` has no key `timestmap`
       at: ebb.yaml:8:51
     help: Did you mean `timestamp`? Allowed: `source`, `sql`, `query`, `table`, `dbt`, `columns`, `id`, `timestamp`, `lookback`, `schedule`
    error[C503]: `destinations.hook` has no key `enable`
       at: ebb.yaml:10:26
     help: Did you mean `enabled`? Allowed: `kind`, `settings`, `enabled`, `consent`
    error[C503]: `mappings.users-to-hook` has no key `record`
       at: ebb.yaml:16:5
     help: Did you mean `records`? Allowed: `model`, `destination`, `action`, `records`, `fields`, `schedule`, `enabled`, `enable_batching`, `keep_deleted_values`, `guards`
    error[C503]: `mappings.users-to-hook.schedule` has no key `timezone`
       at: ebb.yaml:18:28
     help: Allowed: `every`
    error[C503]: `mappings.users-to-hook.guards` has no key `max`
       at: ebb.yaml:19:15
     help: Did you mean `max_deleted`? Allowed: `max_deleted`
    ");
}

#[test]
fn missing_keys_are_named_with_their_meaning() {
    assert_snapshot!(complaint(&[("ebb.yaml", "\
sources:
  shop: {}
models:
  users: {}
destinations:
  hook: {}
mappings:
  users-to-hook: { schedule: { days: [mon] } }
")]), @r"
    error[C504]: `sources.shop` lacks the key `kind`
       at: ebb.yaml:2:9
     help: Add `kind`. The warehouse's kind, such as `sqlite`, `postgres` or `duckdb`
    error[C504]: `models.users` lacks the key `source`
       at: ebb.yaml:4:10
     help: Add `source`. The name of the source
    error[C504]: `destinations.hook` lacks the key `kind`
       at: ebb.yaml:6:9
     help: Add `kind`. The tool's kind, such as `webhook`; `ebb catalog` lists them
    error[C504]: `mappings.users-to-hook` lacks the key `model`
       at: ebb.yaml:8:18
     help: Add `model`. The name of the model
    error[C504]: `mappings.users-to-hook` lacks the key `destination`
       at: ebb.yaml:8:18
     help: Add `destination`. The name of the destination
    error[C504]: `mappings.users-to-hook` lacks the key `action`
       at: ebb.yaml:8:18
     help: Add `action`. What the destination does with a record; the catalog lists the actions of its kind
    error[C504]: `mappings.users-to-hook.schedule` lacks the key `at`
       at: ebb.yaml:8:30
     help: Add `at`. Full hours of the day, such as `09:00`
    ");
}
