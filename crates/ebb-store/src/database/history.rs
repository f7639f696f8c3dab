//! What people ask of past syncs, and how these are forgotten.

use ebb_core::{Code, Failure, SyncId, port::SyncRecord};
use jiff::Timestamp;

use super::{Database, fault::Fault, rows};

impl Database {
    /// Finds a sync by its identity, or by a beginning or an end of it that only one sync has.
    /// `R416` otherwise.
    pub async fn find_sync(&self, text: &str) -> Result<SyncRecord, Failure> {
        let text = text.to_ascii_lowercase();
        let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let asked = text.clone();
        let found = self
            .read(move |transaction| {
                if !plain {
                    return Ok(Vec::new());
                }
                rows::syncs(
                    transaction,
                    "where sync.id like ?1 || '%' or sync.id like '%' || ?1
                     order by sync.id desc limit 4",
                    &[&asked],
                )
            })
            .await?;
        let mut found = found.into_iter();
        let Some(first) = found.next() else {
            return Err(Failure::new(Code::SyncNotFound, format!("there is no sync `{text}`")));
        };
        let others: Vec<String> = found.map(|sync| format!("`{}`", sync.id)).collect();
        if others.is_empty() {
            return Ok(first);
        }
        let message =
            format!("`{text}` means several syncs: `{}`, {}", first.id, others.join(", "));
        Err(Failure::new(Code::SyncNotFound, message).help("Give more of the sync's identity"))
    }

    /// Forgets syncs that ended before a moment and have no parts left, but for each mapping's
    /// newest. Returns how many.
    pub async fn purge(&self, before: Timestamp) -> Result<u64, Failure> {
        self.write(move |transaction, memory| {
            let gone: Vec<String> = transaction
                .prepare(
                    "delete from sync
                     where ended = 1 and finished_at < ?1
                       and not exists (select 1 from part where part.sync = sync.id)
                       and exists (select 1 from sync as newer
                                   where newer.mapping = sync.mapping and newer.id > sync.id)
                     returning id",
                )?
                .query_map([before.as_microsecond()], |row| row.get(0))?
                .collect::<Result<_, _>>()?;
            memory.journals.retain(|sync, _| !gone.contains(&sync.to_string()));
            Ok(gone.len() as u64)
        })
        .await
    }
}

/// The identity in a row.
pub(super) fn identity(text: &str) -> Result<SyncId, Fault> {
    text.parse().map_err(|error: <SyncId as std::str::FromStr>::Err| Fault::Content(error.into()))
}
