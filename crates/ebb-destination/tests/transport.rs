//! The way out, against a server on loopback that answers by a script.

use std::{fs, sync::Arc, time::Duration};

use ebb_core::{
    Code, Failure,
    port::{Body, Clock, Header, Reply, Request},
};
use ebb_destination::{Catalog, Connector, Network, Reach};
use ebb_testkit::FakeClock;
use serde_json::{Map, Value, json};

use crate::server::{Answer, Server};

/// A destination with OAuth 2, as a user would write it into a project.
const OWN: &str = r#"
slug = "own"
name = "Own"
docs = "https://example.com"

[settings.base]
label = "Base"
type = "string"
required = true

[settings.secret]
label = "Secret"
type = "secret"
required = true

[auth.oauth2]
grant = "client_credentials"
token_url = "{{ settings.base }}/token"
client_id = "client"
client_secret = "{{ settings.secret }}"

[probe]
url = "{{ settings.base }}/me"

[actions.put]
label = "Put"

[actions.put.fields.id]
label = "Id"
type = "string"
required = true

[actions.put.request]
url = "{{ settings.base }}/items"
item = { id = "{{ field.id }}" }
"#;

fn settings(value: &Value) -> ebb_core::config::Settings {
    value.as_object().cloned().unwrap_or_default().into()
}

fn clock() -> Arc<dyn Clock> {
    Arc::new(FakeClock::at("2026-11-21T03:00:00Z".parse().unwrap()))
}

#[expect(clippy::needless_pass_by_value, reason = "callers write the values down in place")]
pub(crate) fn connect(kind: &str, values: Value, network: &Network) -> Connector {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("own")).unwrap();
    fs::write(folder.path().join("own/manifest.toml"), OWN).unwrap();
    let catalog = Catalog::load(folder.path()).unwrap();
    Connector::new(catalog.find(kind).unwrap(), &settings(&values), network, clock()).unwrap()
}

fn request(url: &str) -> Request {
    let header = Header { name: "x-own".to_owned(), value: "1".to_owned(), secret: false };
    Request {
        method: "POST".to_owned(),
        url: url.to_owned(),
        headers: vec![header],
        body: Body::Json("{\"a\":1}".into()),
    }
}

pub(crate) async fn send(connector: &Connector, url: &str) -> Result<Reply, Failure> {
    connector.transport().send(&request(url)).await
}

fn impatient() -> Network {
    Network { timeout: Duration::from_millis(200), ..Network::default() }
}

#[tokio::test]
async fn answers_of_any_status_are_handed_on_and_a_date_to_wait_for_becomes_seconds() {
    let wait = vec![("retry-after", "Sat, 21 Nov 2026 03:00:30 GMT")];
    let server = Server::start(vec![
        Answer::Says(200, vec![], "{\"ok\":true}"),
        Answer::Says(429, wait, "slow"),
        Answer::Says(400, vec![], "no"),
        Answer::Says(500, vec![], "oops"),
    ])
    .await;
    let connector = connect("webhook", json!({}), &Network::default());
    let mut seen = Vec::new();
    for _ in 0..4 {
        let reply = send(&connector, &server.url).await.unwrap();
        let wait = reply.headers.iter().find(|(name, _)| name == "retry-after");
        let wait = wait.map(|(_, value)| value.clone()).unwrap_or_default();
        seen.push((reply.status, wait, String::from_utf8(reply.body.to_vec()).unwrap()));
    }
    let wanted =
        [(200, "", "{\"ok\":true}"), (429, "30", "slow"), (400, "", "no"), (500, "", "oops")];
    let wanted = wanted.map(|(status, wait, body)| (status, wait.to_owned(), body.to_owned()));
    assert_eq!(seen, wanted);
    assert_eq!(server.asked()[0].body, "{\"a\":1}");
}

