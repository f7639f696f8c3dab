//! A server on a free port over a project of its own: a SQLite source, a receiver, and an owner with a token.

use std::sync::Arc;

use ebb_server::{App, Way};
use ebb_testkit::{Script, ScriptedReceiver};
use ebb_workspace::Workspace;
use reqwest::{Client, Method, Response, redirect::Policy};
use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{net::TcpListener, task::JoinSet};
use tokio_util::sync::CancellationToken;

/// A secret that stands in a project file.
pub(crate) const FILE_SECRET: &str = "hunter2-of-the-file";

/// The running server; all of it goes when it is dropped.
pub(crate) struct House {
    folder: TempDir,
    pub(crate) receiver: ScriptedReceiver,
    pub(crate) address: String,
    /// The path of the link by which the first owner joins, if nobody has yet.
    pub(crate) first_owner: Option<String>,
    client: Client,
    /// The owner's token.
    pub(crate) owner: String,
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) kind: String,
    pub(crate) etag: String,
    pub(crate) location: String,
    pub(crate) text: String,
}

impl Answer {
    async fn of(response: Response) -> Self {
        let header = |name: &str| {
            let value = response.headers().get(name).and_then(|value| value.to_str().ok());
            value.unwrap_or_default().to_owned()
        };
        Self {
            status: response.status().as_u16(),
            kind: header("content-type"),
            etag: header("etag"),
            location: header("location"),
            text: response.text().await.unwrap(),
        }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// The code of a problem document, after its status.
    pub(crate) fn refusal(&self) -> (u16, String) {
        assert_eq!(self.kind, "application/problem+json", "{self:?}");
        let problem = self.json();
        assert_eq!(problem["status"], self.status, "{self:?}");
        assert!(!problem["remedy"].as_str().unwrap().is_empty());
        (self.status, problem["code"].as_str().unwrap().to_owned())
    }

    /// The document of an answer with this status.
    pub(crate) fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        self.json()
    }
}

/// A request that is being put together.
pub(crate) struct Ask<'a> {
    house: &'a House,
    method: Method,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: Option<String>,
}

impl Ask<'_> {
    pub(crate) fn by(mut self, token: &str) -> Self {
        self.headers.retain(|(name, _)| *name != "authorization");
        self.headers.push(("authorization", format!("Bearer {token}")));
        self
    }

    pub(crate) fn by_nobody(mut self) -> Self {
        self.headers.retain(|(name, _)| *name != "authorization");
        self
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.text("application/json", body.to_string())
    }

    pub(crate) fn text(mut self, kind: &str, body: String) -> Self {
        self.headers.push(("content-type", kind.to_owned()));
        self.body = Some(body);
        self
    }

    pub(crate) async fn response(self) -> Response {
        let url = format!("{}{}", self.house.address, self.path);
        let mut request = self.house.client.request(self.method, url);
        for (name, value) in self.headers {
            request = request.header(name, value);
        }
        if let Some(body) = self.body {
            request = request.body(body);
        }
        request.send().await.unwrap()
    }

    pub(crate) async fn answer(self) -> Answer {
        Answer::of(self.response().await).await
    }
}

impl House {
    /// A server that nobody has joined yet, over some people.
    pub(crate) async fn start() -> Self {
        Self::over(3, Script::default()).await
    }

    /// `people` people, a receiver that follows a script, and an owner.
    pub(crate) async fn new(people: u32, script: Script) -> Self {
        let mut house = Self::over(people, script).await;
        house.owner = house.join(&house.first_owner.clone().unwrap()).await;
        house
    }

    /// The same, with more in its project file.
    pub(crate) async fn with(people: u32, more: &str) -> Self {
        let mut house = Self::made(people, Script::default(), more).await;
        house.owner = house.join(&house.first_owner.clone().unwrap()).await;
        house
    }

    /// A server that nobody has joined yet, with more in its project file.
    pub(crate) async fn bare(more: &str) -> Self {
        Self::made(1, Script::default(), more).await
    }

    async fn over(people: u32, script: Script) -> Self {
        Self::made(people, script, "").await
    }

    async fn made(people: u32, script: Script, more: &str) -> Self {
        let receiver = ScriptedReceiver::start(script).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let yaml = format!("{}{more}", yaml(&receiver));
        std::fs::write(folder.path().join("ebb.yaml"), yaml).unwrap();
        fill(&folder, people);
        Self::open(folder, receiver).await
    }

    async fn open(folder: TempDir, receiver: ScriptedReceiver) -> Self {
        // The client of these tests speaks no TLS, yet it wants to know how.
        drop(rustls::crypto::ring::default_provider().install_default());
        let files = Workspace::open(folder.path()).unwrap();
        let (app, started) = App::open(files, None, Way::Plain).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (stop, mut tasks) = (CancellationToken::new(), JoinSet::new());
        let (schedules, stopping) = (Arc::clone(&app), stop.clone());
        tasks.spawn(async move { schedules.run_schedules(&stopping, |_| {}).await });
        let stopping = stop.clone();
        tasks.spawn(async move { ebb_server::serve(app, listener, stopping).await.unwrap() });
        let client = Client::builder().redirect(Policy::none()).build().unwrap();
        let (first_owner, owner) = (started.first_owner, String::new());
        Self { folder, receiver, address, first_owner, client, owner, stop, tasks }
    }

