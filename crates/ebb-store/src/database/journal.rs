//! The outcomes of one running sync, as the writer thread knows them.

use std::collections::{BTreeSet, HashMap, HashSet};

use ebb_core::{
    Counts, SyncId,
    port::{JournalEntry, Outcomes, SyncRecord, Verdict},
};
use roaring::RoaringTreemap;

use super::{
    bits,
    fault::{Fault, no_such_sync},
    groups::Groups,
    lease, rows,
    sql::{AsValue, Transaction, params},
};

/// Rows of the journal after which they are folded into chunks.
const FOLD_AFTER: i64 = 512;

/// The running syncs that this process writes outcomes of. Rebuilt from disk when in doubt: when a
/// transaction failed, or another process had the lock meanwhile.
pub(super) type Journals = HashMap<SyncId, Journal>;

/// What is known of one sync, on disk but for what the open transaction will add.
#[derive(Debug)]
pub(super) struct Journal {
    id: String,
    pub(super) mapping: String,
    /// The mapping's lease when this was read.
    pub(super) token: i64,
    started_at: i64,
    pub(super) counts: Counts,
    known: Outcomes,
    groups: Groups,
    /// Chunks that the journal's rows touch.
    unfolded: BTreeSet<(i64, u64)>,
    rows: i64,
    next_row: i64,
    /// What the open transaction adds.
    added: Outcomes,
    attempts: HashSet<String>,
}

