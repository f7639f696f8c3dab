//! What people ask of past syncs, and how these are forgotten.

use ebb_core::{
    Code, Failure, SyncId,
    port::{Status, SyncKind, SyncRecord},
};
use jiff::Timestamp;

use super::{
    Database,
    fault::Fault,
    rows,
    sql::{AsValue, params},
};

/// Syncs that are read at once where the newest one does not fit.
const SOME: i64 = 16;

/// Which syncs are listed; what is not said filters nothing.
#[derive(Debug, Clone, Default)]
pub struct SyncFilter {
    /// Those of this mapping.
    pub mapping: Option<String>,
    /// Those with this status, as [`ebb_core::port::Status::as_str`] has it.
    pub status: Option<String>,
    /// Those that began before this one.
    pub before: Option<String>,
}

/// The newest sync of a mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Latest {
    /// The mapping's name.
    pub mapping: String,
    /// The sync.
    pub sync: SyncId,
    /// Where it stands.
    pub status: Status,
}

impl Database {
    /// Syncs, the newest first.
    pub async fn list_syncs(
        &self,
        filter: SyncFilter,
        limit: usize,
    ) -> Result<Vec<SyncRecord>, Failure> {
        self.read(move |transaction| {
            let SyncFilter { mapping, status, before } = filter;
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            let mut conditions = vec!["true".to_owned()];
            let mut values = Vec::new();
            for (condition, value) in
                [("sync.mapping =", &mapping), ("sync.status =", &status), ("sync.id <", &before)]
            {
                if let Some(value) = value {
                    values.push(value.as_value());
                    conditions.push(format!("{condition} ?{}", values.len()));
                }
            }
            values.push(limit.as_value());
            let (conditions, last) = (conditions.join(" and "), values.len());
            let rest = format!("where {conditions} order by sync.id desc limit ?{last}");
            rows::syncs(transaction, &rest, &values)
        })
        .await
    }

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
                    "where sync.id like ?1 or sync.id like ?2 order by sync.id desc limit 4",
                    params![format!("{asked}%"), format!("%{asked}")],
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

    /// The newest sync of a mapping that delivered what changed: no replay, no rebase.
    pub async fn latest_sync(&self, mapping: &str) -> Result<Option<SyncRecord>, Failure> {
        let mapping = mapping.to_owned();
        self.read(move |transaction| {
            let rest = "where sync.mapping = ?1 and sync.id < ?2 order by sync.id desc limit ?3";
            // No identity is greater.
            let (mut before, mut limit) = ("~".to_owned(), 1);
            loop {
                let some = rows::syncs(transaction, rest, params![mapping, before, limit])?;
                let Some(oldest) = some.last() else { return Ok(None) };
                (before, limit) = (oldest.id.to_string(), SOME);
                let delivers =
                    |sync: &SyncRecord| matches!(sync.kind, SyncKind::Sync | SyncKind::Backfill);
                if let Some(found) = some.into_iter().find(delivers) {
                    return Ok(Some(found));
                }
            }
        })
        .await
    }

    /// The newest sync of each mapping, in the order of their names.
    pub async fn latest_syncs(&self) -> Result<Vec<Latest>, Failure> {
        self.read(|transaction| {
            let query = "select mapping, sync, status from latest order by mapping";
            transaction.query(query, params![], |row| {
                let status = serde_json::from_value(row.get::<String>(2)?.into())?;
                Ok(Latest { mapping: row.get(0)?, sync: identity(row.get(1)?)?, status })
            })
        })
        .await
    }

    /// Forgets syncs that ended before a moment and have no parts left, but for each mapping's
    /// newest. Returns how many.
    pub async fn purge(&self, before: Timestamp) -> Result<u64, Failure> {
        self.write(move |transaction, memory| {
            let gone: Vec<String> = transaction.query(
                "delete from sync
                 where ended = 1 and finished_at < ?1
                   and not exists (select 1 from part where part.sync = sync.id)
                   and exists (select 1 from sync as newer
                               where newer.mapping = sync.mapping and newer.id > sync.id)
                 returning id",
                params![before.as_microsecond()],
                |row| row.get(0),
            )?;
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
