//! Building in the page: sources, models, destinations, mappings, as a browser sends its forms.

use ebb_testkit::Script;
use reqwest::{StatusCode, header::LOCATION};

use crate::{
    door::{Browser, owned},
    house::{FILE_SECRET, House},
};

/// A secret that somebody types.
const TYPED_SECRET: &str = "swordfish-typed-by-ada";

/// Sends a form with its session's mark.
async fn send(browser: &mut Browser, path: &str, form: &[(&str, &str)]) -> reqwest::Response {
    let mark = browser.mark().await;
    let form: Vec<_> = [("csrf", mark.as_str())].into_iter().chain(form.iter().copied()).collect();
    browser.post(path, &form).await
}

async fn shown(answer: reqwest::Response, status: StatusCode) -> String {
    assert_eq!(answer.status(), status);
    answer.text().await.expect("a page")
}

/// Where a form that was taken leads.
fn led_to(answer: &reqwest::Response) -> &str {
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    answer.headers()[LOCATION].to_str().expect("an address")
}

/// The value of an input of a page.
fn value<'p>(page: &'p str, input: &str) -> &'p str {
    let (_, rest) = page.split_once(&format!("name=\"{input}\" value=\"")).expect(input);
    rest.split('"').next().unwrap_or_default()
}

#[tokio::test]
async fn a_source_is_tested_created_changed_and_deleted() {
    let (_house, mut ada) = owned().await;
    let tiles = ada.text("/sources/new?q=lake").await;
    assert!(tiles.contains("Snowflake") && !tiles.contains("BigQuery"), "{tiles}");
    let form = [("kind", "sqlite"), ("name", "shop"), ("s-path", "shop.db")];
    let tested = shown(send(&mut ada, "/build/test-source", &form).await, StatusCode::OK).await;
    assert!(tested.contains("Everything that a sync needs works"), "{tested}");
    assert!(!ada.text("/sources").await.contains("/sources/shop"), "a test keeps nothing");

    let created = send(&mut ada, "/sources/new", &form).await;
    assert_eq!(led_to(&created), "/sources/shop?done=created");
    let again =
        shown(send(&mut ada, "/sources/new", &form).await, StatusCode::UNPROCESSABLE_ENTITY);
    let again = again.await;
    assert!(again.contains("There is a source <code>shop</code> already"), "{again}");
    assert!(again.contains("value=\"shop.db\""), "what was typed stays");
    let page = [("kind", "sqlite"), ("name", "new"), ("s-path", "shop.db")];
    let page = shown(send(&mut ada, "/sources/new", &page).await, StatusCode::UNPROCESSABLE_ENTITY);
    let page = page.await;
    assert!(page.contains("id=\"name-wrong\""), "{page}");
    assert!(page.contains("<code>new</code> cannot be the name of a source"), "{page}");

    let page = ada.text("/sources/shop").await;
    let changed = [
        ("kind", "sqlite"),
        ("version", value(&page, "version")),
        ("s-path", "shop.db"),
        ("max_concurrent_syncs", "4"),
    ];
    let saved = send(&mut ada, "/sources/shop", &changed).await;
    assert_eq!(led_to(&saved), "/sources/shop?done=saved");
    let page = ada.text("/sources/shop").await;
    assert_eq!(value(&page, "max_concurrent_syncs"), "4");
    let version = [("version", value(&page, "version"))];
    assert_eq!(led_to(&send(&mut ada, "/sources/shop/delete", &version).await), "/sources");
    assert_eq!(ada.get("/sources/shop").await.status(), StatusCode::NOT_FOUND);
}

