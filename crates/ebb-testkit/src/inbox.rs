//! What a receiver decides and remembers, apart from how requests reach it.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use serde_json::Value;

use crate::fault::{Fault, Faults};

/// How the receiver behaves.
#[derive(Debug, Clone)]
pub struct Script {
    /// What goes wrong.
    pub faults: Faults,
    /// How long every answer takes; records are accepted before that time has passed.
    pub delay: Duration,
    /// What a 429 asks for; whole seconds.
    pub retry_after: Duration,
    /// JSON pointer from an item to its record's id.
    pub id: String,
    /// JSON pointer from an item to the id by which a repeated delivery is recognised.
    pub message_id: String,
}

/// No faults, no delay, and items that are events: `__segment_id` and `messageId`.
impl Default for Script {
    fn default() -> Self {
        Self {
            faults: Faults::NONE,
            delay: Duration::ZERO,
            retry_after: Duration::from_secs(1),
            id: "/__segment_id".to_owned(),
            message_id: "/messageId".to_owned(),
        }
    }
}

impl Script {
    /// The default with these faults.
    pub fn with_faults(faults: Faults) -> Self {
        Self { faults, ..Self::default() }
    }
}

/// One arrival of one record.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    /// The id by which a repeated delivery is recognised; empty when the item has none.
    pub message_id: String,
    /// The item as it came.
    pub item: Value,
    /// Which request brought it: an index into [`Inbox::requests`].
    pub request: usize,
}

/// One request, in the order in which requests arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedRequest {
    /// The path, query included.
    pub path: String,
    /// The ids of its records, in order.
    pub ids: Vec<String>,
    /// The status of the answer; `None` when the connection is cut instead.
    pub status: Option<u16>,
    /// What the script let go wrong.
    pub fault: Option<Fault>,
    /// When it arrived, on a clock that ticks once for each arrival and each end.
    pub started: u64,
    /// When it ended, on the same clock; `None` while it lasts.
    pub ended: Option<u64>,
    /// Whether an answer left the receiver. A sender that was killed or cut off saw none.
    pub answered: bool,
}

impl ReceivedRequest {
    /// Whether the receiver took the request's records.
    pub fn accepted(&self) -> bool {
        match self.status {
            Some(status) => status < 300,
            None => self.fault == Some(Fault::CutAfterAccepting),
        }
    }
}

/// How many requests to one path ended how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PathCounts {
    /// All of them.
    pub requests: u64,
    /// Those whose records were taken.
    pub accepted: u64,
    /// Those answered with 500.
    pub server_errors: u64,
    /// Those answered with 429.
    pub busy: u64,
    /// Those answered with 400.
    pub bad_requests: u64,
    /// Those whose connection was cut.
    pub cut: u64,
}

/// How to answer a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    /// Of the request, for [`Inbox::end`].
    pub(crate) number: usize,
    /// `None` cuts the connection.
    pub(crate) status: Option<u16>,
    /// In seconds, with a 429.
    pub(crate) retry_after: Option<u64>,
    /// JSON text.
    pub(crate) body: Bytes,
}

/// The receiver's memory: what was accepted, and every request.
#[derive(Debug, Default)]
pub struct Inbox {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    script: Script,
    refused: BTreeSet<String>,
    seen: HashMap<(String, Bytes), u32>,
    records: BTreeMap<String, Vec<Delivery>>,
    requests: Vec<ReceivedRequest>,
    ticks: u64,
}

impl Inbox {
    /// An empty inbox.
    pub fn new(script: Script) -> Self {
        Self { state: Mutex::new(State { script, ..State::default() }) }
    }

    /// Changes what goes wrong from now on.
    pub fn set_faults(&self, faults: Faults) {
        self.state().script.faults = faults;
    }

    /// Changes how long answers take from now on.
    pub fn set_delay(&self, delay: Duration) {
        self.state().script.delay = delay;
    }

    /// Refuses from now on, with 400, every request that holds one of exactly these ids.
    pub fn refuse<Id: Into<String>>(&self, ids: impl IntoIterator<Item = Id>) {
        self.state().refused = ids.into_iter().map(Into::into).collect();
    }

    /// What was accepted: each record's id with its arrivals in order.
    pub fn records(&self) -> BTreeMap<String, Vec<Delivery>> {
        self.state().records.clone()
    }

