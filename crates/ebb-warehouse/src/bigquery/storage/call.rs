//! One call by gRPC: a request with one message, an answer with any number of them and a status at its end. It goes
//! by the HTTP client of all other requests, so that proxies, authorities and time limits are the same.

use std::{marker::PhantomData, time::Duration};

use ebb_core::Failure;
use http_body_util::BodyExt;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use prost::Message;
use reqwest::{
    Body, Client, StatusCode,
    header::{CONTENT_TYPE, HeaderMap},
};
use url::Url;

use super::{
    frames::{Frames, framed},
    status::Status,
};
use crate::http;

const SERVICE: &str = "google.cloud.bigquery.storage.v1.BigQueryRead";

/// What is called, and by what the service finds who answers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Method {
    pub(super) name: &'static str,
    /// The parameter of the request's routing.
    pub(super) routed_by: &'static str,
}

/// Why a call gave no answer, or no more of it.
#[derive(Debug)]
pub(super) enum Broken {
    /// There is nothing to sign in with.
    NoToken(Failure),
    /// The service says so.
    Refused(Status),
    /// Nobody answered, or the connection was lost.
    Lost(reqwest::Error),
    /// The answer has no end, or is not what was asked for.
    Malformed,
}

/// Where calls go.
#[derive(Debug)]
pub(super) struct Channel {
    client: Client,
    address: Url,
}

impl Channel {
    /// Calls at an address; nothing is sent yet.
    pub(super) fn new(address: Url, connect_timeout: Duration) -> Result<Self, Failure> {
        Ok(Self { client: http::client_of_streams(connect_timeout)?, address })
    }

    /// Calls a method; `route` is the value of its routing parameter.
    pub(super) async fn call<A: Message + Default>(
        &self,
        method: Method,
        route: &str,
        request: &impl Message,
        credentials: HeaderMap,
    ) -> Result<Answers<A>, Broken> {
        let mut address = self.address.clone();
        address.set_path(&format!("{SERVICE}/{}", method.name));
        let route = utf8_percent_encode(route, NON_ALPHANUMERIC);
        let request = self
            .client
            .post(address)
            .headers(credentials)
            .header(CONTENT_TYPE, "application/grpc")
            .header("te", "trailers")
            .header("x-goog-request-params", format!("{}={route}", method.routed_by))
            .body(framed(request));
        let response = request.send().await.map_err(Broken::Lost)?;
        let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let is_grpc = kind.is_some_and(|kind| kind.starts_with("application/grpc"));
        if response.status() != StatusCode::OK || !is_grpc {
            return Err(Broken::Refused(Status::of_http(response.status())));
        }
        // An answer without messages may have its status here.
        let ended = Status::told(response.headers()).transpose().map_err(Broken::Refused)?;
        let body = ::http::Response::<Body>::from(response).into_body();
        let is_over = ended.is_some();
        Ok(Answers { body, frames: Frames::default(), is_over, kind: PhantomData })
    }
}

/// The messages of an answer while they come.
#[derive(Debug)]
pub(super) struct Answers<A> {
    body: Body,
    frames: Frames,
    is_over: bool,
    kind: PhantomData<A>,
}

impl<A: Message + Default> Answers<A> {
    /// The next message; none at the end of an answer that is whole.
    pub(super) async fn next(&mut self) -> Result<Option<A>, Broken> {
        loop {
            if let Some(message) = self.frames.next().map_err(|_| Broken::Malformed)? {
                return A::decode(message).map(Some).map_err(|_| Broken::Malformed);
            }
            if self.is_over {
                return Ok(None);
            }
            let Some(frame) = self.body.frame().await else { return Err(Broken::Malformed) };
            let frame = frame.map_err(Broken::Lost)?;
            match frame.into_data() {
                Ok(piece) => self.frames.push(&piece),
                Err(frame) => match frame.trailers_ref().and_then(Status::told) {
                    Some(Ok(())) if self.frames.is_empty() => self.is_over = true,
                    Some(Err(status)) => return Err(Broken::Refused(status)),
                    Some(Ok(())) | None => return Err(Broken::Malformed),
                },
            }
        }
    }
}
