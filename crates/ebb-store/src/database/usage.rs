//! Records by destination and month: what limits of usage count.
//!
//! A sync is added when it ends, in the transaction that ends it, and counts by its journal until then. So it counts
//! once, however often it was interrupted, and past syncs may be forgotten.

use ebb_core::{
    Counts, SyncId,
    port::{SyncRecord, processed},
    usage::{Cycle, Used},
};
use rusqlite::{Connection, OptionalExtension, params};

use super::{fault::Fault, groups, rows};

/// Adds a sync that is about to end. One that has ended is added already.
pub(super) fn settle(connection: &Connection, sync: &SyncRecord) -> Result<(), Fault> {
    let Some(destination) = sync.destination() else { return Ok(()) };
    let journaled: Option<String> = connection
        .prepare_cached(
            "select counts.counts from sync join counts on counts.sync = sync.id
             where sync.id = ?1 and sync.ended = 0",
        )?
        .query_row([sync.id.to_string()], |row| row.get(0))
        .optional()?;
    let Some(journaled) = journaled else { return Ok(()) };
    let records = tried(connection, sync.id, &serde_json::from_str(&journaled)?)?;
    if records == 0 {
        return Ok(());
    }
    connection
        .prepare_cached(
            "insert into usage (destination, month, records) values (?1, ?2, ?3)
             on conflict (destination, month) do update set records = usage.records + excluded.records",
        )?
        .execute(params![destination, Cycle::of(sync.started_at).to_string(), count(records)])?;
    Ok(())
}

/// What was used since the beginning of a month.
pub(super) fn used(connection: &Connection, since: Cycle) -> Result<Vec<Used>, Fault> {
    let mut used = Vec::new();
    let mut statement = connection.prepare_cached(
        "select destination, month, records from usage where month >= ?1 order by month, destination",
    )?;
    let mut ended = statement.query([since.to_string()])?;
    while let Some(row) = ended.next()? {
        let month: String = row.get(1)?;
        used.push(Used {
            destination: row.get(0)?,
            cycle: month.parse().map_err(|error: jiff::Error| Fault::Content(error.into()))?,
            records: row.get::<_, i64>(2)?.unsigned_abs(),
        });
    }
    for sync in rows::syncs(connection, "where sync.ended = 0", &[])? {
        let (Some(destination), cycle) = (sync.destination(), Cycle::of(sync.started_at)) else {
            continue;
        };
        if cycle >= since {
            let records = tried(connection, sync.id, &sync.counts)?;
            used.push(Used { destination: destination.to_owned(), cycle, records });
        }
    }
    Ok(used)
}

fn tried(connection: &Connection, sync: SyncId, journaled: &Counts) -> Result<u64, Fault> {
    Ok(processed(journaled, &groups::read(connection, sync)?))
}

/// As databases keep it.
fn count(records: u64) -> i64 {
    i64::try_from(records).unwrap_or(i64::MAX)
}
