//! Values of the wrong type, values that are not allowed, limits.

use insta::assert_snapshot;

use super::{complaint, with};

#[test]
fn wrong_types_are_found_at_every_level() {
    assert_snapshot!(complaint(&[("ebb.yaml", "\
project: 2024
state: [a]
guards: 0.5
limits: { columns: '600', attempts: 1.5 }
sources:
  shop: sqlite
  other: { kind: 1, settings: [a] }
models: [users]
destinations:
  hook: { kind: webhook, enabled: 'yes' }
mappings:
  a: { model: users, destination: hook, action: send, fields: [url], enabled: yes }
  b: { model: users, destination: hook, action: send, schedule: [manual], records: { a: b } }
  c: { model: users, destination: hook, action: send, schedule: { days: mon, at: 9 } }
")]), @r#"
    error[C504]: `project` must be text, but is a number
       at: ebb.yaml:1:10
     help: Put the value in quotes
    error[C504]: `state` must be text, but is a list
       at: ebb.yaml:2:8
     help: Give a value that is allowed there; the schema of project files names them
    error[C504]: `guards` must be keys and values, but is a number
       at: ebb.yaml:3:9
     help: Write `key: value`, each on a line of its own
    error[C504]: `limits.columns` must be a whole number, but is text
       at: ebb.yaml:4:20
     help: Write the number without quotes
    error[C504]: `limits.attempts` must be a whole number, but is a number
       at: ebb.yaml:4:37
     help: Give a value that is allowed there; the schema of project files names them
    error[C504]: `sources.shop` must be keys and values, but is text
       at: ebb.yaml:6:9
     help: Write `key: value`, each on a line of its own
    error[C504]: `sources.other.kind` must be text, but is a number
       at: ebb.yaml:7:18
     help: Put the value in quotes
    error[C504]: `sources.other.settings` must be keys and values, but is a list
       at: ebb.yaml:7:31
     help: Write `key: value`, each on a line of its own
    error[C504]: `models` must be keys and values, but is a list
       at: ebb.yaml:8:9
     help: Write `key: value`, each on a line of its own
    error[C504]: `destinations.hook.enabled` must be true or false, but is text
       at: ebb.yaml:10:35
     help: Write `true` or `false`, without quotes
    error[C504]: `mappings.a.fields` must be keys and values, but is a list
       at: ebb.yaml:12:63
     help: Write `key: value`, each on a line of its own
    error[C504]: `mappings.a.enabled` must be true or false, but is text
       at: ebb.yaml:12:79
     help: Write `true` or `false`, without quotes
    error[C504]: `mappings.b.schedule` must be text or keys and values, but is a list
       at: ebb.yaml:13:65
     help: Allowed: `manual`, `{ every: 1h }`, `{ days: [mon], at: ["09:00"], timezone: Europe/Berlin }`, `{ cron: "30 6 * * 1-5" }`, `{ after: MAPPING }`, `{ after_dbt_cloud_job: 12345 }`
    error[C504]: `mappings.b.records` must be text, but is keys and values
       at: ebb.yaml:13:84
     help: Allowed: `added`, `updated`, `added_or_updated`, `deleted`
    error[C504]: `mappings.c.schedule.days` must be a list, but is text
       at: ebb.yaml:14:73
     help: Write a list, such as `[one, two]`
    error[C504]: `mappings.c.schedule.at` must be a list, but is a number
       at: ebb.yaml:14:82
     help: Write a list, such as `[one, two]`
    "#);
}

#[test]
fn a_file_must_hold_keys() {
    assert_snapshot!(complaint(&[("ebb.yaml", "- a\n")]), @r"
    error[C504]: a file must be keys and values, but is a list
       at: ebb.yaml:1:1
     help: Write `key: value`, each on a line of its own
    ");
}

#[test]
fn values_are_held_to_what_is_allowed() {
    assert_snapshot!(with("
guards: { max_deleted: 50 }
limits: { columns: 0, retention: 14 days or so, retry_for: 0s }
state: ''
mappings:
  a: { model: users, destination: hook, action: '', records: add_or_updated }
  b: { model: users, destination: hook, action: send, schedule: { every: 10m } }
  c: { model: users, destination: hook, action: send, schedule: daily }
  d: { model: users, destination: hook, action: send, schedule: { days: [monday], at: ['09:30'] } }
  e: { model: users, destination: hook, action: send, schedule: { days: [], at: [] } }
  f:
    model: users
    destination: hook
    action: send
    schedule: { days: [mon], at: ['9:00', '24:00'], timezone: Europe/Berln }
  g: { model: users, destination: hook, action: send, schedule: { days: [mon], at: ['09:00'], timezone: CEST+1 } }
"), @r#"
    error[C504]: `guards.max_deleted` must be from 0 to 1, but is `50`
       at: ebb.yaml:9:24
     help: Allowed: from 0 to 1
    error[C504]: `limits.columns` must be at least 1, but is `0`
       at: ebb.yaml:10:20
     help: Allowed: at least 1
    error[C504]: `limits.retention` cannot be `14 days or so`
       at: ebb.yaml:10:34
     help: Allowed: a length such as `15m`, `12h`, `14d`
    error[C504]: `limits.retry_for` cannot be `0s`
       at: ebb.yaml:10:60
     help: Allowed: a length such as `15m`, `12h`, `14d`
    error[C504]: `state` is empty
       at: ebb.yaml:11:8
     help: Give a value, or remove the key
    error[C504]: `mappings.a.action` is empty
       at: ebb.yaml:13:49
     help: Give a value, or remove the key
    error[C504]: `mappings.a.records` cannot be `add_or_updated`
       at: ebb.yaml:13:62
     help: Did you mean `added_or_updated`? Allowed: `added`, `updated`, `added_or_updated`, `deleted`
    error[C504]: `mappings.b.schedule.every` cannot be `10m`
       at: ebb.yaml:14:74
     help: Allowed: `15m`, `30m`, `1h`, `2h`, `4h`, `6h`, `8h`, `12h`, `1d`
    error[C504]: `mappings.c.schedule` cannot be `daily`
       at: ebb.yaml:15:65
     help: Allowed: `manual`, `{ every: 1h }`, `{ days: [mon], at: ["09:00"], timezone: Europe/Berlin }`, `{ cron: "30 6 * * 1-5" }`, `{ after: MAPPING }`, `{ after_dbt_cloud_job: 12345 }`
    error[C504]: `mappings.d.schedule.days.0` cannot be `monday`
       at: ebb.yaml:16:74
     help: Did you mean `mon`? Allowed: `mon`, `tue`, `wed`, `thu`, `fri`, `sat`, `sun`
    error[C504]: `mappings.d.schedule.at.0` cannot be `09:30`
       at: ebb.yaml:16:88
     help: Allowed: full hours from "00:00" to "23:00", in quotes
    error[C504]: `mappings.e.schedule.days` is empty
       at: ebb.yaml:17:73
     help: Give at least one value
    error[C504]: `mappings.e.schedule.at` is empty
       at: ebb.yaml:17:81
     help: Give at least one value
    error[C504]: `mappings.f.schedule.at.0` cannot be `9:00`
       at: ebb.yaml:22:35
     help: Allowed: full hours from "00:00" to "23:00", in quotes
    error[C504]: `mappings.f.schedule.at.1` cannot be `24:00`
       at: ebb.yaml:22:43
     help: Allowed: full hours from "00:00" to "23:00", in quotes
    error[C504]: `mappings.f.schedule.timezone` cannot be `Europe/Berln`
       at: ebb.yaml:22:63
     help: Did you mean `Europe/Berlin`? Allowed: IANA names such as `Europe/Berlin`, and `UTC`
    error[C504]: `mappings.g.schedule.timezone` cannot be `CEST+1`
       at: ebb.yaml:23:105
     help: Did you mean `CET`? Allowed: IANA names such as `Europe/Berlin`, and `UTC`
    "#);
}

#[test]
fn limits_are_held() {
    let long = "c".repeat(192);
    let query = "x".repeat(131_073);
    let many: Vec<String> = (0..52)
        .map(|number| format!("  m{number}: {{ model: users, destination: hook, action: send }}"))
        .collect();
    let many = many.join("\n");
    let answer = with(&format!(
        "limits: {{ schedule_interval: 30m }}
mappings:
{many}
  quick: {{ model: users, destination: other, action: send, schedule: {{ every: 15m }} }}
"
    ));
    assert_snapshot!(answer, @r"
    error[C507]: the destination `hook` has more than 50 mappings
       at: ebb.yaml:18:3
     help: Remove some, or raise `limits.mappings_per_destination`
    error[C506]: the mapping `quick` names the destination `other`, which is not defined
       at: ebb.yaml:62:39
     help: Allowed: `hook`
    error[C507]: `15m` is shorter than the limit of 30 minutes between two syncs
       at: ebb.yaml:62:79
     help: Choose a longer one, or lower `limits.schedule_interval`
    ");
    let answer = complaint(&[
        ("ebb.yaml", "sources: { shop: { kind: sqlite } }\n"),
        (
            "models/long.yaml",
            &format!(
                "models:\n  a: {{ source: shop, sql: long.sql, id: {long} }}\n  b: {{ source: shop, query: {query}, id: id, timestamp: {long} }}\n"
            ),
        ),
        ("long.sql", &query),
    ]);
    assert_snapshot!(answer, @r"
    error[C507]: the query of the model `a` has 131073 characters, 131072 are allowed
       at: models/long.yaml:2:27
     help: Make it smaller, or split it
    error[C507]: `id` of the model `a` has 192 characters, 191 are allowed
       at: models/long.yaml:2:41
     help: Give the column a shorter name with `as` in the query
    error[C507]: the query of the model `b` has 131073 characters, 131072 are allowed
       at: models/long.yaml:3:29
     help: Make it smaller, or split it
    error[C507]: `timestamp` of the model `b` has 192 characters, 191 are allowed
       at: models/long.yaml:3:131123
     help: Give the column a shorter name with `as` in the query
    ");
}

#[test]
fn limits_can_be_raised() {
    let project = super::project(&[(
        "ebb.yaml",
        "limits: { columns: 600, key_column_name: 3, retention: 1d, retry_for: 36h }\n",
    )]);
    assert_eq!(project.limits.columns, 600);
    assert_eq!(project.limits.key_column_name, 3);
    assert_eq!(project.limits.retention.as_secs(), 24 * 60 * 60);
    assert_eq!(project.limits.retry_for.as_secs(), 36 * 60 * 60);
    assert_eq!(project.limits.column_name, 128);
}

#[test]
fn a_plan_of_usage_is_a_limit() {
    let plan =
        |plan: &str| super::project(&[("ebb.yaml", &format!("usage: {{ plan: {plan} }}\n"))]);
    assert_eq!(plan("free").limits.usage, Some(500_000));
    assert_eq!(plan("teams").usage.name(), "teams");
    assert_eq!(plan("none").limits.usage, None);
    assert_eq!(plan("{ records: 12 }").limits.usage, Some(12));
    assert_eq!(plan("{ business: { mtu: 100 } }").limits.usage, Some(5_000));
    assert_eq!(plan("{ business: { api_calls: 100 } }").limits.usage, Some(25));
    assert_snapshot!(complaint(&[("ebb.yaml", "usage: { plan: gratis }\n")]), @r"
    error[C504]: `usage.plan` cannot be `gratis`
       at: ebb.yaml:1:16
     help: Allowed: `none`, `free`, `teams`, `{ records: NUMBER }`, `{ business: { mtu: NUMBER } }`, `{ business: { api_calls: NUMBER } }`
    ");
    assert_snapshot!(complaint(&[("ebb.yaml", "usage: { plan: { records: 0 } }\n")]), @r"
    error[C504]: `usage.plan.records` must be at least 1, but is `0`
       at: ebb.yaml:1:27
     help: Allowed: at least 1
    ");
    assert_snapshot!(complaint(&[("ebb.yaml", "usage: { plan: { business: { users: 5 } } }\n")]), @r"
    error[C504]: `usage.plan.business` lacks the key `mtu`
       at: ebb.yaml:1:28
     help: Add `mtu`. Users that are tracked in a month; each of them allows 50 records
    error[C503]: `usage.plan.business` has no key `users`
       at: ebb.yaml:1:30
     help: Allowed: `mtu`
    ");
}
