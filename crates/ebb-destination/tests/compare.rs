//! Two answers to one line: what must be the same.

use serde_json::{Value, json};

/// What counts of an answer: each row's fate, and the requests.
pub(crate) fn essence(line: &Value, answer: &Value) -> Value {
    let mut requests: Vec<Value> = list(&answer["requests"]).iter().map(request).collect();
    let kind = line["destination"].as_str().unwrap_or_default();
    if kind.starts_with("actions-segment") {
        requests = vec![json!({ "events": events(answer, &requests) })];
    }
    json!({ "rows": rows(line, answer), "requests": requests })
}

/// Whether both say the same. Where the reference makes a call about nothing, because no row of a
/// batch was left, none is expected.
pub(crate) fn same(expected: &Value, ours: &Value) -> bool {
    let nothing_left = list(&ours["requests"]).is_empty()
        && list(&expected["rows"]).iter().all(|row| *row == json!(false))
        && list(&expected["requests"]).iter().all(|request| {
            let body = request["body"].as_object();
            body.is_some_and(|body| body.values().all(|value| *value == json!([])))
        });
    if nothing_left { expected["rows"] == ours["rows"] } else { expected == ours }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn rows(line: &Value, answer: &Value) -> Vec<bool> {
    let count = list(&line["payloads"]).len();
    if line["batch"] != json!(true) {
        let results = list(&answer["results"]);
        return (0..count)
            .map(|place| results.get(place).is_some_and(|result| result["ok"] == json!(true)))
            .collect();
    }
    if answer["ok"] != json!(true) {
        return vec![false; count];
    }
    let each = list(&answer["results"][0]["multistatus"]);
    (0..count)
        .map(|place| {
            each.get(place).is_some_and(|row| row["status"].as_u64().is_some_and(|it| it < 400))
        })
        .collect()
}

/// The reference gives Segment's events as results; ours are in the requests.
fn events(answer: &Value, requests: &[Value]) -> Vec<Value> {
    let made = requests.iter().flat_map(|request| list(&request["body"]["batch"]).to_vec());
    let told = list(&answer["results"]).iter().flat_map(|result| list(&result["output"]));
    let told = told.flat_map(|output| list(&output["data"]["batch"]).to_vec());
    made.chain(told).collect()
}

fn request(request: &Value) -> Value {
    let mut headers = request["headers"].as_object().cloned().unwrap_or_default();
    headers.remove("user-agent");
    let body = if request["bodyType"] == json!("form") {
        let pairs = list(&request["body"]).iter().map(|pair| {
            let text = pair[1].as_str().unwrap_or_default();
            let value = serde_json::from_str(text).unwrap_or_else(|_| json!(text));
            json!([pair[0], value])
        });
        Value::Array(pairs.collect())
    } else {
        request["body"].clone()
    };
    json!({
        "method": request["method"],
        "url": request["url"],
        "headers": headers,
        "bodyType": request["bodyType"],
        "body": body,
    })
}
