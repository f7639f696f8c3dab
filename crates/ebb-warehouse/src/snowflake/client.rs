//! The SQL API: statements go out, answers come back, what may be tried again is tried again.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use ebb_core::{Code, Failure};
use reqwest::{RequestBuilder, StatusCode};
use ring::rand::{SecureRandom, SystemRandom};
use serde_json::{Value, json};
use tokio::{runtime::Handle, time};

use super::{
    answer::{Done, Refused, Running},
    credentials::Credentials,
    failure,
    settings::ConnectionSettings,
};
use crate::http::{self, Repeat, Reply, Service, Tasks};

/// Between two questions whether a statement is done: the first wait, and the longest.
const POLL: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(3));
/// What the service may take longer than a statement's time-out to say so.
const GRACE: Duration = Duration::from_secs(5);
/// The longest that cancelling may take.
const CANCEL: Duration = Duration::from_secs(20);

/// Talks to one account.
pub(super) struct Client {
    http: reqwest::Client,
    service: Service,
    pub(super) settings: ConnectionSettings,
    credentials: Credentials,
    /// Requests that cancel statements.
    tasks: Tasks,
}

/// What is asked of the service.
#[derive(Debug, Clone)]
pub(super) struct Statement {
    pub(super) sql: String,
    /// How many statements the text holds.
    pub(super) count: usize,
    /// What it is labelled with.
    pub(super) label: String,
}

/// A statement's answer: the parsed frame and the bytes that hold the first rows too.
pub(super) struct Answer {
    pub(super) done: Done,
    pub(super) body: Bytes,
}

impl Client {
    pub(super) fn new(settings: ConnectionSettings) -> Result<Self, Failure> {
        let credentials = Credentials::new(&settings.sign_in)?;
        let http = http::client(settings.connect_timeout)?;
        let service = Service {
            name: "Snowflake",
            interface: "Snowflake's SQL API",
            settings: "`account` or `host`",
            address: settings.address.clone(),
        };
        Ok(Self { http, service, settings, credentials, tasks: Tasks::default() })
    }

    /// Runs a statement to its end. When the future is dropped, the service is asked to stop it.
    pub(super) async fn run(self: &Arc<Self>, statement: Statement) -> Result<Answer, Failure> {
        let request = Request::new(Arc::clone(self), &statement)?;
        let limit = self.settings.statement_timeout;
        if limit.is_zero() {
            return request.run().await;
        }
        match time::timeout(limit + GRACE, request.run()).await {
            Ok(answer) => answer,
            Err(_) => Err(http::too_long(limit)),
        }
    }

    /// A piece of a result after the first.
    pub(super) async fn partition(&self, handle: &str, number: usize) -> Result<Bytes, Failure> {
        let mut address = self.address(&[handle]);
        address.query_pairs_mut().append_pair("partition", &number.to_string());
        let reply = self.send(|_| self.http.get(address.clone())).await?;
        match reply.status {
            StatusCode::OK => Ok(reply.body),
            _ => Err(self.refusal(&reply)),
        }
    }

    /// `/api/v2/statements` and what follows it.
    fn address(&self, path: &[&str]) -> url::Url {
        let mut address = self.settings.address.clone();
        let path: Vec<_> = ["/api/v2/statements"].iter().chain(path).copied().collect();
        address.set_path(&path.join("/"));
        address
    }

    /// Sends a request, again if that may help, once more with a fresh token if there is one. `request` is
    /// told how many attempts went before: the service knows a request by its id.
    async fn send(&self, request: impl Fn(u32) -> RequestBuilder) -> Result<Reply, Failure> {
        let reply = self.send_by_token(&request).await?;
        if reply.status == StatusCode::UNAUTHORIZED && self.credentials.renew() {
            return self.send_by_token(|attempt| request(attempt + 1)).await;
        }
        Ok(reply)
    }

    async fn send_by_token(
        &self,
        request: impl Fn(u32) -> RequestBuilder,
    ) -> Result<Reply, Failure> {
        let token = self.credentials.token()?;
        let signed = |attempt| {
            request(attempt)
                .bearer_auth(token.expose())
                .header("X-Snowflake-Authorization-Token-Type", self.credentials.kind())
                .header("Accept", "application/json")
        };
        self.service.send(Repeat::Freely, signed).await
    }

    fn refusal(&self, reply: &Reply) -> Failure {
        let refused: Refused = serde_json::from_slice(&reply.body).unwrap_or_default();
        match reply.status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                failure::credentials(&refused, self.credentials.kind())
            }
            StatusCode::REQUEST_TIMEOUT => http::too_long(self.settings.statement_timeout),
            StatusCode::UNPROCESSABLE_ENTITY => failure::refused(&refused, &self.settings),
            StatusCode::NOT_FOUND if !refused.code.is_empty() => {
                http::lost("the service no longer knows the statement")
            }
            status => self.service.unexpected(status, &failure::said(&refused)),
        }
    }
}

/// One statement on its way. Dropped before its end, it is canceled.
struct Request {
    client: Arc<Client>,
    id: String,
    body: Value,
    /// What the service calls it, once that is known.
    handle: Option<String>,
    ended: bool,
    runtime: Handle,
}

