//! An edit of what already sends, as a browser makes it: what it means is said before it is kept.

use std::time::Duration;

use reqwest::{StatusCode, header::LOCATION};

use crate::{
    door::{Browser, owned},
    house::House,
};

async fn send(browser: &mut Browser, path: &str, form: &[(&str, &str)]) -> reqwest::Response {
    let mark = browser.mark().await;
    let form: Vec<_> = [("csrf", mark.as_str())].into_iter().chain(form.iter().copied()).collect();
    browser.post(path, &form).await
}

/// Where a form that was taken leads; what it says if it was not.
async fn led_to(answer: reqwest::Response) -> String {
    let (status, headers) = (answer.status(), answer.headers().clone());
    let text = answer.text().await.unwrap();
    assert_eq!(status, StatusCode::SEE_OTHER, "{text}");
    headers[LOCATION].to_str().unwrap().to_owned()
}

/// The question that a form is answered by.
async fn asked(answer: reqwest::Response) -> String {
    assert_eq!(answer.status(), StatusCode::OK);
    let page = answer.text().await.unwrap();
    let (_, rest) = page.split_once("id=\"effect\"").unwrap_or_else(|| panic!("{page}"));
    rest.split("</section>").next().unwrap().to_owned()
}

fn version(page: &str) -> &str {
    let (_, rest) = page.split_once("name=\"version\" value=\"").expect("a version");
    rest.split('"').next().unwrap_or_default()
}

/// What the editor sends for a mapping of the house's people, with one text of its own.
fn mapping<'t>(url: &'t str, text: &'t str) -> Vec<(&'t str, &'t str)> {
    vec![
        ("model", "names"),
        ("destination", "hook"),
        ("action", "send"),
        ("column", "id"),
        ("column", "name"),
        ("name", "greet"),
        ("enabled", "true"),
        ("records", "added_or_updated"),
        ("when", "manual"),
        ("k/url", "text"),
        ("v/url", url),
        ("k/data", "object"),
        ("c/data", "0"),
        ("n/data/0", "text"),
        ("k/data/0", "text"),
        ("v/data/0", text),
        ("c/data", "1"),
        ("n/data/1", "__segment_id"),
        ("k/data/1", "column"),
        ("v/data/1", "id"),
    ]
}

const MODEL: [(&str, &str); 5] = [
    ("name", "names"),
    ("source", "db"),
    ("origin", "query"),
    ("query", "select id, name from people"),
    ("id", "id"),
];

/// Waits until so many syncs of `greet` have ended; words of the newest one's page.
async fn ended(ada: &Browser, count: usize) -> String {
    let waiting = async {
        loop {
            let page = ada.text("/mappings/greet").await;
            let (_, history) = page.split_once("id=\"history\"").unwrap();
            let syncs = history.matches("href=\"/syncs/").count();
            if syncs >= count && !page.contains("In progress") && !page.contains("Queued") {
                return page;
            }
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), waiting).await.expect("it ends")
}