/// Somebody saves what somebody else changed meanwhile, and saves it once more from what is answered.
#[tokio::test]
async fn a_lost_update_is_refused_as_often_as_it_is_sent() {
    let (house, mut ada) = owned().await;
    let url = house.receiver.url("/greet");
    let source = [("kind", "sqlite"), ("name", "shop"), ("s-path", "shop.db")];
    let model =
        [("name", "some"), ("source", "shop"), ("query", "select id from people"), ("id", "id")];
    let destination = [("kind", "webhook"), ("name", "crm")];
    let channel = [("kind", "webhook"), ("name", "ops"), ("s-url", "https://ops.example")];
    let rule = [("name", "mine"), ("when", "failed"), ("which", "all"), ("to", "ops")];
    let mapping = mapping(&url);
    let json = "{ \"model\": \"people\", \"destination\": \"hook\", \"action\": \"send\" }";
    let document = [("document", json)];
    for (made, page, saved, form) in [
        ("/sources/new", "/sources/shop", "/sources/shop", source.as_slice()),
        ("/models/new", "/models/some", "/models/some", &model),
        ("/destinations/new/webhook", "/destinations/crm", "/destinations/crm", &destination),
        ("/alerts/channels/new/webhook", "/alerts/channels/ops", "/alerts/channels/ops", &channel),
        ("/alerts/rules/new", "/alerts/rules/mine", "/alerts/rules/mine", &rule),
        ("/mappings/new", "/mappings/greet/edit", "/mappings/greet/edit", &mapping),
        ("", "/mappings/greet/edit", "/mappings/greet/document", &document),
    ] {
        if !made.is_empty() {
            led_to(&send(&mut ada, made, form).await);
        }
        let before = value(&ada.text(page).await, "version").to_owned();
        let changed = |version: &str| {
            let version = ("version".to_owned(), version.to_owned());
            let form = form.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            form.chain([version]).collect::<Vec<_>>()
        };
        let mut answers = Vec::new();
        let mut version = before;
        for _ in 0..3 {
            let form = changed(&version);
            let form: Vec<_> = form.iter().map(|(name, value)| (&**name, &**value)).collect();
            let answer = send(&mut ada, saved, &form).await;
            answers.push(answer.status());
            let text = answer.text().await.unwrap();
            if answers.len() > 1 {
                let link = format!("<a href=\"{page}\" target=\"_blank\">Open it as it is now</a>");
                assert!(text.contains("A607") && text.contains(&link), "{saved}: {text}");
                let form = text.rsplit_once("name=\"document\"").filter(|_| made.is_empty());
                let form = form.map_or(text.as_str(), |(form, _)| {
                    form.rsplit_once("<form").expect("a form").1
                });
                value(form, "version").clone_into(&mut version);
            }
        }
        let refused = StatusCode::UNPROCESSABLE_ENTITY;
        assert_eq!(answers, [StatusCode::SEE_OTHER, refused, refused], "{saved}");
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_source_stands_at_its_field() {
    let (_house, mut ada) = owned().await;
    for (form, expected) in [
        (
            vec![
                ("name", "x"),
                ("kind", "postgres"),
                ("s-host", "h"),
                ("s-user", "u"),
                ("s-port", "many"),
            ],
            "id=\"s-port-wrong\"",
        ),
        (vec![("name", "x"), ("kind", "sqlite"), ("s-path", "/etc/passwd")], "id=\"s-path-wrong\""),
        (vec![("name", "x"), ("kind", "sqlite")], "id=\"s-path-wrong\""),
        (
            vec![("name", "Not A Name"), ("kind", "sqlite"), ("s-path", "shop.db")],
            "id=\"name-wrong\"",
        ),
        (vec![("name", ""), ("kind", "sqlite"), ("s-path", "shop.db")], "id=\"name-wrong\""),
        (
            vec![
                ("name", "x"),
                ("kind", "sqlite"),
                ("s-path", "shop.db"),
                ("max_concurrent_syncs", "0"),
            ],
            "id=\"max_concurrent_syncs-wrong\"",
        ),
    ] {
        let page = send(&mut ada, "/sources/new", &form).await;
        let page = shown(page, StatusCode::UNPROCESSABLE_ENTITY).await;
        assert!(page.contains(expected), "{form:?}: {page}");
    }
    let form = [("kind", "sqlite"), ("s-path", "missing.db")];
    let tested = shown(send(&mut ada, "/build/test-source", &form).await, StatusCode::OK).await;
    assert!(tested.contains("Remedy") && tested.contains("was not tried"), "{tested}");
}

#[tokio::test]
async fn the_set_up_is_made_for_what_was_typed() {
    let (_house, mut ada) = owned().await;
    let form = [
        ("kind", "postgres"),
        ("s-user", "Reader"),
        ("s-password", TYPED_SECRET),
        ("s-database", "shop"),
        ("reads", "sales, Marts"),
    ];
    let guide = shown(send(&mut ada, "/build/setup", &form).await, StatusCode::OK).await;
    for expected in ["&#34;Reader&#34;", "sales", "&#34;Marts&#34;", "choose one"] {
        assert!(guide.contains(expected), "{expected}: {guide}");
    }
    assert!(!guide.contains(TYPED_SECRET));
}

#[tokio::test]
async fn a_model_is_previewed_and_created() {
    let (_house, mut ada) = owned().await;
    let form = [
        ("name", "named"),
        ("source", "db"),
        ("origin", "query"),
        ("query", "select id, name,\r\n  version from people -- all of them"),
        ("id", "id"),
    ];
    let preview = shown(send(&mut ada, "/build/preview", &form).await, StatusCode::OK).await;
    assert!(preview.contains("person 1") && preview.contains("No duplicate in the preview"));
    assert!(!preview.contains("From the preview cache"), "it was read for this");
    let kept = shown(send(&mut ada, "/build/preview", &form).await, StatusCode::OK).await;
    assert!(kept.contains("From the preview cache"));

    let wrong = [("source", "db"), ("origin", "query"), ("query", "select nothing from nowhere")];
    let failed = shown(send(&mut ada, "/build/preview", &wrong).await, StatusCode::OK).await;
    assert!(failed.contains("role=\"alert\"") && failed.contains("nowhere"), "{failed}");

    let no_id = [("name", "x"), ("source", "db"), ("origin", "table"), ("table", "people")];
    let page = send(&mut ada, "/models/new", &no_id).await;
    let page = shown(page, StatusCode::UNPROCESSABLE_ENTITY).await;
    assert!(page.contains("id=\"id-wrong\"") && page.contains("value=\"people\""), "{page}");

    assert_eq!(led_to(&send(&mut ada, "/models/new", &form).await), "/models/named?done=created");
    let page = ada.text("/models/named").await;
    assert!(page.contains("-- all of them</textarea>"), "{page}");
    let needed = send(&mut ada, "/models/people/delete", &[("version", "0")]).await;
    assert_eq!(needed.status(), StatusCode::CONFLICT, "it comes from files");
}

#[tokio::test]
async fn a_destination_keeps_its_secret_and_is_switched() {
    let (_house, mut ada) = owned().await;
    let form = [("name", "other"), ("s-sharedSecret", TYPED_SECRET)];
    let created = send(&mut ada, "/destinations/new/webhook", &form).await;
    assert_eq!(led_to(&created), "/destinations/other?done=created");
    let page = ada.text("/destinations/other").await;
    assert!(page.contains("Stored encrypted, never shown again"), "{page}");
    let version = [("version", value(&page, "version")), ("to", "off")];
    let off = send(&mut ada, "/destinations/other/switch", &version).await;
    assert_eq!(led_to(&off), "/destinations/other?done=off");
    let page = ada.text("/destinations/other").await;
    assert!(page.contains("Switch on") && page.contains("never shown again"), "the secret stays");
    let saved = [("kind", "webhook"), ("version", value(&page, "version"))];
    send(&mut ada, "/destinations/other", &saved).await;
    let page = ada.text("/destinations/other").await;
    assert!(page.contains("Switch on") && page.contains("never shown again"), "all stays");
    let removed =
        [("kind", "webhook"), ("version", value(&page, "version")), ("forget-sharedSecret", "on")];
    send(&mut ada, "/destinations/other", &removed).await;
    assert!(!ada.text("/destinations/other").await.contains("never shown again"));
    let list = ada.text("/destinations?q=message").await;
    assert!(
        list.contains("/destinations/new/slack") && !list.contains("/destinations/new/mixpanel")
    );
}

/// What the editor sends for a mapping of the house's people.
fn mapping(url: &str) -> Vec<(&str, &str)> {
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
    assert!(page.contains("id=\"schedule-wrong\""), "{page}");
}

#[tokio::test]
async fn what_is_wrong_with_a_mapping_stands_at_its_field() {
    let (house, mut ada) = owned().await;
    let url = house.receiver.url("/greet");
    for (key, wrong, expected) in [
        ("name", "", "id=\"name-wrong\""),
        ("k/batch_size", "number", "is not a number"),
        ("timezone", "Nowhere/Land", "id=\"schedule-wrong\""),
        ("v/data/0", "", "No column is chosen"),
    ] {
        let mut form = mapping(&url);
        form.retain(|(name, _)| *name != key);
        form.push((key, wrong));
        if key == "k/batch_size" {
            form.push(("v/batch_size", "many"));
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
async fn who_may_only_look_sees_no_button_and_can_make_nothing() {
    let (house, mut ada) = owned().await;
    let link = ada.invite("vi@example.com", "viewer").await;
    let mut vi = Browser::new(&house);
    vi.join(&link, "", "Vi").await;
    for path in [
        "/sources",
        "/models",
        "/destinations",
        "/mappings",
        "/sources/db",
        "/models/people",
        "/destinations/hook",
        "/mappings/all/edit",
    ] {
        let page = vi.get(path).await;
        let page = shown(page, StatusCode::OK).await;
        let (_, main) = page.split_once("<main").unwrap();
        assert!(
            !main.contains("type=\"submit\"") && !main.contains("btn primary"),
            "{path}: {main}"
        );
    }
    for path in [
        "/sources/new",
        "/sources/db",
        "/sources/db/delete",
        "/build/test-source",
        "/build/setup",
        "/models/new",
        "/models/people",
        "/models/people/delete",
        "/build/preview",
        "/destinations/new/slack",
        "/destinations/hook",
        "/destinations/hook/switch",
        "/destinations/hook/delete",
        "/build/test-destination",
        "/mappings/new",
        "/mappings/all/edit",
        "/mappings/all/document",
        "/build/editor",
        "/build/render",
        "/build/send",
    ] {
        let refused = send(&mut vi, path, &[("kind", "sqlite")]).await;
        assert_eq!(refused.status(), StatusCode::FORBIDDEN, "{path}");
    }
    assert_eq!(vi.get("/settings/changes").await.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_change_tells_what_was_before_it() {
    let (house, mut ada) = owned().await;
    send(&mut ada, "/mappings/new", &mapping(&house.receiver.url("/greet"))).await;
    for (every, version) in [("1h", "1"), ("2h", "2")] {
        let document = format!(
            r#"{{ "model": "people", "destination": "hook", "action": "send", "schedule": {{ "every": "{every}" }} }}"#
        );
        let form = [("version", version), ("document", document.as_str())];
        let saved = send(&mut ada, "/mappings/greet/document", &form).await;
        assert_eq!(led_to(&saved), "/mappings/greet");
    }
    for path in ["/settings", "/settings/changes"] {
        let page = ada.text(path).await;
        for expected in [
            "mapping updated</summary><dl class=\"differences\"><dt>schedule.every</dt><dd><del>1h</del><ins>2h</ins></dd></dl>",
            "<a href=\"/mappings/greet\">greet</a>",
        ] {
            assert!(page.contains(expected), "{expected}: {page}");
        }
    }
    // More than one page of them.
    for number in 0..60 {
        ada.invite(&format!("p{number}@example.com"), "viewer").await;
    }
    let page = ada.text("/settings/changes").await;
    assert!(page.contains("p59@example.com") && !page.contains("p3@example.com"), "{page}");
    let (_, rest) = page.split_once("/settings/changes?before=").expect("older ones");
    let before = rest.split('"').next().unwrap_or_default();
    let page = ada.text(&format!("/settings/changes?before={before}")).await;
    assert!(page.contains("p3@example.com") && page.contains("mapping updated"), "{page}");
    assert!(!page.contains("p59@example.com") && !page.contains("?before="), "{page}");
}

#[tokio::test]
async fn no_page_ever_shows_a_secret() {
    let house = House::new(3, Script::default()).await;
    let mut ada = Browser::new(&house);
    let form = [("email", "ada@example.com"), ("password", "correct horse battery")];
    ada.post("/sign-in", &form).await;
    let typed = [("name", "other"), ("s-sharedSecret", TYPED_SECRET)];
    send(&mut ada, "/destinations/new/webhook", &typed).await;
    let refused = [
        ("kind", "postgres"),
        ("name", ""),
        ("s-url", "postgres://ebb:swordfish-typed-by-ada@h:1/d"),
        ("s-password", TYPED_SECRET),
    ];
    let mut pages = Vec::new();
    for path in ["/sources/new", "/build/test-source"] {
        pages.push(send(&mut ada, path, &refused).await.text().await.unwrap());
    }
    for path in [
        "/destinations",
        "/destinations/other",
        "/destinations/hook",
        "/mappings/all/edit",
        "/settings/changes",
        "/sources/db",
    ] {
        pages.push(ada.text(path).await);
    }
    let url = house.receiver.url("/greet");
    for path in ["/build/render", "/build/send"] {
        let page = send(&mut ada, path, &mapping(&url)).await;
        pages.push(page.text().await.unwrap());
    }
    for page in pages {
        assert!(!page.contains(TYPED_SECRET) && !page.contains(FILE_SECRET), "{page}");
    }
}

#[tokio::test]
async fn consent_is_told_by_a_source_and_demanded_by_a_destination() {
    let (_house, mut ada) = owned().await;
    let form = ada.text("/destinations/new/webhook").await;
    assert!(!form.contains("name=\"consent\""), "no source tells of a consent yet");
    let source = |consent| {
        [("kind", "sqlite"), ("name", "crm"), ("s-path", "shop.db"), ("consent", consent)]
    };
    let half = send(&mut ada, "/sources/new", &source("advertising: ads_ok, analytics")).await;
    let half = shown(half, StatusCode::UNPROCESSABLE_ENTITY).await;
    assert!(half.contains("id=\"consent-wrong\""), "{half}");
    assert_eq!(value(&half, "consent"), "advertising: ads_ok, analytics");
    let both = "advertising: ads_ok, analytics: stats_ok";
    let created = send(&mut ada, "/sources/new", &source(both)).await;
    assert_eq!(led_to(&created), "/sources/crm?done=created");
    let page = ada.text("/sources/crm").await;
    assert_eq!(value(&page, "consent"), both);

    let form = ada.text("/destinations/new/webhook").await;
    assert!(form.contains("name=\"consent\" value=\"analytics\""), "{form}");
    let destination = [("name", "ads"), ("consent", "advertising")];
    let created = send(&mut ada, "/destinations/new/webhook", &destination).await;
    assert_eq!(led_to(&created), "/destinations/ads?done=created");
    let shows = ada.text("/destinations/ads").await;
    assert!(shows.contains("value=\"advertising\" checked"), "{shows}");
    assert!(!shows.contains("value=\"analytics\" checked"), "{shows}");

    let changed = [
        ("kind", "sqlite"),
        ("version", value(&page, "version")),
        ("s-path", "shop.db"),
        ("consent", "analytics: stats_ok"),
    ];
    let refused = send(&mut ada, "/sources/crm", &changed).await;
    let refused = shown(refused, StatusCode::UNPROCESSABLE_ENTITY).await;
    assert!(refused.contains("demands consent to <code>advertising</code>"), "{refused}");
}
