//! The HTTP interface: one request for a statement, and again where that may help.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use ebb_core::{Code, Failure};
use reqwest::{RequestBuilder, Response, StatusCode, header::RETRY_AFTER, redirect::Policy};
use tokio::time::{self, Instant};

use super::{
    answer::Exception,
    failure,
    running::Running,
    settings::{ConnectionSettings, SignIn},
    wishes::{self, Purpose},
};
use crate::{
    http::{self, Service, Tasks},
    pgwire::{SslMode, anonymous},
};

/// So often is a statement sent that gets no answer, or one that says to come back later.
const ATTEMPTS: u32 = 6;
/// The wait after the first of them, and the longest; it doubles from one to the next.
const WAIT: (Duration, Duration) = (Duration::from_millis(500), Duration::from_mins(2));
/// So often is an address tried where nobody listens.
const CONNECTS: u32 = 2;
/// Between two looks whether a service has woken up, or whether a statement has ended that was taken though
/// its answer was lost.
const LOOK: Duration = Duration::from_secs(1);
/// The server's own limit comes first, where it counts the same time.
const GRACE: Duration = Duration::from_secs(5);
/// A server closes connections that nobody uses; some do after ten seconds.
const UNUSED: Duration = Duration::from_secs(5);
/// After so long a silence the other side is asked whether it is there.
const KEEPALIVE: Duration = Duration::from_mins(1);

/// Talks to one server.
pub(super) struct Client {
    http: reqwest::Client,
    service: Service,
    pub(super) settings: ConnectionSettings,
    /// Requests that end statements.
    pub(super) tasks: Tasks,
}

/// What is asked of the server.
#[derive(Debug, Clone)]
pub(super) struct Statement {
    pub(super) sql: Bytes,
    /// What the server knows it by; the same when it is sent again.
    pub(super) id: String,
    /// What it works for.
    pub(super) label: Option<String>,
    pub(super) purpose: Purpose,
    /// Whether the server is to refuse it if it writes.
    pub(super) refuses_writes: bool,
}

/// Why there is no good answer.
enum Not {
    /// None came, or not all of it: the statement may have been taken or not.
    Answered(Failure),
    /// Nobody listens.
    Reached(Failure),
    /// Somebody before the server says that it is not there.
    Awake,
    /// It says to come back, after so long if it says that.
    Now(Option<Duration>, Failure),
    Possible(Exception),
    Understood(Failure),
}

impl Client {
    pub(super) fn new(settings: ConnectionSettings) -> Result<Self, Failure> {
        let unusable = |error: reqwest::Error| {
            Failure::new(Code::SourceTls, "the HTTP client cannot be set up").caused_by(error)
        };
        let builder = reqwest::Client::builder()
            .tcp_nodelay(true)
            .tcp_keepalive(KEEPALIVE)
            .pool_idle_timeout(UNUSED)
            .user_agent(concat!("ebb/", env!("CARGO_PKG_VERSION")))
            // What is meant for one host, the password included, is never sent to another.
            .redirect(Policy::none());
        let builder = match limit(settings.connect_timeout) {
            Some(limit) => builder.connect_timeout(limit),
            None => builder,
        };
        // Without encryption its settings are never used, but the library wants some.
        let is_plain = settings.sslmode == SslMode::Disable;
        let mode = if is_plain { SslMode::VerifyFull } else { settings.sslmode };
        let tls = anonymous(mode, settings.sslrootcert.as_deref())?;
        let http = builder.tls_backend_preconfigured(tls).build().map_err(unusable)?;
        let service = Service {
            name: "ClickHouse",
            interface: "ClickHouse's HTTP interface",
            settings: "`host`, `port` and `sslmode`",
            address: settings.address.clone(),
        };
        Ok(Self { http, service, settings, tasks: Tasks::default() })
    }

    /// Runs a statement to its end. When the future is dropped, the server is asked to stop it.
    pub(super) async fn run(self: &Arc<Self>, statement: &Statement) -> Result<Bytes, Failure> {
        let running = Running::new(self, &statement.id);
        let whole = self.answered(statement, Response::bytes);
        let body = match self.within(whole).await?? {
            Ok(body) if is_late_refusal(&body) => Exception::find(&body).map_or(Ok(body), Err),
            judged => judged,
        };
        running.ended();
        body.map_err(|exception| failure::refused(&exception, &self.settings))
    }

    /// Begins a statement whose rows are read as they come.
    pub(super) async fn begin(
        self: &Arc<Self>,
        statement: &Statement,
    ) -> Result<(Response, Running), Failure> {
        let running = Running::new(self, &statement.id);
        let response = async |response| Ok(response);
        match self.within(self.answered(statement, response)).await?? {
            Ok(response) => Ok((response, running)),
            Err(exception) => {
                running.ended();
                Err(failure::refused(&exception, &self.settings))
            }
        }
    }

    /// Ends a statement of this user, if it runs; nobody waits for that.
    pub(super) async fn kill(&self, id: &str) {
        let sql = format!("kill query where query_id = {} async", super::dialect::literal(id));
        let killed = match http::unique() {
            Ok(own) => {
                let statement = Statement {
                    sql: sql.into(),
                    id: own,
                    label: None,
                    purpose: Purpose::Kill,
                    refuses_writes: false,
                };
                self.answered(&statement, Response::bytes).await.map(drop)
            }
            Err(failure) => Err(failure),
        };
        if let Err(failure) = killed {
            tracing::debug!(%failure, "a statement could not be ended");
        }
    }

    /// Waits no longer than a statement may take, and the service before it.
    pub(super) async fn within<T>(&self, work: impl Future<Output = T>) -> Result<T, Failure> {
        let (statement, start) = (self.settings.statement_timeout, self.settings.start_timeout);
        if statement.is_zero() || start.is_zero() {
            return Ok(work.await);
        }
        let waited = time::timeout(start + statement + GRACE, work).await;
        waited.map_err(|_| http::too_long(statement))
    }

