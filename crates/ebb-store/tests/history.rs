//! Past syncs: reading, finding, forgetting.

use std::sync::Barrier;

use ebb_core::{
    Code, Counts, PartNumber, Tally,
    port::{Cancellation, PartInfo, Status, Store, SyncRecord},
};
use ebb_store::Database;

use crate::{
    given::{MAPPING, delivered, id, moment, sync},
    home::{Home, on_both_engines},
};

fn part(number: PartNumber) -> PartInfo {
    let changes = Tally { added: 3, ..Tally::default() };
    PartInfo { number, first: 0, last: 2, changes, bytes: 9, digest: "d".to_owned() }
}

async fn filled(home: &Home, syncs: &[SyncRecord]) -> Database {
    let database = home.open();
    for sync in syncs {
        database.save(sync).await.unwrap();
    }
    database
}

async fn all_who_open_a_new_home_at_once_are_let_in(home: Home) {
    for _ in 0..10 {
        let home = home.another();
        let start = Barrier::new(6);
        std::thread::scope(|scope| {
            for _ in 0..6 {
                scope.spawn(|| {
                    start.wait();
                    home.open();
                });
            }
        });
    }
}

async fn a_sync_reads_back_as_it_was_saved(home: Home) {
    let mut saved = sync(1, Status::Partial);
    saved.counts.failed.deleted = 4;
    saved.failure = Some(ebb_core::Failure::new(Code::Canceled, "`x`").help("y"));
    let database = filled(&home, std::slice::from_ref(&saved)).await;
    drop(database);
    let database = home.open();
    assert_eq!(database.sync(id(1)).await.unwrap(), saved);
    assert_eq!(database.sync(id(2)).await.unwrap_err().code, Code::SyncNotFound);
    assert_eq!(database.outcomes(id(2)).await.unwrap_err().code, Code::SyncNotFound);
    let unknown = database.record(id(2), 0, vec![delivered(1)]).await.unwrap_err();
    assert_eq!(unknown.code, Code::SyncNotFound);
}

async fn counts_are_the_journals_until_the_sync_ends(home: Home) {
    let database = filled(&home, &[sync(1, Status::Loading)]).await;
    let mut extracted = Counts::default();
    extracted.extracted.added = 2;
    extracted.not_subscribed.updated = 5;
    database.record(id(1), 0, vec![delivered(0)]).await.unwrap();
    let with = |status| SyncRecord { counts: extracted, ..sync(1, status) };
    database.save(&with(Status::Loading)).await.unwrap();
    database.record(id(1), 0, vec![delivered(1)]).await.unwrap();
    database.save(&with(Status::Committing)).await.unwrap();
    let mut expected = extracted;
    expected.delivered.added = 2;
    assert_eq!(database.sync(id(1)).await.unwrap().counts, expected);

    let mut ended = sync(1, Status::Succeeded);
    ended.counts.delivered.added = 9;
    database.save(&ended).await.unwrap();
    assert_eq!(database.sync(id(1)).await.unwrap().counts, ended.counts);
}

async fn syncs_come_newest_first_and_the_unfinished_is_found(home: Home) {
    let other = SyncRecord { mapping: "other".to_owned(), ..sync(3, Status::Loading) };
    let syncs = [sync(1, Status::Succeeded), sync(2, Status::Loading), other];
    let database = filled(&home, &syncs).await;
    let ids = |syncs: Vec<SyncRecord>| syncs.iter().map(|sync| sync.id).collect::<Vec<_>>();
    assert_eq!(ids(database.syncs(None, 2).await.unwrap()), [id(3), id(2)]);
    assert_eq!(ids(database.syncs(Some(MAPPING), 9).await.unwrap()), [id(2), id(1)]);
    assert_eq!(database.unfinished(MAPPING).await.unwrap().unwrap().id, id(2));
    database.save(&sync(2, Status::Held)).await.unwrap();
    assert_eq!(database.unfinished(MAPPING).await.unwrap(), None);
}

