//! What a monitoring system gets.

use std::collections::BTreeSet;

use ebb_testkit::Script;
use serde_json::{Value, json};

use crate::house::House;

/// The value of a line of the text, by its name with labels.
fn value(text: &str, line: &str) -> Option<f64> {
    text.lines().find_map(|it| it.strip_prefix(line)?.strip_prefix(' ')?.parse().ok())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn syncs_and_requests_are_counted_for_who_has_a_token() {
    let house = House::new(3, Script::default()).await;
    let viewer = house.token("viewer").await;
    let metrics = || async { house.ask("GET", "/metrics").by(&viewer).answer().await };
    let before = metrics().await;
    assert_eq!(value(&before.text, r#"ebb_mappings{state="idle"}"#), Some(1.0), "{}", before.text);
    house.api("POST", "/mappings/all/syncs").json(&json!({ "kind": "sync" })).answer().await;
    let of = r#"mapping="all",destination="hook""#;
    let delivered = format!(r#"ebb_records_total{{{of},outcome="delivered"}}"#);
    let mut after = metrics().await;
    for _ in 0..200 {
        if value(&after.text, &delivered).is_some() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        after = metrics().await;
    }
    assert!(after.kind.starts_with("application/openmetrics-text"), "{}", after.kind);
    let of_sync = format!(r#"ebb_syncs_total{{{of},status="succeeded"}}"#);
    let last = format!("ebb_mapping_last_success_timestamp_seconds{{{of}}}");
    assert_eq!(value(&after.text, &delivered), Some(3.0), "{}", after.text);
    assert_eq!(value(&after.text, &of_sync), Some(1.0));
    assert!(value(&after.text, &last) > Some(1.7e9));
    let route = r#"method="GET",route="/metrics",status="200""#;
    let asked = format!("ebb_http_request_duration_seconds_count{{{route}}}");
    assert!(value(&after.text, &asked) >= Some(1.0), "{}", after.text);
    assert!(after.text.ends_with("# EOF\n"));

    let nobody = house.ask("GET", "/metrics").by_nobody().answer().await;
    assert_eq!(nobody.refusal(), (401, "A601".to_owned()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_dashboard_and_the_guide_name_what_there_is() {
    let house = House::new(1, Script::default()).await;
    house.api("POST", "/mappings/all/syncs").json(&json!({ "kind": "sync" })).answer().await;
    let mut text = String::new();
    for _ in 0..200 {
        text = house.ask("GET", "/metrics").answer().await.text;
        if text.contains("ebb_syncs_total") {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let there: BTreeSet<_> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split(['{', ' ']).next())
        .collect();
    let dashboard = include_str!("../../../docs/grafana.json");
    serde_json::from_str::<Value>(dashboard).unwrap();
    let guide = include_str!("../../../docs/serving.md");
    let mut named = 0;
    for document in [dashboard, guide] {
        for name in document.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
        {
            if name.starts_with("ebb_") && name != "ebb_engine" {
                named += 1;
                let histogram = format!("{name}_count");
                assert!(there.contains(name) || there.contains(&*histogram), "{name} of {there:?}");
            }
        }
    }
    assert!(named > 15, "{named}");
}
