//! What the tests start from.

use ebb_core::{
    Code, Counts, Failure, Operation, SyncId,
    port::{JournalEntry, Sample, Status, SyncKind, SyncRecord, Verdict},
};
use jiff::Timestamp;

pub(crate) const MAPPING: &str = "users-to-hook";

/// The `number`th sync; each begins a second after the one before.
pub(crate) fn id(number: u64) -> SyncId {
    SyncId::from_parts(1_700_000_000_000 + number * 1000, 7)
}

pub(crate) fn moment(number: u64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + i64::try_from(number).unwrap()).unwrap()
}

pub(crate) fn sync(number: u64, status: Status) -> SyncRecord {
    SyncRecord {
        id: id(number),
        mapping: MAPPING.to_owned(),
        kind: SyncKind::Sync,
        status,
        plan: serde_json::json!({ "mapping": MAPPING }),
        started_at: moment(number),
        finished_at: status.is_final().then(|| moment(number)),
        phases: Vec::new(),
        diff: None,
        staged: false,
        counts: Counts::default(),
        failure: None,
        cancellation: None,
        changes_dropped: false,
        warnings: vec![("nan became null".to_owned(), 2)],
    }
}

pub(crate) fn delivered(seq: u64) -> JournalEntry {
    let operation = Operation::Added;
    JournalEntry { seq, operation, verdict: Verdict::Delivered, failure: None }
}

pub(crate) fn failed(seq: u64, record_id: &str, message: &str) -> JournalEntry {
    let sample = Sample {
        record_id: record_id.to_owned(),
        request: None,
        payload: "{}".to_owned(),
        reply: Some("no".to_owned()),
    };
    JournalEntry {
        seq,
        operation: Operation::Updated,
        verdict: Verdict::Failed,
        failure: Some(Box::new((Failure::new(Code::DestinationDown, message), sample))),
    }
}
