//! Failures of a sync, put together by what was said of them.

use std::collections::HashMap;

use ebb_core::{
    Code, Failure, SyncId,
    port::{FailureGroup, Sample, Verdict},
};

use super::{
    bits::number_of,
    fault::Fault,
    sql::{AsValue, Transaction, params},
};

/// Groups of a sync before further failures go to one group per code.
const GROUPS: usize = 100;
/// Samples of a group.
const SAMPLES: usize = 5;
/// Bytes of each text of a sample.
const SAMPLE_BYTES: usize = 8 * 1024;
/// What the groups of the further failures say.
const OTHER: &str = "further failures with other messages";

type Key = (i64, Code, String);

/// The failure groups of one sync.
#[derive(Debug, Default)]
pub(super) struct Groups {
    groups: HashMap<Key, FailureGroup>,
    changed: Vec<Key>,
}

impl Groups {
    /// Reads them.
    pub(super) fn load(transaction: &Transaction<'_>, sync: SyncId) -> Result<Self, Fault> {
        let groups = read(transaction, sync)?.into_iter().map(|group| (key(&group), group));
        Ok(Self { groups: groups.collect(), changed: Vec::new() })
    }

    /// Counts a failure.
    pub(super) fn add(&mut self, verdict: Verdict, failure: Failure, sample: Sample) {
        let mut key = (number_of(verdict), failure.code, failure.message().to_owned());
        let mut failure = failure;
        if self.groups.len() >= GROUPS && !self.groups.contains_key(&key) {
            OTHER.clone_into(&mut key.2);
            failure = Failure::new(failure.code, OTHER);
        }
        let group = self.groups.entry(key.clone()).or_insert_with(|| FailureGroup {
            failure,
            verdict,
            count: 0,
            samples: Vec::new(),
        });
        group.count += 1;
        if group.samples.len() < SAMPLES {
            group.samples.push(cut(sample));
        }
        if !self.changed.contains(&key) {
            self.changed.push(key);
        }
    }

    /// Writes those that changed since they were last written.
    pub(super) fn write(&mut self, transaction: &Transaction<'_>, sync: &str) -> Result<(), Fault> {
        if self.changed.is_empty() {
            return Ok(());
        }
        let mut written = Vec::with_capacity(self.changed.len());
        for key in self.changed.drain(..) {
            if let Some(group) = self.groups.get(&key) {
                written.push((serde_json::to_string(group)?, key));
            }
        }
        let each: Vec<_> = written
            .iter()
            .map(|(failures, (verdict, code, message))| {
                [
                    sync.as_value(),
                    code.as_str().as_value(),
                    message.as_value(),
                    verdict.as_value(),
                    failures.as_value(),
                ]
            })
            .collect();
        transaction.execute_each(
            "insert into failure_group (sync, code, message, verdict, failures)
             values (?1, ?2, ?3, ?4, ?5)
             on conflict (sync, verdict, code, message) do update set failures = excluded.failures",
            &each,
        )
    }
}

/// The failure groups of a sync, most records first.
pub(super) fn read(
    transaction: &Transaction<'_>,
    sync: SyncId,
) -> Result<Vec<FailureGroup>, Fault> {
    let query = "select failures from failure_group where sync = ?1";
    let mut groups: Vec<FailureGroup> =
        transaction.query(query, params![sync.to_string()], |row| {
            Ok(serde_json::from_str(row.get(0)?)?)
        })?;
    groups.sort_by(|one, other| {
        other.count.cmp(&one.count).then_with(|| one.failure.message().cmp(other.failure.message()))
    });
    Ok(groups)
}

fn key(group: &FailureGroup) -> Key {
    (number_of(group.verdict), group.failure.code, group.failure.message().to_owned())
}

fn cut(mut sample: Sample) -> Sample {
    let texts = [&mut sample.record_id, &mut sample.payload].into_iter();
    for text in texts.chain(sample.reply.as_mut()) {
        text.truncate(text.floor_char_boundary(SAMPLE_BYTES));
    }
    sample
}
