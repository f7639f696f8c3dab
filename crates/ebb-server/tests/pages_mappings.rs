//! Mappings are made in the page.

use reqwest::StatusCode;

use crate::{
    door::owned,
    pages_build::{led_to, send, shown, value},
};

/// The form of a mapping.
pub(crate) fn mapping(url: &str) -> Vec<(&str, &str)> {
    vec![
        ("model", "people"),
        ("destination", "hook"),
        ("action", "send"),
        ("column", "id"),
        ("column", "name"),
        ("column", "version"),
        ("name", "greet"),
        ("records", "added"),
        ("when", "days"),
        ("day", "mon"),
        ("at", "09:00, 14:00"),
        ("timezone", "Europe/Berlin"),
        ("k/url", "text"),
        ("v/url", url),
        ("k/data", "object"),
        ("c/data", "0"),
        ("n/data/0", "who"),
        ("k/data/0", "column"),
        ("v/data/0", "name"),
        ("c/data", "1"),
        ("n/data/1", "text"),
        ("k/data/1", "template"),
        ("v/data/1", "Dear {{name}}, {{event}}"),
        ("record", "2"),
    ]
}

#[tokio::test]
async fn a_mapping_is_rendered_tested_and_created() {
    let (house, mut ada) = owned().await;
    let url = house.receiver.url("/greet");
    let form = mapping(&url);
    let page = ada.text("/mappings/new?model=people&destination=hook&action=send").await;
    assert!(page.contains("person 1"), "test records are there to choose");

    let rendered = shown(send(&mut ada, "/build/render", &form).await, StatusCode::OK).await;
    assert!(
        rendered.contains("Dear person 2, new") && rendered.contains("x-signature"),
        "{rendered}"
    );
    assert!(house.receiver.requests().is_empty(), "nothing is sent");

    let answer = shown(send(&mut ada, "/build/send", &form).await, StatusCode::OK).await;
    assert!(answer.contains("The destination took the record"), "{answer}");
    assert_eq!(house.receiver.requests().len(), 1);

    assert_eq!(led_to(&send(&mut ada, "/mappings/new", &form).await), "/mappings/greet");
    let page = ada.text("/mappings/greet/edit").await;
    for expected in
        ["value=\"Dear {{name}}, {{event}}\"", "value=\"Europe/Berlin\"", "value=\"who\""]
    {
        assert!(page.contains(expected), "{expected}: {page}");
    }
    let mut changed = form.clone();
    changed.push(("version", value(&page, "version")));
    assert_eq!(led_to(&send(&mut ada, "/mappings/greet/edit", &changed).await), "/mappings/greet");
}

/// Somebody fills the form of a new mapping and then chooses another destination.
#[tokio::test]
async fn what_was_typed_of_a_new_mapping_stays_when_its_ends_change() {
    let (house, mut ada) = owned().await;
    let crm = [("kind", "webhook"), ("name", "crm")];
    led_to(&send(&mut ada, "/destinations/new/webhook", &crm).await);
    let url = house.receiver.url("/greet");
    let typed = mapping(&url);
    // Nothing is chosen for a moment, and then another one.
    let form: Vec<_> = typed.into_iter().chain([("destination", "")]).collect();
    let waiting = shown(send(&mut ada, "/build/ends", &form).await, StatusCode::OK).await;
    assert!(!waiting.contains("savebar"), "there is no editor yet: {waiting}");
    let inputs = waiting.split("<input type=\"hidden\" name=\"").skip(1);
    let held: Vec<_> = inputs.filter_map(|input| input.split_once("\" value=\"")).collect();
    let held = held.iter().map(|(name, rest)| (*name, rest.split('"').next().unwrap()));
    let held: Vec<_> = held.filter(|(name, _)| *name != "csrf").collect();
    let ends = [("model", "people"), ("destination", "crm"), ("action", "send")];
    let form: Vec<_> = held.iter().copied().chain(ends).collect();
    let answer = send(&mut ada, "/build/ends", &form).await;
    assert_eq!(
        answer.headers()["hx-replace-url"],
        "/mappings/new?model=people&destination=crm&action=send"
    );
    let page = shown(answer, StatusCode::OK).await;
    for expected in [
        "value=\"Dear {{name}}, {{event}}\"",
        "value=\"greet\"",
        "value=\"Europe/Berlin\"",
        "name=\"records\" value=\"added\" checked",
        "name=\"destination\" value=\"crm\"",
    ] {
        assert!(page.contains(expected), "{expected}: {page}");
    }
    let enabled = "role=\"switch\" name=\"enabled\" value=\"true\"";
    assert!(page.contains(&format!("{enabled}>")), "it was not switched on: {page}");
}

