//! Syncs, parts and attempts as rows.

use ebb_core::{
    Counts, SyncId,
    port::{Attempts, PartInfo, SyncRecord},
};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, ToSql, params};

use super::fault::Fault;

const SYNC: &str =
    "select sync.record, counts.counts from sync join counts on counts.sync = sync.id";

/// Reads one sync.
pub(super) fn sync(connection: &Connection, id: SyncId) -> Result<Option<SyncRecord>, Fault> {
    syncs(connection, "where sync.id = ?1", &[&id.to_string()])
        .map(|syncs| syncs.into_iter().next())
}

/// Reads syncs; `rest` is what follows the `from` clause.
pub(super) fn syncs(
    connection: &Connection,
    rest: &str,
    parameters: &[&dyn ToSql],
) -> Result<Vec<SyncRecord>, Fault> {
    let mut statement = connection.prepare_cached(&format!("{SYNC} {rest}"))?;
    let mut rows = statement.query(parameters)?;
    let mut syncs = Vec::new();
    while let Some(row) = rows.next()? {
        let mut record: SyncRecord = serde_json::from_str(text(row, 0)?)?;
        record.counts = serde_json::from_str(text(row, 1)?)?;
        syncs.push(record);
    }
    Ok(syncs)
}

fn text<'a>(row: &'a Row<'_>, index: usize) -> Result<&'a str, Fault> {
    Ok(row.get_ref(index)?.as_str().map_err(rusqlite::Error::from)?)
}

/// Writes a sync with its counts, and gives them: until it ends, outcomes are counted by the
/// journal.
pub(super) fn save(connection: &Connection, record: &SyncRecord) -> Result<Counts, Fault> {
    let id = record.id.to_string();
    let known: Option<String> = connection
        .query_row("select counts from counts where sync = ?1", [&id], |row| row.get(0))
        .optional()?;
    let counts = match known {
        Some(known) if !record.status.is_final() => {
            let Counts { extracted, not_subscribed, .. } = record.counts;
            Counts { extracted, not_subscribed, ..serde_json::from_str(&known)? }
        }
        Some(_) | None => record.counts,
    };
    connection.execute(
        "insert into sync (id, mapping, ended, finished_at, record) values (?1, ?2, ?3, ?4, ?5)
         on conflict do update set mapping = excluded.mapping, ended = excluded.ended,
             finished_at = excluded.finished_at, record = excluded.record",
        params![
            id,
            record.mapping,
            record.status.is_final(),
            record.finished_at.map(Timestamp::as_microsecond),
            serde_json::to_string(record)?
        ],
    )?;
    write_counts(connection, &id, &counts)?;
    Ok(counts)
}

/// Writes the counts of a sync.
pub(super) fn write_counts(
    connection: &Connection,
    id: &str,
    counts: &Counts,
) -> Result<(), Fault> {
    connection
        .prepare_cached("insert or replace into counts (sync, counts) values (?1, ?2)")?
        .execute(params![id, serde_json::to_string(counts)?])?;
    Ok(())
}

/// The parts of a sync in order.
pub(super) fn parts(connection: &Connection, sync: SyncId) -> Result<Vec<PartInfo>, Fault> {
    let mut statement =
        connection.prepare_cached("select part from part where sync = ?1 order by number")?;
    let mut rows = statement.query([sync.to_string()])?;
    let mut parts = Vec::new();
    while let Some(row) = rows.next()? {
        parts.push(serde_json::from_str(text(row, 0)?)?);
    }
    Ok(parts)
}

/// How often records failed before a sync. A mapping without failures costs one look.
pub(super) fn attempts(
    connection: &Connection,
    mapping: &str,
    sync: SyncId,
    record_ids: &[String],
) -> Result<Vec<Option<Attempts>>, Fault> {
    let any: bool = connection
        .prepare_cached("select exists (select 1 from attempt where mapping = ?1)")?
        .query_row([mapping], |row| row.get(0))?;
    if !any {
        return Ok(vec![None; record_ids.len()]);
    }
    let sync = sync.to_string();
    // The sync's own failure is not one before it.
    let mut statement = connection.prepare_cached(
        "select count - (last_sync = ?3), since from attempt
         where mapping = ?1 and record_id = ?2 and count > (last_sync = ?3)",
    )?;
    record_ids
        .iter()
        .map(|record_id| {
            let found: Option<(u32, i64)> = statement
                .query_row(params![mapping, record_id, sync], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?;
            found
                .map(|(count, since)| {
                    let since = Timestamp::from_microsecond(since)
                        .map_err(|error| Fault::Content(error.into()))?;
                    Ok(Attempts { count, since })
                })
                .transpose()
        })
        .collect()
}
