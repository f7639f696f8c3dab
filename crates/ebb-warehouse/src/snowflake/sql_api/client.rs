//! Statements go out, answers come back, what may be tried again is tried again.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use ebb_core::{Failure, Secret};
use reqwest::{RequestBuilder, StatusCode};

use super::{answer::MetaData, request::Request};
use crate::{
    http::{self, Repeat, Reply, Service, Tasks},
    snowflake::{
        answer::Refused,
        credentials::Credentials,
        failure,
        rows::Rows,
        runner::{Answer, Piece, Pieces, Runner, Statement, within},
        settings::ConnectionSettings,
    },
};

/// Talks to one account.
pub(in crate::snowflake) struct Client {
    pub(super) http: reqwest::Client,
    pub(super) service: Service,
    pub(super) settings: ConnectionSettings,
    credentials: Credentials,
    /// Requests that cancel statements.
    pub(super) tasks: Tasks,
}

impl Client {
    /// Sets the client up; nothing is sent yet. Fails with `S115` if the credentials cannot be read.
    pub(in crate::snowflake) fn new(settings: ConnectionSettings) -> Result<Self, Failure> {
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

    /// A piece of a result after the first.
    async fn partition(&self, handle: &str, number: usize) -> Result<Bytes, Failure> {
        let mut address = self.address(&[handle]);
        address.query_pairs_mut().append_pair("partition", &number.to_string());
        let reply = self.send(|_| self.http.get(address.clone())).await?;
        match reply.status {
            StatusCode::OK => Ok(reply.body),
            _ => Err(self.refusal(&reply)),
        }
    }

    /// `/api/v2/statements` and what follows it.
    pub(super) fn address(&self, path: &[&str]) -> url::Url {
        let mut address = self.settings.address.clone();
        let path: Vec<_> = ["/api/v2/statements"].iter().chain(path).copied().collect();
        address.set_path(&path.join("/"));
        address
    }

    /// Sends a request, again if that may help, once more with a fresh token if there is one. `request` is
    /// told how many attempts went before: the service knows a request by its id.
    pub(super) async fn send(
        &self,
        request: impl Fn(u32) -> RequestBuilder,
    ) -> Result<Reply, Failure> {
        let token = self.credentials.token(&self.http).await?;
        let reply = self.send_by(&token, &request).await?;
        if reply.status == StatusCode::UNAUTHORIZED && self.credentials.renew(&token).await {
            let token = self.credentials.token(&self.http).await?;
            return self.send_by(&token, |attempt| request(attempt + 1)).await;
        }
        Ok(reply)
    }

    async fn send_by(
        &self,
        token: &Secret,
        request: impl Fn(u32) -> RequestBuilder,
    ) -> Result<Reply, Failure> {
        let signed = |attempt| {
            request(attempt)
                .bearer_auth(token.expose())
                .header(
                    "X-Snowflake-Authorization-Token-Type",
                    self.credentials.kind().of_request(),
                )
                .header("Accept", "application/json")
        };
        self.service.send(Repeat::Freely, signed).await
    }

    pub(super) fn refusal(&self, reply: &Reply) -> Failure {
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

#[async_trait]
impl Runner for Client {
    async fn run(self: Arc<Self>, statement: Statement) -> Result<Answer, Failure> {
        let request = Request::new(Arc::clone(&self), &statement)?;
        let (done, first) = within(self.settings.statement_timeout, request.run()).await?;
        let MetaData { row_type, partition_info } = done.result_set_meta_data;
        let promised = partition_info.into_iter().map(|partition| partition.row_count).collect();
        let handle = done.statement_handle;
        let pieces = Partitions { client: self, handle, first, promised };
        Ok(Answer { columns: row_type, pieces: Arc::new(pieces) })
    }
}

/// The pieces of a result; the first one came with the answer.
struct Partitions {
    client: Arc<Client>,
    handle: String,
    first: Bytes,
    /// How many rows each has.
    promised: Vec<Option<usize>>,
}

#[async_trait]
impl Pieces for Partitions {
    fn count(&self) -> usize {
        self.promised.len().max(1)
    }

    async fn piece(&self, number: usize) -> Result<Piece, Failure> {
        let body = match number {
            0 => self.first.clone(),
            _ => self.client.partition(&self.handle, number).await?,
        };
        let promised = self.promised.get(number).copied().flatten();
        Ok(Piece { rows: Rows::Object(body), promised })
    }
}
