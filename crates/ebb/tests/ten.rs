//! A server with ten syncs side by side that is killed again and again.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::{Child, Command, Stdio},
    time::Duration,
};

use ebb_testkit::{Script, seeds};

use crate::{
    postgres::Database,
    shop::{Ran, Shop, ran, total},
};

const MAPPINGS: usize = 10;
const PEOPLE: u32 = 4_000;
const KILLS: usize = 8;
/// The webhook's batches in flight over all mappings: what a kill may repeat.
const IN_FLIGHT: usize = 50;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_syncs_end_however_often_the_server_over_sqlite_is_killed() {
    let shop = Shop::new(PEOPLE, script()).await;
    killed_and_killed_again(&Ten { shop, control: None }, SQLITE).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_syncs_end_however_often_the_server_with_its_control_database_elsewhere_is_killed() {
    let Some(database) = Database::new().await else { return };
    let shop = Shop::new(PEOPLE, script()).await;
    killed_and_killed_again(&Ten { shop, control: Some(database.url) }, SQLITE).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_syncs_end_however_often_the_server_over_postgres_is_killed() {
    let Some(database) = Database::new().await else { return };
    database.people(PEOPLE).await;
    let shop = database.shop_with(script()).await;
    let source = format!("{{ kind: postgres, settings: {{ url: \"{}\" }}", database.url);
    killed_and_killed_again(&Ten { shop, control: None }, &source).await;
}

fn script() -> Script {
    Script { delay: Duration::from_millis(40), ..Script::default() }
}

/// Ten mappings over one source, which may sync them all at a time.
fn project(shop: &Shop, source: &str) -> String {
    let head = format!(
        "project: shop\nnetwork: {{ allow: [127.0.0.1] }}\nsources:\n  db: {source}, \
         max_concurrent_syncs: {MAPPINGS} }}\nmodels:\n  people:\n    source: db\n    id: id\n    \
         query: select id, name, version from people\ndestinations:\n  hook: {{ kind: webhook \
         }}\nmappings:\n"
    );
    (0..MAPPINGS).fold(head, |text, number| {
        let url = shop.receiver.url(&format!("/m{number}"));
        text + &format!(
            "  m{number}:\n    model: people\n    destination: hook\n    action: send\n    \
             schedule: {{ every: 1h }}\n    fields: {{ url: \"{url}\", batch_size: 20 }}\n"
        )
    })
}

const SQLITE: &str = "{ kind: sqlite, settings: { path: shop.db }";

/// A shop, and where its control database is if not in the state folder.
struct Ten {
    shop: Shop,
    control: Option<String>,
}

impl Ten {
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.shop.command(arguments);
        if let Some(url) = &self.control {
            command.env("EBB_DATABASE_URL", url);
        }
        command
    }

    fn start(&self) -> Child {
        let mut server = self.command(&["serve", "--listen", "127.0.0.1:0"]);
        server.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    async fn run(&self, arguments: &[&str]) -> Ran {
        ran(self.command(arguments)).await
    }

    async fn history(&self, mapping: &str) -> Vec<serde_json::Value> {
        self.run(&["syncs", mapping, "--limit", "1000"]).await.syncs()
    }
}

async fn killed_and_killed_again(ten: &Ten, source: &str) {
    let shop = &ten.shop;
    shop.write("ebb.yaml", &project(shop, source));
    let mut random = seeds(1).next().unwrap().random();
    let mut at_work = 0;
    for round in 0..KILLS {
        let before = shop.receiver.requests().len();
        let mut server = ten.start();
        tokio::time::sleep(Duration::from_millis(random.u64(300..1_500))).await;
        // A busy machine may have started it too slowly for every kill so far.
        while at_work == 0 && round >= KILLS / 2 && shop.receiver.requests().len() == before {
            assert!(server.try_wait().unwrap().is_none(), "the server ended by itself");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        server.kill().unwrap();
        server.wait().unwrap();
        at_work += usize::from(shop.receiver.requests().len() > before);
    }
    assert!(at_work > 0, "no kill met the server at work");

    let mut server = ten.start();
    let ended = async {
        for number in 0..MAPPINGS {
            let mapping = format!("m{number}");
            loop {
                let syncs = ten.history(&mapping).await;
                let done = |sync: &serde_json::Value| !sync["finished_at"].is_null();
                let delivered: u64 = syncs.iter().map(|sync| total(sync, "delivered")).sum();
                if syncs.iter().all(done) && delivered >= u64::from(PEOPLE) {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    };
    let waited = tokio::time::timeout(Duration::from_mins(2), ended).await;
    server.kill().unwrap();
    server.wait().unwrap();
    if waited.is_err() {
        let mut told = Vec::new();
        for number in 0..MAPPINGS {
            told.push(ten.history(&format!("m{number}")).await);
        }
        panic!("not every sync has ended: {told:#?}");
    }
    check(ten).await;
}

async fn check(ten: &Ten) {
    let shop = &ten.shop;
    let mut repeated = BTreeSet::new();
    let requests = shop.receiver.requests();
    let mut arrived: BTreeMap<&str, u32> = BTreeMap::new();
    for deliveries in shop.receiver.records().values() {
        let mut of_mapping: BTreeMap<&str, Vec<_>> = BTreeMap::new();
        for delivery in deliveries {
            let path = requests[delivery.request].path.as_str();
            of_mapping.entry(path).or_default().push(delivery);
        }
        for (path, deliveries) in of_mapping {
            *arrived.entry(path).or_default() += 1;
            let ids: BTreeSet<_> = deliveries.iter().map(|it| &it.message_id).collect();
            assert_eq!(ids.len(), 1, "message ids of a repeated record (I2)");
            repeated.extend(deliveries.iter().rev().skip(1).map(|it| it.request));
        }
    }
    let most = KILLS * IN_FLIGHT;
    assert!(repeated.len() <= most, "{} batches repeated after {KILLS} kills", repeated.len());
    for number in 0..MAPPINGS {
        let mapping = format!("m{number}");
        assert_eq!(arrived.get(format!("/{mapping}").as_str()), Some(&PEOPLE), "I1 of {mapping}");
        let mut delivered = 0;
        for sync in ten.history(&mapping).await {
            let settled = total(&sync, "failed") + total(&sync, "discarded");
            let extracted = total(&sync, "extracted");
            assert_eq!(extracted, total(&sync, "delivered") + settled, "I5 of {sync}");
            delivered += total(&sync, "delivered");
        }
        assert_eq!(delivered, u64::from(PEOPLE), "outcomes of {mapping}");
        let again = ten.run(&["sync", &mapping]).await;
        assert_eq!((again.code, again.count("extracted")), (Some(0), 0), "{again:?}");
    }
}
