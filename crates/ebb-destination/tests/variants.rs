//! Variants of corpus lines: other values, missing keys, odd types, other settings and answers.

use fastrand::Rng;
use serde_json::{Map, Value, json};

/// A variant of a line; its id tells where it comes from.
pub(crate) fn variant(line: &Value, number: usize, rng: &mut Rng) -> Value {
    let mut line = line.clone();
    let id = format!("{}#{number}", line["id"].as_str().unwrap_or_default());
    line["id"] = json!(id);
    for _ in 0..rng.usize(1..4) {
        match rng.u32(0..10) {
            0..4 => change_payloads(&mut line, rng),
            4..7 => change_field(&mut line, rng),
            7 => point_field(&mut line, rng),
            8 => change_settings(&mut line, rng),
            _ => change_answers(&mut line, rng),
        }
    }
    line
}

/// A value that a model may hold, however odd.
fn odd(rng: &mut Rng) -> Value {
    let texts = [
        "",
        " ",
        "text",
        " padded ",
        "Ünï ☃ \u{1f600}",
        "12",
        "-3.5",
        "1e3",
        "true",
        "null",
        "2026-01-15",
        "2026-01-15T11:22:33.456Z",
        "2026-01-15 11:22",
        "Jan 5 2024",
        "1700000000",
        "a@example.com",
        "https://example.com/ä?q=1&r=a b#f",
        "example.com",
        "\"quoted\"\n\t\\",
        "subscribed",
        "did_not_subscribe",
        "male",
        "W",
        "id_1-2",
        "with space",
        "USD",
        "ecommerce.order_placed",
        "ecommerce.order_refunded",
        "ecommerce.order_cancelled",
        "ecommerce.checkout_started",
        "ecommerce.product_viewed",
        "PUT",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 15_4) Version/15.4 Mobile/15E148 Safari/604.1",
        "Mozilla/5.0 (Windows NT 10.0) Chrome/99.0.4844.84 Safari/537.36 Edg/99.0.1150.55",
        "Opera/9.80 (J2ME/MIDP; Opera Mini/9) Presto/2.8 OPR/1.2.3",
        "Firefox/102.0",
    ];
    match rng.u32(0..12) {
        0 => Value::Null,
        1 => json!(rng.bool()),
        2 => json!(rng.i32(-1000..1000)),
        3 => json!(f64::from(rng.i32(-1000..1000)) / 8.0),
        4 => json!([]),
        5 => json!({}),
        6 => json!([odd_text(&texts, rng), rng.i32(0..9)]),
        7 => json!({ "a": odd_text(&texts, rng), "b": Value::Null, "n": rng.i32(0..9) }),
        8 => json!([{ "product_id": "p9", "price": rng.i32(1..99), "quantity": 2, "x": [1] }]),
        _ => odd_text(&texts, rng),
    }
}

fn odd_text(texts: &[&str], rng: &mut Rng) -> Value {
    json!(texts[rng.usize(0..texts.len())])
}

/// Changes, adds or takes away something in one payload.
fn change_payloads(line: &mut Value, rng: &mut Rng) {
    let Some(payloads) = line["payloads"].as_array_mut() else { return };
    let place = rng.usize(0..payloads.len());
    let mut here = &mut payloads[place];
    loop {
        if let Value::Array(items) = here {
            if items.is_empty() {
                return;
            }
            let place = rng.usize(0..items.len());
            here = &mut items[place];
            continue;
        }
        let Some(object) = here.as_object_mut() else { return };
        let keys: Vec<String> = object.keys().cloned().collect();
        if keys.is_empty() || rng.u32(0..8) == 0 {
            object.insert("added".to_owned(), odd(rng));
            return;
        }
        let key = &keys[rng.usize(0..keys.len())];
        let deeper = object[key].is_object() || object[key].is_array();
        if deeper && rng.u32(0..5) > 0 {
            here = &mut object[key];
            continue;
        }
        // The reference falls over an event whose context or personas are null, and no row has them.
        if rng.u32(0..3) == 0 {
            object.remove(key);
        } else if !["context", "personas"].contains(&key.as_str()) {
            object.insert(key.clone(), odd(rng));
        }
        return;
    }
}

/// The fields that the line maps.
fn mapped(line: &Value) -> Vec<String> {
    let special = |key: &str| key.starts_with("__segment") || key == "onMappingSave";
    let mapping = line["mapping"].as_object();
    mapping.into_iter().flat_map(Map::keys).filter(|key| !special(key)).cloned().collect()
}

