//! I7 with the real binary: marked secrets are planted everywhere, and looked for in everything that Ebb
//! writes, prints, answers and shows.

use std::{
    collections::{BTreeSet, VecDeque},
    path::Path,
    time::Duration,
};

use ebb_testkit::Script;
use serde_json::{Value, json};

use crate::{
    postgres::Database,
    server::{PASSWORD, Server},
    shop::{Shop, ran},
};

const IN_ENVIRONMENT: &str = "marked-secret-in-environment";
const IN_OWN_FILE: &str = "marked-secret-in-own-file";
const IN_PROJECT_FILE: &str = "marked-secret-in-project-file";
const IN_PAGE: &str = "marked-secret-in-page";
const REPLACED: &str = "marked-secret-that-was-replaced";
const IN_URL: &str = "marked-secret-in-url";
const OF_PROVIDER: &str = "marked-secret-at-the-identity-provider";
const OF_WEBHOOK: &str = "marked-secret-of-the-dbt-cloud-webhook";
const NOWHERE: &str = "marked-secret-of-a-source-that-is-away";

const VARIABLES: [(&str, &str); 4] = [
    ("MARKED", IN_ENVIRONMENT),
    ("MARKED_OIDC", OF_PROVIDER),
    ("MARKED_DBT", OF_WEBHOOK),
    ("EBB_LOG", "trace"),
];

/// Everything that came out, with where it was found.
#[derive(Default)]
struct Found(Vec<(String, Vec<u8>)>);

impl Found {
    fn add(&mut self, place: impl Into<String>, what: impl Into<Vec<u8>>) {
        self.0.push((place.into(), what.into()));
    }

    fn folder(&mut self, folder: &Path) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                self.folder(&path);
            } else {
                self.add(path.display().to_string(), std::fs::read(&path).unwrap());
            }
        }
    }

    fn holds_none_of(&self, secrets: &[&str]) {
        for (place, what) in &self.0 {
            let text = String::from_utf8_lossy(what);
            for secret in secrets {
                let told = text.split_once(*secret).map(|(before, _)| {
                    before
                        .chars()
                        .rev()
                        .take(200)
                        .collect::<Vec<_>>()
                        .into_iter()
                        .rev()
                        .collect::<String>()
                });
                assert_eq!(told, None, "`{secret}` is in {place}");
            }
        }
    }
}

