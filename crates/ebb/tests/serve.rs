//! The binary as a server: syncs by schedule, and what restarts and kills do to them.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::Duration,
};

use ebb_testkit::Script;
use serde_json::{Value, json};

use crate::shop::Shop;

/// Ends with the test, also with one that fails.
struct Server(Child);

impl Server {
    fn start(shop: &Shop) -> Self {
        Self(shop.command(&["serve", "--listen", "127.0.0.1:0"]).spawn().unwrap())
    }

    /// Asks it to stop; what it printed, line by line.
    async fn stop(mut self) -> (Option<i32>, Vec<Value>) {
        let id = self.0.id().to_string();
        assert!(Command::new("kill").arg(&id).status().unwrap().success());
        let (out, code) = tokio::task::spawn_blocking(move || {
            let out = std::io::read_to_string(self.0.stdout.take().unwrap()).unwrap();
            (out, self.0.wait().unwrap().code())
        })
        .await
        .unwrap();
        let lines = serde_json::Deserializer::from_str(&out).into_iter::<Value>();
        (code, lines.map(Result::unwrap).collect())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.0.kill());
    }
}

/// A shop whose mapping `all` has this schedule.
async fn shop(people: u32, schedule: &str, script: Script) -> Shop {
    let shop = Shop::new(people, script).await;
    let text = std::fs::read_to_string(shop.path("ebb.yaml")).unwrap();
    let all = "  all:\n    model: people\n";
    assert!(text.contains(all));
    shop.write("ebb.yaml", &text.replace(all, &format!("{all}    schedule: {schedule}\n")));
    shop
}

async fn received(shop: &Shop, records: usize) {
    let waiting = async {
        while shop.receiver.record_count() < records {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_mins(1), waiting).await;
    assert!(waited.is_ok(), "{} of {records} records", shop.receiver.record_count());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mapping_with_an_interval_syncs_at_once_and_a_manual_one_does_not() {
    let shop = shop(100, "{ every: 1h }", Script::default()).await;
    let server = Server::start(&shop);
    received(&shop, 100).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let (code, told) = server.stop().await;
    assert_eq!(code, Some(0));
    let next = |name: &str| {
        let line = told.iter().find(|line| line["next"].is_object() && line["mapping"] == name);
        line.unwrap()["next"].clone()
    };
    assert_eq!(next("all")["state"], "due");
    assert_eq!(next("gone"), json!({ "state": "idle", "why": "manual" }));
    let syncs: Vec<_> = told.iter().filter(|line| line["status"].is_string()).collect();
    assert_eq!(syncs.len(), 1, "{told:?}");
    assert!(syncs[0]["cause"]["schedule"]["due"].is_string(), "{}", syncs[0]);
    let again = Server::start(&shop);
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let (_, told) = again.stop().await;
    assert!(told.iter().all(|line| line["status"].is_null()), "it is not due: {told:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_finishes_its_syncs_when_it_starts_again() {
    let slow = Script { delay: Duration::from_millis(50), ..Script::default() };
    let shop = shop(20_000, "{ every: 1h }", slow).await;
    let mut server = Server::start(&shop);
    received(&shop, 500).await;
    server.0.kill().unwrap();
    server.0.wait().unwrap();
    let before = shop.receiver.record_count();
    assert!(before < 20_000, "killed too late: {before}");
    let server = Server::start(&shop);
    received(&shop, 20_000).await;
    let (code, _) = server.stop().await;
    assert_eq!(code, Some(0));
    assert_eq!(shop.run(&["sync", "all"]).await.count("extracted"), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_without_a_project_is_served_unless_it_was_named() {
    let shop = Shop::new(1, Script::default()).await;
    std::fs::remove_file(shop.path("ebb.yaml")).unwrap();
    let named = shop.run(&["serve", "--listen", "127.0.0.1:0"]).await;
    assert_eq!((named.code, &named.json()["error"]["code"]), (Some(2), &json!("C509")));
    assert!(!shop.path(".ebb").exists(), "nothing is left where nothing is served");

    let here = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ebb"));
        command.args(arguments).arg("--json").current_dir(shop.folder());
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        command
    };
    let mut server = Server(here(&["serve", "--listen", "127.0.0.1:0"]).spawn().unwrap());
    let mut first = String::new();
    let mut out = BufReader::new(server.0.stdout.take().unwrap());
    while serde_json::from_str::<Value>(&first).is_err() {
        assert_ne!(out.read_line(&mut first).unwrap(), 0, "{first}");
    }
    assert!(first.contains("first_owner"), "{first}");
    assert!(shop.path(".ebb/control.db").exists());
    server.0.kill().unwrap();
    server.0.wait().unwrap();
    let rotated = here(&["keys", "rotate"]).output().unwrap();
    assert!(rotated.status.success(), "{rotated:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_schedule_that_makes_no_sense_is_refused() {
    for (schedule, code) in [
        ("{ cron: '*/5 * * * *' }", "C507"),
        ("{ cron: 'at noon' }", "C504"),
        ("{ after: nobody }", "C506"),
        ("{ after: all }", "C504"),
    ] {
        let shop = shop(1, schedule, Script::default()).await;
        let refused = shop.run(&["serve"]).await;
        assert_eq!(refused.code, Some(2), "{schedule}: {refused:?}");
        let text = refused.json().to_string();
        assert!(text.contains(code), "{schedule}: {text}");
    }
}
