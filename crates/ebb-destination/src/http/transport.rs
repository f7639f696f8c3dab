//! Sends requests, with the destination's credentials.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use ebb_core::{
    Code, Failure, Redactor, Secret, Value,
    port::{Body, Clock, Header, Pace, Reply, Request, Transport},
};
use tokio::time::Instant;

use super::{
    client::{Network, Outlet},
    failure::no_answer,
    oauth::{Token, Tokens, text},
    retry_after,
};
use crate::{
    manifest::{Class, Manifest},
    planner::{self, Judge},
    settings::Resolved,
    template::{Node, Payload, Run, Scope},
};

/// How much of an answer is kept.
const KEPT: usize = 64 * 1024;
/// How much of an answer is read, so that its connection can be used again.
const READ: usize = 1024 * 1024;

/// The transport of one connection.
pub(crate) struct HttpTransport {
    network: Network,
    pace: Pace,
    clock: Arc<dyn Clock>,
    tokens: Option<Tokens>,
    probe: Option<(Request, Vec<u16>)>,
    judge: Judge,
    outlet: OnceLock<Outlet>,
}

impl std::fmt::Debug for HttpTransport {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("HttpTransport").field("pace", &self.pace).finish_non_exhaustive()
    }
}

impl HttpTransport {
    /// The transport of a connection. Nothing is sent.
    pub(crate) fn new(
        manifest: &Manifest,
        settings: &Resolved,
        network: &Network,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Failure> {
        let tokens = manifest.auth.oauth2.as_ref();
        Ok(Self {
            network: network.clone(),
            pace: Pace {
                requests_per_second: manifest.limits.requests_per_second,
                concurrency: manifest.limits.concurrency,
            },
            clock,
            tokens: tokens.map(|it| Tokens::new(it, manifest, &settings.values)).transpose()?,
            probe: probe(manifest, settings)?,
            judge: Judge {
                name: manifest.name.clone(),
                errors: Vec::new(),
                answers: Vec::new(),
                rows: None,
                redactor: settings.redactor.clone(),
            },
            outlet: OnceLock::new(),
        })
    }

    /// A transport without credentials, which makes of answers what the asker likes.
    pub(crate) fn plain(network: &Network, clock: Arc<dyn Clock>) -> Self {
        /// What is not for records is rare.
        const PACE: Pace = Pace { requests_per_second: None, concurrency: 4 };
        Self {
            network: network.clone(),
            pace: PACE,
            clock,
            tokens: None,
            probe: None,
            judge: Judge {
                name: String::new(),
                errors: Vec::new(),
                answers: Vec::new(),
                rows: None,
                redactor: Redactor::default(),
            },
            outlet: OnceLock::new(),
        }
    }

    /// Made when it is first needed: reading the system's authorities takes a while.
    fn outlet(&self) -> Result<&Outlet, Failure> {
        if let Some(outlet) = self.outlet.get() {
            return Ok(outlet);
        }
        let made = Outlet::new(&self.network, self.pace.concurrency)?;
        Ok(self.outlet.get_or_init(|| made))
    }

    /// Sends the probe request.
    pub(crate) async fn probe(&self) -> Result<(), Failure> {
        let Some((request, refused)) = &self.probe else { return Ok(()) };
        let reply = self.send(request).await?;
        let class =
            if refused.contains(&reply.status) { Class::Auth } else { self.judge.class(&reply) };
        match class {
            Class::Delivered => Ok(()),
            class @ (Class::Rejected
            | Class::Auth
            | Class::RateLimited
            | Class::Retry
            | Class::Unexpected) => Err(self.judge.failure(class, &reply)),
        }
    }

    async fn once(&self, request: &Request, token: Option<&Token>) -> Result<Reply, Failure> {
        let mut builder = self.outlet()?.request(&request.method, &request.url)?;
        for Header { name, value, .. } in &request.headers {
            builder = builder.header(name, value);
        }
        if let Some(token) = token {
            builder = builder.bearer_auth(token.access.expose());
        }
        if request.body != Body::Empty {
            builder = builder.body(request.body.bytes());
        }
        let started = Instant::now();
        let unanswered = |error| no_answer(&request.url, error);
        let mut response = builder.send().await.map_err(unanswered)?;
        let status = response.status().as_u16();
        let headers = self.headers(response.headers());
        let mut body = BytesMut::new();
        let mut read = 0;
        while let Some(chunk) = response.chunk().await.map_err(unanswered)? {
            read += chunk.len();
            let room = KEPT.saturating_sub(body.len()).min(chunk.len());
            body.extend_from_slice(chunk.get(..room).unwrap_or_default());
            if read > READ {
                break;
            }
        }
        Ok(Reply { status, headers, body: body.freeze(), elapsed: elapsed(started) })
    }

    /// The answer's headers as text, `Retry-After` in seconds.
    fn headers(&self, headers: &reqwest::header::HeaderMap) -> Vec<(String, String)> {
        let text = headers.iter().map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            if name == reqwest::header::RETRY_AFTER
                && let Some(seconds) = retry_after::seconds(&value, self.clock.now())
            {
                return (name.as_str().to_owned(), seconds.to_string());
            }
            (name.as_str().to_owned(), value)
        });
        text.collect()
    }
}

fn elapsed(started: Instant) -> Duration {
    started.elapsed()
}

#[async_trait]
impl Transport for HttpTransport {
    fn pace(&self) -> Pace {
        self.pace
    }

    async fn send(&self, request: &Request) -> Result<Reply, Failure> {
        let Some(tokens) = &self.tokens else { return self.once(request, None).await };
        let outlet = self.outlet()?;
        let token = tokens.current(outlet).await?;
        let reply = self.once(request, Some(&token)).await?;
        if reply.status != 401 {
            return Ok(hide(reply, &token));
        }
        let token = tokens.renewed(outlet, token.generation).await?;
        self.once(request, Some(&token)).await.map(|reply| hide(reply, &token))
    }
}

/// The answer without the token, should the service echo it: no other redactor knows it.
fn hide(mut reply: Reply, token: &Token) -> Reply {
    let secret: &Secret = &token.access;
    let needle = secret.expose();
    if !needle.is_empty() && String::from_utf8_lossy(&reply.body).contains(needle) {
        let redactor = Redactor::new([secret.clone()]);
        reply.body = Bytes::from(redactor.redact(&String::from_utf8_lossy(&reply.body)));
    }
    reply
}

fn probe(manifest: &Manifest, settings: &Resolved) -> Result<Option<(Request, Vec<u16>)>, Failure> {
    let Some(probe) = &manifest.probe else { return Ok(None) };
    let names = planner::setting_names(manifest, &settings.values);
    let wrong = |reason: String| {
        Failure::new(
            Code::DestinationManifest,
            format!("the manifest of `{}` is not valid in `probe`: {reason}", manifest.slug),
        )
    };
    let mut headers = planner::credentials(manifest, &names).map_err(wrong)?;
    let body = match &probe.body {
        None => Body::Empty,
        Some(tree) => {
            let node = Node::compile(tree, &names, "probe.body").map_err(wrong)?;
            let nothing = Value::Null;
            let run = Run::fixed(jiff::Timestamp::UNIX_EPOCH, 1);
            let mut json = Vec::new();
            node.write(Scope { field: Payload::of(&nothing), run: &run }, &mut json);
            headers.push(planner::header("content-type", "application/json"));
            Body::Json(json.into())
        }
    };
    let url = text(&probe.url, &names, manifest)?;
    let request = Request { method: probe.method.clone(), url, headers, body };
    Ok(Some((request, probe.refused.clone())))
}
