//! Records by destination and month: what limits of usage count.
//!
//! A sync is added when it ends, in the transaction that ends it, and counts by its journal until then. So it counts
//! once, however often it was interrupted, and past syncs may be forgotten.

use ebb_core::{
    Counts, SyncId,
    port::{SyncRecord, processed},
    usage::{Cycle, Used},
};

use super::{
    fault::Fault,
    groups, rows,
    sql::{Transaction, params},
};

/// Adds a sync that is about to end. One that has ended is added already.
pub(super) fn settle(transaction: &Transaction<'_>, sync: &SyncRecord) -> Result<(), Fault> {
    let Some(destination) = sync.destination() else { return Ok(()) };
    let query = "select counts.counts from sync join counts on counts.sync = sync.id
                 where sync.id = ?1 and sync.ended = 0";
    let journaled: Option<String> =
        transaction.query_optional(query, params![sync.id.to_string()], |row| row.get(0))?;
    let Some(journaled) = journaled else { return Ok(()) };
    let records = tried(transaction, sync.id, &serde_json::from_str(&journaled)?)?;
    if records == 0 {
        return Ok(());
    }
    transaction.execute(
        "insert into usage (destination, month, records) values (?1, ?2, ?3)
         on conflict (destination, month) do update set records = usage.records + excluded.records",
        params![destination, Cycle::of(sync.started_at).to_string(), count(records)],
    )?;
    Ok(())
}

/// What was used since the beginning of a month.
pub(super) fn used(transaction: &Transaction<'_>, since: Cycle) -> Result<Vec<Used>, Fault> {
    let query = "select destination, month, records from usage where month >= ?1
                 order by month, destination";
    let mut used = transaction.query(query, params![since.to_string()], |row| {
        let month: String = row.get(1)?;
        Ok(Used {
            destination: row.get(0)?,
            cycle: month.parse().map_err(|error: jiff::Error| Fault::Content(error.into()))?,
            records: row.get::<i64>(2)?.unsigned_abs(),
        })
    })?;
    for sync in rows::syncs(transaction, "where sync.ended = 0", params![])? {
        let (Some(destination), cycle) = (sync.destination(), Cycle::of(sync.started_at)) else {
            continue;
        };
        if cycle >= since {
            let records = tried(transaction, sync.id, &sync.counts)?;
            used.push(Used { destination: destination.to_owned(), cycle, records });
        }
    }
    Ok(used)
}

fn tried(transaction: &Transaction<'_>, sync: SyncId, journaled: &Counts) -> Result<u64, Fault> {
    Ok(processed(journaled, &groups::read(transaction, sync)?))
}

/// As databases keep it.
fn count(records: u64) -> i64 {
    i64::try_from(records).unwrap_or(i64::MAX)
}
