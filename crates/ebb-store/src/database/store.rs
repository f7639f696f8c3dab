//! The port, method by method.

use async_trait::async_trait;
use ebb_core::{
    Code, Failure, PartNumber, SyncId,
    port::{Attempts, FailureGroup, JournalEntry, Lock, Outcomes, PartInfo, Store, SyncRecord},
    usage::{Cycle, Used},
};
use jiff::Timestamp;
use rusqlite::{Transaction, params};

use super::{
    Database,
    fault::{Fault, no_such_sync},
    groups, history, journal, lease, rows, usage,
    writer::Memory,
};
use crate::lock::FileLock;

#[async_trait]
impl Store for Database {
    async fn lock(&self, mapping: &str) -> Result<Box<dyn Lock>, Failure> {
        let taken = FileLock::take(&self.state, mapping).map_err(|error| {
            let message = format!("the lock of the mapping `{mapping}` cannot be taken");
            Failure::new(Code::StateUnavailable, message).caused_by(error)
        })?;
        let Some(lock) = taken else {
            let running = self.unfinished(mapping).await.ok().flatten();
            let which = running.map_or_else(String::new, |sync| format!(" (sync `{}`)", sync.id));
            let message = format!("a sync of the mapping `{mapping}` is running{which}");
            return Err(Failure::new(Code::SyncRunning, message));
        };
        let mapping = mapping.to_owned();
        self.write(move |transaction, memory| {
            // Somebody else may have written outcomes since this process knew them.
            memory.journals.retain(|_, journal| journal.mapping != mapping);
            let token = lease::renew(transaction, &mapping)?;
            memory.tokens.insert(mapping, token);
            Ok(())
        })
        .await?;
        Ok(Box::new(lock))
    }

    async fn save(&self, sync: &SyncRecord) -> Result<(), Failure> {
        let sync = sync.clone();
        self.write(move |transaction, memory| {
            lease::check(transaction, &memory.tokens, &sync.mapping)?;
            if sync.status.is_final()
                && let Some(mut journal) = memory.journals.remove(&sync.id)
            {
                journal.fold(transaction)?;
            }
            if sync.status.is_final() {
                usage::settle(transaction, &sync)?;
            }
            let counts = rows::save(transaction, &sync)?;
            if let Some(journal) = memory.journals.get_mut(&sync.id) {
                journal.counts = counts;
            }
            Ok(())
        })
        .await
    }

    async fn sync(&self, id: SyncId) -> Result<SyncRecord, Failure> {
        self.read(move |transaction| {
            rows::sync(transaction, id)?.ok_or_else(|| no_such_sync(id).into())
        })
        .await
    }

    async fn syncs(&self, mapping: Option<&str>, limit: usize) -> Result<Vec<SyncRecord>, Failure> {
        let mapping = mapping.map(str::to_owned);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.read(move |transaction| match mapping {
            Some(mapping) => rows::syncs(
                transaction,
                "where sync.mapping = ?1 order by sync.id desc limit ?2",
                &[&mapping, &limit],
            ),
            None => rows::syncs(transaction, "order by sync.id desc limit ?1", &[&limit]),
        })
        .await
    }

    async fn unfinished(&self, mapping: &str) -> Result<Option<SyncRecord>, Failure> {
        let mapping = mapping.to_owned();
        let which = "where sync.mapping = ?1 and sync.ended = 0 order by sync.id desc limit 1";
        self.read(move |transaction| rows::syncs(transaction, which, &[&mapping]))
            .await
            .map(|syncs| syncs.into_iter().next())
    }

    async fn request_cancel(&self, id: SyncId) -> Result<(), Failure> {
        self.write(move |transaction, _| {
            let changed = transaction
                .execute("update sync set cancel = 1 where id = ?1", [id.to_string()])?;
            if changed == 0 { Err(no_such_sync(id).into()) } else { Ok(()) }
        })
        .await
    }

