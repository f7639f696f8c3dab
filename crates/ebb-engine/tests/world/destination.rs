//! A tool that takes lists of records over HTTP-like requests, and fails in every way it may.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use ebb_core::{
    Code, Failure, Record, Redactor,
    port::{
        Action, Batch, Batching, Body, Exchange, Item, ItemBuffer, Pace, Reply, Request, Step,
        Transport,
    },
};
use ebb_engine::{Delivery, Plan};
use serde_json::{Value, json};

/// Of a thousand requests, so many end in this way.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Faults {
    pub(crate) error: u32,
    pub(crate) busy: u32,
    /// Cut before anything is taken.
    pub(crate) cut: u32,
    /// Everything is taken, and the answer is lost.
    pub(crate) lost: u32,
    /// Whether an answer tells the fate of each record, or of the whole batch alone.
    pub(crate) per_record: bool,
    /// Values divisible by this are refused for good.
    pub(crate) poison: Option<i64>,
}

/// One record as the tool took it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) id: String,
    pub(crate) event: String,
    pub(crate) value: Option<i64>,
    pub(crate) message_id: String,
}

#[derive(Default)]
struct State {
    taken: Vec<Taken>,
    in_flight: BTreeSet<String>,
    requests_in_flight: usize,
    most_in_flight: usize,
    requests: u64,
    /// Message ids of batches whose sender may not know that they were taken.
    uncertain: BTreeSet<String>,
}

/// The tool's side.
pub(crate) struct Receiver {
    state: Mutex<State>,
    random: Mutex<fastrand::Rng>,
    pub(crate) faults: Mutex<Faults>,
    pub(crate) unauthorized: Mutex<bool>,
}

/// Batches in flight that the tool allows.
pub(crate) const CONCURRENCY: usize = 6;

/// Records of one batch.
pub(crate) const BATCH: usize = 4;

impl Receiver {
    pub(crate) fn new(faults: Faults, seed: u64) -> Self {
        Self {
            state: Mutex::default(),
            random: Mutex::new(fastrand::Rng::with_seed(seed ^ 2)),
            faults: Mutex::new(faults),
            unauthorized: Mutex::new(false),
        }
    }

    pub(crate) fn taken(&self) -> Vec<Taken> {
        self.state.lock().unwrap().taken.clone()
    }

    pub(crate) fn requests(&self) -> u64 {
        self.state.lock().unwrap().requests
    }

    pub(crate) fn most_in_flight(&self) -> usize {
        self.state.lock().unwrap().most_in_flight
    }

    /// The last value of each record.
    pub(crate) fn last_values(&self) -> BTreeMap<String, Option<i64>> {
        self.taken().into_iter().map(|taken| (taken.id, taken.value)).collect()
    }

    /// Message ids that came more than once although every answer of theirs arrived.
    pub(crate) fn repeats_without_reason(&self) -> Vec<String> {
        let state = self.state.lock().unwrap();
        let mut seen = BTreeSet::new();
        let again = state.taken.iter().filter(|taken| !seen.insert(&taken.message_id));
        again
            .map(|taken| taken.message_id.clone())
            .filter(|id| !state.uncertain.contains(id))
            .collect()
    }

    fn roll(&self) -> u32 {
        self.random.lock().unwrap().u32(0..1000)
    }

    fn poisoned(&self, record: &Value) -> bool {
        let poison = self.faults.lock().unwrap().poison;
        let value = record["properties"]["value"].as_i64();
        matches!((poison, value), (Some(poison), Some(value)) if value % poison == 0)
    }

