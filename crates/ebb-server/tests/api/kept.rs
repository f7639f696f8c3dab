//! Secrets that an edit leaves out: they stay, but never go anywhere else.

use ebb_testkit::Script;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{
    door::owned,
    house::{Answer, House},
};

/// A secret that the editor does not know.
const KEPT: &str = "swordfish-that-is-kept";

/// A section's entry with a secret: its section, document and secrets.
fn entries() -> [(&'static str, Value); 4] {
    let postgres = json!({
        "host": "db.test", "user": "ebb", "database": "shop", "port": 5432, "password": KEPT,
    });
    let braze = json!({ "endpoint": "https://rest.test", "api_key": KEPT });
    let email = json!({
        "host": "smtp.test", "username": "ebb", "password": KEPT, "from": "a@b.test", "to": "c@d.test",
    });
    let webhook = json!({ "url": "https://hook.test/x", "secret": KEPT });
    [
        ("sources", json!({ "kind": "postgres", "settings": postgres })),
        ("destinations", json!({ "kind": "braze", "settings": braze })),
        ("channels", json!({ "kind": "email", "settings": email })),
        ("channels", json!({ "kind": "webhook", "settings": webhook })),
    ]
}

/// The entry without its secrets, but for these settings.
fn without(document: &Value, other: &Value) -> Value {
    let mut document = document.clone();
    let settings = document["settings"].as_object_mut().unwrap();
    settings.retain(|_, value| value != KEPT);
    for (key, value) in other.as_object().unwrap() {
        if key == "kind" {
            continue;
        }
        settings.insert(key.clone(), value.clone());
    }
    if let Some(kind) = other.get("kind") {
        document["kind"] = kind.clone();
    }
    document
}

/// Makes an entry `kept`, and then changes it so.
async fn changed(house: &House, section: &str, document: &Value, other: &Value) -> Answer {
    let new = json!({ "name": "kept", "document": document });
    let made = house.api("POST", &format!("/{section}")).json(&new).answer().await;
    made.expect(201);
    let path = format!("/{section}/kept");
    let ask = house.api("PUT", &path).with("if-match", &made.etag);
    let put = ask.json(&without(document, other)).answer().await;
    let tag = if put.status == 200 { &put.etag } else { &made.etag };
    let gone = house.api("DELETE", &path).with("if-match", tag).answer().await;
    assert_eq!(gone.status, 204, "{gone:?}");
    put
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kept_secret_must_be_given_again_when_it_would_go_elsewhere() {
    let house = House::new(1, Script::default()).await;
    let [(_, postgres), (_, braze), (_, email), (_, webhook)] = entries();
    for (section, document, other, because) in [
        ("sources", &postgres, json!({ "host": "elsewhere.test" }), "host"),
        ("sources", &postgres, json!({ "port": 5433 }), "port"),
        ("sources", &postgres, json!({ "sslmode": "disable" }), "sslmode"),
        ("sources", &postgres, json!({ "url": "postgres://elsewhere.test/shop" }), "url"),
        ("sources", &postgres, json!({ "kind": "mysql" }), "kind"),
        ("destinations", &braze, json!({ "endpoint": "https://elsewhere.test" }), "endpoint"),
        ("channels", &email, json!({ "host": "elsewhere.test" }), "host"),
        ("channels", &email, json!({ "port": 2525 }), "port"),
        ("channels", &email, json!({ "security": "none" }), "security"),
        ("channels", &webhook, json!({ "url": "https://elsewhere.test" }), "url"),
    ] {
        let refused = changed(&house, section, document, &other).await;
        assert_eq!(refused.refusal(), (422, "C504".to_owned()), "{other}: {refused:?}");
        let error = &refused.json()["errors"][0];
        let path = error["path"].as_str().unwrap();
        assert!(path.starts_with(&format!("{section}.kept.settings.")), "{other}: {error}");
        let detail = error["detail"].as_str().unwrap();
        let expected = format!("must be given again, because `{because}` is another");
        assert!(detail.ends_with(&expected), "{other}: {detail}");
    }
    for (section, document, other) in [
        ("sources", &postgres, json!({})),
        ("sources", &postgres, json!({ "port": "5432" })),
        ("sources", &postgres, json!({ "database": "other", "connect_timeout": "20s" })),
        ("sources", &postgres, json!({ "host": "elsewhere.test", "password": "another" })),
        ("sources", &postgres, json!({ "host": "elsewhere.test", "password": null })),
        ("channels", &email, json!({ "to": "e@f.test", "username": "other" })),
        ("channels", &webhook, json!({ "url": "https://hook.test/x" })),
    ] {
        let fine = changed(&house, section, document, &other).await;
        assert_eq!(fine.status, 200, "{other}: {fine:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_that_is_applied_gives_them_again_too() {
    let house = House::new(1, Script::default()).await;
    let [(_, postgres), ..] = entries();
    let new = json!({ "name": "kept", "document": postgres });
    house.api("POST", "/sources").json(&new).answer().await.expect(201);
    let elsewhere = without(&postgres, &json!({ "host": "elsewhere.test" }));
    let folder = json!({ "documents": { "sources": { "kept": elsewhere } } });
    let planned = house.api("POST", "/apply/plan").json(&folder).answer().await;
    assert_eq!(planned.refusal(), (422, "C504".to_owned()));
    assert!(planned.text.contains("sources.kept.settings.password"), "{planned:?}");
}

#[tokio::test]
async fn no_test_in_the_page_sends_a_kept_secret_elsewhere() {
    let (_house, mut ada) = owned().await;
    let mark = ada.mark().await;
    let tests: [(&str, &str, &[(&str, &str)], (&str, &str)); 3] = [
        (
            "/sources/new",
            "/build/test-source",
            &[("kind", "postgres"), ("s-user", "ebb"), ("s-password", KEPT)],
            ("s-host", "s-password"),
        ),
        (
            "/destinations/new/braze",
            "/build/test-destination",
            &[("kind", "braze"), ("s-api_key", KEPT)],
            ("s-endpoint", "s-api_key"),
        ),
        (
            "/alerts/channels/new/email",
            "/build/test-channel",
            &[
                ("kind", "email"),
                ("s-from", "a@b.test"),
                ("s-to", "c@d.test"),
                ("s-username", "ebb"),
                ("s-password", KEPT),
            ],
            ("s-host", "s-password"),
        ),
    ];
    for (new, test, form, (host, secret)) in tests {
        let sent = |name: (&'static str, &'static str), at: &'static str| -> Vec<(&str, &str)> {
            let begin = [("csrf", mark.as_str()), name, (host, at)];
            begin.into_iter().chain(form.iter().copied()).collect()
        };
        let made = ada.post(new, &sent(("name", "kept"), "https://h.test")).await;
        assert_eq!(made.status(), StatusCode::SEE_OTHER, "{new}: {:?}", made.text().await);
        let mut tried = sent(("of", "kept"), "https://elsewhere.test");
        tried.retain(|(_, value)| *value != KEPT);
        let page = ada.post(test, &tried).await;
        assert_eq!(page.status(), StatusCode::UNPROCESSABLE_ENTITY, "{test}");
        let page = page.text().await.unwrap();
        assert!(page.contains(&format!("id=\"{secret}-wrong\"")), "{test}: {page}");
        assert!(page.contains("must be given again"), "{test}: {page}");
    }
}