#[tokio::test]
async fn a_mapping_is_changed_as_json() {
    let (house, mut ada) = owned().await;
    let url = house.receiver.url("/greet");
    send(&mut ada, "/mappings/new", &mapping(&url)).await;
    let page = ada.text("/mappings/greet/edit").await;
    assert!(page.contains("Dear {{properties.name}}, {{event}}"), "{page}");
    let version = value(&page, "version");
    for (document, expected) in [
        ("[]", "This is not a JSON object"),
        ("{ \"model\": \"people\", \"destination\": \"hook\" }", "action"),
        ("{ \"model\": \"nobody\", \"destination\": \"hook\", \"action\": \"send\" }", "nobody"),
    ] {
        let form = [("version", version), ("document", document)];
        let page = send(&mut ada, "/mappings/greet/document", &form).await;
        let page = shown(page, StatusCode::UNPROCESSABLE_ENTITY).await;
        assert!(page.contains(expected) && page.contains("Save JSON"), "{page}");
    }
    let right = r#"{ "model": "people", "destination": "hook", "action": "send", "schedule": { "every": "2h" } }"#;
    let saved = [("version", version), ("document", right)];
    assert_eq!(
        led_to(&send(&mut ada, "/mappings/greet/document", &saved).await),
        "/mappings/greet"
    );
    let page = ada.text("/mappings/greet/edit").await;
    assert!(page.contains("<option value=\"2h\" selected>"), "{page}");
}

#[tokio::test]
async fn a_model_says_when_its_mappings_sync() {
    let (house, mut ada) = owned().await;
    let mut model = vec![
        ("name", "hourly"),
        ("source", "db"),
        ("origin", "query"),
        ("query", "select id, name from people"),
        ("id", "id"),
        ("when", "every"),
        ("every", "1h"),
    ];
    assert_eq!(led_to(&send(&mut ada, "/models/new", &model).await), "/models/hourly?done=created");
    let page = ada.text("/mappings/new?model=hourly&destination=hook&action=send").await;
    let offered = "<option value=\"unsaid\" selected>As the model says: every 1h</option>";
    assert!(page.contains(offered), "{page}");

    let url = house.receiver.url("/greet");
    let mut form = mapping(&url);
    form.retain(|(key, _)| !["model", "when"].contains(key));
    form.extend([("model", "hourly"), ("when", "unsaid")]);
    assert_eq!(led_to(&send(&mut ada, "/mappings/new", &form).await), "/mappings/greet");
    let page = ada.text("/mappings/greet").await;
    assert!(page.contains("every 1h <span class=\"muted\">as its model says"), "{page}");

    let page = ada.text("/models/hourly").await;
    model.push(("version", value(&page, "version")));
    model.retain(|(key, _)| *key != "when");
    model.push(("when", "unsaid"));
    assert_eq!(
        led_to(&send(&mut ada, "/models/hourly", &model).await),
        "/models/hourly?done=saved"
    );
    let page = ada.text("/mappings/greet").await;
    assert!(page.contains("only by hand") && !page.contains("as its model says"), "{page}");
    let page = ada.text("/mappings/greet/edit").await;
    assert!(page.contains("selected>As the model says: only by hand"), "{page}");

    model.retain(|(key, _)| !["name", "when"].contains(key));
    model.extend([("name", "late"), ("when", "after"), ("after", "nobody")]);
    let page = send(&mut ada, "/models/new", &model).await;
    let page = shown(page, StatusCode::UNPROCESSABLE_ENTITY).await;
    assert!(page.contains("id=\"schedule-0-wrong\""), "{page}");
}

