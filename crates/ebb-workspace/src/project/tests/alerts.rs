//! Channels and alert rules.

use std::time::Duration;

use ebb_core::config::{AlertRule, ChannelKind, Trouble};
use insta::assert_snapshot;

use super::{SHOP, project, with};

const MAPPING: &str = "mappings:\n  a: { model: users, destination: hook, action: send }\n";

#[test]
fn a_rule_says_what_is_told_of_which_mappings_and_where() {
    let more = "\
channels:
  ops: { kind: slack, settings: { url: https://hooks.test/x } }
alert_rules:
  mine:
    when: [late, failed]
    mappings: [a]
    late_after: 2h
    to: [ops]
  rest: {}
url: https://ebb.test
";
    let project = project(&[("ebb.yaml", &format!("{SHOP}{MAPPING}{more}"))]);
    assert_eq!(project.channels["ops"].kind, ChannelKind::Slack);
    assert_eq!(project.url.as_deref(), Some("https://ebb.test"));
    assert_eq!(project.alert_rules["rest"], AlertRule::default());
    let expected = AlertRule {
        when: [Trouble::Failed, Trouble::Late].into(),
        mappings: Some(["a".to_owned()].into()),
        late_after: Duration::from_hours(2),
        to: ["ops".to_owned()].into(),
        ..AlertRule::default()
    };
    assert_eq!(project.alert_rules["mine"], expected);
}

#[test]
fn what_a_rule_names_must_be_there() {
    let more = "alert_rules:\n  mine: { mappings: [b], to: [mail] }\n";
    assert_snapshot!(with(&format!("{MAPPING}{more}")), @r"
    error[C506]: the alert rule `mine` names the mapping `b`, which is not defined
       at: ebb.yaml:11:22
     help: Allowed: `a`
    error[C506]: the alert rule `mine` names the channel `mail`, which is not defined
       at: ebb.yaml:11:31
     help: None is defined yet
    ");
}

#[test]
fn a_measure_of_what_is_not_told_is_a_mistake() {
    let more = "alert_rules:\n  mine: { when: [failed], late_after: 2h }\n";
    assert_snapshot!(with(more), @r"
    error[C504]: the alert rule `mine` has `late_after`, but does not tell `late`
       at: ebb.yaml:9:39
     help: Add `late` to `when`, or remove `late_after`
    ");
}

#[test]
fn words_that_are_not_allowed_are_answered_with_those_that_are() {
    let more = "channels:\n  ops: { kind: fax }\nalert_rules:\n  Mine: { when: [fail] }\n";
    assert_snapshot!(with(more), @r"
    error[C504]: `channels.ops.kind` cannot be `fax`
       at: ebb.yaml:9:16
     help: Allowed: `email`, `slack`, `webhook`
    error[C504]: `Mine` cannot be the name of a rule
       at: ebb.yaml:11:3
     help: Allowed: `a` to `z`, `0` to `9`, `-` and `_`, at most 50 of them, the first a letter or digit
    error[C504]: `alert_rules.Mine.when.0` cannot be `fail`
       at: ebb.yaml:11:18
     help: Did you mean `failed`? Allowed: `failed`, `partial`, `held`, `late`, `delivery_rate`, `volume_change`
    ");
}
