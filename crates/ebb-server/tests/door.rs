//! In and out: joining, sessions, roles, and the mark of forms.

use reqwest::{
    Client, Response, StatusCode,
    header::{COOKIE, LOCATION, RETRY_AFTER, SET_COOKIE},
};

use crate::house::House;

const PASSWORD: &str = "correct horse battery";

/// A browser that remembers its session alone.
pub(crate) struct Browser {
    client: Client,
    address: String,
    cookie: String,
}

impl Browser {
    pub(crate) fn new(house: &House) -> Self {
        let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { client, address: house.address.clone(), cookie: String::new() }
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        let request = self.client.get(format!("{}{path}", self.address));
        request.header(COOKIE, &self.cookie).send().await.unwrap()
    }

    pub(crate) async fn text(&self, path: &str) -> String {
        self.get(path).await.text().await.unwrap()
    }

    fn asks(&self, path: &str, form: &[(&str, &str)]) -> reqwest::RequestBuilder {
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(form);
        let request = self.client.post(format!("{}{path}", self.address));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        request.header(COOKIE, &self.cookie).body(body.finish())
    }

    /// Sends a form as htmx does, which takes a part of a page.
    pub(crate) async fn post_part(&self, path: &str, form: &[(&str, &str)]) -> Response {
        self.asks(path, form).header("hx-request", "true").send().await.unwrap()
    }

    pub(crate) async fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Response {
        let answer = self.asks(path, form).send().await.unwrap();
        for cookie in answer.headers().get_all(SET_COOKIE) {
            let cookie = cookie.to_str().unwrap();
            if let Some(pair) =
                cookie.split(';').next().filter(|pair| pair.starts_with("ebb_session="))
            {
                pair.clone_into(&mut self.cookie);
            }
        }
        answer
    }

    /// The mark that forms of this session bear.
    pub(crate) async fn mark(&self) -> String {
        let page = self.text("/settings").await;
        let (_, rest) = page.split_once("name=\"csrf\" value=\"").expect("a form");
        rest.split('"').next().unwrap().to_owned()
    }

    pub(crate) async fn join(&mut self, link: &str, email: &str, name: &str) {
        let form = [("email", email), ("name", name), ("password", PASSWORD)];
        let answer = self.post(link, &form).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{:?}", answer.text().await);
    }

    /// Invites somebody; the link that is shown.
    pub(crate) async fn invite(&mut self, email: &str, role: &str) -> String {
        let mark = self.mark().await;
        let form = [("csrf", mark.as_str()), ("email", email), ("name", ""), ("role", role)];
        let page = self.post("/settings/people", &form).await.text().await.unwrap();
        let (_, rest) = page.split_once("id=\"shown\">").expect("a link");
        rest.split('<').next().unwrap().to_owned()
    }
}

/// A server with its first owner.
pub(crate) async fn owned() -> (House, Browser) {
    let house = House::start().await;
    let mut ada = Browser::new(&house);
    let link = house.first_owner.clone().unwrap();
    ada.join(&link, "Ada@Example.com", "Ada").await;
    (house, ada)
}

#[tokio::test]
async fn the_first_owner_joins_by_the_link_that_was_printed_and_nobody_else_does() {
    let (house, ada) = owned().await;
    assert!(ada.text("/").await.contains("Overview"));
    let mut eve = Browser::new(&house);
    let link = house.first_owner.clone().unwrap();
    let form = [("email", "eve@example.com"), ("name", "Eve"), ("password", PASSWORD)];
    let refused = eve.post(&link, &form).await;
    assert_eq!(refused.status(), StatusCode::GONE);
    assert!(refused.text().await.unwrap().contains("A605"));
    assert!(house.restarted().await.first_owner.is_none(), "there is an owner already");
}

#[tokio::test]
async fn a_link_works_also_where_somebody_is_signed_in() {
    let (_house, mut browser) = owned().await;
    let link = browser.invite("vi@example.com", "viewer").await;
    browser.join(&link, "vi@example.com", "Vi Watts").await;
    assert!(browser.text("/").await.contains("Vi Watts"));
}

