//! Failures of a sync, put together by what was said of them.

use std::collections::HashMap;

use ebb_core::{
    Code, Failure, SyncId,
    port::{FailureGroup, Sample, Verdict},
};
use rusqlite::{Connection, params};

use super::{bits::number_of, fault::Fault};

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
    pub(super) fn load(connection: &Connection, sync: SyncId) -> Result<Self, Fault> {
        let groups = read(connection, sync)?.into_iter().map(|group| (key(&group), group));
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
    pub(super) fn write(&mut self, connection: &Connection, sync: &str) -> Result<(), Fault> {
        if self.changed.is_empty() {
            return Ok(());
        }
        let mut statement = connection.prepare_cached(
            "insert or replace into failure_group (sync, code, message, verdict, failures)
             values (?1, ?2, ?3, ?4, ?5)",
        )?;
        for key in self.changed.drain(..) {
            if let Some(group) = self.groups.get(&key) {
                let (verdict, code, message) = &key;
                let failures = serde_json::to_string(group)?;
                statement.execute(params![sync, code.as_str(), message, verdict, failures])?;
            }
        }
        Ok(())
    }
}

/// The failure groups of a sync, most records first.
pub(super) fn read(connection: &Connection, sync: SyncId) -> Result<Vec<FailureGroup>, Fault> {
    let mut statement =
        connection.prepare_cached("select failures from failure_group where sync = ?1")?;
    let mut rows = statement.query([sync.to_string()])?;
    let mut groups: Vec<FailureGroup> = Vec::new();
    while let Some(row) = rows.next()? {
        groups
            .push(serde_json::from_str(row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?)?);
    }
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
