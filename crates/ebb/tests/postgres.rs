//! The binary over a real PostgreSQL, which the test script starts: `EBB_TEST_POSTGRES_URL`.

use std::process::{Command, Stdio};

use ebb_testkit::Script;
use serde_json::json;
use tokio::task::JoinSet;
use tokio_postgres::{Client, Config, NoTls};

use crate::shop::{Ran, Shop, ran, total};

/// A database of its own, dropped with the cluster.
pub(crate) struct Database {
    pub(crate) client: Client,
    pub(crate) url: String,
    _connection: JoinSet<()>,
}

impl Database {
    /// `None` where there is no PostgreSQL; the test script always has one.
    pub(crate) async fn new() -> Option<Self> {
        let url = std::env::vars().find(|(name, _)| name == "EBB_TEST_POSTGRES_URL")?.1;
        let name = format!("ebb_{:016x}", fastrand::u64(..));
        let (admin, mut connection) = connect(&url.parse().unwrap()).await;
        admin.batch_execute(&format!("create database {name}")).await.unwrap();
        connection.abort_all();
        let mut config: Config = url.parse().unwrap();
        config.dbname(&name);
        let (client, connection) = connect(&config).await;
        let url = format!("{}/{name}", url.rsplit_once('/').unwrap().0);
        Some(Self { client, url, _connection: connection })
    }

    async fn sql(&self, text: &str) {
        self.client.batch_execute(text).await.unwrap();
    }

    async fn shop(&self) -> Shop {
        self.shop_with(Script::default()).await
    }

    /// A shop over this database whose receiver follows a script.
    pub(crate) async fn shop_with(&self, script: Script) -> Shop {
        let source = format!("{{ kind: postgres, settings: {{ url: \"{}\" }} }}", self.url);
        Shop::over(&source, script).await
    }

    pub(crate) async fn people(&self, people: u32) {
        self.sql(&format!(
            "create table people (id bigint primary key, name text, version int);
             insert into people select i, 'person ' || i, 1 from generate_series(1, {people}) i",
        ))
        .await;
    }
}

