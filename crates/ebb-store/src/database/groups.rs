//! Failures of a sync, put together by what was said of them.

use std::collections::{BTreeSet, HashMap};

use ebb_core::{
    Code, Failure, SyncId,
    port::{FailureGroup, Reason, RequestHead, Sample, Verdict},
};
use roaring::RoaringTreemap;

use super::{
    bits::{self, number_of},
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

/// A group, and the chunks of its seqs that are not written yet.
#[derive(Debug)]
struct Known {
    reason: Reason,
    unwritten: BTreeSet<u64>,
}

/// The failure groups of one sync.
#[derive(Debug, Default)]
pub(super) struct Groups {
    groups: HashMap<Key, Known>,
    changed: Vec<Key>,
}

impl Groups {
    /// Reads them.
    pub(super) fn load(transaction: &Transaction<'_>, sync: SyncId) -> Result<Self, Fault> {
        let known =
            |reason: Reason| (key(&reason.group), Known { reason, unwritten: BTreeSet::new() });
        let groups = reasons(transaction, sync)?.into_iter().map(known).collect();
        Ok(Self { groups, changed: Vec::new() })
    }

    /// Counts the failure of a change.
    pub(super) fn add(
        &mut self,
        verdict: Verdict,
        seq: u64,
        (mut failure, sample): (Failure, Sample),
    ) {
        let mut key = (number_of(verdict), failure.code, failure.message().to_owned());
        if self.groups.len() >= GROUPS && !self.groups.contains_key(&key) {
            OTHER.clone_into(&mut key.2);
            failure = Failure::new(failure.code, OTHER);
        }
        let Known { reason: Reason { group, seqs }, unwritten } =
            self.groups.entry(key.clone()).or_insert_with(|| {
                let group = FailureGroup { failure, verdict, count: 0, samples: Vec::new() };
                let reason = Reason { group, seqs: RoaringTreemap::new() };
                Known { reason, unwritten: BTreeSet::new() }
            });
        group.count += 1;
        seqs.insert(seq);
        unwritten.insert(bits::chunk_of(seq));
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
        let (mut written, mut chunks) = (Vec::new(), Vec::new());
        for key in &self.changed {
            let Some(Known { reason, unwritten }) = self.groups.get_mut(key) else { continue };
            written.push((serde_json::to_string(&reason.group)?, key));
            for chunk in std::mem::take(unwritten) {
                let bytes = bits::to_bytes(bits::chunk(&reason.seqs, chunk))?;
                // As databases keep it: 64 bits, whatever their sign.
                chunks.push((key, chunk.cast_signed(), bytes));
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
        )?;
        let each: Vec<_> = chunks
            .iter()
            .map(|((verdict, code, message), chunk, bytes)| {
                [
                    sync.as_value(),
                    verdict.as_value(),
                    code.as_str().as_value(),
                    message.as_value(),
                    chunk.as_value(),
                    bytes.as_value(),
                ]
            })
            .collect();
        transaction.execute_each(
            "insert into failed_for (sync, verdict, code, message, chunk, bits)
             values (?1, ?2, ?3, ?4, ?5, ?6)
             on conflict (sync, verdict, code, message, chunk) do update set bits = excluded.bits",
            &each,
        )?;
        self.changed.clear();
        Ok(())
    }
}

/// The failure groups of a sync, most records first.
pub(super) fn read(
    transaction: &Transaction<'_>,
    sync: SyncId,
) -> Result<Vec<FailureGroup>, Fault> {
    Ok(stored(transaction, sync)?.into_iter().map(|(_, group)| group).collect())
}

/// The same, each with its message as the table has it: on PostgreSQL that lacks what no text there can hold.
fn stored(
    transaction: &Transaction<'_>,
    sync: SyncId,
) -> Result<Vec<(String, FailureGroup)>, Fault> {
    let query = "select message, failures from failure_group where sync = ?1";
    let mut groups: Vec<(String, FailureGroup)> =
        transaction.query(query, params![sync.to_string()], |row| {
            Ok((row.get(0)?, serde_json::from_str(row.get(1)?)?))
        })?;
    groups.sort_by(|(_, one), (_, other)| {
        other.count.cmp(&one.count).then_with(|| one.failure.message().cmp(other.failure.message()))
    });
    Ok(groups)
}

/// The same with the changes of each.
pub(super) fn reasons(transaction: &Transaction<'_>, sync: SyncId) -> Result<Vec<Reason>, Fault> {
    let mut reasons: Vec<(String, Reason)> = stored(transaction, sync)?
        .into_iter()
        .map(|(message, group)| (message, Reason { group, seqs: RoaringTreemap::new() }))
        .collect();
    let query = "select verdict, code, message, bits from failed_for where sync = ?1";
    transaction.query(query, params![sync.to_string()], |row| {
        let (verdict, code, message): (i64, &str, &str) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let bits = RoaringTreemap::deserialize_from(row.get::<&[u8]>(3)?)?;
        let of = reasons.iter_mut().find(|(stored, Reason { group, .. })| {
            number_of(group.verdict) == verdict
                && group.failure.code.as_str() == code
                && stored == message
        });
        if let Some((_, reason)) = of {
            reason.seqs |= bits;
        }
        Ok(())
    })?;
    Ok(reasons.into_iter().map(|(_, reason)| reason).collect())
}

fn key(group: &FailureGroup) -> Key {
    (number_of(group.verdict), group.failure.code, group.failure.message().to_owned())
}

fn cut(mut sample: Sample) -> Sample {
    let texts = [&mut sample.record_id, &mut sample.payload].into_iter();
    let of_request = sample.request.iter_mut().flat_map(|RequestHead { url, headers, .. }| {
        std::iter::once(url).chain(headers.iter_mut().map(|(_, value)| value))
    });
    for text in texts.chain(of_request).chain(sample.reply.as_mut()) {
        text.truncate(text.floor_char_boundary(SAMPLE_BYTES));
    }
    sample
}
