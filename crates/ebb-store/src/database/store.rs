//! The port, method by method.

use async_trait::async_trait;
use ebb_core::{
    Code, Failure, PartNumber, SyncId,
    port::{
        Attempts, Cancellation, FailureGroup, JournalEntry, Lock, Outcomes, PartInfo, Reason,
        Store, SyncRecord,
    },
    usage::{Cycle, Used},
};
use jiff::Timestamp;

use super::{
    Database,
    fault::{Fault, no_such_sync},
    groups, history, journal, lease, remade,
    right::Purpose,
    rows,
    sql::{Transaction, params},
    usage,
    writer::Memory,
};

#[async_trait]
impl Store for Database {
    async fn lock(&self, mapping: &str) -> Result<Box<dyn Lock>, Failure> {
        if let Some(right) = self.right(Purpose::Sync(mapping)).await? {
            return Ok(Box::new(right));
        }
        let running = self.unfinished(mapping).await.ok().flatten();
        let which = running.map_or_else(String::new, |sync| format!(" (sync `{}`)", sync.id));
        let message = format!("a sync of the mapping `{mapping}` is running{which}");
        Err(Failure::new(Code::SyncRunning, message))
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
                params![mapping, limit],
            ),
            None => rows::syncs(transaction, "order by sync.id desc limit ?1", params![limit]),
        })
        .await
    }

    async fn unfinished(&self, mapping: &str) -> Result<Option<SyncRecord>, Failure> {
        let mapping = mapping.to_owned();
        let which = "where sync.mapping = ?1 and sync.ended = 0 order by sync.id desc limit 1";
        self.read(move |transaction| rows::syncs(transaction, which, params![mapping]))
            .await
            .map(|syncs| syncs.into_iter().next())
    }

    async fn request_cancel(&self, id: SyncId, by: &Cancellation) -> Result<(), Failure> {
        let by = by.clone();
        self.write(move |transaction, _| {
            let cancel = "update sync set cancellation = coalesce(cancellation, ?2) where id = ?1";
            let by = serde_json::to_string(&by)?;
            let changed = transaction.execute(cancel, params![id.to_string(), by])?;
            if changed == 0 { Err(no_such_sync(id).into()) } else { Ok(()) }
        })
        .await
    }

    async fn cancel_requested(&self, id: SyncId) -> Result<bool, Failure> {
        self.read(move |transaction| {
            let query =
                "select exists (select 1 from sync where id = ?1 and cancellation is not null)";
            transaction.query_row(query, params![id.to_string()], |row| row.get(0))
        })
        .await
    }

    async fn add_part(&self, sync: SyncId, part: &PartInfo) -> Result<(), Failure> {
        let part = part.clone();
        self.write(move |transaction, memory| {
            fence(transaction, memory, sync)?;
            transaction.execute(
                "insert into part (sync, number, part) values (?1, ?2, ?3)
                 on conflict (sync, number) do update set part = excluded.part",
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
            let forget = "delete from part where sync = ?1";
            transaction.execute(forget, params![sync.to_string()])?;
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
        self.writer.record(sync, entries).await.map_err(|fault| fault.told(&self.place))
    }

    async fn outcomes(&self, sync: SyncId) -> Result<Outcomes, Failure> {
        self.read(move |transaction| journal::outcomes(transaction, sync)).await
    }

    async fn failure_groups(&self, sync: SyncId) -> Result<Vec<FailureGroup>, Failure> {
        self.read(move |transaction| groups::read(transaction, sync)).await
    }

    async fn reasons(&self, sync: SyncId) -> Result<Vec<Reason>, Failure> {
        self.read(move |transaction| groups::reasons(transaction, sync)).await
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

    async fn made_anew(&self, mapping: &str) -> Result<Option<i64>, Failure> {
        let mapping = mapping.to_owned();
        self.read(move |transaction| remade::read(transaction, &mapping)).await
    }

    async fn begun_anew(&self, mapping: &str, version: i64) -> Result<(), Failure> {
        let mapping = mapping.to_owned();
        self.write(move |transaction, memory| {
            lease::check(transaction, &memory.tokens, &mapping)?;
            let begun = "delete from remade where mapping = ?1 and version = ?2";
            transaction.execute(begun, params![mapping, version])?;
            Ok(())
        })
        .await
    }

    async fn used(&self, since: Cycle) -> Result<Vec<Used>, Failure> {
        self.read(move |transaction| usage::used(transaction, since)).await
    }

    async fn with_parts_before(&self, moment: Timestamp) -> Result<Vec<SyncId>, Failure> {
        self.read(move |transaction| {
            transaction.query(
                "select id from sync where ended = 1 and finished_at < ?1
                 and exists (select 1 from part where part.sync = sync.id) order by id",
                params![moment.as_microsecond()],
                |row| history::identity(row.get(0)?),
            )
        })
        .await
    }
}

/// Refuses a stale holder's write to a sync; `R416` if there is no such sync.
fn fence(transaction: &Transaction<'_>, memory: &Memory, sync: SyncId) -> Result<(), Fault> {
    let record = rows::sync(transaction, sync)?.ok_or_else(|| no_such_sync(sync))?;
    lease::check(transaction, &memory.tokens, &record.mapping).map(drop)
}
