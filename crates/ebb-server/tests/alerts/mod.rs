//! Alerts: what is told when a sync fails, where, and how often.

mod hook;
mod pages;

use std::time::Duration;

use base64::{Engine, prelude::BASE64_STANDARD};
use ebb_testkit::{MailServer, Script};
use ring::hmac;
use serde_json::{Value, json};

use crate::house::House;
use hook::Hook;

/// A secret of a channel.
pub(super) const SECRET: &str = "hunter2-of-the-channel";

/// Asks until something holds.
pub(super) async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    for _ in 0..300 {
        if let Some(found) = ask().await {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("in vain: {what}")
}

impl House {
    /// Makes a channel or rule.
    pub(super) async fn make(&self, section: &str, name: &str, document: Value) {
        let new = json!({ "name": name, "document": document });
        self.api("POST", &format!("/{section}")).json(&new).answer().await.expect(201);
    }

    async fn sync(&self) {
        let wanted = json!({ "kind": "sync" });
        self.api("POST", "/mappings/all/syncs").json(&wanted).answer().await.expect(202);
    }

    /// The alerts, once there are so many.
    pub(super) async fn alerts(&self, query: &str, number: usize) -> Vec<Value> {
        until(&format!("{number} alerts {query}"), async || {
            let found = self.get(&format!("/alerts{query}")).await;
            let items = found["items"].as_array().unwrap().clone();
            (items.len() == number).then_some(items)
        })
        .await
    }

    /// Has the next syncs fail.
    pub(super) async fn break_down(&self) {
        self.sql("alter table people rename to persons");
        self.sync().await;
    }

    async fn mend(&self) {
        self.sql("alter table persons rename to people");
        self.sync().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_sync_is_told_once_everywhere_and_so_is_its_recovery() {
    let house = House::new(1, Script::default()).await;
    let (mail, hook) = (MailServer::start().await.unwrap(), Hook::start().await);
    house
        .make(
            "channels",
            "mail",
            json!({ "kind": "email", "settings": {
            "host": "127.0.0.1", "port": mail.port(), "security": "none",
            "from": "Ebb <ebb@example.com>", "to": "ada@example.com, Bob <bob@example.com>",
        } }),
        )
        .await;
    let slack = json!({ "kind": "slack", "settings": { "url": hook.url("/slack") } });
    house.make("channels", "slack", slack).await;
    let settings = json!({ "url": hook.url("/programs"), "secret": "swordfish" });
    house.make("channels", "programs", json!({ "kind": "webhook", "settings": settings })).await;
    let to = json!(["mail", "slack", "programs"]);
    house.make("alert_rules", "mine", json!({ "when": ["failed"], "to": to })).await;

    house.break_down().await;
    let [alert] = house.alerts("?state=open", 1).await.try_into().unwrap();
    assert_eq!((&alert["mapping"], &alert["trouble"]), (&json!("all"), &json!("failed")));
    assert_eq!((&alert["closed_at"], &alert["threshold"]), (&Value::Null, &Value::Null));
    let message = alert["message"].as_str().unwrap();
    assert!(message.starts_with("the sync of `all` failed: "), "{message}");
    let sync = house.get(&format!("/syncs/{}", alert["sync"].as_str().unwrap())).await;
    assert_eq!(sync["failure"]["code"], alert["code"]);

    let [letter] = until("a letter", async || <[_; 1]>::try_from(mail.letters()).ok()).await;
    assert_eq!(letter.from, "ebb@example.com");
    assert_eq!(letter.to, ["ada@example.com", "bob@example.com"]);
    assert!(letter.text.contains("Subject: [Ebb] Sync failed: all\n"), "{}", letter.text);
    assert!(letter.text.contains("The sync of all failed: "), "{}", letter.text);
    assert!(letter.text.contains("What to do: "), "{}", letter.text);
    let [slack] = until("slack", async || <[_; 1]>::try_from(hook.posted("/slack")).ok()).await;
    let text = slack.json()["text"].as_str().unwrap().to_owned();
    assert!(text.starts_with("*Sync failed: all*\nThe sync of `all` failed: "), "{text}");
    let [program] =
        until("programs", async || <[_; 1]>::try_from(hook.posted("/programs")).ok()).await;
    assert_eq!(program.json()["alerts"][0]["id"], alert["id"]);
    let (id, moment) = (program.header("webhook-id"), program.header("webhook-timestamp"));
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"swordfish");
    let signed = hmac::sign(&key, format!("{id}.{moment}.{}", program.body).as_bytes());
    let signature = format!("v1,{}", BASE64_STANDARD.encode(signed));
    assert_eq!(program.header("webhook-signature"), signature);

    house.sync().await;
    until("the second sync", async || {
        let syncs = house.get("/syncs?mapping=all&status=failed").await;
        (syncs["items"].as_array().unwrap().len() == 2).then_some(())
    })
    .await;
    house.mend().await;
    let [over] = house.alerts("?state=past", 1).await.try_into().unwrap();
    assert_eq!((&over["id"], &over["ending"]), (&alert["id"], &json!("recovered")));
    let letters = until("two letters", async || <[_; 2]>::try_from(mail.letters()).ok()).await;
    assert!(letters[1].text.contains("Subject: [Ebb] Recovered: all (sync failed)\n"));
    until("slack", async || (hook.posted("/slack").len() == 2).then_some(())).await;
    let told = until("what was told", async || {
        let alert = house.get(&format!("/alerts/{}", over["id"].as_str().unwrap())).await;
        let told = alert["told"].as_array().unwrap().clone();
        told.iter().all(|told| told["state"] == "sent").then_some(told)
    })
    .await;
    assert_eq!(told.len(), 6, "three channels, twice: {told:?}");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_outlives_the_server_and_is_sent_by_the_next() {
    let house = House::new(1, Script::default()).await;
    let hook = Hook::start().await;
    hook.answer(503);
    let settings = json!({ "url": hook.url("/programs") });
    house.make("channels", "programs", json!({ "kind": "webhook", "settings": settings })).await;
    let rule = json!({ "when": ["failed"], "mappings": ["all"], "to": ["programs"] });
    house.make("alert_rules", "mine", rule).await;
    house.break_down().await;
    let [alert] = house.alerts("?state=open", 1).await.try_into().unwrap();
    let path = format!("/alerts/{}", alert["id"].as_str().unwrap());
    let told = until("a try", async || {
        let told = house.get(&path).await["told"][0].clone();
        (!told["failure"].is_null()).then_some(told)
    })
    .await;
    assert_eq!((&told["state"], &told["failure"]["code"]), (&json!("waiting"), &json!("R421")));
    assert!(told["failure"]["message"].as_str().unwrap().contains("`503`"), "{told}");
    let first = hook.posted("/programs")[0].header("webhook-id").to_owned();

    hook.answer(204);
    house.control("update alert_message set next_at = 0 where next_at is not null");
    let owner = house.owner.clone();
    let mut house = house.restarted().await;
    house.owner = owner;
    let told = until("the message", async || {
        let told = house.get(&path).await["told"][0].clone();
        (told["state"] == "sent").then_some(told)
    })
    .await;
    assert_eq!(told["failure"], Value::Null);
    let again = hook.posted("/programs");
    assert_eq!(again.last().unwrap().header("webhook-id"), first, "the same message");
    house.alerts("?state=open", 1).await;
    house.mend().await;
    house.alerts("?state=open", 0).await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_channel_is_tested_and_keeps_its_secrets() {
    let house = House::new(1, Script::default()).await;
    let hook = Hook::start().await;
    let url = hook.url(&format!("/{SECRET}"));
    let settings = json!({ "url": url, "secret": format!("{SECRET}-too") });
    house.make("channels", "programs", json!({ "kind": "webhook", "settings": settings })).await;
    let read = house.get("/channels/programs").await;
    assert_eq!(read["document"], json!({ "kind": "webhook", "settings": {} }));
    assert_eq!(read["secrets"], json!(["url", "secret"]));
    let test = || house.api("POST", "/channels/programs/test").answer();
    assert_eq!(test().await.expect(200)["ok"], true);
    let posted = hook.posted(&format!("/{SECRET}"));
    assert_eq!(posted[0].json()["alerts"][0]["event"], "test");
    hook.answer(404);
    let refused = test().await;
    let failure = &refused.expect(200)["steps"][0]["failure"];
    assert_eq!(failure["code"], "R421");
    assert!(failure["help"].as_str().unwrap().contains("make a new one"), "{failure}");
    assert!(!refused.text.contains(SECRET));
    drop(hook);
    assert!(!test().await.text.contains(SECRET));

    for (kind, settings, code) in [
        ("webhook", json!({ "url": SECRET }), "C504"),
        ("webhook", json!({}), "C504"),
        ("fax", json!({}), "C504"),
        ("email", json!({ "host": "h", "from": "nobody", "to": "a@b.c" }), "C504"),
        (
            "email",
            json!({ "host": "h", "from": "a@b.c", "to": "a@b.c", "security": "none", "password": SECRET }),
            "C504",
        ),
        ("slack", json!({ "url": "https://h.test", "chanel": "x" }), "C504"),
    ] {
        let new = json!({ "name": "x", "document": { "kind": kind, "settings": settings } });
        let refused = house.api("POST", "/channels").json(&new).answer().await;
        assert_eq!(refused.refusal(), (422, code.to_owned()), "{refused:?}");
        assert!(!refused.text.contains(SECRET), "{refused:?}");
    }
    for path in ["/channels", "/audit", "/alerts", "/openapi.json"] {
        let answer = house.api("GET", path).answer().await;
        assert!(!answer.text.contains(SECRET), "{path}");
    }
    assert!(!house.control_holds(SECRET), "secrets lie encrypted");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_rule_needs_stays_and_what_nobody_watches_is_withdrawn() {
    let house = House::new(1, Script::default()).await;
    let hook = Hook::start().await;
    let slack = json!({ "kind": "slack", "settings": { "url": hook.url("/slack") } });
    house.make("channels", "slack", slack).await;
    let rule = json!({ "when": ["partial"], "to": ["slack"] });
    house.make("alert_rules", "mine", rule).await;
    let read = house.api("GET", "/channels/slack").answer().await;
    let removed =
        house.api("DELETE", "/channels/slack").with("if-match", &read.etag).answer().await;
    assert_eq!(removed.refusal(), (409, "A611".to_owned()));
    assert!(removed.text.contains("alert rule"), "{}", removed.text);
    for (rule, code) in [
        (json!({ "when": ["partial"], "to": ["mail"] }), "C506"),
        (json!({ "mappings": ["none"] }), "C506"),
        (json!({ "when": ["broken"] }), "C504"),
        (json!({ "when": [] }), "C504"),
        (json!({ "min_delivery_rate": 2 }), "C504"),
    ] {
        let new = json!({ "name": "x", "document": rule });
        let refused = house.api("POST", "/alert_rules").json(&new).answer().await;
        assert_eq!(refused.refusal(), (422, code.to_owned()), "{rule}");
    }

    house.break_down().await;
    let [alert] = house.alerts("?state=open", 1).await.try_into().unwrap();
    assert_eq!(alert["told"], json!([]), "by the standard rule, in the page alone");
    house.make("alert_rules", "standard", json!({ "enabled": false })).await;
    let [gone] = house.alerts("?state=past", 1).await.try_into().unwrap();
    assert_eq!(gone["ending"], "withdrawn");
    let standard = house.api("GET", "/alert_rules/standard").answer().await;
    let remove = house.api("DELETE", "/alert_rules/standard").with("if-match", standard.etag);
    assert_eq!(remove.answer().await.status, 204);
    let [again] = house.alerts("?state=open", 1).await.try_into().unwrap();
    assert_ne!(again["id"], alert["id"], "what is still wrong is found again");
    let none = house.api("GET", "/alerts/nobody").answer().await;
    assert_eq!(none.refusal(), (404, "A609".to_owned()));
    assert!(hook.posted("/slack").is_empty());
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sync_that_has_no_place_is_late_until_it_starts() {
    let slow = Script { delay: Duration::from_secs(4), ..Script::default() };
    let house = House::new(1, slow).await;
    let rule = json!({ "when": ["late"], "late_after": "1s" });
    house.make("alert_rules", "standard", rule).await;
    for name in ["one", "two", "three"] {
        let mapping = json!({
            "model": "people", "destination": "hook", "action": "send",
            "fields": { "url": house.receiver.url(&format!("/{name}")) },
            "schedule": { "every": "15m" },
        });
        house.make("mappings", name, mapping).await;
    }
    tokio::time::sleep(Duration::from_millis(1500)).await;
    // Any change has the alerts looked at, which else happens twice a minute.
    house.make("alert_rules", "other", json!({ "enabled": false })).await;
    let [late] = house.alerts("?state=open", 1).await.try_into().unwrap();
    assert_eq!((&late["mapping"], &late["trouble"]), (&json!("three"), &json!("late")));
    assert_eq!((&late["threshold"], &late["sync"]), (&json!(1.0), &Value::Null));
    let [over] = house.alerts("?state=past", 1).await.try_into().unwrap();
    assert_eq!((&over["id"], &over["ending"]), (&late["id"], &json!("recovered")));
    house.close().await;
}
