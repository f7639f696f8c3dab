//! Schedules that name what is not there, or themselves.

use insta::assert_snapshot;

use super::{SHOP, complaint, with};

#[test]
fn what_a_mapping_follows_must_be_there() {
    assert_snapshot!(with("\
mappings:
  people: { model: users, destination: hook, action: send }
  a: { model: users, destination: hook, action: send, schedule: { after: peple } }
  b: { model: users, destination: hook, action: send, schedule: { after_dbt_cloud_job: 7 } }
"), @r"
    error[C506]: the mapping `a` comes after the mapping `peple`, which is not defined
       at: ebb.yaml:10:74
     help: Did you mean `people`? Allowed: `b`, `people`
    error[C504]: the mapping `b` comes after the dbt Cloud job `7`, and `dbt_cloud` is not set
       at: ebb.yaml:11:88
     help: Make a webhook in dbt Cloud, and set `dbt_cloud.webhook_secret` in the project's files
    ");
}

#[test]
fn nothing_follows_itself() {
    assert_snapshot!(with("\
mappings:
  a: { model: users, destination: hook, action: send, schedule: { after: c } }
  b: { model: users, destination: hook, action: send, schedule: { after: a } }
  c: { model: users, destination: hook, action: send, schedule: { after: b } }
  d: { model: users, destination: hook, action: send, schedule: { after: d } }
"), @r"
    error[C504]: the mapping `a` comes after itself
       at: ebb.yaml:9:74
     help: Give one of the mappings a time of its own
    error[C504]: the mapping `b` comes after itself
       at: ebb.yaml:10:74
     help: Give one of the mappings a time of its own
    error[C504]: the mapping `c` comes after itself
       at: ebb.yaml:11:74
     help: Give one of the mappings a time of its own
    error[C504]: the mapping `d` comes after itself
       at: ebb.yaml:12:74
     help: Give one of the mappings a time of its own
    ");
}

#[test]
fn the_schedule_of_a_model_is_held_to_the_same() {
    let of_model = |schedule: &str| {
        let shop = SHOP.replace("id: id }", &format!("id: id, schedule: {schedule} }}"));
        let mappings = "\
mappings:
  its: { model: users, destination: hook, action: send }
  other: { model: users, destination: hook, action: send, schedule: manual }
limits: { schedule_interval: 30m }
";
        complaint(&[("ebb.yaml", &format!("{shop}{mappings}"))])
    };
    let told: Vec<String> =
        ["{ every: 15m }", "{ after: it }", "{ after_dbt_cloud_job: 7 }", "{ after: its }"]
            .into_iter()
            .map(of_model)
            .collect();
    assert_snapshot!(told.concat(), @r"
    error[C507]: `15m` is shorter than the limit of 30 minutes between two syncs
       at: ebb.yaml:5:76
     help: Choose a longer one, or lower `limits.schedule_interval`
    error[C506]: the model `users` comes after the mapping `it`, which is not defined
       at: ebb.yaml:5:76
     help: Did you mean `its`? Allowed: `its`, `other`
    error[C504]: the model `users` comes after the dbt Cloud job `7`, and `dbt_cloud` is not set
       at: ebb.yaml:5:90
     help: Make a webhook in dbt Cloud, and set `dbt_cloud.webhook_secret` in the project's files
    error[C504]: the mapping `its` comes after itself
       at: ebb.yaml:9:3
     help: Give one of the mappings a time of its own
    ");
}
