//! A statement on its way: how long it may wait and run, and that it ends with whoever waits for it.

use std::{sync::Arc, time::Duration};

use ebb_core::{Code, Failure};
use tokio::{
    runtime::Handle,
    sync::oneshot,
    time::{self, Instant},
};

use super::{
    answer::{Answer, State},
    client::{Client, Statement, limit},
    failure,
};
use crate::http;

/// Between two questions whether a statement is done: the first wait, and the longest.
const POLL: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));
/// The longest that cancelling may take.
const CANCEL: Duration = Duration::from_secs(20);

/// One statement on its way. Dropped before its end, it is canceled.
pub(super) struct Running {
    client: Arc<Client>,
    /// The first answer. Whoever hands the statement over does so to the end, to know its name.
    first: oneshot::Receiver<Result<Answer, Failure>>,
    /// What the service calls it, once that is known.
    id: Option<String>,
    runtime: Handle,
}

impl Running {
    pub(super) fn start(client: &Arc<Client>, statement: Statement) -> Self {
        let (sender, first) = oneshot::channel();
        let runtime = Handle::current();
        let owned = Arc::clone(client);
        let submission = async move {
            let answer = owned.submit(&statement).await;
            if let Err(Ok(answer)) = sender.send(answer) {
                cancel(&owned, &answer.statement_id).await;
            }
        };
        client.tasks.spawn(submission, &runtime);
        Self { client: Arc::clone(client), first, id: None, runtime }
    }

    pub(super) async fn end(mut self) -> Result<Answer, Failure> {
        let mut clock = Clock::new(Instant::now());
        let settings = &self.client.settings;
        let limits = (limit(settings.start_timeout), limit(settings.statement_timeout));
        let answer = async {
            let stopped = |_| http::lost("the request was stopped");
            let mut answer = (&mut self.first).await.map_err(stopped)??;
            let (mut wait, longest) = POLL;
            loop {
                clock.saw(answer.status.state, Instant::now());
                match answer.status.state {
                    State::Pending | State::Running => {}
                    State::Succeeded | State::Failed | State::Canceled | State::Closed => {
                        return Ok(answer);
                    }
                }
                self.id = Some(answer.statement_id);
                let left = clock.left(limits, Instant::now())?;
                time::sleep(wait.min(left.unwrap_or(wait))).await;
                wait = (wait * 2).min(longest);
                let id = self.id.as_deref().unwrap_or_default();
                answer = self.client.look(id).await?;
            }
        };
        let answer = answer.await;
        // What failed on the way may still run; `drop` stops it.
        let answer = answer?;
        self.id = None;
        let status = &answer.status;
        match status.state {
            State::Succeeded => Ok(answer),
            State::Canceled => {
                Err(Failure::new(Code::Canceled, "the statement was canceled at the source"))
            }
            State::Closed => Err(http::lost("the service no longer has the statement's result")),
            State::Failed | State::Pending | State::Running => {
                Err(failure::refused(&status.error, &status.sql_state, self.client.principal()))
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.first.close();
        let untold = self.first.try_recv().ok().and_then(Result::ok);
        let untold = untold.map(|answer| answer.statement_id);
        if let Some(id) = self.id.take().or(untold) {
            let client = Arc::clone(&self.client);
            let canceled = async move { cancel(&client, &id).await };
            self.client.tasks.spawn(canceled, &self.runtime);
        }
    }
}

async fn cancel(client: &Client, id: &str) {
    match time::timeout(CANCEL, client.cancel(id)).await {
        Ok(Ok(())) => {}
        Ok(Err(failure)) => tracing::debug!(%failure, "a statement could not be canceled"),
        Err(_) => tracing::debug!("a statement took too long to cancel"),
    }
}

/// How long a statement has waited for its warehouse, and how long it has run.
#[derive(Debug)]
struct Clock {
    began: Instant,
    /// Since when it runs, at the latest.
    ran: Option<Instant>,
}

impl Clock {
    const fn new(began: Instant) -> Self {
        Self { began, ran: None }
    }

    fn saw(&mut self, state: State, now: Instant) {
        if state == State::Running {
            self.ran.get_or_insert(now);
        }
    }

    /// What is left of the limit that counts now, the first for waiting, the second for running. Fails if
    /// nothing is.
    fn left(
        &self,
        (start, statement): (Option<Duration>, Option<Duration>),
        now: Instant,
    ) -> Result<Option<Duration>, Failure> {
        let (since, limit, over): (_, _, fn(Duration) -> Failure) = match self.ran {
            None => (self.began, start, failure::not_started),
            Some(ran) => (ran, statement, http::too_long),
        };
        let Some(limit) = limit else { return Ok(None) };
        let left = limit.saturating_sub(now - since);
        if left.is_zero() { Err(over(limit)) } else { Ok(Some(left)) }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ebb_core::Code;
    use tokio::time::Instant;

    use super::{Clock, State};

    #[test]
    fn waiting_and_running_have_limits_of_their_own() {
        let began = Instant::now();
        let at = |seconds| began + Duration::from_secs(seconds);
        let limits = (Some(Duration::from_secs(100)), Some(Duration::from_secs(10)));
        let mut clock = Clock::new(began);
        clock.saw(State::Pending, at(90));
        assert_eq!(clock.left(limits, at(90)), Ok(Some(Duration::from_secs(10))));
        assert_eq!(clock.left(limits, at(100)).unwrap_err().code, Code::SourceUnreachable);
        assert_eq!(clock.left((None, limits.1), at(1000)), Ok(None));
        clock.saw(State::Running, at(95));
        clock.saw(State::Running, at(99));
        assert_eq!(clock.left(limits, at(99)), Ok(Some(Duration::from_secs(6))));
        assert_eq!(clock.left(limits, at(105)).unwrap_err().code, Code::SourceTimeout);
        assert_eq!(clock.left((limits.0, None), at(1000)), Ok(None));
    }
}
