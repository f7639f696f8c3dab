//! The Statement Execution API: requests and their answers.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use ebb_core::{Code, Failure};
use reqwest::{RequestBuilder, StatusCode};
use serde_json::{Value, json};
use url::Url;

use super::{
    answer::{Answer, Link, Piece, Refused},
    credentials::Credentials,
    failure,
    running::Running,
    settings::ConnectionSettings,
};
use crate::http::{self, Repeat, Reply, Service, Tasks};

/// Talks to one workspace.
pub(super) struct Client {
    http: reqwest::Client,
    service: Service,
    pub(super) settings: ConnectionSettings,
    credentials: Credentials,
    /// Requests that start and cancel statements.
    pub(super) tasks: Tasks,
}

/// What is asked of the service.
#[derive(Debug, Clone)]
pub(super) struct Statement {
    pub(super) sql: String,
    /// What it works for: `<mapping>:<sync>`.
    pub(super) label: Option<String>,
    pub(super) result: Form,
}

/// How a result is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// As text in the answer, 25 MiB at most.
    Text,
    /// As Arrow, in pieces that lie in cloud storage.
    Arrow,
    /// The statement is no query: what there is of a result is text, and asking twice is not the same.
    Nothing,
}

impl Form {
    const fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Text | Self::Nothing => ("INLINE", "JSON_ARRAY"),
            Self::Arrow => ("EXTERNAL_LINKS", "ARROW_STREAM"),
        }
    }

    /// How long the service holds its answer back until the statement is done. It names the statement in
    /// its answer: one that writes must not be lost without a name, so that is told at once.
    const fn hold(self) -> &'static str {
        match self {
            Self::Text | Self::Arrow => "5s",
            Self::Nothing => "0s",
        }
    }

    const fn repeat(self) -> Repeat {
        match self {
            Self::Text | Self::Arrow => Repeat::Freely,
            Self::Nothing => Repeat::IfNotTaken,
        }
    }
}

impl Client {
    pub(super) fn new(settings: ConnectionSettings) -> Result<Self, Failure> {
        let http = http::client(settings.connect_timeout)?;
        let service = Service {
            name: "Databricks",
            interface: "Databricks' Statement Execution API",
            settings: "`hostname`",
            address: settings.address.clone(),
        };
        let credentials = Credentials::new(settings.sign_in.clone());
        Ok(Self { http, service, settings, credentials, tasks: Tasks::default() })
    }

    /// Runs a statement to its end. When the future is dropped, the service is asked to stop it.
    pub(super) async fn run(self: &Arc<Self>, statement: Statement) -> Result<Answer, Failure> {
        Running::start(self, statement).end().await
    }

    /// Hands a statement over. The answer comes when it is done, or after a while.
    pub(super) async fn submit(&self, statement: &Statement) -> Result<Answer, Failure> {
        let body = self.body(statement).to_string();
        let address = self.address(&[]);
        let request = |_| {
            let request =
                self.http.post(address.clone()).header("Content-Type", "application/json");
            request.body(body.clone())
        };
        let reply = self.send(statement.result.repeat(), request).await?;
        self.read(&reply, |status, refused| match status {
            StatusCode::NOT_FOUND => Some(failure::no_warehouse(refused, &self.settings)),
            StatusCode::BAD_REQUEST => Some(failure::refused(refused, "", self.principal())),
            _ => None,
        })
    }

    fn body(&self, statement: &Statement) -> Value {
        let (disposition, format) = statement.result.names();
        let mut body = json!({
            "statement": statement.sql,
            "warehouse_id": self.settings.warehouse,
            "catalog": self.settings.catalog,
            "schema": self.settings.schema,
            "disposition": disposition,
            "format": format,
            "wait_timeout": statement.result.hold(),
            "on_wait_timeout": "CONTINUE",
            "query_tags": [{ "key": "ebb", "value": statement.label }],
        });
        if let Some(body) = body.as_object_mut() {
            body.retain(|_, value| !value.is_null());
        }
        body
    }

    /// How far a statement is.
    pub(super) async fn look(&self, id: &str) -> Result<Answer, Failure> {
        let address = self.address(&[id]);
        let reply = self.send(Repeat::Freely, |_| self.http.get(address.clone())).await?;
        self.read(&reply, |_, _| None)
    }

    /// Asks the service to stop a statement; it does not say whether it did.
    pub(super) async fn cancel(&self, id: &str) -> Result<(), Failure> {
        let address = self.address(&[id, "cancel"]);
        self.send(Repeat::Freely, |_| self.http.post(address.clone())).await.map(drop)
    }