#[tokio::test]
async fn what_is_wrong_with_a_mapping_stands_at_its_field() {
    let (house, mut ada) = owned().await;
    let url = house.receiver.url("/greet");
    for (key, wrong, expected) in [
        ("name", "", "id=\"name-wrong\""),
        ("k/batch_size", "number", "is not a number"),
        ("at", "", "id=\"schedule-1-wrong\""),
        ("timezone", "Nowhere/Land", "id=\"schedule-0-wrong\""),
        ("v/data/0", "", "No column is chosen"),
    ] {
        let mut form = mapping(&url);
        form.retain(|(name, _)| *name != key);
        form.push((key, wrong));
        if key == "k/batch_size" {
            form.push(("v/batch_size", "many"));
        }
        if key == "at" {
            form.retain(|(name, _)| *name != "day");
        }
        let page = send(&mut ada, "/mappings/new", &form).await;
        let page = shown(page, StatusCode::UNPROCESSABLE_ENTITY).await;
        assert!(page.contains(expected), "{key}: {page}");
        assert!(page.contains("Dear {{name}}, {{event}}"), "what was typed stays");
    }
    assert_eq!(ada.get("/mappings/greet/edit").await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_editor_suggests_columns_and_opens_values() {
    let (_house, mut ada) = owned().await;
    send(&mut ada, "/destinations/new/slack", &[("name", "slack")]).await;
    let model = [
        ("name", "posts"),
        ("source", "db"),
        ("origin", "query"),
        ("query", "select id, name as text from people"),
        ("id", "id"),
    ];
    send(&mut ada, "/models/new", &model).await;
    let page = ada.text("/mappings/new?model=posts&destination=slack").await;
    assert!(page.contains("Accept 1 suggestion"), "{page}");
    let ends = [("model", "posts"), ("destination", "slack"), ("action", "postToChannel")];
    let wish = |wish| ends.into_iter().chain([("do", wish)]).collect::<Vec<_>>();
    let page =
        shown(send(&mut ada, "/build/editor", &wish("accept:*")).await, StatusCode::OK).await;
    assert!(page.contains("id=\"v/text\"") && !page.contains("suggestion</button>"), "{page}");
    let page =
        shown(send(&mut ada, "/build/editor", &wish("dismiss:text")).await, StatusCode::OK).await;
    assert!(!page.contains("Suggested:"), "{page}");
    let mut object = wish("add:channel");
    object.extend([("k/channel", "object"), ("c/channel", "0"), ("n/channel/0", "a")]);
    let page = shown(send(&mut ada, "/build/editor", &object).await, StatusCode::OK).await;
    assert!(page.contains("name=\"n/channel/1\""), "{page}");
}

#[tokio::test]
async fn a_test_record_is_searched_for() {
    let (house, mut ada) = owned().await;
    let url = house.receiver.url("/greet");
    let form = mapping(&url);
    let with = |more: &[(&'static str, &'static str)]| {
        let form = form.iter().filter(|(key, _)| *key != "record");
        form.copied().chain(more.iter().copied()).collect::<Vec<_>>()
    };
    let ask = with(&[("do", "search"), ("search", "PERSON 3")]);
    let page = shown(send(&mut ada, "/build/editor", &ask).await, StatusCode::OK).await;
    assert!(page.contains("<option value=\"3\">3 · person 3"), "{page}");
    assert!(!page.contains("<option value=\"1\">"), "{page}");
    let none = with(&[("do", "search"), ("search", "nobody")]);
    let page = shown(send(&mut ada, "/build/editor", &none).await, StatusCode::OK).await;
    assert!(page.contains("No record has “nobody”"), "{page}");
    // What nobody asked for is not searched for: that would read the whole model.
    let typed = with(&[("do", "add:data"), ("search", "PERSON 3")]);
    let page = shown(send(&mut ada, "/build/editor", &typed).await, StatusCode::OK).await;
    assert!(page.contains("<option value=\"1\">"), "{page}");

    let chosen = with(&[("record", "3")]);
    let rendered = shown(send(&mut ada, "/build/render", &chosen).await, StatusCode::OK).await;
    assert!(rendered.contains("Dear person 3, new"), "{rendered}");
}