/// Gives a field, or a key of an object field, another constant; or takes it away.
fn change_field(line: &mut Value, rng: &mut Rng) {
    let fields = mapped(line);
    if fields.is_empty() {
        return;
    }
    let field = &fields[rng.usize(0..fields.len())];
    let Some(mapping) = line["mapping"].as_object_mut() else { return };
    let inner: Vec<String> = mapping[field]
        .as_object()
        .map(|object| object.keys().filter(|key| !key.starts_with('@')).cloned().collect())
        .unwrap_or_default();
    if !inner.is_empty() && rng.bool() {
        let key = &inner[rng.usize(0..inner.len())];
        mapping[field][key] = odd(rng);
    } else if rng.u32(0..4) == 0 {
        mapping.remove(field);
    } else {
        let value = odd(rng);
        mapping.insert(field.clone(), value);
    }
}

/// Has a field take its value from the row, which then holds something odd.
fn point_field(line: &mut Value, rng: &mut Rng) {
    let fields = mapped(line);
    if fields.is_empty() {
        return;
    }
    let field = fields[rng.usize(0..fields.len())].clone();
    // Every row of a batch goes where the first one goes: the engine never mixes them.
    if line["batch"] == json!(true) && ["url", "method", "headers"].contains(&field.as_str()) {
        return;
    }
    line["mapping"][&field] = json!({ "@path": "$.properties.odd" });
    let Some(payloads) = line["payloads"].as_array_mut() else { return };
    for payload in payloads {
        if rng.u32(0..4) > 0
            && let Some(properties) = payload["properties"].as_object_mut()
        {
            properties.insert("odd".to_owned(), odd(rng));
        }
    }
}

fn change_settings(line: &mut Value, rng: &mut Rng) {
    let kind = line["destination"].as_str().unwrap_or_default().to_owned();
    let settings = &mut line["settings"];
    match (kind.as_str(), rng.u32(0..3)) {
        ("actions-webhook", _) => settings["sharedSecret"] = json!("shared-secret"),
        ("actions-mixpanel", 0) => settings["apiRegion"] = json!("EU 🇪🇺"),
        ("actions-mixpanel", 1) => settings["sourceName"] = json!("source"),
        ("actions-mixpanel", _) => settings["strictMode"] = json!("0"),
        ("actions-braze-cloud", 0) => settings["app_id"] = json!("app-1"),
        ("actions-braze-cloud", 1) => {
            settings["endpoint"] = json!("https://rest.fra-01.braze.eu");
        }
        ("actions-braze-cloud", _) => change_mode(line, rng),
        _ => {}
    }
}

fn change_mode(line: &mut Value, rng: &mut Rng) {
    let modes: &[&str] = match line["action"].as_str().unwrap_or_default() {
        "trackEvent2" | "trackPurchase2" | "ecommerce" | "ecommerceSingleProduct" => {
            &["add", "update", "upsert"]
        }
        "upsertCatalogItem" => &["upsert", "delete"],
        "identifyUser2" => &["add", "upsert"],
        "updateUserProfile2" => &["update", "add"],
        "createAlias2" => &["add", "delete"],
        _ => return,
    };
    line["mapping"]["__segment_internal_sync_mode"] = json!(modes[rng.usize(0..modes.len())]);
}

fn change_answers(line: &mut Value, rng: &mut Rng) {
    // The reference hands Segment's events on instead of sending them.
    if line["destination"].as_str().is_some_and(|kind| kind.starts_with("actions-segment")) {
        return;
    }
    // The reference reads per-record answers of Mixpanel behind a switch that is off.
    let answers = if line["destination"] == json!("actions-mixpanel") {
        vec![json!({ "status": 500 }), json!({ "status": 429 }), json!({ "status": 413 })]
    } else if line["batch"] != json!(true) {
        // What Braze complains of in an answer of success, the reference overlooks for a single
        // record; here the record is rejected.
        vec![
            json!({ "status": 500 }),
            json!({ "status": 429 }),
            json!({ "status": 400, "body": { "message": "no" } }),
        ]
    } else {
        vec![
            json!({ "status": 500 }),
            json!({ "status": 429 }),
            json!({ "status": 400, "body": { "message": "no" } }),
            json!({ "status": 201, "body": { "errors": [{ "index": 0, "type": "bad time" }] } }),
            json!({ "status": 201, "body": { "errors": [{ "index": 1, "type": "bad name" }] } }),
        ]
    };
    line["responses"] = json!([answers[rng.usize(0..answers.len())]]);
}
