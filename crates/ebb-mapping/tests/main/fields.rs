//! Payloads and fields: the same payload as the reference's, refused exactly where it is refused.

use std::{collections::HashMap, process::Command};

use ebb_core::Value as Payload;
use ebb_mapping::{Fields, Schema};
use fastrand::Rng;
use serde_json::{Map, Value, json};

use crate::{compare::same, oracle};

const RECORDED: &str = "fields.jsonl.gz";
const SEED: u64 = 20_240_601;
const PER_ACTION: usize = 20;

/// Values of all sorts: of the right type, of another that fits, of none that does.
fn odd(random: &mut Rng) -> Value {
    match random.u8(..44) {
        0 => Value::Null,
        1 => json!(""),
        2 => json!(" "),
        3 => json!(true),
        4 => json!("true"),
        5 => json!("false"),
        6 => json!(0),
        7 => json!(1),
        8 => json!("1"),
        9 => json!("-2.50"),
        10 => json!("1e3"),
        11 => json!("0x1F"),
        12 => json!(2.5),
        13 => json!(100_000),
        14 => json!([]),
        15 => json!(["x"]),
        16 => json!([5]),
        17 => json!([null]),
        18 => json!([[true]]),
        19 => json!(["a", "", null, 3]),
        20 => json!({}),
        21 => json!({ "a": 1 }),
        22 => json!([{ "a": 1 }]),
        23 => json!("someone@example.com"),
        24 => json!("some one@example"),
        25 => json!("https://example.com/a?b=c#d"),
        26 => json!("example.com/path"),
        27 => json!("http://[::1]:80/%zz"),
        28 => json!("2024-05-31"),
        29 => json!("2024-02-30"),
        30 => json!("2024-05-31T12:30:00Z"),
        31 => json!("2024-05-31 12:30:00.5+02:00"),
        32 => json!("1700000000"),
        33 => json!("1700000000123"),
        34 => json!("Tue Mar 01 2022 00:00:00 GMT+0100 (CET)"),
        35 => json!("next week"),
        36 => json!("192.168.001.1"),
        37 => json!("256.1.1.1"),
        38 => json!("8c9f0d3e-7e1a-4b5e-9a55-0123456789ab"),
        39 => json!("12 PM 2020-01-01"),
        40 => json!("Infinity"),
        41 => json!("foo 1"),
        42 => json!("urn:a:b"),
        _ => json!("🙂 text that is a little longer than the others, to pass over some bound"),
    }
}

fn fitting(random: &mut Rng, field: &Value) -> Value {
    if let Some(choices) = field["choices"].as_array().filter(|choices| !choices.is_empty()) {
        let choice = &choices[random.usize(..choices.len())];
        return choice.get("value").unwrap_or(choice).clone();
    }
    match (field["type"].as_str(), field["format"].as_str()) {
        (Some("object"), _) => match field["properties"].as_object() {
            Some(fields) => payload(random, fields),
            None => json!({ "a": 1, "b": [null, ""] }),
        },
        (Some("number"), _) => json!(12.5),
        (Some("integer"), _) => json!(12),
        (Some("boolean"), _) => random.bool().into(),
        (Some("datetime"), _) | (_, Some("date-time")) => json!("2024-05-31T12:30:00.000Z"),
        (_, Some("date")) => json!("2024-05-31"),
        (_, Some("email")) => json!("a.b@example.co"),
        (_, Some("uri" | "uri-reference")) => json!("https://example.com/x"),
        (_, Some("ipv4")) => json!("10.0.0.1"),
        (_, Some("uuid")) => json!("8c9f0d3e-7e1a-4b5e-9a55-0123456789ab"),
        _ => json!("text"),
    }
}

fn payload(random: &mut Rng, fields: &Map<String, Value>) -> Value {
    let mut payload = Map::new();
    for (key, field) in fields {
        let wanted = field["required"] == json!(true);
        let value = match random.u8(..20) {
            0..4 if !wanted => continue,
            0 => continue,
            19 => odd(random),
            18 if random.bool() => odd(random),
            _ if field["multiple"] == json!(true) && random.u8(..5) > 0 => {
                (0..random.usize(..3)).map(|_| fitting(random, field)).collect()
            }
            _ => fitting(random, field),
        };
        payload.insert(key.clone(), value);
    }
    if random.u8(..4) == 0 {
        payload.insert("not a field".to_owned(), odd(random));
    }
    payload.into()
}

fn schema(fields: &Value) -> Schema {
    Schema::new(&serde_json::from_value::<Fields>(fields.clone()).expect("fields are read"))
}

/// What differs from the recorded answer, if anything does.
fn difference(schema: &Schema, case: &Value) -> Option<String> {
    let payload: Payload<'static> =
        serde_json::from_value(case["payload"].clone()).expect("a payload is JSON");
    let batch = case["batch"] == json!(true);
    let answer = if batch { schema.validate_in_batch(payload) } else { schema.validate(payload) };
    let answer = answer.map(|payload| {
        serde_json::from_str::<Value>(&payload.to_json()).expect("a payload is JSON")
    });
    let agrees = match (&answer, case.get("resolved")) {
        (Ok(payload), Some(expected)) => same(payload, expected),
        (Err(_), None) => true,
        (Ok(_), None) | (Err(_), Some(_)) => false,
    };
    (!agrees).then(|| format!("{}\n   {answer:?}", json!(case)))
}

