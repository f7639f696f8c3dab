//! Building in the page: sources, models, destinations, mappings, as a browser sends its forms.

use ebb_testkit::Script;
use reqwest::{StatusCode, header::LOCATION};

use crate::{
    door::{Browser, owned},
    house::{FILE_SECRET, House},
    pages_mappings::mapping,
};

/// A secret that somebody types.
const TYPED_SECRET: &str = "swordfish-typed-by-ada";

/// Sends a form with its session's mark.
pub(crate) async fn send(
    browser: &mut Browser,
    path: &str,
    form: &[(&str, &str)],
) -> reqwest::Response {
    let mark = browser.mark().await;
    let form: Vec<_> = [("csrf", mark.as_str())].into_iter().chain(form.iter().copied()).collect();
    browser.post(path, &form).await
}

pub(crate) async fn shown(answer: reqwest::Response, status: StatusCode) -> String {
    assert_eq!(answer.status(), status);
    answer.text().await.expect("a page")
}

/// Where a form that was taken leads.
pub(crate) fn led_to(answer: &reqwest::Response) -> &str {
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    answer.headers()[LOCATION].to_str().expect("an address")
}

/// The value of an input of a page.
pub(crate) fn value<'p>(page: &'p str, input: &str) -> &'p str {
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
    let mark = ada.mark().await;
    let marked: Vec<_> = [("csrf", mark.as_str())].into_iter().chain(form).collect();
    let part = ada.post_part("/build/test-source", &marked).await;
    assert_eq!(part.headers()["content-encoding"], "identity", "compression holds pieces back");
    assert!(
        !part.headers().contains_key("content-length"),
        "its end is not known at its beginning"
    );
    let steps = ["Open", "Read", "Create schema", "Write", "Drop", "Everything that a sync needs"];
    let part = part.text().await.expect("a part");
    let places: Vec<_> = steps.iter().map(|step| part.find(step).expect(step)).collect();
    assert!(places.is_sorted(), "{part}");

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