impl Journal {
    /// Reads the journal of a sync; `R416` if there is no such sync.
    pub(super) fn load(transaction: &Transaction<'_>, sync: SyncId) -> Result<Self, Fault> {
        let record = rows::sync(transaction, sync)?.ok_or_else(|| no_such_sync(sync))?;
        let SyncRecord { mapping, started_at, counts, .. } = record;
        let id = sync.to_string();
        let (rows, last): (i64, Option<i64>) = transaction.query_row(
            "select count(*), max(number) from journal where sync = ?1",
            params![id],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        let mut unfolded = BTreeSet::new();
        let mut journaled = outcomes_of_rows(transaction, &id)?;
        for verdict in bits::VERDICTS {
            let seqs = bits::of(&mut journaled, verdict);
            let number = bits::number_of(verdict);
            unfolded.extend(bits::chunks(seqs).map(|chunk| (number, chunk)));
        }
        Ok(Self {
            token: lease::token(transaction, &mapping)?,
            started_at: started_at.as_microsecond(),
            known: outcomes(transaction, sync)?,
            groups: Groups::load(transaction, sync)?,
            next_row: last.map_or(0, |last| last + 1),
            added: Outcomes::default(),
            attempts: HashSet::new(),
            id,
            mapping,
            counts,
            unfolded,
            rows,
        })
    }

    /// Takes entries over, in memory. A seq that has an outcome is passed over.
    pub(super) fn take(&mut self, mut entries: Vec<JournalEntry>) {
        // Deliveries come in long runs; set operations on a run are much cheaper than on each.
        let alike = |one: &JournalEntry, other: &JournalEntry| {
            one.verdict == other.verdict
                && one.operation == other.operation
                && one.failure.is_none()
                && other.failure.is_none()
        };
        for run in entries.chunk_by_mut(alike) {
            let Some(JournalEntry { verdict, operation, .. }) = run.first() else { continue };
            let (verdict, operation) = (*verdict, *operation);
            let mut seqs: RoaringTreemap = run.iter().map(|entry| entry.seq).collect();
            let Outcomes { delivered, failed, discarded } = &self.known;
            for known in [delivered, failed, discarded] {
                seqs -= known;
            }
            if seqs.is_empty() {
                continue;
            }
            for entry in run.iter_mut() {
                if let Some(reason) = entry.failure.take() {
                    if verdict == Verdict::Failed {
                        self.attempts.insert(reason.1.record_id.clone());
                    }
                    self.groups.add(verdict, entry.seq, *reason);
                }
            }
            let tally = match verdict {
                Verdict::Delivered => &mut self.counts.delivered,
                Verdict::Failed => &mut self.counts.failed,
                Verdict::Discarded => &mut self.counts.discarded,
            };
            *tally.of(operation) += seqs.len();
            let number = bits::number_of(verdict);
            self.unfolded.extend(bits::chunks(&seqs).map(|chunk| (number, chunk)));
            *bits::of(&mut self.known, verdict) |= &seqs;
            *bits::of(&mut self.added, verdict) |= seqs;
        }
    }

    /// Writes what [`Self::take`] took over.
    pub(super) fn write(&mut self, transaction: &Transaction<'_>) -> Result<(), Fault> {
        let mut any = false;
        for verdict in bits::VERDICTS {
            let added = std::mem::take(bits::of(&mut self.added, verdict));
            if added.is_empty() {
                continue;
            }
            any = true;
            let (number, bytes) = (bits::number_of(verdict), bits::to_bytes(added)?);
            transaction.execute(
                "insert into journal (sync, number, verdict, bits) values (?1, ?2, ?3, ?4)",
                params![self.id, self.next_row, number, bytes],
            )?;
            self.next_row += 1;
            self.rows += 1;
        }
        if !any {
            return Ok(());
        }
        rows::write_counts(transaction, &self.id, &self.counts)?;
        self.groups.write(transaction, &self.id)?;
        let attempts = std::mem::take(&mut self.attempts);
        let each: Vec<_> = attempts
            .iter()
            .map(|record_id| {
                [
                    self.mapping.as_value(),
                    record_id.as_value(),
                    self.started_at.as_value(),
                    self.id.as_value(),
                ]
            })
            .collect();
        transaction.execute_each(
            "insert into attempt (mapping, record_id, count, since, last_sync)
             values (?1, ?2, 1, ?3, ?4)
             on conflict (mapping, record_id) do update
             set count = attempt.count + 1, last_sync = excluded.last_sync
             where attempt.last_sync <> excluded.last_sync",
            &each,
        )?;
        if self.rows >= FOLD_AFTER { self.fold(transaction) } else { Ok(()) }
    }

    /// Puts the journal's rows into chunks.
    pub(super) fn fold(&mut self, transaction: &Transaction<'_>) -> Result<(), Fault> {
        if self.rows == 0 {
            return Ok(());
        }
        for verdict in bits::VERDICTS {
            let number = bits::number_of(verdict);
            let all: &RoaringTreemap = bits::of(&mut self.known, verdict);
            let chunks: Vec<(i64, Vec<u8>)> = self
                .unfolded
                .range((number, 0)..(number + 1, 0))
                // As databases keep it: 64 bits, whatever their sign.
                .map(|(_, chunk)| {
                    Ok((chunk.cast_signed(), bits::to_bytes(bits::chunk(all, *chunk))?))
                })
                .collect::<Result<_, Fault>>()?;
            let each: Vec<_> = chunks
                .iter()
                .map(|(chunk, bytes)| {
                    let number = number.as_value();
                    [self.id.as_value(), number, chunk.as_value(), bytes.as_value()]
                })
                .collect();
            transaction.execute_each(
                "insert into outcome (sync, verdict, chunk, bits) values (?1, ?2, ?3, ?4)
                 on conflict (sync, verdict, chunk) do update set bits = excluded.bits",
                &each,
            )?;
        }
        transaction.execute("delete from journal where sync = ?1", params![self.id])?;
        self.unfolded.clear();
        self.rows = 0;
        Ok(())
    }
}

/// All outcomes of a sync; within one transaction, so that a fold in between is not seen half.
pub(super) fn outcomes(transaction: &Transaction<'_>, sync: SyncId) -> Result<Outcomes, Fault> {
    let id = sync.to_string();
    let query = "select 1 from sync where id = ?1";
    let known = transaction.query_optional(query, params![id], |_| Ok(()))?;
    if known.is_none() {
        return Err(no_such_sync(sync).into());
    }
    let mut outcomes = outcomes_of_rows(transaction, &id)?;
    let chunks = "select verdict, bits from outcome where sync = ?1";
    add_rows(transaction, chunks, &id, &mut outcomes)?;
    Ok(outcomes)
}

fn outcomes_of_rows(transaction: &Transaction<'_>, id: &str) -> Result<Outcomes, Fault> {
    let mut outcomes = Outcomes::default();
    add_rows(transaction, "select verdict, bits from journal where sync = ?1", id, &mut outcomes)?;
    Ok(outcomes)
}

fn add_rows(
    transaction: &Transaction<'_>,
    query: &str,
    id: &str,
    outcomes: &mut Outcomes,
) -> Result<(), Fault> {
    transaction.query(query, params![id], |row| {
        Ok(bits::add_bytes(outcomes, row.get(0)?, row.get(1)?)?)
    })?;
    Ok(())
}
