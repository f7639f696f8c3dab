//! Outcomes, their counts, their failures.

use std::collections::{BTreeMap, BTreeSet};

use ebb_core::{
    Code, Counts, Failure, Operation,
    port::{Attempts, FailureGroup, JournalEntry, Outcomes, Reason, Status, Store, Verdict},
};
use ebb_store::Database;
use proptest::{prelude::*, test_runner::TestRunner};

use crate::{
    given::{MAPPING, delivered, failed, id, moment, sync},
    home::{Home, on_both_engines},
};

async fn loading(home: &Home) -> Database {
    let database = home.open();
    database.save(&sync(1, Status::Loading)).await.unwrap();
    database
}

/// What the journal promises, in the plainest way.
#[derive(Default)]
struct Model {
    outcomes: Outcomes,
    counts: Counts,
    seen: BTreeSet<u64>,
    groups: BTreeMap<(String, bool), BTreeSet<u64>>,
    attempts: BTreeSet<String>,
}

impl Model {
    fn record(&mut self, entries: &[JournalEntry]) {
        for entry in entries {
            if !self.seen.insert(entry.seq) {
                continue;
            }
            let (bits, tally) = match entry.verdict {
                Verdict::Delivered => (&mut self.outcomes.delivered, &mut self.counts.delivered),
                Verdict::Failed => (&mut self.outcomes.failed, &mut self.counts.failed),
                Verdict::Discarded => (&mut self.outcomes.discarded, &mut self.counts.discarded),
            };
            bits.insert(entry.seq);
            *tally.of(entry.operation) += 1;
            if let Some(reason) = &entry.failure {
                let tried_again = entry.verdict == Verdict::Failed;
                let key = (reason.0.message().to_owned(), tried_again);
                self.groups.entry(key).or_default().insert(entry.seq);
                if tried_again {
                    self.attempts.insert(reason.1.record_id.clone());
                }
            }
        }
    }
}

fn entry() -> impl Strategy<Value = JournalEntry> {
    let seq = prop_oneof![0_u64..40, 65_530..65_545_u64, Just(1 << 33)];
    (seq, 0..3_usize, 0..4_u8, 0..3_u8).prop_map(|(seq, operation, verdict, message)| {
        let mut entry = failed(seq, &format!("record {seq}"), &format!("message {message}"));
        entry.operation = Operation::ALL[operation];
        match verdict {
            0 => (entry.verdict, entry.failure) = (Verdict::Delivered, None),
            1 => entry.verdict = Verdict::Discarded,
            2 => entry.failure = None,
            _ => {}
        }
        entry
    })
}

fn summary(reasons: &[Reason]) -> BTreeMap<(String, bool), BTreeSet<u64>> {
    let key = |group: &FailureGroup| {
        (group.failure.message().to_owned(), group.verdict == Verdict::Failed)
    };
    reasons.iter().map(|reason| (key(&reason.group), reason.seqs.iter().collect())).collect()
}

fn repeated_and_concurrent_records_count_once_over_restarts(
    cases: u32,
    home: impl Fn() -> Option<Home>,
) {
    let entries = prop::collection::vec(entry(), 0..12);
    let calls = prop::collection::vec((entries, any::<bool>()), 1..16);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut runner = TestRunner::new(ProptestConfig::with_cases(cases));
    let done = runner.run(&calls, |calls| {
        if let Some(home) = home() {
            runtime.block_on(count_once(&home, calls));
        }
        Ok(())
    });
    done.unwrap();
}

async fn count_once(home: &Home, calls: Vec<(Vec<JournalEntry>, bool)>) {
    let mut database = loading(home).await;
    let mut model = Model::default();
    for (entries, restart) in calls {
        if restart {
            drop(database);
            database = home.open();
        }
        // The second may share the first's transaction.
        let (one, two) = tokio::join!(
            database.record(id(1), 0, entries.clone()),
            database.record(id(1), 0, entries.clone()),
        );
        one.unwrap();
        two.unwrap();
        model.record(&entries);
    }
    assert_eq!(database.outcomes(id(1)).await.unwrap(), model.outcomes);
    assert_eq!(database.sync(id(1)).await.unwrap().counts, model.counts);
    let groups = database.failure_groups(id(1)).await.unwrap();
    let reasons = database.reasons(id(1)).await.unwrap();
    assert_eq!(summary(&reasons), model.groups);
    assert!(reasons.iter().all(|reason| reason.group.count == reason.seqs.len()));
    assert_eq!(reasons.into_iter().map(|reason| reason.group).collect::<Vec<_>>(), groups);
    for seq in model.seen {
        let record = format!("record {seq}");
        let found = database.attempts(MAPPING, id(2), &[&record]).await.unwrap();
        let expected = Attempts { count: 1, since: moment(1) };
        assert_eq!(found, [model.attempts.contains(&record).then_some(expected)]);
    }
}

#[test]
fn repeated_and_concurrent_records_count_once_in_a_file() {
    repeated_and_concurrent_records_count_once_over_restarts(48, || Some(Home::on_sqlite()));
}

#[test]
fn repeated_and_concurrent_records_count_once_on_a_server() {
    repeated_and_concurrent_records_count_once_over_restarts(12, Home::on_postgres);
}