    /// A piece of a result, or where it is.
    pub(super) async fn piece(&self, id: &str, number: usize) -> Result<Piece, Failure> {
        let address = self.address(&[id, "result", "chunks", &number.to_string()]);
        let reply = self.send(Repeat::Freely, |_| self.http.get(address.clone())).await?;
        self.read(&reply, |_, _| None)
    }

    /// The bytes of a piece in cloud storage. A link that is no longer good is got anew, once.
    pub(super) async fn bytes(
        &self,
        id: &str,
        number: usize,
        link: Option<&Link>,
    ) -> Result<Bytes, Failure> {
        let reply = match link {
            Some(link) => self.download(link).await?,
            None => self.download(&self.link(id, number).await?).await?,
        };
        if reply.status == StatusCode::OK {
            return Ok(reply.body);
        }
        let reply = self.download(&self.link(id, number).await?).await?;
        match reply.status {
            StatusCode::OK => Ok(reply.body),
            status => Err(http::lost(&format!(
                "the storage answered `{}` for a piece of the result",
                status.as_u16()
            ))),
        }
    }

    /// Where a piece is now.
    async fn link(&self, id: &str, number: usize) -> Result<Link, Failure> {
        let piece = self.piece(id, number).await?;
        let mut links = piece.external_links.into_iter();
        let link = links.find(|link| link.chunk_index == number);
        link.ok_or_else(|| http::lost("a piece of the result lies nowhere"))
    }

    /// Fetches from cloud storage, which must not see the token.
    async fn download(&self, link: &Link) -> Result<Reply, Failure> {
        let wrong = |_| http::lost("a piece of the result lies at an address that is none");
        let address = Url::parse(&link.address).map_err(wrong)?;
        let storage = Service {
            name: "Databricks' storage",
            interface: "Databricks' storage",
            settings: "nothing",
            address: address.clone(),
        };
        let headers = &link.http_headers;
        let request = |_| {
            let request = self.http.get(address.clone());
            headers.iter().fold(request, |request, (name, value)| request.header(name, value))
        };
        storage.send(Repeat::Freely, request).await
    }

    /// `/api/2.0/sql/statements` and what follows it.
    fn address(&self, path: &[&str]) -> Url {
        let mut address = self.settings.address.clone();
        let path: Vec<_> = ["/api/2.0/sql/statements"].iter().chain(path).copied().collect();
        address.set_path(&path.join("/"));
        address
    }

    /// Whose permissions count.
    pub(super) fn principal(&self) -> Option<&str> {
        self.credentials.principal()
    }

    /// Sends a request, again if that may help, once more with a fresh token if there is one.
    async fn send(
        &self,
        repeat: Repeat,
        request: impl Fn(u32) -> RequestBuilder,
    ) -> Result<Reply, Failure> {
        let mut renewed = false;
        loop {
            let token = self.credentials.token(&self.http, &self.service).await?;
            let signed = |attempt| request(attempt).bearer_auth(token.expose());
            let reply = self.service.send(repeat, signed).await?;
            let refused = matches!(reply.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
            if !refused || renewed || !self.credentials.renew(&token).await {
                return Ok(reply);
            }
            renewed = true;
        }
    }

    /// What an answer says; `own` judges what a kind of request is refused for.
    fn read<T: serde::de::DeserializeOwned>(
        &self,
        reply: &Reply,
        own: impl Fn(StatusCode, &Refused) -> Option<Failure>,
    ) -> Result<T, Failure> {
        if reply.status == StatusCode::OK {
            return self.service.parsed(&reply.body);
        }
        let refused: Refused = serde_json::from_slice(&reply.body).unwrap_or_default();
        if let Some(failure) = own(reply.status, &refused) {
            return Err(failure);
        }
        let told = failure::said(&refused);
        Err(match reply.status {
            StatusCode::FORBIDDEN if refused.error_code == "PERMISSION_DENIED" => {
                failure::no_permission(&told, &self.settings)
            }
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                failure::credentials(&told, self.credentials.kind())
            }
            StatusCode::NOT_FOUND => {
                Failure::new(Code::SourceLost, format!("the statement's result is gone: {told}"))
            }
            status => self.service.unexpected(status, &told),
        })
    }
}

/// A limit, if there is one.
pub(super) fn limit(limit: Duration) -> Option<Duration> {
    (!limit.is_zero()).then_some(limit)
}