fn compare(lines: impl Iterator<Item = Value>) -> usize {
    let mut count = 0;
    let mut differences = Vec::new();
    for line in lines {
        let schema = schema(&line["fields"]);
        for case in line["cases"].as_array().expect("cases") {
            count += 1;
            differences.extend(
                difference(&schema, case).map(|text| format!("{}: {text}", line["action"])),
            );
        }
    }
    assert!(
        differences.is_empty(),
        "{} of {count} differ:\n{}",
        differences.len(),
        differences.iter().take(20).cloned().collect::<Vec<_>>().join("\n")
    );
    count
}

#[test]
fn recorded_payloads_agree_with_the_reference() {
    let text = oracle::recorded(RECORDED);
    let lines = text.lines().map(|line| serde_json::from_str(line).expect("a line is JSON"));
    assert!(compare(lines) >= 8_000);
}

#[test]
fn fresh_payloads_agree_with_the_live_reference() {
    let Some(folder) = oracle::folder() else { return };
    let seed = ebb_testkit::todays_seed().number();
    println!("seed {seed}");
    assert!(compare(ask(&folder, seed, 4).into_iter()) >= 1_500, "seed {seed}");
}

#[test]
#[ignore = "asks the live oracle and writes the recorded answers"]
fn record() {
    let folder = oracle::folder().expect("EBB_ORACLE names a runnable oracle");
    let lines = ask(&folder, SEED, PER_ACTION);
    let lines: Vec<_> = lines.iter().map(Value::to_string).collect();
    oracle::record(RECORDED, &(lines.join("\n") + "\n"));
}

/// Asks the oracle what each of its actions gets for some payloads.
fn ask(folder: &std::path::Path, seed: u64, per_action: usize) -> Vec<Value> {
    let mut random = Rng::with_seed(seed);
    let run = |program: &str| {
        let output = Command::new("node").arg(program).current_dir(folder).output();
        String::from_utf8(output.expect("node is installed").stdout).expect("text")
    };
    let catalog: Value = serde_json::from_str(&run("catalog.mjs")).expect("the catalog is JSON");
    // Settings that the destination accepts, from the corpus of whole requests.
    let settings: HashMap<String, Value> = run("corpus.mjs")
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .map(|line| {
            (line["destination"].as_str().unwrap_or_default().to_owned(), line["settings"].clone())
        })
        .collect();
    let mut asked = Vec::new();
    let mut lines = String::new();
    for destination in catalog["destinations"].as_array().expect("destinations") {
        let key = ["slug", "directory", "id"]
            .iter()
            .filter_map(|key| destination[key].as_str())
            .find(|key| settings.contains_key(*key));
        let Some(key) = key else { continue };
        for (name, action) in destination["actions"].as_object().expect("actions") {
            let fields = action["fields"].as_object().expect("fields");
            let batches = action["hasPerformBatch"] == json!(true);
            let mut cases = Vec::new();
            for _ in 0..per_action {
                let payload = payload(&mut random, fields);
                let batch = batches && random.bool();
                let line = json!({
                    "destination": key, "action": name, "op": "resolve", "batch": batch,
                    "settings": settings[key], "mapping": payload,
                    "payloads": [{ "type": "track" }],
                });
                lines.extend([&*line.to_string(), "\n"]);
                cases.push(json!({ "payload": payload, "batch": batch }));
            }
            asked.push((format!("{key}/{name}"), plain(fields), cases));
        }
    }
    let mut answers = oracle::ask(folder, "destination.mjs", &lines).into_iter();
    let mut recorded = Vec::new();
    for (action, fields, cases) in asked {
        let cases: Vec<_> = cases
            .into_iter()
            .zip(answers.by_ref())
            .filter_map(|(mut case, answer)| {
                if let Some(payload) = answer["resolved"].get(0).map(|given| &given["payload"]) {
                    let payload = if case["batch"] == json!(true) { &payload[0] } else { payload };
                    case["resolved"] = payload.clone();
                    return Some(case);
                }
                // Anything but a refused payload says nothing about the fields.
                let text = answer.to_string();
                let refused = text.contains("AggregateAjvError")
                    || text.contains("PAYLOAD_VALIDATION_FAILED");
                refused.then_some(case)
            })
            .collect();
        recorded.push(json!({ "action": action, "fields": fields, "cases": cases }));
    }
    recorded
}

/// The fields without what validation does not need.
fn plain(fields: &Map<String, Value>) -> Value {
    let mut fields = fields.clone();
    for field in fields.values_mut().filter_map(Value::as_object_mut) {
        for key in ["description", "default", "depends_on", "placeholder", "dynamic"] {
            field.remove(key);
        }
        field.insert("label".to_owned(), "".into());
        if let Some(Value::Object(properties)) = field.get("properties") {
            let properties = plain(properties);
            field.insert("properties".to_owned(), properties);
        }
    }
    fields.into()
}
