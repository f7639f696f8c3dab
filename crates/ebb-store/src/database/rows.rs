//! Syncs, parts and attempts as rows.

use super::{
    fault::Fault,
    people::moment,
    sql::{AsValue, Transaction, Value, params},
};
use ebb_core::{
    Counts, SyncId,
    port::{Attempts, PartInfo, SyncRecord},
};
use jiff::Timestamp;

const SYNC: &str = "select sync.record, counts.counts, sync.cancellation
    from sync join counts on counts.sync = sync.id";

/// Reads one sync.
pub(super) fn sync(transaction: &Transaction<'_>, id: SyncId) -> Result<Option<SyncRecord>, Fault> {
    syncs(transaction, "where sync.id = ?1", params![id.to_string()])
        .map(|syncs| syncs.into_iter().next())
}

/// Reads syncs; `rest` is what follows the `from` clause.
pub(super) fn syncs(
    transaction: &Transaction<'_>,
    rest: &str,
    values: &[Value<'_>],
) -> Result<Vec<SyncRecord>, Fault> {
    transaction.query(&format!("{SYNC} {rest}"), values, |row| {
        let mut record: SyncRecord = serde_json::from_str(row.get(0)?)?;
        record.counts = serde_json::from_str(row.get(1)?)?;
        let cancellation: Option<&str> = row.get(2)?;
        record.cancellation = cancellation.map(serde_json::from_str).transpose()?;
        Ok(record)
    })
}

/// Writes a sync with its counts, and gives them: until it ends, outcomes are counted by the
/// journal.
pub(super) fn save(transaction: &Transaction<'_>, record: &SyncRecord) -> Result<Counts, Fault> {
    let id = record.id.to_string();
    let query = "select counts from counts where sync = ?1";
    let known: Option<String> = transaction.query_optional(query, params![id], |row| row.get(0))?;
    let counts = match known {
        Some(known) if !record.status.is_final() => {
            let Counts { extracted, not_subscribed, .. } = record.counts;
            Counts { extracted, not_subscribed, ..serde_json::from_str(&known)? }
        }
        Some(_) | None => record.counts,
    };
    transaction.execute(
        "insert into sync (id, mapping, ended, finished_at, record) values (?1, ?2, ?3, ?4, ?5)
         on conflict (id) do update set mapping = excluded.mapping, ended = excluded.ended,
             finished_at = excluded.finished_at, record = excluded.record",
        params![
            id,
            record.mapping,
            record.status.is_final(),
            record.finished_at.map(Timestamp::as_microsecond),
            serde_json::to_string(record)?
        ],
    )?;
    transaction.execute(
        "insert into latest (mapping, sync, status) values (?1, ?2, ?3)
         on conflict (mapping) do update set sync = excluded.sync, status = excluded.status
             where excluded.sync >= latest.sync",
        params![record.mapping, id, record.status.as_str()],
    )?;
    write_counts(transaction, &id, &counts)?;
    Ok(counts)
}

/// Writes the counts of a sync.
pub(super) fn write_counts(
    transaction: &Transaction<'_>,
    id: &str,
    counts: &Counts,
) -> Result<(), Fault> {
    transaction.execute(
        "insert into counts (sync, counts) values (?1, ?2)
         on conflict (sync) do update set counts = excluded.counts",
        params![id, serde_json::to_string(counts)?],
    )?;
    Ok(())
}

/// The parts of a sync in order.
pub(super) fn parts(transaction: &Transaction<'_>, sync: SyncId) -> Result<Vec<PartInfo>, Fault> {
    let query = "select part from part where sync = ?1 order by number";
    transaction
        .query(query, params![sync.to_string()], |row| Ok(serde_json::from_str(row.get(0)?)?))
}

/// How often records failed before a sync. A mapping without failures costs one look.
pub(super) fn attempts(
    transaction: &Transaction<'_>,
    mapping: &str,
    sync: SyncId,
    record_ids: &[String],
) -> Result<Vec<Option<Attempts>>, Fault> {
    let any = "select exists (select 1 from attempt where mapping = ?1)";
    let any: bool = transaction.query_row(any, params![mapping], |row| row.get(0))?;
    if !any {
        return Ok(vec![None; record_ids.len()]);
    }
    let sync = sync.to_string();
    let each: Vec<_> = record_ids
        .iter()
        .map(|record_id| [mapping.as_value(), record_id.as_value(), sync.as_value()])
        .collect();
    // The sync's own failure is not one before it.
    transaction.query_each(
        "select count - case when last_sync = ?3 then 1 else 0 end, since from attempt
         where mapping = ?1 and record_id = ?2
           and count > case when last_sync = ?3 then 1 else 0 end",
        &each,
        |row| Ok(Attempts { count: row.get(0)?, since: moment(row.get(1)?)? }),
    )
}
