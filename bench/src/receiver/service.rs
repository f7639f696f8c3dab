//! One request to the receiver, answered.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::{Method, Request, Response, StatusCode};
use tokio::time::Instant;

use super::body::{RecordCount, RecordIds};
use super::fault::{Fault, FaultMix};
use super::saved::BodyFile;
use super::stats::Stats;

/// What the receiver was told to do with requests.
#[derive(Debug)]
pub(super) struct Behaviour {
    pub(super) delay: Duration,
    pub(super) faults: FaultMix,
    pub(super) retry_after: u64,
    pub(super) seed: u64,
    pub(super) record_ids: bool,
    pub(super) save: Option<PathBuf>,
}

/// The state that all connections share, on one thread.
#[derive(Debug)]
pub(super) struct Receiver {
    delay: Duration,
    faults: FaultMix,
    retry_after: u64,
    random: RefCell<fastrand::Rng>,
    stats: RefCell<Stats>,
    ids: Option<RefCell<HashMap<String, u64>>>,
    save: Option<RefCell<BodyFile>>,
}

/// The connection is closed without an answer, on purpose.
#[derive(Debug)]
pub(super) struct Severed;

impl fmt::Display for Severed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the connection was cut on purpose")
    }
}

impl std::error::Error for Severed {}

type Answer = Response<Full<Bytes>>;

impl Receiver {
    /// A receiver that has counted nothing yet. Fails when the file to save to cannot be written.
    pub(super) fn new(behaviour: Behaviour) -> anyhow::Result<Self> {
        let save = behaviour.save.map(|path| BodyFile::create(&path)).transpose()?;
        Ok(Self {
            delay: behaviour.delay,
            faults: behaviour.faults,
            retry_after: behaviour.retry_after,
            random: RefCell::new(fastrand::Rng::with_seed(behaviour.seed)),
            stats: RefCell::default(),
            ids: behaviour.record_ids.then(RefCell::default),
            save: save.map(RefCell::new),
        })
    }

    /// Answers one request; [`Severed`] closes the connection instead.
    pub(super) async fn answer(&self, request: Request<Incoming>) -> Result<Answer, Severed> {
        let path = request.uri().path();
        match (request.method(), path) {
            (&Method::GET, "/stats") => {
                if let Some(file) = &self.save
                    && file.borrow_mut().flush().is_err()
                {
                    return Ok(plain(StatusCode::INSUFFICIENT_STORAGE));
                }
                Ok(json(&self.stats.borrow().report()))
            }
            (&Method::GET, "/ids") => match &self.ids {
                Some(ids) => Ok(json(&*ids.borrow())),
                None => Ok(plain(StatusCode::NOT_FOUND)),
            },
            (&Method::POST, "/reset") => {
                self.stats.borrow_mut().reset();
                if let Some(ids) = &self.ids {
                    ids.borrow_mut().clear();
                }
                Ok(plain(StatusCode::OK))
            }
            (&Method::POST | &Method::PUT, _) => {
                let Ok(body) = request.into_body().collect().await else { return Err(Severed) };
                self.receive(&body.to_bytes()).await
            }
            _ => Ok(plain(StatusCode::METHOD_NOT_ALLOWED)),
        }
    }

    async fn receive(&self, body: &Bytes) -> Result<Answer, Severed> {
        self.stats.borrow_mut().arrived(Instant::now());
        let draw = self.random.borrow_mut().f64() * 100.0;
        let fault = self.faults.pick(draw);
        let accepted = match fault {
            None | Some(Fault::Lost) => self.accept(body),
            Some(Fault::Status(_) | Fault::Cut) => Ok(()),
        };
        if !self.delay.is_zero() {
            tokio::time::sleep(self.delay).await;
        }
        let (label, answer) = match (fault, accepted) {
            (Some(Fault::Cut), _) => (Cow::Borrowed("cut"), Err(Severed)),
            (Some(Fault::Lost), _) => (Cow::Borrowed("lost"), Err(Severed)),
            (Some(Fault::Status(status)), _) => {
                let mut answer = plain(
                    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
                );
                if status == 429 {
                    answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(self.retry_after));
                }
                (Cow::Owned(status.to_string()), Ok(answer))
            }
            (None, Err(status)) => (Cow::Owned(status.as_str().to_owned()), Ok(plain(status))),
            (None, Ok(())) => (Cow::Borrowed("200"), Ok(plain(StatusCode::OK))),
        };
        self.stats.borrow_mut().answered(&label, Instant::now());
        answer
    }

    /// Counts a body's records, or says with which status it is refused.
    fn accept(&self, body: &Bytes) -> Result<(), StatusCode> {
        let records = match &self.ids {
            None => serde_json::from_slice::<RecordCount>(body).map(|count| count.0),
            Some(seen) => serde_json::from_slice::<RecordIds>(body).map(|ids| {
                let mut seen = seen.borrow_mut();
                let count = ids.0.len() as u64;
                for id in ids.0 {
                    *seen.entry(id).or_default() += 1;
                }
                count
            }),
        };
        let mut stats = self.stats.borrow_mut();
        let Ok(records) = records else {
            stats.malformed += 1;
            return Err(StatusCode::UNPROCESSABLE_ENTITY);
        };
        if let Some(file) = &self.save {
            file.borrow_mut().append(body).map_err(|_| StatusCode::INSUFFICIENT_STORAGE)?;
        }
        stats.records += records;
        stats.bytes += body.len() as u64;
        Ok(())
    }
}

fn plain(status: StatusCode) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from_static(b"{}")));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

fn json(value: &impl serde::Serialize) -> Answer {
    match serde_json::to_vec(value) {
        Ok(text) => {
            let mut answer = plain(StatusCode::OK);
            *answer.body_mut() = Full::new(text.into());
            answer
        }
        Err(_) => plain(StatusCode::INTERNAL_SERVER_ERROR),
    }
}
