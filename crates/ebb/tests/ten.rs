//! A server with ten syncs side by side that is killed again and again.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::{Child, Stdio},
    time::Duration,
};

use ebb_testkit::{Script, seeds};

use crate::{
    postgres::Database,
    shop::{Shop, total},
};

const MAPPINGS: usize = 10;
const PEOPLE: u32 = 4_000;
const KILLS: usize = 8;
/// The webhook's batches in flight over all mappings: what a kill may repeat.
const IN_FLIGHT: usize = 50;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_syncs_end_however_often_the_server_over_sqlite_is_killed() {
    let shop = Shop::new(PEOPLE, script()).await;
    killed_and_killed_again(&shop, "{ kind: sqlite, settings: { path: shop.db }").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_syncs_end_however_often_the_server_over_postgres_is_killed() {
    let Some(database) = Database::new().await else { return };
    database.people(PEOPLE).await;
    let shop = database.shop_with(script()).await;
    let source = format!("{{ kind: postgres, settings: {{ url: \"{}\" }}", database.url);
    killed_and_killed_again(&shop, &source).await;
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

fn start(shop: &Shop) -> Child {
    let mut server = shop.command(&["serve", "--listen", "127.0.0.1:0"]);
    server.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

async fn history(shop: &Shop, mapping: &str) -> Vec<serde_json::Value> {
    shop.run(&["syncs", mapping, "--limit", "1000"]).await.syncs()
}

async fn killed_and_killed_again(shop: &Shop, source: &str) {
    shop.write("ebb.yaml", &project(shop, source));
    let mut random = seeds(1).next().unwrap().random();
    let mut at_work = 0;
    for _ in 0..KILLS {
        let before = shop.receiver.requests().len();
        let mut server = start(shop);
        tokio::time::sleep(Duration::from_millis(random.u64(300..1_500))).await;
        server.kill().unwrap();
        server.wait().unwrap();
        at_work += usize::from(shop.receiver.requests().len() > before);
    }
    assert!(at_work > 0, "no kill met the server at work");

    let mut server = start(shop);
    let ended = async {
        for number in 0..MAPPINGS {
            let mapping = format!("m{number}");
            loop {
                let syncs = history(shop, &mapping).await;
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
    assert!(waited.is_ok(), "not every sync has ended");
    check(shop).await;
}

async fn check(shop: &Shop) {
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
        for sync in history(shop, &mapping).await {
            let settled = total(&sync, "failed") + total(&sync, "discarded");
            let extracted = total(&sync, "extracted");
            assert_eq!(extracted, total(&sync, "delivered") + settled, "I5 of {sync}");
            delivered += total(&sync, "delivered");
        }
        assert_eq!(delivered, u64::from(PEOPLE), "outcomes of {mapping}");
        let again = shop.run(&["sync", &mapping]).await;
        assert_eq!((again.code, again.count("extracted")), (Some(0), 0), "{again:?}");
    }
}
