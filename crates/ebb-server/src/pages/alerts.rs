//! What went wrong and was told; who is told, and of what.

use std::{borrow::Cow, sync::Arc};

use askama::Template;
use axum::{
    extract::{Query, State},
    response::Response,
};
use ebb_core::{
    Failure,
    config::{AlertRule, Trouble},
    port::Clock,
};
use ebb_store::{Alert, AlertFilter, ChannelState, Ending, Told};
use ebb_workspace::SystemClock;
use jiff::Timestamp;
use serde::Deserialize;
use url::form_urlencoded;

use super::{
    Frame, clock, page,
    words::{Pill, ago, length},
};
use crate::{
    access::Actor,
    alerts::{rules, words},
    app::{App, Section},
    refusal::Refusal,
};

/// Alerts on one page.
const ROWS: usize = 50;

/// An alert as a line of a list.
pub(super) struct AlertLine {
    pub(super) alert: Alert,
    pub(super) pill: Pill,
    pub(super) opened: String,
    pub(super) clock: String,
    /// How it ended, and how long it lasted.
    pub(super) ended: Option<(&'static str, String)>,
    /// Channels that could not be told, and why.
    pub(super) untold: Vec<(String, bool, Option<Failure>)>,
}

impl AlertLine {
    pub(super) fn new(alert: Alert, now: Timestamp) -> Self {
        let ended = alert.end.as_ref().map(|end| {
            let word = match end.ending {
                Ending::Recovered => "Recovered",
                Ending::Withdrawn => "No longer watched",
            };
            (word, length(end.at.duration_since(alert.opened_at).unsigned_abs()))
        });
        Self {
            pill: pill(&alert.trouble),
            opened: ago(now, alert.opened_at),
            clock: clock::listed(now, alert.opened_at),
            ended,
            untold: Vec::new(),
            alert,
        }
    }
}

/// A trouble as a label.
fn pill(trouble: &str) -> Pill {
    let Some(trouble) = Trouble::named(trouble) else {
        return Pill { class: "", icon: "alert", word: "Something else" };
    };
    let (class, icon) = match trouble {
        Trouble::Failed => ("bad", "failed"),
        Trouble::Partial => ("warn", "partial"),
        Trouble::Held => ("held", "held"),
        Trouble::Late => ("warn", "clock"),
        Trouble::DeliveryRate | Trouble::VolumeChange => ("warn", "warn"),
    };
    Pill { class, icon, word: words(trouble) }
}

/// A rule as a line of a list.
struct RuleLine {
    name: String,
    from_files: bool,
    /// Whether it holds only because nobody said otherwise.
    built_in: bool,
    enabled: bool,
    when: String,
    mappings: String,
    to: Vec<String>,
}

impl RuleLine {
    fn new(app: &App, name: &str, rule: &AlertRule) -> Self {
        let configuration = app.configuration();
        let there = configuration.find(Section::AlertRules, name).is_ok();
        let when: Vec<_> = rule.when.iter().map(|trouble| words(*trouble).to_lowercase()).collect();
        Self {
            name: name.to_owned(),
            from_files: configuration.in_files(Section::AlertRules, name),
            built_in: !there,
            enabled: rule.enabled,
            when: when.join(", "),
            mappings: rule.mappings.as_ref().map_or_else(
                || "all mappings".to_owned(),
                |names| names.iter().map(String::as_str).collect::<Vec<_>>().join(", "),
            ),
            to: rule.to.iter().cloned().collect(),
        }
    }
}

/// A channel as a line of a list.
struct ChannelLine {
    name: String,
    kind: &'static str,
    from_files: bool,
    /// Why the latest message is not there, and whether it is tried again.
    failure: Option<(Failure, Option<String>)>,
    last: Option<String>,
}

#[derive(Template)]
#[template(path = "alerts.html")]
struct AlertsPage {
    frame: Frame,
    past: bool,
    mapping: String,
    lines: Vec<AlertLine>,
    following: Option<String>,
    rules: Vec<RuleLine>,
    channels: Vec<ChannelLine>,
    done: &'static str,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    state: String,
    mapping: String,
    /// The last alert of the page before.
    before: String,
    done: String,
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    actor: Actor,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    let Asked { state, mapping, before, done } = asked;
    let past = state == "past";
    let now = SystemClock.now();
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let filter = AlertFilter { mapping: some(&mapping), open: Some(!past), before: some(&before) };
    let mut alerts = app.store.alerts(filter, ROWS + 1).await?;
    let more = alerts.len() > ROWS;
    alerts.truncate(ROWS);
    let following = alerts.last().filter(|_| more).map(|last| {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("state", &state).append_pair("mapping", &mapping);
        format!("/alerts?{}", query.append_pair("before", &last.id).finish())
    });
    let told =
        app.store.alert_notices(alerts.iter().map(|alert| alert.id.clone()).collect()).await?;
    let lines = alerts.into_iter().map(|alert| {
        let id = alert.id.clone();
        let theirs = told.iter().filter(|told| told.alert == id && told.failure.is_some());
        let untold = theirs
            .map(|Told { channel, waits, failure, .. }| (channel.clone(), *waits, failure.clone()));
        AlertLine { untold: untold.collect(), ..AlertLine::new(alert, now) }
    });
    let configuration = app.configuration();
    let project = &configuration.workspace.project;
    let states = app.store.channel_states().await?;
    let channels = project.channels.iter().map(|(name, channel)| {
        let state = states.iter().find(|state| state.channel == *name);
        ChannelLine {
            name: name.clone(),
            kind: kind(channel.kind),
            from_files: configuration.in_files(Section::Channels, name),
            failure: state.and_then(|state| {
                let next = state.next_at.map(|at| clock::alone(now, at));
                Some((state.failure.clone()?, next))
            }),
            last: state.map(|ChannelState { made_at, .. }| ago(now, *made_at)),
        }
    });
    page(&AlertsPage {
        frame: Frame::new(&app, &actor, "alerts"),
        past,
        lines: lines.collect(),
        following,
        rules: rules(&project.alert_rules)
            .map(|(name, rule): (&str, Cow<'_, AlertRule>)| RuleLine::new(&app, name, &rule))
            .collect(),
        channels: channels.collect(),
        mapping,
        done: match done.as_str() {
            "rule" => "The rule is saved, and holds from now on.",
            "channel" => "The channel is saved. Name it in a rule, so that it is told.",
            "deleted" => "It is deleted.",
            _ => "",
        },
    })
}

/// A kind of channel in words.
pub(super) const fn kind(kind: ebb_core::config::ChannelKind) -> &'static str {
    use ebb_core::config::ChannelKind;
    match kind {
        ChannelKind::Email => "E-mail",
        ChannelKind::Slack => "Slack",
        ChannelKind::Webhook => "Webhook",
    }
}
