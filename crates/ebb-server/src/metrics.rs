//! What a monitoring system asks for: counts and times of syncs and requests, in the text form of
//! `OpenMetrics`.

use std::{fmt, sync::Arc, time::Duration};

use axum::{
    extract::{MatchedPath, Request, State},
    http::{Method, header::CONTENT_TYPE},
    middleware::Next,
    response::{IntoResponse, Response},
};
use ebb_core::{
    Code, Failure,
    port::{Status, SyncRecord},
};
use ebb_engine::{Outlook, Plan};
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
        info::Info,
    },
    registry::{Registry, Unit},
};
use tokio::time::Instant;

use crate::{access::Actor, app::App, refusal::Refusal, traces};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfMapping {
    mapping: String,
    destination: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfSync {
    mapping: String,
    destination: String,
    status: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfRecords {
    mapping: String,
    destination: String,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfPhase {
    phase: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfRequest {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfState {
    state: &'static str,
}

/// Everything that is measured since the process began.
pub(crate) struct Metrics {
    registry: Registry,
    syncs: Family<OfSync, Counter>,
    records: Family<OfRecords, Counter>,
    last_success: Family<OfMapping, Gauge>,
    phases: Family<OfPhase, Histogram>,
    mappings: Family<OfState, Gauge>,
    requests: Family<OfRequest, Histogram>,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Metrics(…)")
    }
}

/// From a diff that finds nothing to a first sync of millions: 0.1 s to 7 h.
fn of_phase() -> Histogram {
    Histogram::new(exponential_buckets(0.1, 4.0, 10))
}

/// 1 ms to 16 s.
fn of_request() -> Histogram {
    Histogram::new(exponential_buckets(0.001, 4.0, 8))
}

impl Default for Metrics {
    fn default() -> Self {
        let phases = Family::<OfPhase, Histogram>::new_with_constructor(of_phase);
        let requests = Family::<OfRequest, Histogram>::new_with_constructor(of_request);
        let mut registry = Registry::with_prefix("ebb");
        let [syncs, records] =
            ["Syncs that ended", "Records with an outcome, when their sync ended"];
        let metrics = (Family::default(), Family::default(), Family::default(), Family::default());
        let (ended, outcomes, last_success, mappings) = metrics;
        registry.register(
            "build",
            "Which Ebb this is",
            Info::new([("version", env!("CARGO_PKG_VERSION"))]),
        );
        registry.register("syncs", syncs, Family::<OfSync, Counter>::clone(&ended));
        registry.register("records", records, Family::<OfRecords, Counter>::clone(&outcomes));
        registry.register_with_unit(
            "mapping_last_success_timestamp",
            "When the latest sync of a mapping began that ended well or in part, in seconds since 1970",
            Unit::Seconds,
            Family::<OfMapping, Gauge>::clone(&last_success),
        );
        registry.register_with_unit(
            "sync_phase_duration",
            "How long the phases of syncs took",
            Unit::Seconds,
            phases.clone(),
        );
        registry.register(
            "mappings",
            "Mappings by what they do now",
            Family::<OfState, Gauge>::clone(&mappings),
        );
        registry.register_with_unit(
            "http_request_duration",
            "How long answers to requests took",
            Unit::Seconds,
            requests.clone(),
        );
        Self { registry, syncs: ended, records: outcomes, last_success, phases, mappings, requests }
    }
}

impl Metrics {
    /// A sync has ended.
    pub(crate) fn ended(&self, sync: &SyncRecord) {
        let mapping = sync.mapping.clone();
        let destination = Plan::of(sync).map(|plan| plan.mapping.destination).unwrap_or_default();
        let status = sync.status.as_str();
        let of = OfSync { mapping: mapping.clone(), destination: destination.clone(), status };
        self.syncs.get_or_create(&of).inc();
        let counts = &sync.counts;
        for (outcome, tally) in [
            ("delivered", counts.delivered),
            ("failed", counts.failed),
            ("discarded", counts.discarded),
        ] {
            let (mapping, destination) = (mapping.clone(), destination.clone());
            let of = OfRecords { mapping, destination, outcome };
            self.records.get_or_create(&of).inc_by(tally.total());
        }
        if matches!(sync.status, Status::Succeeded | Status::Partial) {
            let of = OfMapping { mapping, destination };
            self.last_success.get_or_create(&of).set(sync.started_at.as_second());
        }
        for phase in &sync.phases {
            let of = OfPhase { phase: phase.name.clone() };
            let took = Duration::from_millis(phase.millis);
            self.phases.get_or_create(&of).observe(took.as_secs_f64());
        }
    }

    fn text(&self, outlooks: impl Iterator<Item = Outlook>) -> Result<String, fmt::Error> {
        let states = ["running", "queued", "scheduled", "idle", "paused"];
        let mut counts = states.map(|state| (state, 0_i64));
        for outlook in outlooks {
            let state = match outlook {
                Outlook::Running => 0,
                Outlook::Queued { .. } => 1,
                Outlook::Due { .. } | Outlook::After { .. } | Outlook::AfterDbtCloudJob { .. } => 2,
                Outlook::Idle { .. } => 3,
                Outlook::Paused { .. } => 4,
            };
            if let Some((_, count)) = counts.get_mut(state) {
                *count += 1;
            }
        }
        for (state, count) in counts {
            self.mappings.get_or_create(&OfState { state }).set(count);
        }
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// A method by its name. Anybody may make up others, and each would be kept for ever.
fn known(method: &Method) -> &'static str {
    let known = ["GET", "HEAD", "POST", "PUT", "DELETE"];
    known.into_iter().find(|name| method.as_str() == *name).unwrap_or("other")
}

/// How the text is written.
const KIND: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Answers with all of it. Takes an API token: names of mappings and volumes are nobody else's business.
pub(crate) async fn get(State(app): State<Arc<App>>, _: Actor) -> Result<Response, Refusal> {
    let outlooks = app.outlooks().into_iter().map(|(_, outlook)| outlook);
    let text = app.metrics.text(outlooks).map_err(|error| {
        Failure::new(Code::StateUnavailable, "the metrics cannot be written").caused_by(error)
    })?;
    Ok(([(CONTENT_TYPE, KIND)], text).into_response())
}

/// Measures how long an answer took, by the pattern of its address.
pub(crate) async fn measured(
    State(app): State<Arc<App>>,
    request: Request,
    next: Next,
) -> Response {
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map_or_else(|| "none".to_owned(), |route| route.as_str().to_owned());
    let method = known(request.method());
    let span = traces::request(method, &route);
    let began = Instant::now();
    let response = next.run(request).await;
    traces::answered(&span, response.status());
    let of = OfRequest { method, route, status: response.status().as_u16() };
    app.metrics.requests.get_or_create(&of).observe(began.elapsed().as_secs_f64());
    response
}
