//! The stream of a result by its pages, several of which are fetched at a time.
//!
//! A result's rows lie in the order of its query, and a page is asked for by the place of its first row. So
//! pages can be asked for side by side and put in their order again. A page may end before it has all the
//! rows that it was to have: then its rest is asked for.

use std::sync::Arc;

use arrow_array::RecordBatch;
use bytes::Bytes;
use ebb_core::{Column, Failure, port::BatchStream};
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::task::spawn_blocking;

use super::{client::Client, decode, job::Done};
use crate::{blocking::stopped, http};

/// So many rows is the first page to have; the others as many as it had.
const ROWS: u64 = 25_000;
/// So many pages are fetched at a time. The service makes none larger than some ten megabytes.
const PAGES: usize = 4;

/// A result whose pages are fetched.
struct Pages {
    client: Arc<Client>,
    job: Done,
    columns: Arc<[Column]>,
}

/// The rows of a job in their order.
pub(super) async fn stream(
    client: Arc<Client>,
    job: Done,
    columns: Vec<Column>,
) -> Result<BatchStream, Failure> {
    let pages = Arc::new(Pages { client, job, columns: columns.into() });
    let (page, body) = pages.job.page(&pages.client, 0, ROWS).await?;
    let (first, had) = pages.decode(body).await?;
    let total = page.total_rows;
    if had == 0 && total > 0 {
        return Err(ended_early());
    }
    let step = usize::try_from(had).unwrap_or(usize::MAX).max(1);
    let others = stream::iter((had..total).step_by(step)).map(move |from| {
        let pages = Arc::clone(&pages);
        async move { pages.range(from, (from + had).min(total)).await }
    });
    let others = others.buffered(PAGES).map_ok(|batches| stream::iter(batches.into_iter().map(Ok)));
    Ok(stream::iter(first.into_iter().map(Ok)).chain(others.try_flatten()).boxed())
}

impl Pages {
    /// The rows from one place to before another.
    async fn range(&self, mut from: u64, until: u64) -> Result<Vec<RecordBatch>, Failure> {
        let mut all = Vec::new();
        while from < until {
            let (_, body) = self.job.page(&self.client, from, until - from).await?;
            let (batches, had) = self.decode(body).await?;
            if had == 0 {
                return Err(ended_early());
            }
            all.extend(batches);
            from += had;
        }
        Ok(all)
    }

    async fn decode(&self, body: Bytes) -> Result<(Vec<RecordBatch>, u64), Failure> {
        let columns = Arc::clone(&self.columns);
        spawn_blocking(move || decode::batches(&columns, &body)).await.map_err(stopped)?
    }
}

fn ended_early() -> Failure {
    http::lost("a result ended before its last row")
}
