//! A line out.

use ebb_core::{
    Code, Failure,
    port::{Body, Request},
};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{line::Line, script::Scripted};

/// What a line is answered with.
#[derive(Debug, Default, Serialize)]
pub(super) struct Answer {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Value>,
    ok: bool,
    pub(super) destination: String,
    action: String,
    batch: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    results: Vec<Value>,
    requests: Vec<Value>,
}

impl Answer {
    pub(super) fn of(line: &Line) -> Self {
        Self {
            id: line.id.clone(),
            ok: true,
            action: line.action.clone(),
            batch: line.batch,
            ..Self::default()
        }
    }

    pub(super) fn unreadable(error: &serde_json::Error) -> Self {
        let error =
            json!({"name": "InputError", "message": format!("the line cannot be read: {error}")});
        Self { error: Some(error), ..Self::default() }
    }

    pub(super) fn fail(&mut self, failure: &Failure) {
        self.ok = false;
        self.error = Some(error(failure));
    }

    pub(super) fn result(&mut self, outcome: Result<(), Failure>) {
        self.results.push(match outcome {
            Ok(()) => json!({"ok": true}),
            Err(failure) => {
                self.ok = false;
                json!({"ok": false, "error": error(&failure)})
            }
        });
    }

    pub(super) fn multistatus(&mut self, outcomes: Vec<Result<(), Failure>>) {
        let each = outcomes.into_iter().map(|outcome| match outcome {
            Ok(()) => json!({"status": 200}),
            Err(failure) => json!({
                "status": status(&failure),
                "errortype": failure.code,
                "errormessage": failure.message(),
            }),
        });
        self.results = vec![json!({"multistatus": each.collect::<Vec<_>>()})];
    }

    /// Adds a request. Secrets are shown: whoever wrote the line gave them.
    pub(super) fn request(&mut self, request: &Request, reply: &Scripted, place: Option<usize>) {
        let headers: Map<String, Value> = request
            .headers
            .iter()
            .map(|header| (header.name.clone(), header.value.clone().into()))
            .collect();
        let mut entry = Map::new();
        entry.insert("method".to_owned(), request.method.clone().into());
        entry.insert("url".to_owned(), request.url.clone().into());
        entry.insert("headers".to_owned(), headers.into());
        let raw = String::from_utf8_lossy(&request.body.bytes()).into_owned();
        match &request.body {
            Body::Empty => {}
            Body::Json(bytes) => {
                entry.insert("bodyType".to_owned(), "json".into());
                let body = serde_json::from_slice::<Value>(bytes).unwrap_or_default();
                entry.insert("body".to_owned(), body);
                entry.insert("raw".to_owned(), raw.into());
            }
            Body::Form(bytes) => {
                let pairs: Vec<_> = url::form_urlencoded::parse(bytes).into_owned().collect();
                entry.insert("bodyType".to_owned(), "form".into());
                entry.insert("body".to_owned(), json!(pairs));
                entry.insert("raw".to_owned(), raw.into());
            }
            Body::Text(_) => {
                entry.insert("bodyType".to_owned(), "text".into());
                entry.insert("body".to_owned(), raw.into());
            }
        }
        entry.insert("status".to_owned(), reply.status.into());
        entry.insert("scripted".to_owned(), reply.by_rule.into());
        if let Some(place) = place {
            entry.insert("payload".to_owned(), place.into());
        }
        self.requests.push(entry.into());
    }
}

fn error(failure: &Failure) -> Value {
    json!({
        "name": "Failure",
        "code": failure.code,
        "message": failure.message(),
        "help": failure.advice(),
        "status": status(failure),
    })
}

/// The HTTP status that says about the same.
const fn status(failure: &Failure) -> u16 {
    #[expect(clippy::wildcard_enum_match_arm, reason = "everything else is the record's fault")]
    match failure.code {
        Code::DestinationAuth => 401,
        Code::DestinationBusy => 429,
        Code::DestinationUnreachable | Code::DestinationDown | Code::DestinationAnswer => 500,
        _ => 400,
    }
}