async fn a_sync_is_found_by_a_beginning_or_an_end_that_it_has_alone(home: Home) {
    let only = sync(1, Status::Succeeded);
    let mut distant = sync(2, Status::Succeeded);
    distant.id = ebb_core::SyncId::from_parts(1_900_000_000_000, 8);
    let database = filled(&home, &[only.clone(), distant]).await;
    let text = only.id.to_string();
    let beginning = text[..8].to_ascii_uppercase();
    for part in [text.as_str(), beginning.as_str(), &text[20..]] {
        assert_eq!(database.find_sync(part).await.unwrap().id, only.id, "{part}");
    }
    let several = database.find_sync("01").await.unwrap_err();
    assert_eq!(several.code, Code::SyncNotFound);
    assert!(several.message().contains("several") && several.message().contains(&text));
    for none in ["zz", "", "%", "_"] {
        assert_eq!(database.find_sync(none).await.unwrap_err().code, Code::SyncNotFound);
    }
}

async fn somebody_else_can_ask_a_sync_to_end(home: Home) {
    let running = filled(&home, &[sync(1, Status::Loading)]).await;
    assert!(!running.cancel_requested(id(1)).await.unwrap());
    let by = |who: &str, why: &str| Cancellation::new(who, why).unwrap();
    let ada = by("ada@example.com", " the wrong list\u{0} ");
    home.open().request_cancel(id(1), &ada).await.unwrap();
    home.open().request_cancel(id(1), &by("bob@example.com", "")).await.unwrap();
    assert!(running.cancel_requested(id(1)).await.unwrap());
    running.save(&sync(1, Status::Loading)).await.unwrap();
    assert!(running.cancel_requested(id(1)).await.unwrap(), "saving does not forget it");
    let kept = running.sync(id(1)).await.unwrap().cancellation;
    assert_eq!(kept.as_ref(), Some(&ada), "who asked first, and why");
    let unknown = running.request_cancel(id(2), &ada).await.unwrap_err();
    assert_eq!(unknown.code, Code::SyncNotFound);
}

async fn parts_are_listed_and_old_ones_found_to_be_purged(home: Home) {
    let syncs = [
        sync(1, Status::Succeeded),
        sync(2, Status::Succeeded),
        sync(3, Status::Loading),
        sync(4, Status::Succeeded),
    ];
    let database = filled(&home, &syncs).await;
    for number in [10, 2] {
        database.add_part(id(1), &part(number)).await.unwrap();
    }
    database.add_part(id(3), &part(0)).await.unwrap();
    assert_eq!(database.parts(id(1)).await.unwrap(), [part(2), part(10)]);
    assert_eq!(database.with_parts_before(moment(4)).await.unwrap(), [id(1)]);
    assert_eq!(database.with_parts_before(moment(1)).await.unwrap(), []);

    assert_eq!(
        database.purge(moment(5)).await.unwrap(),
        1,
        "the one without parts, not the newest"
    );
    assert_eq!(database.sync(id(2)).await.unwrap_err().code, Code::SyncNotFound);
    database.forget_parts(id(1)).await.unwrap();
    assert_eq!(database.parts(id(1)).await.unwrap(), []);
    assert_eq!(database.purge(moment(5)).await.unwrap(), 1);
    assert_eq!(database.syncs(None, 9).await.unwrap().len(), 2);
}

on_both_engines! {
    all_who_open_a_new_home_at_once_are_let_in,
    a_sync_reads_back_as_it_was_saved,
    counts_are_the_journals_until_the_sync_ends,
    syncs_come_newest_first_and_the_unfinished_is_found,
    a_sync_is_found_by_a_beginning_or_an_end_that_it_has_alone,
    somebody_else_can_ask_a_sync_to_end,
    parts_are_listed_and_old_ones_found_to_be_purged,
}