#[tokio::test]
async fn a_cut_connection_and_a_silent_one_are_failures_that_name_the_host() {
    let server = Server::start(vec![Answer::Cut]).await;
    let connector = connect("webhook", json!({}), &Network::default());
    let failure = send(&connector, &server.url).await.unwrap_err();
    assert_eq!(failure.code, Code::DestinationUnreachable);
    assert!(failure.message().contains("`127.0.0.1`"), "{failure}");

    let server = Server::start(vec![Answer::Silence]).await;
    let connector = connect("webhook", json!({}), &impatient());
    let failure = send(&connector, &format!("{}/?key=hidden", server.url)).await.unwrap_err();
    assert_eq!(failure.message(), "`127.0.0.1` did not answer in time");

    let failure = send(&connector, "http://127.0.0.1:1/").await.unwrap_err();
    assert_eq!(failure.code, Code::DestinationUnreachable);
    assert!(failure.message().contains("cannot be reached"), "{failure}");
}

#[tokio::test]
async fn a_server_asks_nothing_inside_its_network_unless_it_is_allowed() {
    let guarded = |allowed: &[&str]| Network {
        reach: Reach::Public { besides: allowed.iter().map(|it| it.parse().unwrap()).collect() },
        ..Network::default()
    };
    let server = Server::start(vec![Answer::Says(200, vec![], "{}")]).await;
    let named = server.url.replace("127.0.0.1", "localhost");
    let mapped = server.url.replace("127.0.0.1", "[::ffff:127.0.0.1]");
    let connector = connect("webhook", json!({}), &guarded(&[]));
    for url in [&server.url, &named, &mapped, "http://169.254.169.254/latest/meta-data/"] {
        let failure = send(&connector, url).await.unwrap_err();
        assert_eq!(failure.code, Code::DestinationAddress, "{url}: {failure}");
    }
    let own = json!({ "base": server.url, "secret": "client-secret" });
    let failure = connect("own", own, &guarded(&[])).probe().await.unwrap();
    assert_eq!(failure.code, Code::DestinationAddress, "where tokens come from: {failure}");
    assert_eq!(server.asked().len(), 0);

    for url in [&server.url, &named] {
        let connector = connect("webhook", json!({}), &guarded(&["127.0.0.0/8"]));
        assert_eq!(send(&connector, url).await.unwrap().status, 200, "{url}");
    }
}

