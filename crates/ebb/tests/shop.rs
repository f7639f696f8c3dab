//! A project folder with an SQLite source and a receiver, and the binary run in it.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use ebb_testkit::{Script, ScriptedReceiver};
use rusqlite::Connection;
use serde_json::Value;
use tempfile::TempDir;

/// The project; its folder goes when it is dropped.
pub(crate) struct Shop {
    folder: TempDir,
    pub(crate) receiver: ScriptedReceiver,
}

/// How a run of the binary ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// The syncs that ran, the newest last.
    pub(crate) fn syncs(&self) -> Vec<Value> {
        self.json()["syncs"].as_array().unwrap().clone()
    }

    /// A count of the newest sync, such as `delivered`, over all operations.
    pub(crate) fn count(&self, what: &str) -> u64 {
        total(self.syncs().last().unwrap(), what)
    }
}

/// A sync's count over all operations.
pub(crate) fn total(sync: &Value, what: &str) -> u64 {
    let tally = sync["counts"][what].as_object().unwrap();
    tally.values().map(|count| count.as_u64().unwrap()).sum()
}

impl Shop {
    /// `people` people, each with version 1, and a receiver that follows a script.
    pub(crate) async fn new(people: u32, script: Script) -> Self {
        let shop = Self::over("{ kind: sqlite, settings: { path: shop.db } }", script).await;
        shop.sql("create table people (id integer primary key, name text, version integer)");
        shop.insert(1..=people);
        shop
    }

    /// A project over another source, which has a table of people too.
    pub(crate) async fn over(source: &str, script: Script) -> Self {
        let receiver = ScriptedReceiver::start(script).await.unwrap();
        let shop = Self { folder: tempfile::tempdir().unwrap(), receiver };
        shop.write("ebb.yaml", &shop.yaml(source));
        shop
    }

    fn yaml(&self, source: &str) -> String {
        let mapping = |name: &str, records: &str| {
            format!(
                "  {name}:\n    model: people\n    destination: hook\n    action: send\n    \
                 records: {records}\n    fields: {{ url: \"{}\", batch_size: 100 }}\n",
                self.receiver.url(&format!("/{name}")),
            )
        };
        format!(
            "project: shop\nnetwork: {{ allow: [127.0.0.1] }}\nsources:\n  db: {source}\nmodels:\n  people:\n    source: db\n    id: id\n    \
             query: select id, name, version from people\ndestinations:\n  hook: {{ kind: webhook \
             }}\nmappings:\n{}{}{}",
            mapping("all", "added_or_updated"),
            mapping("changed", "updated"),
            mapping("gone", "deleted"),
        )
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn database(&self) -> Connection {
        Connection::open(self.path("shop.db")).unwrap()
    }

    pub(crate) fn sql(&self, text: &str) {
        self.database().execute_batch(text).unwrap();
    }

    pub(crate) fn insert(&self, ids: impl IntoIterator<Item = u32>) {
        let mut database = self.database();
        let transaction = database.transaction().unwrap();
        for id in ids {
            let name = format!("person {id}");
            let row = "insert into people values (?, ?, 1)";
            transaction.execute(row, rusqlite::params![id, name]).unwrap();
        }
        transaction.commit().unwrap();
    }

    /// The binary with arguments, in this project.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ebb"));
        command.args(arguments).arg("--json").arg("--project").arg(self.folder());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs the binary to its end. The receiver goes on meanwhile.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Ran {
        ran(self.command(arguments)).await
    }

    /// The version that the receiver has of each person, by path.
    pub(crate) fn versions(&self, mapping: &str) -> std::collections::BTreeMap<String, i64> {
        let path = format!("/{mapping}");
        let requests = self.receiver.requests();
        let records = self.receiver.records();
        let last = records.into_iter().filter_map(|(id, deliveries)| {
            let mut of_path =
                deliveries.iter().filter(|delivery| requests[delivery.request].path == path);
            let version = of_path.next_back()?.item["properties"]["version"].as_i64();
            Some((id, version.unwrap_or_default()))
        });
        last.collect()
    }
}

/// Runs a command to its end on a thread of its own.
pub(crate) async fn ran(mut command: Command) -> Ran {
    let output: Output =
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    Ran {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}