    /// How many different records were accepted.
    pub fn record_count(&self) -> usize {
        self.state().records.len()
    }

    /// Every request so far, in the order of arrival.
    pub fn requests(&self) -> Vec<ReceivedRequest> {
        self.state().requests.clone()
    }

    /// How the requests ended, by path.
    pub fn counts(&self) -> BTreeMap<String, PathCounts> {
        let mut counts: BTreeMap<String, PathCounts> = BTreeMap::new();
        for request in &self.state().requests {
            let of_path = counts.entry(request.path.clone()).or_default();
            of_path.requests += 1;
            of_path.accepted += u64::from(request.accepted());
            of_path.server_errors += u64::from(request.status == Some(500));
            of_path.busy += u64::from(request.status == Some(429));
            of_path.bad_requests += u64::from(request.status == Some(400));
            of_path.cut += u64::from(request.status.is_none());
        }
        counts
    }

    /// The ids that were in two requests at once. A request whose end the receiver never saw lasts
    /// as long as its connection.
    pub fn ids_in_flight_twice(&self) -> BTreeSet<String> {
        let state = self.state();
        let mut last: HashMap<&str, Option<u64>> = HashMap::new();
        let mut twice = BTreeSet::new();
        for request in &state.requests {
            for id in &request.ids {
                let before = last.insert(id, request.ended);
                if before.is_some_and(|ended| ended.is_none_or(|ended| ended > request.started)) {
                    twice.insert(id.clone());
                }
            }
        }
        twice
    }

    /// Forgets all requests and records, and keeps the script.
    pub fn clear(&self) {
        let mut state = self.state();
        state.seen.clear();
        state.records.clear();
        state.requests.clear();
    }

    pub(crate) fn delay(&self) -> Duration {
        self.state().script.delay
    }

    /// Takes a request: decides its fate and accepts its records.
    pub(crate) fn begin(&self, path: &str, body: &Bytes) -> Answer {
        let mut state = self.state();
        let items = items_of(body);
        let text = |item: &Value, pointer: &str| match item.pointer(pointer) {
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => String::new(),
        };
        let ids: Vec<String> = items.iter().map(|item| text(item, &state.script.id)).collect();

        let before = state.seen.entry((path.to_owned(), body.clone())).or_default();
        let times = *before;
        *before += 1;
        let refused = ids.iter().find(|id| state.refused.contains(*id)).cloned();
        let fault = match refused {
            Some(_) => None,
            None => state.script.faults.strike(path, body, times),
        };
        let (status, message) = match (&refused, fault) {
            (Some(id), _) => (Some(400), format!("record {id} is refused")),
            (None, Some(Fault::ServerError)) => (Some(500), "out of order".to_owned()),
            (None, Some(Fault::Busy)) => (Some(429), "too many requests".to_owned()),
            (None, Some(Fault::BadRequest)) => (Some(400), "bad request".to_owned()),
            (None, Some(Fault::CutBeforeAccepting | Fault::CutAfterAccepting)) => {
                (None, String::new())
            }
            (None, None) => (Some(200), String::new()),
        };
        let answer = match status {
            Some(200) => serde_json::json!({ "accepted": ids.len() }),
            _ => serde_json::json!({ "error": message }),
        };

        let number = state.requests.len();
        state.ticks += 1;
        let request = ReceivedRequest {
            path: path.to_owned(),
            ids,
            status,
            fault,
            started: state.ticks,
            ended: None,
            answered: false,
        };
        if request.accepted() {
            for (id, item) in request.ids.iter().zip(items) {
                let message_id = text(&item, &state.script.message_id);
                let delivery = Delivery { message_id, item, request: number };
                state.records.entry(id.clone()).or_default().push(delivery);
            }
        }
        state.requests.push(request);
        Answer {
            number,
            status,
            retry_after: (status == Some(429)).then_some(state.script.retry_after.as_secs()),
            body: Bytes::from(answer.to_string()),
        }
    }

