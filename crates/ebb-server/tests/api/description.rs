//! The `OpenAPI` document, and what holds for all that it lists.

use ebb_testkit::Script;
use serde_json::{Value, json};

use crate::house::House;

/// Every operation: method, path, itself.
fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().unwrap().iter();
    let all = paths.flat_map(|(path, item)| {
        let operations = item.as_object().unwrap().iter();
        operations
            .map(|(method, operation)| (method.to_uppercase(), path.clone(), operation.clone()))
    });
    all.collect()
}

/// The path with something in its places.
fn filled(path: &str) -> String {
    path.replace("{name}", "all").replace("{id}", "nobody").replace("{kind}", "webhook")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_document_lists_every_operation() {
    let house = House::new(1, Script::default()).await;
    let answer = house.api("GET", "/openapi.json").by_nobody().answer().await;
    let document = answer.expect(200);
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"), "{}", document["openapi"]);
    let mut listed: Vec<_> = operations(&document)
        .into_iter()
        .map(|(method, path, operation)| {
            let role = operation["x-role"].as_str().unwrap().to_owned();
            format!("{method:<6} {path} ({role})")
        })
        .collect();
    listed.sort_by_key(|line| line.split_once(' ').map(|(_, path)| path.trim().to_owned()));
    insta::assert_snapshot!(listed.join("\n"));
    assert_eq!(document["components"]["schemas"]["ModelDocument"]["additionalProperties"], false);
    references(&document, &document);
}

/// Every reference leads somewhere.
fn references(document: &Value, value: &Value) {
    match value {
        Value::Object(entries) => {
            if let Some(reference) = entries.get("$ref").and_then(Value::as_str) {
                let pointer = reference.strip_prefix('#').unwrap();
                assert!(document.pointer(pointer).is_some(), "{reference}");
            }
            entries.values().for_each(|value| references(document, value));
        }
        Value::Array(items) => items.iter().for_each(|item| references(document, item)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_viewer_changes_nothing_and_nobody_does_anything() {
    let house = House::new(1, Script::default()).await;
    let document = house.get("/openapi.json").await;
    let (viewer, editor) = (house.token("viewer").await, house.token("editor").await);
    let before = house.get("/audit").await;
    for (method, path, operation) in operations(&document) {
        let path = filled(&path);
        let ask = || house.ask(&method, &path).with("if-match", "\"1\"").json(&json!({}));
        let nobody = ask().by_nobody().answer().await;
        assert_eq!(nobody.refusal(), (401, "A601".to_owned()), "{method} {path}");
        let role = operation["x-role"].as_str().unwrap();
        if method != "GET" {
            assert_ne!(role, "viewer", "{method} {path}");
        }
        let by_viewer = ask().by(&viewer).answer().await;
        assert_eq!(by_viewer.status == 403, role != "viewer", "{method} {path}: {by_viewer:?}");
        if by_viewer.status == 403 {
            assert_eq!(by_viewer.refusal(), (403, "A602".to_owned()));
        }
        if role == "owner" {
            let by_editor = ask().by(&editor).answer().await;
            assert_eq!(by_editor.refusal(), (403, "A602".to_owned()), "{method} {path}");
        }
        let documented = operation["responses"].get(by_viewer.status.to_string());
        assert!(documented.is_some(), "{method} {path} {}", by_viewer.status);
    }
    assert_eq!(house.get("/audit").await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_answer_holds_a_secret_and_each_is_described() {
    let house = House::new(2, Script::default()).await;
    let document =
        json!({ "kind": "webhook", "settings": { "sharedSecret": "hunter2-of-the-page" } });
    let new = json!({ "name": "tool", "document": document });
    house.api("POST", "/destinations").json(&new).answer().await.expect(201);
    let token = house.token("owner").await;
    let described = house.get("/openapi.json").await;
    let names = ["tool", "hook", "db", "people", "all", "webhook", "sqlite"];
    for (method, path, operation) in operations(&described) {
        // Who asks is not to be removed on the way.
        if method == "DELETE" || method == "PATCH" {
            continue;
        }
        for name in names {
            let path = path.replace("{name}", name).replace("{kind}", name).replace("{id}", name);
            let body = json!({ "kind": "sync", "record_id": "1", "source": "db", "query": "select 1 as a" });
            let ask = house.ask(&method, &path).by(&token).with("if-match", "\"1\"").json(&body);
            let answer = ask.answer().await;
            assert!(!answer.text.contains("hunter2"), "{method} {path}: {}", answer.text);
            let status = answer.status.to_string();
            assert!(operation["responses"].get(&status).is_some(), "{method} {path} {status}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_reference_tells_of_every_operation_without_a_script() {
    let house = House::new(1, Script::default()).await;
    let document = house.get("/openapi.json").await;
    let page = house.ask("GET", "/api/reference").by_nobody().answer().await;
    assert_eq!((page.status, page.kind.as_str()), (200, "text/html; charset=utf-8"));
    let text = page.text.replace("&#39;", "'");
    for (method, path, operation) in operations(&document) {
        let summary = operation["summary"].as_str().unwrap();
        let line = format!("{method}</span><span class=\"what\">{summary} <code>{path}</code>");
        assert!(text.contains(&line), "{line}");
        assert!(!summary.ends_with('.') && summary.starts_with(char::is_uppercase), "{summary}");
    }
    assert!(!text.contains("<script"));
}