/// Three mappings from files, with secrets of three kinds, and those of the server itself.
fn project(shop: &Shop) -> String {
    let url = |path: &str| shop.receiver.url(path);
    format!(
        "project: shop\nnetwork: {{ allow: [127.0.0.1] }}\nsign_in: {{ oidc: {{ issuer: \"{}\", client_id: ebb, \
         client_secret: \"${{env:MARKED_OIDC}}\" }} }}\ndbt_cloud: {{ webhook_secret: \"${{env:MARKED_DBT}}\" }}\nsources:\n  db: {{ kind: sqlite, settings: {{ path: \
         shop.db }} }}\nmodels:\n  people: {{ source: db, id: id, query: \"select id, name, version from \
         people\" }}\ndestinations:\n  first: {{ kind: webhook, settings: {{ sharedSecret: \"${{env:MARKED}}\" }} }}\n  \
         second: {{ kind: webhook, settings: {{ sharedSecret: \"${{file:secret.txt}}\" }} }}\n  third: {{ kind: \
         webhook, settings: {{ sharedSecret: {IN_PROJECT_FILE} }} }}\nmappings:\n  one: {{ model: people, \
         destination: first, action: send, fields: {{ url: \"{}\" }} }}\n  two: {{ model: people, destination: \
         second, action: send, fields: {{ url: \"{}\" }} }}\n  three: {{ model: people, destination: third, action: \
         send, fields: {{ url: \"{}\" }} }}\n",
        url("/provider"),
        url("/one"),
        url("/two"),
        url("/three"),
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_is_in_what_ebb_writes_prints_answers_or_shows() {
    let shop = Shop::new(20, Script::default()).await;
    shop.write("ebb.yaml", &project(&shop));
    shop.write("secret.txt", IN_OWN_FILE);
    shop.receiver.refuse(["3", "7"]);
    let server = Server::start(&shop, &VARIABLES).await;
    let mut found = Found::default();
    let database = make_by_api(&server, &shop, &mut found).await;
    sync_all(&server, &mut found, database.is_some()).await;
    commands(&shop, &mut found).await;
    strangers(&server, &mut found).await;
    api(&server, &mut found).await;
    let pages = pages(&server, &mut found).await;
    assert!(pages > 25, "only {pages} pages were found");

    found.folder(&shop.path(".ebb"));
    for file in ["serve.out", "serve.err"] {
        let text = std::fs::read(shop.path(file)).unwrap();
        assert!(!text.is_empty(), "{file}");
        found.add(file, text);
    }
    let session = server.cookie.split_once('=').unwrap().1;
    found.holds_none_of(&[
        IN_ENVIRONMENT,
        IN_OWN_FILE,
        IN_PROJECT_FILE,
        IN_PAGE,
        REPLACED,
        IN_URL,
        OF_PROVIDER,
        OF_WEBHOOK,
        NOWHERE,
        PASSWORD,
        session,
        &server.token,
    ]);
    // What would be found if it were there.
    assert!(found.0.iter().any(|(_, what)| String::from_utf8_lossy(what).contains("person 3")));
}

/// Makes a source, a destination and a mapping, replaces a secret, and makes what cannot be reached.
async fn make_by_api(server: &Server, shop: &Shop, found: &mut Found) -> Option<Database> {
    let tool = |secret: &str| json!({ "kind": "webhook", "settings": { "sharedSecret": secret } });
    let away = json!({ "kind": "postgres", "settings": {
        "url": format!("postgres://ebb:{NOWHERE}@127.0.0.1:1/nothing") } });
    let mut made = vec![("destinations", "tool", tool(REPLACED)), ("sources", "away", away)];
    let database = Database::new().await;
    if let Some(database) = &database {
        database.people(5).await;
        // The test's cluster trusts everybody: any password will do.
        let mut url = url::Url::parse(&database.url).unwrap();
        url.set_password(Some(IN_URL)).unwrap();
        let send = shop.receiver.url("/four");
        made.push((
            "sources",
            "lake",
            json!({ "kind": "postgres", "settings": { "url": url.as_str() } }),
        ));
        made.push(("models", "all", json!({ "source": "lake", "id": "id", "table": "people" })));
        made.push((
            "mappings",
            "four",
            json!({ "model": "all", "destination": "tool", "action": "send",
            "fields": { "url": send } }),
        ));
    }
    for (section, name, document) in made {
        let new = json!({ "name": name, "document": document });
        let (status, text) = server.api("POST", &format!("/{section}"), Some(&new)).await;
        assert_eq!(status, 201, "{section}.{name}: {text}");
        found.add(format!("answer to making {section}.{name}"), text);
    }
    let folder = json!({ "documents": { "destinations": { "tool": tool(IN_PAGE) } } });
    let (_, planned) = server.api("POST", "/apply/plan", Some(&folder)).await;
    let state: Value = serde_json::from_str(&planned).unwrap();
    let wanted = json!({ "state": state["state"], "folder": folder });
    let (status, applied) = server.api("POST", "/apply", Some(&wanted)).await;
    assert_eq!(status, 200, "{applied}");
    found.add("a plan", planned);
    found.add("an application", applied);
    for path in ["/sources/away/check", "/destinations/tool/check"] {
        let (_, text) = server.api("POST", path, None).await;
        found.add(path, text);
    }
    database
}

async fn sync_all(server: &Server, found: &mut Found, with_postgres: bool) {
    let mappings = ["one", "two", "three", "four"];
    let count = if with_postgres { 4 } else { 3 };
    for mapping in &mappings[..count] {
        let path = format!("/mappings/{mapping}/syncs");
        let (status, text) = server.api("POST", &path, Some(&json!({ "kind": "sync" }))).await;
        assert!(status < 300, "{text}");
        found.add(path, text);
    }
    for _ in 0..600 {
        let (_, text) = server.api("GET", "/syncs", None).await;
        let syncs: Value = serde_json::from_str(&text).unwrap();
        let syncs = syncs["items"].as_array().unwrap();
        if syncs.len() == count && syncs.iter().all(|sync| !sync["finished_at"].is_null()) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the syncs did not end");
}

async fn commands(shop: &Shop, found: &mut Found) {
    for arguments in [
        &["check"][..],
        &["preview", "people"],
        &["plan", "one", "--show", "3"],
        &["test", "one", "--record", "3"],
        &["syncs"],
        &["schema"],
    ] {
        let mut command = shop.command(arguments);
        command.envs(VARIABLES);
        let ran = ran(command).await;
        found.add(format!("{arguments:?}"), format!("{ran:?}"));
    }
}

/// What is answered without signing in: the way to an identity provider that gives no answer of one, and a
/// run of dbt Cloud that somebody made up.
async fn strangers(server: &Server, found: &mut Found) {
    found.add("sign-in", server.page("/sign-in").await);
    let refused = server.page("/sign-in/oidc").await;
    assert!(refused.contains("A61"), "{refused}");
    found.add("sign-in by the provider", refused);
    let said = json!({ "eventType": "job.run.completed", "data": { "jobId": "7", "runId": "1" } });
    let (status, text) = server.dbt_cloud("made-up", &said).await;
    assert_eq!(status, 401, "{text}");
    found.add("answer to dbt Cloud", text);
}

/// Every list, and everything that lists name.
async fn api(server: &Server, found: &mut Found) {
    let (_, document) = server.api("GET", "/openapi.json", None).await;
    let document: Value = serde_json::from_str(&document).unwrap();
    let (_, syncs) = server.api("GET", "/syncs", None).await;
    let syncs: Value = serde_json::from_str(&syncs).unwrap();
    let ids = syncs["items"].as_array().unwrap().iter().map(|sync| sync["id"].as_str().unwrap());
    let names =
        ["one", "two", "three", "four", "tool", "first", "lake", "away", "db", "people", "all"];
    for (path, operations) in document["paths"].as_object().unwrap() {
        if operations["get"].is_null() || path.contains("events") {
            continue;
        }
        let path = path.strip_prefix("/api/v1").unwrap();
        for name in names.into_iter().chain(ids.clone()) {
            let path = path.replace("{name}", name).replace("{id}", name).replace("{kind}", name);
            let (_, text) = server.api("GET", &path, None).await;
            found.add(path, text);
        }
    }
}

/// Every page that is linked from another; gives how many there are.
async fn pages(server: &Server, found: &mut Found) -> usize {
    let mut known = BTreeSet::from(["/".to_owned()]);
    let mut waiting = VecDeque::from(["/".to_owned()]);
    while let Some(path) = waiting.pop_front() {
        let page = server.page(&path).await;
        for link in page.split("href=\"/").skip(1) {
            let link = link.split_once('"').unwrap().0;
            let link = format!("/{}", link.replace("&amp;", "&"));
            let leads_on = link.starts_with("/assets") || link.starts_with("/destinations/new/");
            if !leads_on && known.insert(link.clone()) {
                waiting.push_back(link);
            }
        }
        found.add(path, page);
    }
    known.len()
}
