//! One statement on its way.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use ebb_core::Failure;
use reqwest::{RequestBuilder, StatusCode};
use serde_json::{Map, Value, json};
use tokio::{runtime::Handle, time};

use super::{
    answer::{Done, Running},
    client::Client,
};
use crate::{
    http,
    snowflake::runner::{PARAMETERS, Statement},
};

/// Between two questions whether a statement is done: the first wait, and the longest.
const POLL: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(3));
/// The longest that cancelling may take.
const CANCEL: Duration = Duration::from_secs(20);

/// One statement on its way. Dropped before its end, it is canceled.
pub(super) struct Request {
    client: Arc<Client>,
    id: String,
    body: Value,
    /// What the service calls it, once that is known.
    handle: Option<String>,
    ended: bool,
    runtime: Handle,
}

impl Request {
    pub(super) fn new(client: Arc<Client>, statement: &Statement) -> Result<Self, Failure> {
        let context = &client.settings.context;
        let mut parameters: Map<_, _> =
            PARAMETERS.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        parameters.insert("QUERY_TAG".to_owned(), json!(statement.label));
        parameters.insert("MULTI_STATEMENT_COUNT".to_owned(), json!(statement.count.to_string()));
        let mut body = json!({
            "statement": statement.sql,
            "database": context.database,
            "schema": context.schema,
            "warehouse": context.warehouse,
            "role": context.role,
            "parameters": parameters,
        });
        if let Some(body) = body.as_object_mut() {
            body.retain(|_, value| !value.is_null());
            let limit = client.settings.statement_timeout;
            if !limit.is_zero() {
                body.insert("timeout".to_owned(), limit.as_secs().max(1).into());
            }
        }
        let id = http::unique()?;
        Ok(Self { client, id, body, handle: None, ended: false, runtime: Handle::current() })
    }

    /// Runs the statement to its end: the answer's frame, and the bytes that hold the first rows too.
    pub(super) async fn run(mut self) -> Result<(Done, Bytes), Failure> {
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
            StatusCode::OK => Ok((client.service.parsed(&reply.body)?, reply.body)),
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
