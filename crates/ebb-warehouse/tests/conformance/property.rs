//! Any history of a table, with failures, duplicates and limits, compared with a model in memory.

use std::collections::{BTreeMap, BTreeSet};

use ebb_core::{Operation, port::Commit};
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};

use crate::{bench::Bench, engine::Engine};

/// A table's rows, its failing records, and how the sync is run.
#[derive(Debug, Clone)]
struct Round {
    rows: Vec<(Option<u8>, Option<u8>, Option<u8>)>,
    failing: BTreeSet<u8>,
    inverted: bool,
    limit: u64,
}

fn round() -> impl Strategy<Value = Round> {
    let cell = || prop::option::weighted(0.8, 0..3_u8);
    let id = prop::option::weighted(0.95, 0..12_u8);
    (
        prop::collection::vec((id, cell(), cell()), 0..16),
        prop::collection::btree_set(0..12_u8, 0..4),
        any::<bool>(),
        prop_oneof![4 => Just(1000_u64), 1 => 1..6_u64],
    )
        .prop_map(|(rows, failing, inverted, limit)| Round { rows, failing, inverted, limit })
}

type Values = (Option<u8>, Option<u8>);

/// Rows by identifier; those of duplicates are all there.
fn by_id(round: &Round) -> BTreeMap<u8, Vec<Values>> {
    let mut rows: BTreeMap<u8, Vec<Values>> = BTreeMap::new();
    for (id, one, other) in &round.rows {
        if let Some(id) = id {
            rows.entry(*id).or_default().push((*one, *other));
        }
    }
    rows
}

/// What must be found when these records are tracked.
fn expected(
    tracked: &BTreeMap<u8, Values>,
    rows: &BTreeMap<u8, Vec<Values>>,
) -> BTreeMap<u8, (Operation, Option<Values>)> {
    let mut changes = BTreeMap::new();
    for (id, values) in rows {
        if let [values] = values.as_slice() {
            match tracked.get(id) {
                None => changes.insert(*id, (Operation::Added, Some(*values))),
                Some(old) if old != values => {
                    changes.insert(*id, (Operation::Updated, Some(*values)))
                }
                Some(_) => None,
            };
        }
    }
    for id in tracked.keys().filter(|id| !rows.contains_key(id)) {
        changes.insert(*id, (Operation::Deleted, None));
    }
    changes
}

pub(super) async fn any_history_of_a_table_is_followed<E: Engine>(engine: E) {
    let mut runner = TestRunner::new_with_rng(
        Config::default(),
        TestRng::from_seed(RngAlgorithm::ChaCha, b"any history of a table is follow"),
    );
    engine.run("create table cells (id bigint, one bigint, other bigint)").await;
    let mut bench = Bench::new(engine, "select id, one, other from cells");
    bench.trust_deletes = true;
    let mut tracked = BTreeMap::new();
    // Each round is some thirty statements, which Spark takes its time for.
    let rounds = if bench.engine.kind() == "databricks" { 12 } else { 40 };
    for number in 0..rounds {
        let round = round().new_tree(&mut runner).unwrap().current();
        follow(&mut bench, &mut tracked, &round).await.unwrap_or_else(|error| {
            panic!("round {number}, {round:?}, tracked {tracked:?}: {error}");
        });
    }
}

async fn follow<E: Engine>(
    bench: &mut Bench<E>,
    tracked: &mut BTreeMap<u8, Values>,
    round: &Round,
) -> Result<(), String> {
    let cell = |cell: &Option<u8>| cell.map_or("null".to_owned(), |cell| cell.to_string());
    bench.run("delete from cells").await;
    if !round.rows.is_empty() {
        let rows: Vec<_> = round
            .rows
            .iter()
            .map(|(id, one, other)| format!("({}, {}, {})", cell(id), cell(one), cell(other)))
            .collect();
        bench.run(&format!("insert into cells values {}", rows.join(", "))).await;
    }
    bench.limit = round.limit;
    let rows = by_id(round);
    let expected = expected(tracked, &rows);
    let extracted = bench.extract().await;

    let mut found = BTreeMap::new();
    for change in &extracted.changes {
        let id: u8 = change.record_id.parse().map_err(|_| format!("odd id {change:?}"))?;
        let values: serde_json::Value =
            serde_json::from_str(&change.values).map_err(|error| error.to_string())?;
        let read = |name: &str| values[name].as_u64().and_then(|value| u8::try_from(value).ok());
        let values = (change.operation != Operation::Deleted).then(|| (read("one"), read("other")));
        if found.insert(id, (change.operation, values)).is_some() {
            return Err(format!("two changes of {id}"));
        }
    }
    let whole = expected.len() as u64 <= round.limit;
    if whole && found != expected {
        return Err(format!("found {found:?}, expected {expected:?}"));
    }
    if found.len() as u64 != round.limit.min(expected.len() as u64)
        || found.iter().any(|(id, change)| expected.get(id) != Some(change))
    {
        return Err(format!("found {found:?} of {expected:?}"));
    }

    let failed = |change: &&crate::bench::Change| {
        change.record_id.parse().is_ok_and(|id| round.failing.contains(&id)) != round.inverted
    };
    let seqs = extracted.changes.iter().filter(failed).map(|change| change.seq).collect();
    bench.commit(&Commit { seqs, inverted: round.inverted, ..extracted.commit() }).await;
    for (id, (_, values)) in found {
        if !round.failing.contains(&id) {
            match values {
                Some(values) => tracked.insert(id, values),
                None => tracked.remove(&id),
            };
        }
    }
    let records = bench.tracked().await.records;
    if records == tracked.len() as u64 {
        Ok(())
    } else {
        Err(format!("{records} records are tracked, expected {tracked:?}"))
    }
}
