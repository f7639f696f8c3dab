//! Alerts in the page: the list, rules and channels as a browser sends their forms.

use ebb_testkit::MailServer;
use reqwest::{StatusCode, header::LOCATION};

use super::{SECRET, until};
use crate::door::{Browser, owned};

async fn send(browser: &mut Browser, path: &str, form: &[(&str, &str)]) -> reqwest::Response {
    let mark = browser.mark().await;
    let form: Vec<_> = [("csrf", mark.as_str())].into_iter().chain(form.iter().copied()).collect();
    browser.post(path, &form).await
}

/// Where a form that was taken leads.
fn led_to(answer: &reqwest::Response) -> &str {
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    answer.headers()[LOCATION].to_str().unwrap()
}

fn version(page: &str) -> &str {
    let (_, rest) = page.split_once("name=\"version\" value=\"").unwrap();
    rest.split('"').next().unwrap()
}

#[tokio::test]
async fn a_channel_and_a_rule_are_made_changed_and_deleted() {
    let (_house, mut ada) = owned().await;
    let mail = MailServer::start().await.unwrap();
    let port = mail.port().to_string();
    let page = ada.text("/alerts").await;
    assert!(page.contains("All is well") && page.contains("built in"), "{page}");

    let form = [
        ("name", "ops"),
        ("kind", "email"),
        ("s-host", "127.0.0.1"),
        ("s-security", "none"),
        ("s-port", port.as_str()),
        ("s-from", "ebb@example.com"),
        ("s-to", "ops@example.com"),
    ];
    let tested = send(&mut ada, "/build/test-channel", &form).await.text().await.unwrap();
    assert!(tested.contains("The test alert was taken"), "{tested}");
    assert!(mail.letters()[0].text.contains("Subject: [Ebb] A test\n"));
    assert!(!ada.text("/alerts").await.contains("/alerts/channels/ops"), "a test keeps nothing");
    mail.refuse(1);
    let refused = send(&mut ada, "/build/test-channel", &form).await.text().await.unwrap();
    assert!(refused.contains("come again") && refused.contains("R421"), "{refused}");
    let created = send(&mut ada, "/alerts/channels/new/email", &form).await;
    assert_eq!(led_to(&created), "/alerts?done=channel");
    let wrong = [form.as_slice(), &[("s-password", SECRET), ("name", "other")]].concat();
    let wrong = send(&mut ada, "/alerts/channels/new/email", &wrong).await;
    assert_eq!(wrong.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let wrong = wrong.text().await.unwrap();
    assert!(wrong.contains("id=\"s-password-wrong\"") && !wrong.contains(SECRET), "{wrong}");

    let rule = [
        ("name", "mine"),
        ("when", "failed"),
        ("when", "late"),
        ("late_after", "45m"),
        ("min_delivery_rate", "0.9"),
        ("which", "some"),
        ("mapping", "all"),
        ("to", "ops"),
        ("enabled", "true"),
    ];
    let created = send(&mut ada, "/alerts/rules/new", &rule).await;
    assert_eq!(led_to(&created), "/alerts?done=rule");
    let page = ada.text("/alerts").await;
    assert!(
        page.contains("Tells sync failed, not started on time of all, in this page and to"),
        "{page}"
    );
    let page = ada.text("/alerts/rules/mine").await;
    assert!(page.contains("value=\"45m\""), "{page}");
    let mut changed = vec![("version", version(&page))];
    changed.extend(rule.iter().filter(|(key, _)| *key != "late_after"));
    changed.push(("late_after", "soon"));
    let wrong = send(&mut ada, "/alerts/rules/mine", &changed).await;
    assert_eq!(wrong.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let wrong = wrong.text().await.unwrap();
    assert!(
        wrong.contains("id=\"late_after-wrong\"") && wrong.contains("value=\"soon\""),
        "{wrong}"
    );

    let channel = ada.text("/alerts/channels/ops").await;
    assert!(channel.contains("It is named by 1 rule"), "{channel}");
    let gone = send(&mut ada, "/alert_rules/mine/delete", &[("version", version(&page))]).await;
    assert_eq!(led_to(&gone), "/alerts?done=deleted");
    let channel = ada.text("/alerts/channels/ops").await;
    let gone = send(&mut ada, "/channels/ops/delete", &[("version", version(&channel))]).await;
    assert_eq!(led_to(&gone), "/alerts?done=deleted");
}

#[tokio::test]
async fn the_rule_that_is_built_in_is_replaced_by_saving_it() {
    let (_house, mut ada) = owned().await;
    let page = ada.text("/alerts/rules/standard").await;
    assert!(
        page.contains("built in") && page.contains("name=\"name\" value=\"standard\""),
        "{page}"
    );
    let form = [("name", "standard"), ("when", "partial"), ("which", "all"), ("enabled", "true")];
    assert_eq!(led_to(&send(&mut ada, "/alerts/rules/new", &form).await), "/alerts?done=rule");
    let page = ada.text("/alerts").await;
    assert!(page.contains("Tells sync partial of all mappings"), "{page}");
    assert!(!page.contains("built in"), "{page}");
    assert_eq!(ada.get("/alerts/rules/none").await.status(), StatusCode::NOT_FOUND);
    assert_eq!(ada.get("/alerts/channels/new/fax").await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_open_alert_stands_in_the_menu_the_list_and_on_its_mapping() {
    let (house, mut ada) = owned().await;
    house.sql("alter table people rename to persons");
    send(&mut ada, "/mappings/all", &[("wish", "sync")]).await;
    let page = until("an alert", async || {
        let page = ada.text("/alerts").await;
        page.contains("Sync failed").then_some(page)
    })
    .await;
    assert!(page.contains("1<span class=\"vh\"> open</span>"), "{page}");
    assert!(page.contains("The sync of <code>all</code> failed"), "{page}");
    assert!(page.contains("What to do."), "{page}");
    let mapping = ada.text("/mappings/all").await;
    assert!(mapping.contains("<b>Sync failed</b>, since"), "{mapping}");
    assert!(ada.text("/alerts?state=past").await.contains("No past alerts"));
}

#[tokio::test]
async fn a_viewer_looks_at_alerts_and_changes_nothing() {
    let (house, mut ada) = owned().await;
    let link = ada.invite("vi@example.com", "viewer").await;
    let mut vi = Browser::new(&house);
    vi.join(&link, "vi@example.com", "Vi").await;
    let page = vi.text("/alerts").await;
    assert!(page.contains("standard") && !page.contains("New rule"), "{page}");
    assert!(!vi.text("/alerts/rules/standard").await.contains("Create rule"));
    assert_eq!(vi.get("/alerts/rules/new").await.status(), StatusCode::FORBIDDEN);
    let form = [("name", "x"), ("when", "failed"), ("kind", "slack")];
    for path in ["/alerts/rules/new", "/alerts/channels/new/slack", "/build/test-channel"] {
        assert_eq!(send(&mut vi, path, &form).await.status(), StatusCode::FORBIDDEN, "{path}");
    }
}
