//! The tables of sources: asked for once, because a warehouse may take seconds to tell them, and kept for some
//! minutes.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use ebb_core::{
    Failure,
    port::{Clock, Tables},
};
use ebb_workspace::{Freshness, SystemClock};
use jiff::{SignedDuration, Timestamp};

use super::{App, Section, operations::without_secrets};

/// How long what was told is good for.
const KEPT: SignedDuration = SignedDuration::from_mins(10);
/// Sources whose tables are kept at a time; some megabytes each at most.
const SOURCES: usize = 8;

/// The tables of a source at some moment.
pub(crate) struct Told {
    pub(crate) read_at: Timestamp,
    pub(crate) tables: Tables,
}

/// What sources told, by their names. A configuration has its own: another one may name other sources so.
#[derive(Default)]
pub(crate) struct Kept(Mutex<BTreeMap<String, Arc<Told>>>);

impl Kept {
    fn get(&self, source: &str, now: Timestamp) -> Option<Arc<Told>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let told = kept.get(source)?;
        (now.duration_since(told.read_at) < KEPT).then(|| Arc::clone(told))
    }

    fn keep(&self, source: &str, told: Arc<Told>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.insert(source.to_owned(), told);
        if kept.len() > SOURCES {
            let oldest = kept.iter().min_by_key(|(_, told)| told.read_at);
            if let Some(oldest) = oldest.map(|(name, _)| name.clone()) {
                kept.remove(&oldest);
            }
        }
    }
}

impl App {
    /// The tables that a source's user may read, with their columns.
    pub(crate) async fn tables(
        &self,
        source: &str,
        freshness: Freshness,
    ) -> Result<Arc<Told>, Failure> {
        let configuration = self.configuration();
        configuration.find(Section::Sources, source)?;
        let now = SystemClock.now();
        if freshness == Freshness::Kept
            && let Some(told) = configuration.tables.get(source, now)
        {
            return Ok(told);
        }
        let workspace = &configuration.workspace;
        let asked = async { workspace.warehouse(source)?.tables().await };
        let redactor = workspace.redactor();
        let tables = asked.await.map_err(|failure| without_secrets(&redactor, failure))?;
        let told = Arc::new(Told { read_at: now, tables });
        configuration.tables.keep(source, Arc::clone(&told));
        Ok(told)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ebb_core::port::Tables;
    use jiff::{SignedDuration, Timestamp};

    use super::{KEPT, Kept, SOURCES, Told};

    #[test]
    fn what_was_told_is_good_for_a_while_and_the_oldest_goes() {
        let kept = Kept::default();
        let told = |number: i64| {
            let read_at = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(number);
            Arc::new(Told { read_at, tables: Tables::default() })
        };
        for number in 0..=i64::try_from(SOURCES).unwrap() {
            kept.keep(&format!("source {number}"), told(number));
        }
        let now = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(60);
        assert!(kept.get("source 0", now).is_none(), "it was the oldest");
        assert!(kept.get("source 1", now).is_some());
        assert!(kept.get("source 1", now + KEPT).is_none(), "it is too old");
    }
}