    /// The same server after a restart.
    pub(crate) async fn restarted(mut self) -> Self {
        self.end().await;
        let owner = std::mem::take(&mut self.owner);
        Self { owner, ..Self::open(self.folder, self.receiver).await }
    }

    /// Becomes the owner in a browser, and makes a token there.
    async fn join(&self, link: &str) -> String {
        let form = "email=ada%40example.com&name=Ada&password=correct+horse+battery";
        let kind = "application/x-www-form-urlencoded";
        let joined =
            self.ask("POST", link).by_nobody().text(kind, form.to_owned()).response().await;
        let cookie = joined.headers()["set-cookie"].to_str().unwrap();
        let cookie = cookie.split(';').next().unwrap().to_owned();
        let page = self.ask("GET", "/").by_nobody().with("cookie", &cookie).answer().await;
        let (_, rest) = page.text.split_once("X-CSRF-Token\":\"").unwrap();
        let (mark, _) = rest.split_once('"').unwrap();
        let wanted = json!({ "name": "tests", "role": "owner" });
        let ask =
            || self.ask("POST", "/api/v1/tokens").by_nobody().with("cookie", &cookie).json(&wanted);
        assert_eq!(
            ask().answer().await.refusal(),
            (403, "A606".to_owned()),
            "a form needs its mark"
        );
        let made = ask().with("x-csrf-token", mark).answer().await.expect(201);
        made["token"].as_str().unwrap().to_owned()
    }

    /// A request by the owner.
    pub(crate) fn ask(&self, method: &str, path: &str) -> Ask<'_> {
        Ask {
            house: self,
            method: method.parse().unwrap(),
            path: path.to_owned(),
            headers: vec![("authorization", format!("Bearer {}", self.owner))],
            body: None,
        }
    }

    /// A request of the interface by the owner.
    pub(crate) fn api(&self, method: &str, path: &str) -> Ask<'_> {
        self.ask(method, &format!("/api/v1{path}"))
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        self.api("GET", path).answer().await.expect(200)
    }

    /// A token of somebody with this role.
    pub(crate) async fn token(&self, role: &str) -> String {
        let wanted = json!({ "name": role, "role": role });
        let made = self.api("POST", "/tokens").json(&wanted).answer().await.expect(201);
        made["token"].as_str().unwrap().to_owned()
    }

    pub(crate) fn sql(&self, text: &str) {
        let database = Connection::open(self.folder.path().join("shop.db")).unwrap();
        database.execute_batch(text).unwrap();
    }

    /// Writes to the control database beside the server.
    pub(crate) fn control(&self, text: &str) {
        let database = Connection::open(self.folder.path().join(".ebb/control.db")).unwrap();
        database.execute_batch(text).unwrap();
    }

    /// Whether these letters stand anywhere in the control database.
    pub(crate) fn control_holds(&self, text: &str) -> bool {
        ["control.db", "control.db-wal"].iter().any(|name| {
            let bytes =
                std::fs::read(self.folder.path().join(".ebb").join(name)).unwrap_or_default();
            bytes.windows(text.len()).any(|part| part == text.as_bytes())
        })
    }

    /// Tells the server to stop, and waits until it has.
    pub(crate) async fn close(mut self) {
        self.end().await;
    }

    async fn end(&mut self) {
        self.stop.cancel();
        while let Some(ended) = self.tasks.join_next().await {
            ended.unwrap();
        }
    }
}

fn fill(folder: &TempDir, people: u32) {
    let mut database = Connection::open(folder.path().join("shop.db")).unwrap();
    let transaction = database.transaction().unwrap();
    let table = "create table people (id integer primary key, name text, version integer)";
    transaction.execute_batch(table).unwrap();
    for id in 1..=people {
        let row = "insert into people values (?, ?, 1)";
        transaction.execute(row, rusqlite::params![id, format!("person {id}")]).unwrap();
    }
    transaction.commit().unwrap();
}

fn yaml(receiver: &ScriptedReceiver) -> String {
    format!(
        "project: shop\nnetwork: {{ allow: [127.0.0.1] }}\nsources:\n  db: {{ kind: sqlite, settings: {{ path: shop.db }} }}\n\
         models:\n  people:\n    source: db\n    id: id\n    \
         query: select id, name, version from people\n\
         destinations:\n  hook: {{ kind: webhook, settings: {{ sharedSecret: {FILE_SECRET} }} }}\n\
         mappings:\n  all:\n    model: people\n    destination: hook\n    action: send\n    \
         fields: {{ url: \"{}\", batch_size: 100 }}\n",
        receiver.url("/all"),
    )
}