async fn thousands_of_single_outcomes_stay_small_and_read_back_whole(home: Home) {
    let database = loading(&home).await;
    // Out of order, over several chunks, enough to be folded more than once.
    let seqs: Vec<u64> = (0..3000).map(|number| (number * 7919) % 3000 * 50).collect();
    for seq in &seqs {
        database.record(id(1), 0, vec![delivered(*seq)]).await.unwrap();
    }
    assert_eq!(database.outcomes(id(1)).await.unwrap().delivered, seqs.into_iter().collect());
    database.save(&sync(1, Status::Succeeded)).await.unwrap();
    assert_eq!(database.outcomes(id(1)).await.unwrap().delivered.len(), 3000);
    drop(database);
    let file = home.state().join("control.db");
    let bytes = std::fs::metadata(file).map_or(0, |file| file.len());
    assert!(bytes < 300_000, "{bytes}");
}

#[tokio::test]
async fn outcomes_in_a_file_are_made_durable_though_nothing_follows() {
    let home = Home::on_sqlite();
    let database = loading(&home).await;
    let looking = rusqlite::Connection::open(home.state().join("control.db")).unwrap();
    let pulse =
        || -> i64 { looking.query_row("select number from pulse", [], |row| row.get(0)).unwrap() };
    let before = pulse();
    database.record(id(1), 0, vec![delivered(0)]).await.unwrap();
    let began = tokio::time::Instant::now();
    while pulse() == before {
        assert!(began.elapsed().as_secs() < 10, "the log was not synced");
        tokio::task::yield_now().await;
    }
}

async fn attempts_count_syncs_not_failures_and_are_settled(home: Home) {
    let database = loading(&home).await;
    let ids = ["a", "b", "c"];
    let entries = vec![failed(0, "a", "no"), failed(1, "a", "no"), failed(2, "b", "no")];
    database.record(id(1), 0, entries).await.unwrap();
    let before = database.attempts(MAPPING, id(1), &ids).await.unwrap();
    assert_eq!(before, [None; 3], "this sync's own failures are not before it");

    database.save(&sync(1, Status::Partial)).await.unwrap();
    database.save(&sync(2, Status::Loading)).await.unwrap();
    database.record(id(2), 0, vec![failed(0, "a", "no")]).await.unwrap();
    let once = Some(Attempts { count: 1, since: moment(1) });
    assert_eq!(database.attempts(MAPPING, id(2), &ids).await.unwrap(), [once, once, None]);

    database.settle_attempts(MAPPING, id(2)).await.unwrap();
    let twice = Some(Attempts { count: 2, since: moment(1) });
    assert_eq!(database.attempts(MAPPING, id(3), &ids).await.unwrap(), [twice, None, None]);
    assert_eq!(database.attempts("other", id(3), &["a"]).await.unwrap(), [None]);
}

async fn failure_groups_are_bounded_in_number_samples_and_bytes(home: Home) {
    let database = loading(&home).await;
    let mut entries: Vec<JournalEntry> =
        (0..250).map(|seq| failed(seq, &seq.to_string(), &format!("message {seq}"))).collect();
    entries.extend((250..260).map(|seq| failed(seq, &"ä".repeat(5000), "message 0")));
    database.record(id(1), 0, entries).await.unwrap();
    let groups = database.failure_groups(id(1)).await.unwrap();
    assert_eq!(groups.len(), 101);
    assert_eq!(groups[0].count, 150, "the further ones are together");
    assert_eq!(groups[0].failure.code, Code::DestinationDown);
    assert_eq!(groups[0].samples.len(), 5);
    assert_eq!((groups[1].failure.message(), groups[1].count), ("message 0", 11));
    assert_eq!(groups[1].samples[1].record_id, "ä".repeat(4096));
    assert_eq!(groups.iter().map(|group| group.count).sum::<u64>(), 260);
    let reasons = database.reasons(id(1)).await.unwrap();
    assert_eq!(reasons[0].seqs, (100..250).collect());
    assert_eq!(reasons[1].seqs, [0].into_iter().chain(250..260).collect());
}

async fn what_no_text_of_a_server_can_hold_is_found_again(home: Home) {
    let database = loading(&home).await;
    database.record(id(1), 0, vec![failed(0, "a\0b", "said \0")]).await.unwrap();
    let once = Some(Attempts { count: 1, since: moment(1) });
    assert_eq!(database.attempts(MAPPING, id(2), &["a\0b"]).await.unwrap(), [once]);
    let groups = database.failure_groups(id(1)).await.unwrap();
    assert_eq!(groups[0].failure.message(), "said \0");
    assert_eq!(database.reasons(id(1)).await.unwrap()[0].seqs.len(), 1);
    let mut ended = sync(1, Status::Failed);
    ended.failure = Some(Failure::new(Code::Canceled, "\\u0000 \0").help("\0"));
    database.save(&ended).await.unwrap();
    assert_eq!(database.sync(id(1)).await.unwrap().failure, ended.failure);
}

on_both_engines! {
    thousands_of_single_outcomes_stay_small_and_read_back_whole,
    attempts_count_syncs_not_failures_and_are_settled,
    failure_groups_are_bounded_in_number_samples_and_bytes,
    what_no_text_of_a_server_can_hold_is_found_again,
}