impl Request {
    fn new(client: Arc<Client>, statement: &Statement) -> Result<Self, Failure> {
        let context = &client.settings.context;
        let mut body = json!({
            "statement": statement.sql,
            "database": context.database,
            "schema": context.schema,
            "warehouse": context.warehouse,
            "role": context.role,
            "parameters": {
                "QUERY_TAG": statement.label,
                "MULTI_STATEMENT_COUNT": statement.count.to_string(),
                "TIMEZONE": "UTC",
                "BINARY_OUTPUT_FORMAT": "HEX",
                "DATE_OUTPUT_FORMAT": "YYYY-MM-DD",
                "TIME_OUTPUT_FORMAT": "HH24:MI:SS.FF9",
                "TIMESTAMP_NTZ_OUTPUT_FORMAT": "YYYY-MM-DD HH24:MI:SS.FF9",
                "TIMESTAMP_LTZ_OUTPUT_FORMAT": "YYYY-MM-DD\"T\"HH24:MI:SS.FF9TZH:TZM",
                "TIMESTAMP_TZ_OUTPUT_FORMAT": "YYYY-MM-DD\"T\"HH24:MI:SS.FF9TZH:TZM",
            },
        });
        if let Some(body) = body.as_object_mut() {
            body.retain(|_, value| !value.is_null());
            let limit = client.settings.statement_timeout;
            if !limit.is_zero() {
                body.insert("timeout".to_owned(), limit.as_secs().max(1).into());
            }
        }
        let id = unique()?;
        Ok(Self { client, id, body, handle: None, ended: false, runtime: Handle::current() })
    }

    async fn run(mut self) -> Result<Answer, Failure> {
        let client = Arc::clone(&self.client);
        let mut reply = client.send(|attempt| self.submission(attempt > 0, false)).await?;
        let (mut wait, longest) = POLL;
        while reply.status == StatusCode::ACCEPTED {
            let running: Running = client.service.parsed(&reply.body)?;
            let address = client.address(&[&running.statement_handle]);
            self.handle = Some(running.statement_handle);
            time::sleep(wait).await;
            wait = (wait * 2).min(longest);
            reply = client.send(|_| client.http.get(address.clone())).await?;
        }
        self.ended = true;
        match reply.status {
            StatusCode::OK => {
                Ok(Answer { done: client.service.parsed(&reply.body)?, body: reply.body })
            }
            _ => Err(client.refusal(&reply)),
        }
    }

    /// The request that runs the statement. Sent again, it names itself a repetition, so that the
    /// service gives the answer of the first one if there was one.
    fn submission(&self, again: bool, detached: bool) -> RequestBuilder {
        let mut address = self.client.address(&[]);
        let mut query = address.query_pairs_mut();
        query.append_pair("requestId", &self.id);
        if again {
            query.append_pair("retry", "true");
        }
        if detached {
            query.append_pair("async", "true");
        }
        drop(query);
        let text = self.body.to_string();
        self.client.http.post(address).header("Content-Type", "application/json").body(text)
    }

    async fn cancel(mut self) {
        self.ended = true;
        let client = Arc::clone(&self.client);
        if self.handle.is_none() {
            // Nobody has said yet what the statement is called: the same request asks for it.
            let reply = client.send(|_| self.submission(true, true)).await;
            let running = reply.ok().filter(|reply| reply.status == StatusCode::ACCEPTED);
            self.handle = running
                .and_then(|reply| client.service.parsed::<Running>(&reply.body).ok())
                .map(|running| running.statement_handle);
        }
        let Some(handle) = &self.handle else { return };
        let address = client.address(&[handle, "cancel"]);
        if let Err(failure) = client.send(|_| client.http.post(address.clone())).await {
            tracing::debug!(%failure, "a statement could not be canceled");
        }
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        self.ended = true;
        let request = Self {
            client: Arc::clone(&self.client),
            id: std::mem::take(&mut self.id),
            body: self.body.take(),
            handle: self.handle.take(),
            ended: true,
            runtime: self.runtime.clone(),
        };
        let canceled = async move {
            if time::timeout(CANCEL, request.cancel()).await.is_err() {
                tracing::debug!("a statement took too long to cancel");
            }
        };
        self.client.tasks.spawn(canceled, &self.runtime);
    }
}

/// A random UUID.
fn unique() -> Result<String, Failure> {
    let mut bytes = [0; 16];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| Failure::new(Code::SourceUnreachable, "the system gives no random numbers"))?;
    let number = u128::from_be_bytes(bytes);
    let number = number & !(0xf << 76) & !(0xc << 60) | (0x4 << 76) | (0x8 << 60);
    let digits = format!("{number:032x}");
    let (parts, _) =
        [8, 4, 4, 4, 12].into_iter().fold((Vec::new(), 0), |(mut parts, at), length| {
            parts.push(digits.get(at..at + length).unwrap_or_default());
            (parts, at + length)
        });
    Ok(parts.join("-"))
}

#[cfg(test)]
mod tests {
    use super::unique;

    #[test]
    fn requests_have_unlike_random_ids() {
        let (one, other) = (unique().unwrap(), unique().unwrap());
        assert_ne!(one, other);
        let lengths: Vec<_> = one.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12]);
        assert_eq!(one.get(14..15), Some("4"));
        assert!(matches!(one.get(19..20), Some("8" | "9" | "a" | "b")), "{one}");
    }
}
