//! Who changed what, and what it was before.

use std::{collections::BTreeSet, sync::Arc};

use askama::Template;
use axum::{
    extract::{Query, State},
    response::Response,
};
use ebb_core::port::Clock;
use ebb_store::{AuditLine, Role};
use ebb_workspace::SystemClock;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use url::form_urlencoded;

use super::{
    Frame, clock,
    list::{ROWS, older},
    page,
    words::ago,
};
use crate::{
    access::Actor,
    app::{App, Section},
    refusal::Refusal,
};

/// Letters of a value that are shown.
const LETTERS: usize = 2_000;

/// A line of the audit log, ready to be shown.
pub(super) struct Change {
    pub(super) when: String,
    pub(super) clock: String,
    pub(super) who: String,
    pub(super) what: String,
    pub(super) subject: String,
    /// The page of what it was done to, if there is one.
    pub(super) address: Option<String>,
    pub(super) differences: Vec<Difference>,
}

/// A value of a document that is another now.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Difference {
    /// The keys that lead to it.
    pub(super) path: String,
    /// What it was; empty if it was not there.
    pub(super) before: String,
    /// What it is; empty if it is not there any more.
    pub(super) after: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Asked {
    /// The last change of the page before.
    before: String,
}

#[derive(Template)]
#[template(path = "changes.html")]
struct ChangesPage {
    frame: Frame,
    changes: Vec<Change>,
    /// The page with what is older.
    following: Option<String>,
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    actor: Actor,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    actor.must_be(Role::Owner)?;
    let before = Some(asked.before.as_str()).filter(|before| !before.is_empty());
    let mut lines = app.store.audit(before, ROWS + 1).await?;
    let following = older(&mut lines, |last| {
        let mut query = form_urlencoded::Serializer::new(String::new());
        format!("/settings/changes?{}", query.append_pair("before", &last.id).finish())
    });
    page(&ChangesPage {
        frame: Frame::new(&app, &actor, "settings"),
        changes: shown(&app, lines),
        following,
    })
}

/// Lines of the audit log as they are shown.
pub(super) fn shown(app: &App, lines: Vec<AuditLine>) -> Vec<Change> {
    let now = SystemClock.now();
    lines.into_iter().map(|line| change(app, line, now)).collect()
}

fn change(app: &App, line: AuditLine, now: Timestamp) -> Change {
    let noun = line.action.split('.').next().unwrap_or_default();
    let section = [Section::Sources, Section::Models, Section::Destinations, Section::Mappings]
        .into_iter()
        .find(|section| section.noun() == noun);
    let configuration = app.configuration();
    let there = section.filter(|section| configuration.find(*section, &line.subject).is_ok());
    Change {
        when: ago(now, line.at),
        clock: clock::listed(now, line.at),
        who: line.actor,
        what: line.action.replace('.', " "),
        address: there.map(|section| format!("/{}/{}", section.as_str(), line.subject)),
        subject: line.subject,
        differences: differences(line.before.as_ref(), line.after.as_ref()),
    }
}

/// What differs between two documents, by the place of each value.
fn differences(before: Option<&Value>, after: Option<&Value>) -> Vec<Difference> {
    let mut found = Vec::new();
    compare("", before, after, &mut found);
    found
}

fn compare(path: &str, before: Option<&Value>, after: Option<&Value>, found: &mut Vec<Difference>) {
    let object = |value: Option<&'_ Value>| value.is_none_or(Value::is_object);
    if before == after {
        return;
    }
    if !(object(before) && object(after)) {
        let [before, after] = [before, after].map(|value| value.map(text).unwrap_or_default());
        found.push(Difference { path: path.to_owned(), before, after });
        return;
    }
    let [before, after] = [before, after].map(|value| value.and_then(Value::as_object));
    let keys: BTreeSet<&String> =
        [before, after].into_iter().flatten().flat_map(|it| it.keys()).collect();
    for key in keys {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        let [before, after] = [before, after].map(|object| object.and_then(|it| it.get(key)));
        compare(&path, before, after, found);
    }
}

/// A value as people read it, cut where it is very long.
fn text(value: &Value) -> String {
    let whole = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match whole.char_indices().nth(LETTERS) {
        Some((end, _)) => format!("{}…", whole.get(..end).unwrap_or_default()),
        None => whole,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Difference, differences};

    fn told(before: &serde_json::Value, after: &serde_json::Value) -> Vec<String> {
        let some = |value: &serde_json::Value| (!value.is_null()).then(|| value.clone());
        differences(some(before).as_ref(), some(after).as_ref())
            .into_iter()
            .map(|Difference { path, before, after }| format!("{path}: {before} > {after}"))
            .collect()
    }

    #[test]
    fn only_what_differs_is_told() {
        let before = json!({ "id": "id", "query": "select 1", "fields": { "a": 1, "b": [1, 2] } });
        let after = json!({ "id": "id", "query": "select 2", "fields": { "b": [1], "c": null } });
        assert_eq!(
            told(&before, &after),
            [
                "fields.a: 1 > ",
                "fields.b: [1,2] > [1]",
                "fields.c:  > null",
                "query: select 1 > select 2"
            ]
        );
        assert_eq!(told(&json!(null), &json!({ "id": "id" })), ["id:  > id"]);
        assert_eq!(told(&json!({ "id": "id" }), &json!(null)), ["id: id > "]);
        assert!(told(&before, &before).is_empty());
    }

    #[test]
    fn what_is_very_long_is_cut_between_letters() {
        let long = "ä".repeat(3_000);
        let found = differences(None, Some(&json!({ "query": long })));
        assert_eq!(found[0].after, format!("{}…", "ä".repeat(2_000)));
    }
}