#[tokio::test]
async fn who_is_not_signed_in_is_sent_to_do_so_and_comes_back() {
    let (house, _) = owned().await;
    let mut browser = Browser::new(&house);
    let sent = browser.get("/syncs?mapping=all").await;
    assert_eq!(sent.status(), StatusCode::SEE_OTHER);
    assert_eq!(sent.headers()[LOCATION], "/sign-in?next=%2Fsyncs%3Fmapping%3Dall");
    for (next, expected) in [
        ("/syncs?mapping=all", "/syncs?mapping=all"),
        ("//evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("/\r\n/evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example", "/"),
    ] {
        // Nobody in this browser is known by a session yet.
        browser.cookie.clear();
        let form = [("email", "ada@example.com"), ("password", PASSWORD), ("next", next)];
        let answer = browser.post("/sign-in", &form).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        assert_eq!(answer.headers()[LOCATION], expected);
    }
    assert_eq!(browser.get("/syncs").await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_form_that_is_sent_without_a_session_leads_back_to_its_page() {
    let (house, _) = owned().await;
    let browser = Browser::new(&house);
    let (own, next) = (house.address.as_str(), "/sign-in?next=");
    for (page, expected) in [
        (format!("{own}/mappings/all?x=1"), format!("{next}%2Fmappings%2Fall%3Fx%3D1")),
        ("https://evil.example/mappings/all".to_owned(), format!("{next}%2F")),
        (String::new(), format!("{next}%2F")),
    ] {
        let sent = browser.client.post(format!("{own}/syncs/1/replay")).header("referer", &page);
        let sent = sent.send().await.unwrap();
        assert_eq!(sent.status(), StatusCode::SEE_OTHER);
        assert_eq!(sent.headers()[LOCATION], expected, "{page}");
    }
}

/// htmx would take the page to sign in for the part that it asked for.
#[tokio::test]
async fn htmx_is_told_that_nobody_is_signed_in() {
    let (house, _) = owned().await;
    let browser = Browser::new(&house);
    for request in [
        browser.client.get(format!("{}/", house.address)),
        browser.client.post(format!("{}/build/preview", house.address)),
    ] {
        let told = request.header("hx-request", "true").send().await.unwrap();
        assert_eq!(told.status(), StatusCode::UNAUTHORIZED);
        assert!(told.text().await.unwrap().contains("A601"));
    }
}

#[tokio::test]
async fn an_address_without_a_page_is_answered_by_a_page() {
    let (house, ada) = owned().await;
    let nobody = Browser::new(&house);
    for browser in [&ada, &nobody] {
        for (path, status) in
            [("/nowhere", StatusCode::NOT_FOUND), ("/theme", StatusCode::METHOD_NOT_ALLOWED)]
        {
            let told = browser.get(path).await;
            assert_eq!(told.status(), status, "{path}");
            assert_eq!(told.headers().contains_key("allow"), path == "/theme");
            let text = told.text().await.unwrap();
            assert!(text.contains("A609") && text.contains("<main"), "{path}: {text}");
        }
    }
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_are_told_alike_and_not_for_ever() {
    let (house, _) = owned().await;
    let mut browser = Browser::new(&house);
    let mut told = Vec::new();
    for email in ["ada@example.com", "nobody@example.com"] {
        let form = [("email", email), ("password", "wrong wrong wrong")];
        let refused = browser.post("/sign-in", &form).await;
        assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
        told.push(refused.text().await.unwrap().replace(email, "EMAIL"));
    }
    assert_eq!(told[0], told[1]);
    let form = [("email", "ada@example.com"), ("password", "wrong wrong wrong")];
    for _ in 0..9 {
        browser.post("/sign-in", &form).await;
    }
    let last = browser.post("/sign-in", &form).await;
    assert_eq!(last.status(), StatusCode::TOO_MANY_REQUESTS);
    let wait: u64 = last.headers()[RETRY_AFTER].to_str().unwrap().parse().unwrap();
    assert!((1..=6).contains(&wait), "{wait}");
    assert!(last.text().await.unwrap().contains("A604"));
}

#[tokio::test]
async fn another_site_signs_nobody_in_and_uses_no_link() {
    let (house, mut ada) = owned().await;
    let link = ada.invite("bo@example.com", "viewer").await;
    let form = format!("email=ada%40example.com&name=Bo&password={}", PASSWORD.replace(' ', "+"));
    let send = |path: &str, said: (&'static str, String)| {
        let ask = house.ask("POST", path).by_nobody().with(said.0, said.1);
        ask.text("application/x-www-form-urlencoded", form.clone()).response()
    };
    for path in ["/sign-in", &link] {
        for said in [
            ("sec-fetch-site", "cross-site".to_owned()),
            ("sec-fetch-site", "same-site".to_owned()),
            ("origin", "https://evil.example".to_owned()),
            ("origin", "null".to_owned()),
        ] {
            let refused = send(path, said.clone()).await;
            assert_eq!(refused.status(), StatusCode::FORBIDDEN, "{path} {said:?}");
            assert!(refused.headers().get(SET_COOKIE).is_none());
            let page = refused.text().await.unwrap();
            assert!(page.contains("A606") && page.contains("another address"), "{page}");
        }
    }
    for (path, said) in [
        ("/sign-in", ("sec-fetch-site", "same-origin".to_owned())),
        (&*link, ("origin", house.address.clone())),
    ] {
        assert_eq!(send(path, said).await.status(), StatusCode::SEE_OTHER, "{path}");
    }
}

#[tokio::test]
async fn who_cannot_come_in_reads_what_a_code_means() {
    let (house, ada) = owned().await;
    let nobody = Browser::new(&house);
    for browser in [&nobody, &ada] {
        let page = browser.get("/help/A605").await;
        assert_eq!(page.status(), StatusCode::OK);
        assert!(page.text().await.unwrap().contains("# A605: the link was used already"));
        assert_eq!(browser.get("/help/A999").await.status(), StatusCode::NOT_FOUND);
    }
    assert!(nobody.text("/help/A605").await.contains("href=\"/sign-in\""));
    assert!(ada.text("/help/A605").await.contains("Overview"));
}

#[tokio::test]
async fn a_form_that_is_too_large_or_is_not_the_page_s_is_told_in_words() {
    let (house, mut ada) = owned().await;
    let mut nobody = Browser::new(&house);
    let (mark, long) = (ada.mark().await, "x".repeat(2 * 1024 * 1024));
    let form = [("csrf", mark.as_str()), ("name", &long), ("role", "viewer"), ("days", "")];
    for answer in [
        ada.post("/settings/tokens", &form).await,
        nobody.post("/sign-in", &[("email", "a@b.test"), ("password", &long)]).await,
    ] {
        assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
        let page = answer.text().await.unwrap();
        assert!(page.contains("A618") && page.contains("2048 KiB"), "{page}");
        assert!(page.contains("Send less at once"), "{page}");
    }
    for answer in [
        ada.post("/settings/tokens", &[("csrf", &mark), ("name", "x")]).await,
        nobody.post("/sign-in", &[("email", "ada@example.com")]).await,
    ] {
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
        let page = answer.text().await.unwrap();
        assert!(page.contains("A610") && page.contains("Load the page again"), "{page}");
    }
}

#[tokio::test]
async fn a_form_without_the_mark_of_its_session_is_refused() {
    let (house, mut ada) = owned().await;
    let mut bo = Browser::new(&house);
    let link = ada.invite("bo@example.com", "owner").await;
    bo.join(&link, "", "Bo").await;
    let (hers, his) = (ada.mark().await, bo.mark().await);
    assert_ne!(hers, his);
    for mark in ["", "x", his.as_str()] {
        let form = [("csrf", mark), ("email", "cy@example.com"), ("name", ""), ("role", "viewer")];
        let refused = ada.post("/settings/people", &form).await;
        assert_eq!(refused.status(), StatusCode::FORBIDDEN);
        assert!(refused.text().await.unwrap().contains("A606"));
    }
    let json = ada.client.post(format!("{}/settings/people", ada.address));
    let refused = json.header(COOKIE, &ada.cookie).body("{}").send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    assert!(!ada.text("/settings").await.contains("cy@example.com"));
}

#[tokio::test]
async fn a_viewer_sees_no_button_and_can_change_nothing() {
    let (house, mut ada) = owned().await;
    let link = ada.invite("vi@example.com", "viewer").await;
    let mut vi = Browser::new(&house);
    vi.join(&link, "", "Vi").await;
    let page = vi.text("/mappings/all").await;
    assert!(page.contains("What it does") && !page.contains("Sync now"), "{page}");
    let mark = vi.mark().await;
    assert_eq!(vi.get("/mappings/all/plan").await.status(), StatusCode::FORBIDDEN);
    for (path, more) in [
        ("/mappings/all", ("wish", "sync")),
        ("/mappings/all", ("wish", "reset")),
        ("/settings/people", ("role", "owner")),
        ("/settings/tokens", ("role", "editor")),
        ("/settings/tokens", ("role", "viewer")),
    ] {
        let form = [
            ("csrf", mark.as_str()),
            ("email", "x@example.com"),
            ("name", "x"),
            ("days", ""),
            more,
        ];
        let refused = vi.post(path, &form).await;
        assert_eq!(refused.status(), StatusCode::FORBIDDEN, "{path}");
        assert!(refused.text().await.unwrap().contains("A602"), "{path}");
    }
}

#[tokio::test]
async fn signing_out_and_being_removed_end_a_session() {
    let (house, mut ada) = owned().await;
    let link = ada.invite("bo@example.com", "editor").await;
    let mut bo = Browser::new(&house);
    bo.join(&link, "", "Bo").await;
    let before = bo.cookie.clone();
    let mark = bo.mark().await;
    bo.post("/sign-out", &[("csrf", &mark)]).await;
    bo.cookie = before;
    assert_eq!(
        bo.get("/").await.status(),
        StatusCode::SEE_OTHER,
        "the cookie is worth nothing now"
    );
    let form = [("email", "bo@example.com"), ("password", PASSWORD)];
    bo.post("/sign-in", &form).await;
    assert_eq!(bo.get("/").await.status(), StatusCode::OK);
    let page = ada.text("/settings").await;
    let (_, rest) = page.rsplit_once("/settings/people/").expect("the form that removes Bo");
    let id = rest.split('/').next().unwrap().to_owned();
    let mark = ada.mark().await;
    ada.post(&format!("/settings/people/{id}/remove"), &[("csrf", &mark)]).await;
    assert_eq!(bo.get("/").await.status(), StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn every_answer_says_what_a_browser_may_do_with_it() {
    let (_house, ada) = owned().await;
    for path in ["/", "/nothing", "/sign-in", "/healthz", "/api/v1/sources"] {
        let answer = ada.get(path).await;
        let policy = answer.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert!(policy.contains("script-src 'self'") && !policy.contains("unsafe"), "{path}");
        assert_eq!(answer.headers()["x-content-type-options"], "nosniff", "{path}");
        let page = answer.text().await.unwrap();
        assert!(!page.contains("<script>") && !page.contains(" style=\""), "{path}");
        assert!(!page.contains(" onclick="), "{path}");
    }
}