    fn take(&self, records: &[Value]) {
        let mut state = self.state.lock().unwrap();
        for record in records.iter().filter(|record| !self.poisoned(record)) {
            state.taken.push(Taken {
                id: text(&record["__segment_id"]),
                event: text(&record["event"]),
                value: record["properties"]["value"].as_i64(),
                message_id: text(&record["messageId"]),
            });
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// Leaves the tool's books right when a request is dropped in flight by a kill.
struct InFlight<'a>(&'a Receiver, Vec<Value>, bool);

impl<'a> InFlight<'a> {
    fn begin(receiver: &'a Receiver, records: Vec<Value>) -> Self {
        let mut state = receiver.state.lock().unwrap();
        state.requests += 1;
        state.requests_in_flight += 1;
        state.most_in_flight = state.most_in_flight.max(state.requests_in_flight);
        for record in &records {
            assert!(state.in_flight.insert(text(&record["__segment_id"])), "I3: twice in flight");
        }
        drop(state);
        Self(receiver, records, false)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state.lock().unwrap();
        state.requests_in_flight -= 1;
        for record in &self.1 {
            state.in_flight.remove(&text(&record["__segment_id"]));
            // Until the journal has it a delivered batch may go out again; the kill decides.
            if !self.2 {
                state.uncertain.insert(text(&record["messageId"]));
            }
        }
    }
}

/// Ebb's side of the tool.
pub(crate) struct Tool {
    receiver: Arc<Receiver>,
    redactor: Redactor,
}

impl Tool {
    pub(crate) fn new(receiver: Arc<Receiver>) -> Self {
        Self { receiver, redactor: Redactor::default() }
    }
}

impl Delivery for Tool {
    fn compile(&self, plan: &Plan) -> Result<Arc<dyn Action>, Failure> {
        if plan.mapping.action == "send" {
            return Ok(Arc::new(Send));
        }
        Err(Failure::new(Code::UnknownAction, format!("no action `{}`", plan.mapping.action)))
    }

    fn lacking(&self, _: &Plan, _: &dyn Fn(&str) -> bool) -> Result<BTreeSet<String>, Failure> {
        Ok(BTreeSet::new())
    }

    fn transport(&self) -> Arc<dyn Transport> {
        Arc::new(Wire(Arc::clone(&self.receiver)))
    }

    fn redactor(&self) -> &Redactor {
        &self.redactor
    }
}

struct Send;

impl Action for Send {
    fn batching(&self) -> Batching {
        Batching { max_items: BATCH, max_bytes: 2_000 }
    }

    fn prepare(&self, record: &Record<'_>, buffer: &mut ItemBuffer) -> Result<Item, Failure> {
        if record.record_id().starts_with("bad") {
            return Err(Failure::new(Code::PayloadInvalid, "bad ids do not fit"));
        }
        let bytes = buffer.fill(|bytes| {
            record.event().write_json(bytes);
            Ok::<_, Failure>(())
        })?;
        Ok(Item { seq: record.seq(), operation: record.operation(), group: Bytes::new(), bytes })
    }

    fn next(&self, batch: &Batch, exchanges: &[Exchange]) -> Result<Step, Failure> {
        let Some(Exchange { reply, .. }) = exchanges.first() else {
            let items: Vec<_> = batch.items.iter().map(|item| &item.bytes[..]).collect();
            let body = [b"[".as_slice(), &items.join(&b","[..]), b"]"].concat();
            return Ok(Step::Send(vec![Request {
                method: "POST".to_owned(),
                url: "http://tool/".to_owned(),
                headers: Vec::new(),
                body: Body::Json(body.into()),
            }]));
        };
        Ok(match reply.status {
            200 => Step::Done(batch.items.iter().map(|_| Ok(())).collect()),
            207 => {
                let fates: Vec<u16> = serde_json::from_slice(&reply.body).unwrap();
                Step::Done(fates.into_iter().map(fate).collect())
            }
            400 => Step::Refused(Failure::new(Code::DestinationRejected, "refused")),
            401 => Step::Refused(Failure::new(Code::DestinationAuth, "who are you")),
            429 => Step::Refused(
                Failure::new(Code::DestinationBusy, "slow down").after(Duration::from_secs(2)),
            ),
            _ => Step::Refused(Failure::new(Code::DestinationDown, "down")),
        })
    }
}

fn fate(status: u16) -> Result<(), Failure> {
    match status {
        200 => Ok(()),
        400 => Err(Failure::new(Code::DestinationRejected, "refused")),
        _ => Err(Failure::new(Code::DestinationDown, "not now")),
    }
}

struct Wire(Arc<Receiver>);

#[async_trait]
impl Transport for Wire {
    fn pace(&self) -> Pace {
        Pace { requests_per_second: None, concurrency: CONCURRENCY }
    }

    async fn send(&self, request: &Request) -> Result<Reply, Failure> {
        let receiver = &*self.0;
        let records: Vec<Value> = serde_json::from_slice(&request.body.bytes()).unwrap();
        let mut flight = InFlight::begin(receiver, records);
        let delay = u64::from(receiver.roll() % 40);
        tokio::time::sleep(Duration::from_millis(delay)).await;
        let faults = *receiver.faults.lock().unwrap();
        let mut roll = receiver.roll();
        let mut hit = |share: u32| {
            let hit = roll < share;
            roll = roll.saturating_sub(share);
            hit
        };
        let unreachable = || Failure::new(Code::DestinationUnreachable, "no answer");
        let reply = |status, body: Value| {
            Ok(Reply {
                status,
                headers: Vec::new(),
                body: body.to_string().into(),
                elapsed: Duration::from_millis(delay),
            })
        };
        if *receiver.unauthorized.lock().unwrap() {
            return reply(401, Value::Null);
        }
        if hit(faults.error) {
            return reply(500, Value::Null);
        }
        if hit(faults.busy) {
            return reply(429, Value::Null);
        }
        if hit(faults.cut) {
            return Err(unreachable());
        }
        let refused = flight.1.iter().any(|record| receiver.poisoned(record));
        if refused && !faults.per_record {
            return reply(400, json!("one of them is bad"));
        }
        if faults.per_record {
            let fates: Vec<u16> = flight
                .1
                .iter()
                .map(|record| match receiver.poisoned(record) {
                    true => 400,
                    false if receiver.roll() < faults.error => 503,
                    false => 200,
                })
                .collect();
            let taken: Vec<Value> = flight
                .1
                .iter()
                .zip(&fates)
                .filter(|(_, fate)| **fate == 200)
                .map(|(record, _)| record.clone())
                .collect();
            receiver.take(&taken);
            if hit(faults.lost) {
                return Err(unreachable());
            }
            flight.2 = true;
            return reply(207, json!(fates));
        }
        receiver.take(&flight.1);
        // The way back takes time too: a kill here finds the batch taken and not journaled.
        tokio::time::sleep(Duration::from_millis(1)).await;
        if hit(faults.lost) {
            return Err(unreachable());
        }
        flight.2 = true;
        reply(200, Value::Null)
    }
}