#[tokio::test]
async fn a_redirect_to_another_host_is_not_followed() {
    let other = Server::start(vec![]).await;
    let away: &'static str = other.url.replace("127.0.0.1", "localhost").leak();
    let server = Server::start(vec![Answer::Says(307, vec![("location", away)], "")]).await;
    let connector = connect("webhook", json!({}), &Network::default());
    assert_eq!(send(&connector, &server.url).await.unwrap().status, 307);
    assert!(other.asked().is_empty());
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_and_a_second_refusal_is_handed_on() {
    let server = Server::start(vec![
        Answer::Says(200, vec![], "{\"access_token\":\"first\"}"),
        Answer::Says(401, vec![], "expired"),
        Answer::Says(200, vec![], "{\"access_token\":\"second\"}"),
        Answer::Says(200, vec![], "taken"),
        Answer::Says(401, vec![], "expired"),
        Answer::Says(200, vec![], "{\"access_token\":\"third\"}"),
        Answer::Says(401, vec![], "no, third is not allowed"),
    ])
    .await;
    let values = json!({ "base": server.url, "secret": "client-secret" });
    let connector = connect("own", values, &Network::default());
    let url = format!("{}/items", server.url);
    assert_eq!(send(&connector, &url).await.unwrap().body, "taken");
    let refused = send(&connector, &url).await.unwrap();
    assert_eq!(refused.status, 401);
    assert!(!String::from_utf8_lossy(&refused.body).contains("third"));
    let asked: Vec<_> = server.asked().into_iter().map(|it| (it.path, it.authorization)).collect();
    let bearer = |path: &str, token: &str| (path.to_owned(), token.to_owned());
    assert_eq!(
        asked,
        [
            bearer("/token", ""),
            bearer("/items", "Bearer first"),
            bearer("/token", ""),
            bearer("/items", "Bearer second"),
            bearer("/items", "Bearer second"),
            bearer("/token", ""),
            bearer("/items", "Bearer third"),
        ]
    );
}

#[tokio::test]
async fn many_refusals_at_once_fetch_one_token() {
    let mut answers = vec![Answer::Says(200, vec![], "{\"access_token\":\"first\"}")];
    answers.push(Answer::Says(200, vec![], "warm"));
    answers.extend((0..4).map(|_| Answer::Says(401, vec![], "expired")));
    answers.push(Answer::Says(200, vec![], "{\"access_token\":\"second\"}"));
    let server = Server::start(answers).await;
    let values = json!({ "base": server.url, "secret": "client-secret" });
    let connector = connect("own", values, &Network::default());
    let url = format!("{}/items", server.url);
    send(&connector, &url).await.unwrap();
    let replies = futures_util::future::join_all((0..4).map(|_| send(&connector, &url))).await;
    assert!(replies.into_iter().all(|reply| reply.unwrap().status == 200));
    let tokens = server.asked().iter().filter(|it| it.path == "/token").count();
    assert!((2..=3).contains(&tokens), "{tokens} tokens were fetched");
}

#[tokio::test]
async fn a_client_that_gets_no_token_is_told_so_without_its_secret() {
    let answer = Answer::Says(400, vec![], "{\"error\":\"bad client-secret\"}");
    let server = Server::start(vec![answer]).await;
    let values = json!({ "base": server.url, "secret": "client-secret" });
    let connector = connect("own", values, &Network::default());
    let failure = send(&connector, &format!("{}/items", server.url)).await.unwrap_err();
    assert_eq!(failure.code, Code::DestinationAuth);
    assert!(!failure.to_string().contains("client-secret"), "{failure}");
}

#[tokio::test]
async fn the_probe_tells_whether_the_credentials_are_taken() {
    let token = || Answer::Says(200, vec![], "{\"access_token\":\"first\"}");
    let server = Server::start(vec![
        token(),
        Answer::Says(200, vec![], "{}"),
        Answer::Says(403, vec![], "who are you"),
    ])
    .await;
    let values = json!({ "base": server.url, "secret": "client-secret" });
    let connector = connect("own", values, &Network::default());
    assert!(connector.probe().await.is_none());
    assert_eq!(connector.probe().await.unwrap().code, Code::DestinationAuth);
    assert_eq!(server.asked()[1].path, "/me");
}

#[test]
fn settings_and_mappings_are_checked_with_a_remedy_for_each_problem() {
    let catalog = Catalog::built_in();
    let manifest = &catalog.find("mixpanel").unwrap().manifest;
    let given = settings(&json!({ "projectToken": 7, "apiRegion": "mars", "apiSecert": "x" }));
    let problems: Vec<String> = ebb_destination::check_settings(manifest, &given)
        .iter()
        .map(|failure| format!("{failure}. {}", failure.advice()))
        .collect();
    assert_eq!(problems.len(), 3, "{problems:#?}");
    assert!(problems[0].contains("Did you mean `apiSecret`?"), "{problems:#?}");
    assert!(problems[1].contains("`apiSecret` is missing"), "{problems:#?}");
    assert!(problems[2].contains("cannot be `mars`"), "{problems:#?}");

    let codes = |action: &str, fields: Value| -> Vec<Code> {
        let fields: Map<String, Value> = fields.as_object().cloned().unwrap_or_default();
        let problems = ebb_destination::check_mapping(manifest, action, &fields);
        problems.iter().map(|failure| failure.code).collect()
    };
    assert_eq!(codes("trackEvnt", json!({})), [Code::UnknownAction]);
    assert_eq!(codes("trackEvent", json!({ "evnt": "x" })), [Code::UnknownField]);
    assert_eq!(codes("trackEvent", json!({ "event": { "@pth": "$.x" } })), [Code::MappingInvalid]);
    assert!(codes("trackEvent", json!({ "event": { "@path": "$.event" } })).is_empty());
}