/// A mapping that has sent three names.
async fn greeted() -> (House, Browser) {
    let (house, mut ada) = owned().await;
    led_to(send(&mut ada, "/models/new", &MODEL).await).await;
    let url = house.receiver.url("/greet");
    led_to(send(&mut ada, "/mappings/new", &mapping(&url, "Hello")).await).await;
    led_to(send(&mut ada, "/mappings/greet", &[("wish", "sync")]).await).await;
    ended(&ada, 1).await;
    (house, ada)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edit_of_fields_asks_whether_all_are_sent_again() {
    let (house, mut ada) = greeted().await;
    let url = house.receiver.url("/greet");
    let page = ada.text("/mappings/greet/edit").await;
    let edit = |text, then| {
        let mut form = mapping(&url, text);
        form.extend([("of", "greet"), ("version", version(&page)), ("then", then)]);
        form
    };
    let unchanged = edit("Hello", "");
    let question = asked(send(&mut ada, "/mappings/greet/edit", &edit("Dear", "")).await).await;
    assert!(question.contains("3 records were sent before"), "{question}");
    assert!(question.contains("Save and send all again"), "{question}");
    assert_eq!(house.receiver.records()["1"].len(), 1, "nothing is done yet");
    assert!(ada.text("/mappings/greet/edit").await.contains("value=\"Hello\""));

    let counted = send(&mut ada, "/build/mapping-effect", &edit("Dear", "")).await;
    let counted = asked(counted).await;
    assert!(counted.contains("3 records were sent before"), "{counted}");
    assert!(!counted.contains("hx-trigger"), "it does not ask again");

    led_to(send(&mut ada, "/mappings/greet/edit", &edit("Dear", "backfill")).await).await;
    let page = ended(&ada, 2).await;
    assert!(page.contains("backfill"), "{page}");
    let sent = &house.receiver.records()["1"];
    assert_eq!(sent.len(), 2);
    assert!(sent[1].item.to_string().contains("Dear"), "{}", sent[1].item);
    let late = send(&mut ada, "/mappings/greet/edit", &unchanged).await;
    assert_eq!(late.status(), StatusCode::OK, "the question comes before the version");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edit_of_a_model_asks_whether_records_are_sent_again() {
    let (house, mut ada) = greeted().await;
    let page = ada.text("/models/names").await;
    let edit = |query, then| {
        let mut form = MODEL.to_vec();
        form[3] = ("query", query);
        form.extend([("of", "names"), ("version", version(&page)), ("then", then)]);
        form
    };
    let more = "select id, name, version from people";
    let question = asked(send(&mut ada, "/models/names", &edit(more, "")).await).await;
    assert!(question.contains("The next sync sends 3 records: 3 updated"), "{question}");
    let broken = edit("select id, nothing from people", "");
    let question = asked(send(&mut ada, "/models/names", &broken).await).await;
    assert!(question.contains("is not known"), "{question}");
    assert!(question.contains("value=\"save\""), "it can be saved all the same: {question}");

    led_to(send(&mut ada, "/models/names", &edit(more, "rebase")).await).await;
    let page = ended(&ada, 2).await;
    assert!(page.contains("rebase"), "{page}");
    led_to(send(&mut ada, "/mappings/greet", &[("wish", "sync")]).await).await;
    ended(&ada, 3).await;
    assert_eq!(house.receiver.records()["1"].len(), 1, "nothing went out again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_column_that_a_mapping_reads_is_missed_before_and_after_it_goes() {
    let (_house, mut ada) = greeted().await;
    let page = ada.text("/mappings/greet/edit").await;
    let json = r#"{ "model": "names", "destination": "hook", "action": "send", "enabled": true,
        "fields": { "data": { "to": { "@path": "$.properties.name" } } } }"#;
    let form = [("version", version(&page)), ("document", json), ("then", "save")];
    led_to(send(&mut ada, "/mappings/greet/document", &form).await).await;
    let page = ada.text("/models/names").await;
    let mut form = MODEL.to_vec();
    form[3] = ("query", "select id, version from people");
    form.extend([("of", "names"), ("version", version(&page))]);
    let question = asked(send(&mut ada, "/models/names", &form).await).await;
    let lost = "It reads a column that the model will not have any more: <code>name</code>";
    assert!(question.contains(lost), "{question}");
    form.push(("then", "save"));
    led_to(send(&mut ada, "/models/names", &form).await).await;
    led_to(send(&mut ada, "/mappings/greet", &[("wish", "sync")]).await).await;
    let page = ended(&ada, 2).await;
    let warned = "columns that the mapping reads are missing in the model (<code>name</code>)";
    assert!(page.contains(warned), "{page}");
    let (_, sync) = page.split_once("href=\"/syncs/").unwrap();
    let sync = ada.text(&format!("/syncs/{}", sync.split('"').next().unwrap())).await;
    assert!(sync.contains("are missing in the model (<code>name</code>)"), "{sync}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edit_that_changes_nothing_of_what_is_sent_is_kept_at_once() {
    let (house, mut ada) = greeted().await;
    let url = house.receiver.url("/greet");
    let page = ada.text("/mappings/greet/edit").await;
    let mut form = mapping(&url, "Hello");
    form[8] = ("when", "every");
    form.extend([("every", "2h"), ("of", "greet"), ("version", version(&page))]);
    led_to(send(&mut ada, "/mappings/greet/edit", &form).await).await;
    let page = ada.text("/mappings/greet/edit").await;
    let json = r#"{ "model": "names", "destination": "hook", "action": "send", "enabled": true }"#;
    let form = [("version", version(&page)), ("document", json)];
    let question = asked(send(&mut ada, "/mappings/greet/document", &form).await).await;
    assert!(question.contains("3 records were sent before"), "{question}");
    let form = [("version", version(&page)), ("document", json), ("then", "save")];
    led_to(send(&mut ada, "/mappings/greet/document", &form).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backfill_is_asked_for_on_the_mapping_s_page() {
    let (house, mut ada) = greeted().await;
    let page = ada.text("/mappings/greet").await;
    assert!(page.contains("Send all of greet again?"), "{page}");
    let tracked = ada.text("/mappings/greet/tracked").await;
    assert_eq!(tracked, "3 records were sent before.");
    led_to(send(&mut ada, "/mappings/greet", &[("wish", "backfill")]).await).await;
    ended(&ada, 2).await;
    assert!(house.receiver.records().values().all(|sent| sent.len() == 2));
}
