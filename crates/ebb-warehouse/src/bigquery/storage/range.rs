//! The changes of a range of `seq`.
//!
//! The service promises no order, so all rows of a range are fetched, by several streams side by side, and
//! sorted here. A range whose rows take more memory than they may is let go and read in two parts; so what is
//! held does not depend on how wide rows are.

use std::sync::Arc;

use ebb_core::{Failure, port::BatchStream};
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::time;

use super::{
    failure::unlike,
    order::{Gathered, Sorted},
    rows::Rows,
    session,
};
use crate::{
    bigquery::client::Client,
    connection::{Changes, Within},
    http,
};

/// So many streams of a range are fetched at a time, if the service makes so many.
const STREAMS: u16 = 4;
/// What the values of a range may take in memory before it is read in two parts.
const BYTES: usize = 32 << 20;

/// Ranges that are read one after the other.
struct Ranges {
    client: Arc<Client>,
    changes: Arc<Changes>,
    /// Those to come, the next one last.
    pending: Vec<Within>,
    /// What is left of the one that was read.
    sorted: Option<Sorted>,
}

/// The changes in the order of `seq`. The first range, or its first part, is there when this returns.
pub(super) async fn stream(
    client: Arc<Client>,
    changes: Arc<Changes>,
) -> Result<BatchStream, Failure> {
    let pending = vec![changes.within];
    let mut ranges = Ranges { client, changes, pending, sorted: None };
    ranges.read().await?;
    let batches = stream::try_unfold(ranges, async |mut ranges| {
        loop {
            if let Some(batch) = ranges.sorted.as_mut().and_then(Iterator::next) {
                return Ok(Some((batch?, ranges)));
            }
            if ranges.pending.is_empty() {
                return Ok(None);
            }
            ranges.read().await?;
        }
    });
    Ok(batches.boxed())
}

impl Ranges {
    /// Reads the next range, or as much from its beginning as memory takes.
    async fn read(&mut self) -> Result<(), Failure> {
        while let Some(within) = self.pending.pop() {
            match self.timed(within).await? {
                Read::Whole(sorted) => {
                    self.sorted = Some(sorted);
                    return Ok(());
                }
                Read::TooMuch { middle } => {
                    tracing::debug!(?within, middle, "a range of changes is read in two parts");
                    self.pending.push(Within { after: Some(middle), ..within });
                    self.pending.push(Within { until: Some(middle), ..within });
                }
            }
        }
        Ok(())
    }

    /// A range takes no longer than a statement may.
    async fn timed(&self, within: Within) -> Result<Read, Failure> {
        let limit = self.client.settings.statement_timeout;
        if limit.is_zero() {
            return self.range(within).await;
        }
        let read = time::timeout(limit, self.range(within)).await;
        read.unwrap_or_else(|_| Err(http::too_long(limit)))
    }

    async fn range(&self, within: Within) -> Result<Read, Failure> {
        let condition = self.changes.condition(within);
        let session =
            session::create(&self.client, &self.changes.table, &condition, STREAMS).await?;
        let schema = session.arrow_schema.unwrap_or_default().serialized_schema;
        let streams = session.streams.into_iter().map(|one| {
            let (client, columns) = (Arc::clone(&self.client), &self.changes.columns);
            let rows = Rows::new(client, one.name, schema.clone(), columns);
            stream::once(async { rows })
                .and_then(async |rows| Ok(stream::try_unfold(rows, Rows::next)))
                .try_flatten()
                .boxed()
        });
        let mut batches = stream::iter(streams).flatten_unordered(usize::from(STREAMS));
        let mut gathered = Gathered::default();
        while let Some(read) = batches.try_next().await? {
            for batch in read {
                gathered.push(batch)?;
            }
            if gathered.bytes() > BYTES
                && let Some(middle) = gathered.middle()
            {
                let middle = u64::try_from(middle);
                let middle = middle.map_err(|_| unlike("a change has no number"))?;
                return Ok(Read::TooMuch { middle });
            }
        }
        gathered.sorted().map(Read::Whole)
    }
}

/// What came of a range.
enum Read {
    /// All of it.
    Whole(Sorted),
    /// More than memory takes; about half of what came lies up to the middle.
    TooMuch {
        /// A `seq`.
        middle: u64,
    },
}