async fn connect(config: &Config) -> (Client, JoinSet<()>) {
    let (client, connection) = config.connect(NoTls).await.unwrap();
    let mut driver = JoinSet::new();
    driver.spawn(async move { connection.await.unwrap_or_default() });
    (client, driver)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_hundred_thousand_rows_exactly_the_changes_arrive() {
    let Some(database) = Database::new().await else { return };
    database.people(100_000).await;
    let shop = database.shop().await;
    let check = shop.run(&["check"]).await;
    assert_eq!(check.code, Some(0), "{check:?}");
    let first = shop.run(&["sync", "--all"]).await;
    assert_eq!(first.code, Some(0), "{first:?}");
    assert_eq!(shop.versions("all").len(), 100_000);
    shop.receiver.clear();
    database
        .sql(
            "update people set version = 2 where id between 5001 and 6000;
             delete from people where id <= 200;
             insert into people select i, 'new', 1 from generate_series(100001, 100300) i",
        )
        .await;
    let plan = shop.run(&["plan", "all"]).await.json();
    assert_eq!(plan["diff"]["changes"], json!({ "added": 300, "updated": 1000, "deleted": 200 }));
    let second = shop.run(&["sync", "--all"]).await;
    let delivered: Vec<_> = second.syncs().iter().map(|sync| total(sync, "delivered")).collect();
    assert_eq!(delivered, [1_300, 1_000, 200], "all, changed, gone");
    let ids = |mapping: &str| -> Vec<u32> {
        let mut ids: Vec<u32> =
            shop.versions(mapping).into_keys().map(|id| id.parse().unwrap()).collect();
        ids.sort_unstable();
        ids
    };
    assert_eq!(ids("all"), (5_001..=6_000).chain(100_001..=100_300).collect::<Vec<_>>());
    assert_eq!(ids("changed"), (5_001..=6_000).collect::<Vec<_>>());
    assert_eq!(ids("gone"), (1..=200).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_while_staging_loses_nothing() {
    let Some(database) = Database::new().await else { return };
    database
        .sql(
            "create table people as select i as id, 1 as version, \
             (select string_agg(md5(i::text || j), '') from generate_series(1, 4) j) as name \
             from generate_series(1, 30000) i",
        )
        .await;
    let shop = database.shop().await;
    // No file may grow beyond 1 MiB: a part does not fit, the control database does.
    let ebb = env!("CARGO_BIN_EXE_ebb");
    let folder = shop.folder().to_str().unwrap();
    let script =
        format!("trap '' XFSZ; ulimit -f 1024; exec {ebb} sync all --json --project {folder}");
    let mut limited = Command::new("bash");
    limited.args(["-c", &script]).stdin(Stdio::null());
    let full = ran(limited).await;
    assert_eq!(full.code, Some(1), "{full:?}");
    assert_eq!(full.syncs()[0]["failure"]["code"], "R413", "{full:?}");
    let after = shop.run(&["sync", "all"]).await;
    assert_eq!((after.code, after.count("delivered")), (Some(0), 30_000));
    assert_eq!(shop.run(&["sync", "all"]).await.count("extracted"), 0);
    assert!(shop.receiver.records().values().all(|deliveries| deliveries.len() == 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_is_cut_while_extracting_is_made_anew_and_nothing_is_lost() {
    let Some(database) = Database::new().await else { return };
    database.people(1_000).await;
    let shop = database.shop().await;
    let text = std::fs::read_to_string(shop.path("ebb.yaml")).unwrap();
    let slow = "select id, name, version from people, (select pg_sleep(3)) s";
    shop.write("ebb.yaml", &text.replace("select id, name, version from people", slow));
    let mut first = JoinSet::new();
    first.spawn(ran(shop.command(&["sync", "all"])));
    let cut = "select pg_terminate_backend(pid) from pg_stat_activity \
               where datname = current_database() and query like '%pg_sleep(3)%' \
               and pid <> pg_backend_pid() and state = 'active'";
    while database.client.query(cut, &[]).await.unwrap().is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let first: Ran = first.join_next().await.unwrap().unwrap();
    assert_eq!((first.code, first.count("delivered")), (Some(0), 1_000), "{first:?}");
    shop.write("ebb.yaml", &text);
    assert_eq!(shop.run(&["sync", "all"]).await.count("extracted"), 0);
    assert!(shop.receiver.records().values().all(|deliveries| deliveries.len() == 1));
}

/// What a new user may get wrong, each answered with code, sentence and remedy.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_input_is_answered_with_a_code_and_a_remedy() {
    let Some(database) = Database::new().await else { return };
    database.people(3).await;
    database
        .sql("create role ebb_reader login password 'reader-password'; grant select on people to ebb_reader")
        .await;
    let shop = database.shop().await;
    let text = std::fs::read_to_string(shop.path("ebb.yaml")).unwrap();
    let query = "select id, name, version from people";
    let columns: Vec<String> = (1..=513).map(|number| format!("{number} as c{number}")).collect();
    let columns = format!("select id, {} from people", columns.join(", "));
    let credentials = database.url.split("://").nth(1).unwrap().split('@').next().unwrap();
    let cases = [
        ("two statements", query, "select 1 as id; drop table people", "S108"),
        (
            "a change in disguise",
            query,
            "with gone as (delete from people returning id) select id from gone",
            "S108",
        ),
        ("513 columns", query, &columns, "S111"),
        ("an identifier of JSON", query, "select to_json(id) as id, name from people", "S110"),
        ("a missing identifier", query, "select id as key, name from people", "S109"),
        ("a typo in SQL", query, "selec id from people", "S108"),
        ("a missing table", query, "select id from peple", "S105"),
        ("an unknown action", "action: send", "action: sned", "M304"),
        ("an unknown field", "batch_size: 100", "batch_sise: 100", "M305"),
        ("a wrong password", credentials, "postgres:wrong-password", "S102"),
        ("no write permission", credentials, "ebb_reader:reader-password", "S103"),
        ("an unknown key", "source: db\n", "sorce: db\n", "C503"),
    ];
    for (what, from, to, code) in cases {
        assert!(text.contains(from), "{what}: `{from}` is not in the project");
        shop.write("ebb.yaml", &text.replace(from, to));
        let ran = shop.run(&["sync", "all"]).await;
        assert_eq!(ran.code, Some(2), "{what}: {ran:?}");
        let answer = ran.json();
        let failure = match answer.get("error") {
            Some(error) => error.clone(),
            None => ran.syncs()[0]["failure"].clone(),
        };
        assert_eq!(failure["code"], code, "{what}: {answer}");
        assert!(failure["help"].as_str().is_some_and(|help| help.len() > 10), "{what}: {answer}");
        assert!(!ran.out.contains("wrong-password") && !ran.out.contains("reader-password"));
    }
    shop.write("ebb.yaml", &text);
    database.sql("update people set name = repeat('x', 200 * 1024) where id = 2").await;
    let wide = shop.run(&["sync", "all"]).await;
    assert_eq!((wide.code, wide.count("delivered"), wide.count("discarded")), (Some(1), 2, 1));
    assert_eq!(wide.syncs()[0]["failures"][0]["failure"]["reason"], "ErrColumnTooLarge");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_that_does_not_answer_is_told_once() {
    let Some(database) = Database::new().await else { return };
    let shop = database.shop().await;
    let text = std::fs::read_to_string(shop.path("ebb.yaml")).unwrap();
    let credentials = database.url.split("://").nth(1).unwrap().split('@').next().unwrap();
    shop.write("ebb.yaml", &text.replace(credentials, "postgres:wrong-password"));
    let check = shop.run(&["check"]).await;
    assert_eq!(check.code, Some(1), "{check:?}");
    let answer = check.json();
    let failures = answer["steps"].as_array().unwrap().iter().map(|step| &step["failure"]["code"]);
    assert_eq!(failures.filter(|code| !code.is_null()).collect::<Vec<_>>(), ["S102"]);
    assert!(!answer["untried"].as_array().unwrap().is_empty(), "{answer}");
}