    /// Notes that a request is over.
    pub(crate) fn end(&self, number: usize, answered: bool) {
        let mut state = self.state();
        state.ticks += 1;
        let now = state.ticks;
        // the inbox may have been cleared meanwhile
        if let Some(request) = state.requests.get_mut(number) {
            request.ended = Some(now);
            request.answered = answered;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The items of a body: those of an array, or of `batch` in an object, or the one object itself.
fn items_of(body: &[u8]) -> Vec<Value> {
    match serde_json::from_slice(body) {
        Ok(Value::Array(items)) => items,
        Ok(Value::Object(mut object)) => match object.remove("batch") {
            Some(Value::Array(items)) => items,
            Some(other) => {
                object.insert("batch".to_owned(), other);
                vec![Value::Object(object)]
            }
            None => vec![Value::Object(object)],
        },
        Ok(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) | Err(_) => {
            Vec::new()
        }
    }
}

/// Notes the end of a request, whatever ended it.
#[derive(Debug)]
pub(crate) struct Exchange<'a> {
    inbox: &'a Inbox,
    number: usize,
    answered: bool,
}

impl<'a> Exchange<'a> {
    pub(crate) fn new(inbox: &'a Inbox, number: usize) -> Self {
        Self { inbox, number, answered: false }
    }

    pub(crate) fn answer(mut self) {
        self.answered = true;
    }
}

impl Drop for Exchange<'_> {
    fn drop(&mut self) {
        self.inbox.end(self.number, self.answered);
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use serde_json::json;

    use super::{Exchange, Inbox, Script};
    use crate::fault::{Fault, Faults};

    fn body(ids: &[&str]) -> Bytes {
        let items: Vec<_> = ids
            .iter()
            .map(|id| json!({ "__segment_id": id, "messageId": format!("m{id}") }))
            .collect();
        Bytes::from(json!(items).to_string())
    }

    #[test]
    fn an_accepted_record_is_kept_with_every_arrival() {
        let inbox = Inbox::default();
        for ids in [["1", "2"], ["2", "3"]] {
            let answer = inbox.begin("/in", &body(&ids));
            assert_eq!(answer.status, Some(200));
            Exchange::new(&inbox, answer.number).answer();
        }
        let records = inbox.records();
        assert_eq!(records.keys().collect::<Vec<_>>(), ["1", "2", "3"]);
        assert_eq!(records["2"].iter().map(|each| each.request).collect::<Vec<_>>(), [0, 1]);
        assert_eq!(records["2"][0].message_id, "m2");
        assert!(inbox.ids_in_flight_twice().is_empty());
    }

    #[test]
    fn an_id_in_two_requests_at_once_is_told() {
        let inbox = Inbox::default();
        let first = inbox.begin("/in", &body(&["1", "2"]));
        let second = inbox.begin("/in", &body(&["2"]));
        Exchange::new(&inbox, first.number).answer();
        Exchange::new(&inbox, second.number).answer();
        assert_eq!(inbox.ids_in_flight_twice().into_iter().collect::<Vec<_>>(), ["2"]);
    }

    #[test]
    fn a_refused_id_refuses_its_batch_for_as_long_as_it_is_named() {
        let inbox = Inbox::default();
        inbox.refuse(["2"]);
        assert_eq!(inbox.begin("/in", &body(&["1", "2"])).status, Some(400));
        assert_eq!(inbox.begin("/in", &body(&["1"])).status, Some(200));
        inbox.refuse(Vec::<String>::new());
        assert_eq!(inbox.begin("/in", &body(&["2"])).status, Some(200));
        let counts = inbox.counts()["/in"];
        assert_eq!((counts.requests, counts.accepted, counts.bad_requests), (3, 2, 1));
    }

    #[test]
    fn only_a_cut_after_accepting_keeps_the_records() {
        let faults = Faults { cut: 1.0, ..Faults::NONE };
        let inbox = Inbox::new(Script::with_faults(faults));
        for number in 0..32 {
            let answer = inbox.begin("/in", &body(&[&number.to_string()]));
            assert_eq!(answer.status, None);
        }
        let accepted: Vec<_> = inbox
            .requests()
            .into_iter()
            .filter(|request| request.fault == Some(Fault::CutAfterAccepting))
            .flat_map(|request| request.ids)
            .collect();
        assert!((1..32).contains(&accepted.len()), "{accepted:?}");
        let mut kept: Vec<_> = inbox.records().into_keys().collect();
        kept.sort_by_key(|id| id.parse::<u32>().unwrap());
        assert_eq!(kept, accepted);
    }
}