    /// Sends a statement until there is an answer worth reading, which `take` reads.
    async fn answered<T>(
        &self,
        statement: &Statement,
        take: impl AsyncFn(Response) -> Result<T, reqwest::Error>,
    ) -> Result<Result<T, Exception>, Failure> {
        let began = Instant::now();
        let (mut wait, longest) = WAIT;
        let (mut attempt, mut lost) = (0, false);
        loop {
            attempt += 1;
            let (asked, failure) = match self.once(statement, &take).await {
                Ok(taken) => return Ok(Ok(taken)),
                Err(Not::Understood(failure)) => return Err(failure),
                Err(Not::Answered(failure)) if !statement.purpose.is_repeatable() => {
                    return Err(failure);
                }
                Err(Not::Reached(failure)) if attempt >= CONNECTS => return Err(failure),
                Err(Not::Answered(failure)) => {
                    lost = true;
                    (None, failure)
                }
                Err(Not::Reached(failure)) => (None, failure),
                Err(Not::Awake) => {
                    let limit = limit(self.settings.start_timeout);
                    if let Some(limit) = limit.filter(|limit| began.elapsed() >= *limit) {
                        return Err(failure::not_awake(limit));
                    }
                    // Who answers in its place may have handed the statement on.
                    lost = true;
                    attempt -= 1;
                    time::sleep(LOOK).await;
                    continue;
                }
                Err(Not::Now(asked, failure)) => (asked, failure),
                // What the lost answer was about is under way.
                Err(Not::Possible(exception)) if lost && exception.number == ALREADY_RUNS => {
                    attempt -= 1;
                    time::sleep(LOOK).await;
                    continue;
                }
                Err(Not::Possible(exception)) if says_later(exception.number) => {
                    (None, failure::refused(&exception, &self.settings))
                }
                Err(Not::Possible(exception)) => return Ok(Err(exception)),
            };
            if attempt == ATTEMPTS {
                return Err(failure);
            }
            tracing::debug!(attempt, %failure, "a statement is sent again");
            time::sleep(asked.unwrap_or(wait).min(longest)).await;
            wait = (wait * 2).min(longest);
        }
    }

    async fn once<T>(
        &self,
        statement: &Statement,
        take: &impl AsyncFn(Response) -> Result<T, reqwest::Error>,
    ) -> Result<T, Not> {
        let cut = |error| Not::Answered(failure::unanswered(error, &self.settings));
        let response = self.request(statement).send().await.map_err(|error| {
            let is_connect = error.is_connect();
            let failure = failure::unanswered(error, &self.settings);
            if failure.code == Code::SourceTls {
                Not::Understood(failure)
            } else if is_connect {
                Not::Reached(failure)
            } else {
                Not::Answered(failure)
            }
        })?;
        let status = response.status();
        if status == StatusCode::OK {
            return take(response).await.map_err(cut);
        }
        let asked = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let asked = asked.and_then(|seconds| seconds.parse().ok()).map(Duration::from_secs);
        let body = response.bytes().await.map_err(cut)?;
        if let Some(exception) = Exception::find(&body) {
            return Err(Not::Possible(exception));
        }
        let failure = self.unexpected(status, &body);
        Err(match status {
            StatusCode::TOO_MANY_REQUESTS => Not::Now(asked, failure),
            StatusCode::SERVICE_UNAVAILABLE if asked.is_some() => Not::Now(asked, failure),
            // The statement may have been taken.
            StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT
                if !statement.purpose.is_repeatable() =>
            {
                Not::Understood(failure)
            }
            StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::BAD_GATEWAY
            | StatusCode::GATEWAY_TIMEOUT => Not::Awake,
            _ => Not::Understood(failure),
        })
    }

    fn unexpected(&self, status: StatusCode, body: &[u8]) -> Failure {
        let text = String::from_utf8_lossy(body);
        let told: String = http::one_line(&text, "").chars().take(200).collect();
        self.service.unexpected(status, &told)
    }

    fn request(&self, statement: &Statement) -> RequestBuilder {
        let Statement { sql, id, label, purpose, refuses_writes } = statement;
        let settings = &self.settings;
        let mut address = settings.address.clone();
        {
            let mut query = address.query_pairs_mut();
            if let Some(database) = &settings.database {
                query.append_pair("database", database);
            }
            query.append_pair("query_id", id);
            query.append_pair("log_comment", label.as_deref().unwrap_or("ebb"));
            query.extend_pairs(wishes::settings(
                *purpose,
                *refuses_writes,
                settings.statement_timeout,
            ));
        }
        let request = self.http.post(address).body(sql.clone());
        match &settings.sign_in {
            SignIn::Password { user, password } => {
                request.basic_auth(user, Some(password.expose()))
            }
            SignIn::Token(token) => request.bearer_auth(token.expose()),
        }
    }
}

/// `QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING`.
const ALREADY_RUNS: u32 = 216;

/// Whether a statement was refused because the server has too much to do: `TOO_MANY_SIMULTANEOUS_QUERIES`,
/// `CANNOT_SCHEDULE_TASK`, `SERVER_OVERLOADED`.
const fn says_later(number: u32) -> bool {
    matches!(number, 202 | 439 | 745)
}

/// Whether an answer that began as a good one does not end as one.
fn is_late_refusal(body: &[u8]) -> bool {
    !body.is_empty() && !body.ends_with(b"]\n")
}

/// A limit, if there is one.
fn limit(limit: Duration) -> Option<Duration> {
    (!limit.is_zero()).then_some(limit)
}
