//! Preparing rows for the webhook: what it gives, and how long it takes.

use std::{sync::Arc, time::Instant};

use ebb_core::{
    Record,
    port::{Action, Batch, Body, Item, ItemBuffer, Step},
};
use serde_json::{Value, json};

use crate::{rows, transport::connect};

fn webhook(batched: bool, extra: &[(&str, Value)]) -> Arc<dyn Action> {
    let connector = connect("webhook", json!({}), &ebb_destination::Network::default());
    let mut fields = json!({
        "url": "http://127.0.0.1:9000/in",
        "batch_size": 100,
        "data": {
            "id": { "@path": "$.properties.id" },
            "email": { "@path": "$.properties.email" },
            "first_name": { "@path": "$.properties.first_name" },
            "last_name": { "@path": "$.properties.last_name" },
            "city": { "@path": "$.properties.city" },
            "plan": { "@path": "$.properties.plan" },
            "note": { "@path": "$.properties.note" },
            "seats": { "@path": "$.properties.seats" },
            "score": { "@path": "$.properties.score" },
            "total": { "@path": "$.properties.total" },
        },
    });
    for (key, value) in extra {
        fields[*key] = value.clone();
    }
    let set = rows::set(1);
    connector.action("send", fields.as_object().unwrap(), set.columns(), batched).unwrap()
}

fn prepared(planned: &dyn Action, record: &Record<'_>) -> Item {
    planned.prepare(record, &mut ItemBuffer::default()).unwrap()
}

fn bodies(step: Step) -> Vec<Value> {
    let Step::Send(requests) = step else { panic!("{step:?}") };
    let body = |body: &Body| serde_json::from_slice(&body.bytes()).unwrap();
    requests.iter().map(|request| body(&request.body)).collect()
}

#[test]
fn rows_become_items_that_share_their_group_and_join_into_a_list() {
    let planned = webhook(true, &[]);
    assert_eq!(planned.batching().max_items, 100);
    let set = rows::set(3);
    let items: Vec<_> = set.iter().map(|record| prepared(&*planned, &record)).collect();
    assert!(items.windows(2).all(|pair| pair[0].group.as_ptr() == pair[1].group.as_ptr()));
    let sent = bodies(planned.next(&Batch { items }, &[]).unwrap());
    assert_eq!(sent[0].as_array().unwrap().len(), 3);
    assert_eq!(sent[0][1]["email"], json!("email-1"));
    assert_eq!(sent[0][2]["seats"], json!(2));
}

#[test]
fn without_batching_a_record_goes_alone_and_an_address_per_row_makes_its_own_group() {
    let url = json!({ "@template": "http://127.0.0.1:9000/{{properties.id}}" });
    let planned = webhook(false, &[("url", url.clone())]);
    assert_eq!(planned.batching().max_items, 1);
    let set = rows::set(2);
    let item = prepared(&*planned, &set.get(1).unwrap());
    let sent = bodies(planned.next(&Batch { items: vec![item] }, &[]).unwrap());
    assert_eq!(sent[0]["id"], json!(1));

    let planned = webhook(true, &[("url", url)]);
    let groups: Vec<_> = set.iter().map(|record| prepared(&*planned, &record).group).collect();
    assert_ne!(groups[0], groups[1]);
}

#[test]
fn a_credential_among_a_mapping_s_headers_is_not_shown() {
    let headers = json!({ "Authorization": "Bearer hidden", "X-Plain": "seen" });
    let planned = webhook(true, &[("headers", headers)]);
    let set = rows::set(1);
    let items = vec![prepared(&*planned, &set.get(0).unwrap())];
    let Step::Send(requests) = planned.next(&Batch { items }, &[]).unwrap() else { panic!() };
    let shown = format!("{:?}", requests[0].shown(&ebb_core::Redactor::default()));
    assert!(shown.contains("seen") && !shown.contains("hidden"), "{shown}");
}

#[test]
fn a_constant_that_does_not_fit_rejects_every_row_and_nothing_else() {
    let planned = webhook(true, &[("method", json!("DELETE"))]);
    let set = rows::set(1);
    let failure = planned.prepare(&set.get(0).unwrap(), &mut ItemBuffer::default()).unwrap_err();
    assert_eq!(failure.code, ebb_core::Code::PayloadInvalid);
    assert!(failure.message().contains("method"), "{failure}");
}

/// `cargo test --release -p ebb-destination --test main speed -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement, not a test"]
#[expect(clippy::disallowed_methods, reason = "a measurement needs a watch")]
fn speed_of_preparing_a_row_of_ten_columns() {
    let planned = webhook(true, &[]);
    let set = rows::set(10_000);
    let started = Instant::now();
    let (mut buffer, mut bytes) = (ItemBuffer::default(), 0);
    for _ in 0..50 {
        for record in set.iter() {
            bytes += planned.prepare(&record, &mut buffer).unwrap().bytes.len();
        }
    }
    println!("{} ns a record, {bytes} bytes", started.elapsed().as_nanos() / 500_000);
}
