//! A source that goes away in the middle of a sync is asked again: the port promises that whatever
//! the engine asks of it can be asked twice.

use std::sync::{Mutex, PoisonError};

use ebb_core::{Code, Failure};
use futures_util::future::BoxFuture;
use tokio_util::sync::CancellationToken;

use crate::{Engine, Retries};

/// Asks a source again, until it answers, has been asked often enough, or somebody stops the sync.
pub(crate) struct Again {
    retries: Retries,
    random: Mutex<fastrand::Rng>,
    stop: CancellationToken,
}

impl Engine {
    /// What asks a source again until `stop` is cancelled.
    pub(crate) fn again(&self, stop: &CancellationToken) -> Again {
        Again {
            retries: self.tuning.source,
            random: Mutex::new(self.fork_random()),
            stop: stop.clone(),
        }
    }
}

impl Again {
    /// Asks until there is an answer, or a failure that stays.
    pub(crate) async fn ask<'a, T>(
        &self,
        mut question: impl FnMut() -> BoxFuture<'a, Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let mut asked = 0;
        loop {
            match question().await {
                Ok(answer) => return Ok(answer),
                Err(failure) => self.wait(failure, &mut asked).await?,
            }
        }
    }

    /// Waits before the source is asked again, which failed `asked` times before. Gives the failure back
    /// if there is nothing to wait for.
    pub(crate) async fn wait(&self, failure: Failure, asked: &mut u32) -> Result<(), Failure> {
        *asked += 1;
        if !matches!(failure.code, Code::SourceLost | Code::SourceUnreachable) {
            return Err(failure);
        }
        let random = self.random.lock().unwrap_or_else(PoisonError::into_inner).f64();
        let Some(wait) = self.retries.wait(*asked, failure.retry_after(), random) else {
            return Err(failure);
        };
        tracing::warn!(code = %failure.code, %failure, ?wait, "asking the source again");
        tokio::select! {
            () = tokio::time::sleep(wait) => Ok(()),
            () = self.stop.cancelled() => Err(failure),
        }
    }
}
