//! I7: a secret never shows in requests as people see them, in failures, or in samples.

use std::sync::Arc;

use bytes::Bytes;
use ebb_core::{
    Redactor,
    port::{Batch, Exchange, ItemBuffer, Reply, Step},
};
use ebb_destination::{Catalog, Connector, Network, SettingKind};
use ebb_testkit::FakeClock;
use serde_json::{Map, Value, json};

use crate::rows;

const MARKER: &str = "mark/er \"secret\" 7";

/// Settings whose every secret is the marker.
fn marked(catalog: &Catalog, kind: &str) -> Map<String, Value> {
    let definition = catalog.find(kind).unwrap();
    let mut settings = Map::new();
    for (key, setting) in definition.manifest.settings.iter() {
        match setting.kind {
            SettingKind::Secret => settings.insert(key.to_owned(), json!(MARKER)),
            SettingKind::String if setting.required && setting.default.is_none() => {
                settings.insert(key.to_owned(), json!("plain"))
            }
            SettingKind::String
            | SettingKind::Choice
            | SettingKind::Boolean
            | SettingKind::Number => None,
        };
    }
    settings
}

/// The text shows the marker in none of its forms.
fn clean(text: &str, place: &str) {
    let forms = [
        MARKER.to_owned(),
        MARKER.replace('"', "\\\""),
        url::form_urlencoded::byte_serialize(MARKER.as_bytes()).collect(),
    ];
    for form in forms {
        assert!(!text.contains(&form), "{place} shows the secret: {text}");
    }
}

#[test]
fn a_marker_secret_never_shows_whatever_the_service_answers() {
    let catalog = Catalog::built_in();
    let clock = Arc::new(FakeClock::at("2026-11-21T03:00:00Z".parse().unwrap()));
    for kind in catalog.kinds() {
        let definition = catalog.find(kind).unwrap();
        let settings = marked(&catalog, kind);
        if !settings.values().any(|value| value == MARKER) {
            continue;
        }
        let clock: Arc<FakeClock> = Arc::clone(&clock);
        let connector =
            Connector::new(Arc::clone(&definition), &settings.into(), &Network::default(), clock)
                .unwrap();
        clean(&format!("{connector:?}"), "debug output");
        for (key, action) in definition.manifest.actions.iter() {
            let fields = rows::filled(action);
            for batched in [false, true] {
                let set = rows::set(3);
                let mut buffer = ItemBuffer::default();
                let planned = connector.action(key, &fields, set.columns(), batched).unwrap();
                let items = set
                    .iter()
                    .map(|record| planned.prepare(&record, &mut buffer).unwrap())
                    .collect();
                let batch = Batch { items };
                batch.items.iter().for_each(|item| {
                    clean(&String::from_utf8_lossy(&item.bytes), "a sample's payload");
                });
                for status in [200, 207, 302, 400, 401, 403, 404, 413, 429, 500, 503] {
                    answer(&*planned, &batch, connector.redactor(), status);
                }
            }
        }
    }
}

/// Answers every request with the marker, and looks at all that people may see.
fn answer(planned: &dyn ebb_core::port::Action, batch: &Batch, redactor: &Redactor, status: u16) {
    let body = json!({
        "error": MARKER,
        "message": MARKER,
        "errors": [{ "index": 0, "type": MARKER, "message": MARKER, "parameter_values": ["id-1"] }],
        "failed_records": [{ "index": 0, "message": MARKER }],
    });
    let mut exchanges: Vec<Exchange> = Vec::new();
    for _ in 0..4 {
        match planned.next(batch, &exchanges).unwrap() {
            Step::Send(requests) => {
                for request in requests {
                    let shown = serde_json::to_string(&request.shown(redactor)).unwrap();
                    clean(&shown, "a shown request");
                    let reply = Reply {
                        status,
                        headers: Vec::new(),
                        body: Bytes::from(body.to_string()),
                        elapsed: std::time::Duration::ZERO,
                    };
                    exchanges.push(Exchange { request, reply });
                }
            }
            Step::Done(outcomes) => {
                for failure in outcomes.into_iter().filter_map(Result::err) {
                    clean(&format!("{failure} {}", failure.advice()), "an outcome");
                }
                return;
            }
            Step::Refused(failure) => {
                clean(&format!("{failure} {}", failure.advice()), "a refusal");
                return;
            }
        }
    }
}