    async fn cancel_requested(&self, id: SyncId) -> Result<bool, Failure> {
        self.read(move |transaction| {
            let asked = transaction
                .prepare_cached("select exists (select 1 from sync where id = ?1 and cancel = 1)")?
                .query_row([id.to_string()], |row| row.get(0))?;
            Ok(asked)
        })
        .await
    }

    async fn add_part(&self, sync: SyncId, part: &PartInfo) -> Result<(), Failure> {
        let part = part.clone();
        self.write(move |transaction, memory| {
            fence(transaction, memory, sync)?;
            transaction.execute(
                "insert or replace into part (sync, number, part) values (?1, ?2, ?3)",
                params![sync.to_string(), part.number, serde_json::to_string(&part)?],
            )?;
            Ok(())
        })
        .await
    }

    async fn parts(&self, sync: SyncId) -> Result<Vec<PartInfo>, Failure> {
        self.read(move |transaction| rows::parts(transaction, sync)).await
    }

    async fn forget_parts(&self, sync: SyncId) -> Result<(), Failure> {
        self.write(move |transaction, _| {
            transaction.execute("delete from part where sync = ?1", [sync.to_string()])?;
            Ok(())
        })
        .await
    }

    async fn record(
        &self,
        sync: SyncId,
        _part: PartNumber,
        entries: Vec<JournalEntry>,
    ) -> Result<(), Failure> {
        self.writer.record(sync, entries).await.map_err(|fault| fault.told(&self.file))
    }

    async fn outcomes(&self, sync: SyncId) -> Result<Outcomes, Failure> {
        self.read(move |transaction| journal::outcomes(transaction, sync)).await
    }

    async fn failure_groups(&self, sync: SyncId) -> Result<Vec<FailureGroup>, Failure> {
        self.read(move |transaction| groups::read(transaction, sync)).await
    }

    async fn attempts(
        &self,
        mapping: &str,
        sync: SyncId,
        record_ids: &[&str],
    ) -> Result<Vec<Option<Attempts>>, Failure> {
        let mapping = mapping.to_owned();
        let record_ids: Vec<String> = record_ids.iter().map(|id| (*id).to_owned()).collect();
        self.read(move |transaction| rows::attempts(transaction, &mapping, sync, &record_ids)).await
    }

    async fn settle_attempts(&self, mapping: &str, sync: SyncId) -> Result<(), Failure> {
        let mapping = mapping.to_owned();
        self.write(move |transaction, memory| {
            lease::check(transaction, &memory.tokens, &mapping)?;
            transaction.execute(
                "delete from attempt where mapping = ?1 and last_sync <> ?2",
                params![mapping, sync.to_string()],
            )?;
            Ok(())
        })
        .await
    }

    async fn used(&self, since: Cycle) -> Result<Vec<Used>, Failure> {
        self.read(move |transaction| usage::used(transaction, since)).await
    }

    async fn with_parts_before(&self, moment: Timestamp) -> Result<Vec<SyncId>, Failure> {
        self.read(move |transaction| {
            let mut statement = transaction.prepare_cached(
                "select id from sync where ended = 1 and finished_at < ?1
                 and exists (select 1 from part where part.sync = sync.id) order by id",
            )?;
            let mut rows = statement.query([moment.as_microsecond()])?;
            let mut syncs = Vec::new();
            while let Some(row) = rows.next()? {
                let id = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
                syncs.push(history::identity(id)?);
            }
            Ok(syncs)
        })
        .await
    }
}

/// Refuses a stale holder's write to a sync; `R416` if there is no such sync. Returns its counts.
fn fence(transaction: &Transaction<'_>, memory: &Memory, sync: SyncId) -> Result<(), Fault> {
    let record = rows::sync(transaction, sync)?.ok_or_else(|| no_such_sync(sync))?;
    lease::check(transaction, &memory.tokens, &record.mapping).map(drop)
}
