//! What a mapping makes of a test record: payload and request, live, and for real by **Send test record**.

use std::sync::Arc;

use askama::Template;
use axum::{extract::State, response::Response};
use ebb_core::{
    Code, Failure,
    port::{Clock, ShownRequest},
};
use ebb_engine::Job;
use ebb_store::Role;
use ebb_workspace::SystemClock;
use serde_json::{Map, Value};

use super::{
    edit::{action, names, sample},
    editor::{is_at, seen},
    ends::Ends,
    form::Said,
};
use crate::{
    access::Actor,
    app::{App, Section},
    pages::{
        Form, Frame,
        build::{
            field::{Prose, sentence},
            highlight::{self, Piece},
            typed::Typed,
        },
        page,
    },
    refusal::Refusal,
};

/// A value is cut here below its field.
const WIDEST: usize = 80;

/// A request as it would be sent.
struct Sent {
    /// Method and address.
    line: String,
    headers: Vec<(String, String)>,
    body: Vec<Piece>,
}

/// What stands below a field.
struct Below {
    key: String,
    value: Option<String>,
    failure: Option<Failure>,
}

#[derive(Template)]
#[template(path = "build/mapping_rendered.html")]
struct RenderedPart {
    frame: Frame,
    payload: Vec<Piece>,
    requests: Vec<Sent>,
    failure: Option<Failure>,
    below: Vec<Below>,
}

/// A request that was sent, and its answer.
struct Exchange {
    sent: Sent,
    status: u16,
    fine: bool,
    millis: u128,
    answer: Vec<Piece>,
}

#[derive(Template)]
#[template(path = "build/mapping_answer.html")]
struct AnswerPart {
    frame: Frame,
    record: String,
    exchanges: Vec<Exchange>,
    failure: Option<Failure>,
    why: Vec<Prose>,
}

/// The job of a mapping as it was typed, and what is known of its model.
struct Drafted {
    job: Job,
    fields: Map<String, Value>,
}

/// The mapping as it was typed, with nothing kept. When it syncs does not matter here.
async fn drafted(app: &App, typed: Typed) -> Result<Drafted, Vec<(String, Failure)>> {
    let alone = |failure: Failure| vec![(String::new(), failure)];
    let ends = Ends::typed(&typed);
    let of = Some(typed.get("of").to_owned()).filter(|name| !name.is_empty());
    let definition = ends.definition(&app.configuration().workspace).map_err(alone)?;
    let action = action(&definition, &ends.action).map_err(alone)?;
    let columns = sample(app, &ends.model).await.map_err(alone)?;
    let columns = names(columns.records.columns());
    let mut document = Said::typed(action, typed).document(action, &columns, None)?;
    document.remove("schedule");
    document.insert("enabled".to_owned(), true.into());
    let draft = app.draft(Section::Mappings, of.as_deref(), document).map_err(|problems| {
        problems.into_iter().map(|problem| (String::new(), problem.failure)).collect::<Vec<_>>()
    })?;
    let workspace = &draft.configuration.workspace;
    let job = workspace.job_of(&draft.name).map_err(|failure| alone(draft.told(failure)))?;
    let fields = workspace.mapping(&draft.name).map_err(alone)?.fields.clone();
    Ok(Drafted { job, fields })
}

/// Payload and request for the chosen record, while somebody types.
pub(in crate::pages::build) async fn render(
    State(app): State<Arc<App>>,
    actor: Actor,
    Form(typed): Form<Typed>,
) -> Result<Response, Refusal> {
    actor.must_be(Role::Editor)?;
    let ends = Ends::typed(&typed);
    let wanted = typed.get("record").to_owned();
    let definition = ends.definition(&app.configuration().workspace)?;
    let keys: Vec<String> = seen(action(&definition, &ends.action)?).map(str::to_owned).collect();
    let mut part = RenderedPart {
        frame: Frame::new(&app, &actor, "mappings"),
        payload: Vec::new(),
        requests: Vec::new(),
        failure: None,
        below: Vec::new(),
    };
    match drafted(&app, typed).await {
        Err(problems) => part.tell(&keys, problems),
        Ok(Drafted { job, fields }) => {
            let now: Arc<str> = SystemClock.now().to_string().into();
            let preview = sample(&app, &ends.model).await?;
            let set = preview.records.of_mapping(job.plan.name.as_str().into(), now);
            let chosen = set.iter().find(|record| record.record_id() == wanted);
            if let Some(record) = chosen.or_else(|| set.get(0)) {
                let manifest = &definition.manifest;
                let redactor = job.delivery.redactor();
                let payload = ebb_destination::payload(manifest, &ends.action, &fields, record);
                let payload = payload.map(|payload| redactor.redact(&payload));
                let requests = app.engine.rehearse(&job, record);
                let told = |failure: Failure| failure.map_message(|text| redactor.redact(&text));
                part.show(&keys, payload.map_err(told), requests.map_err(told));
            } else {
                let failure =
                    Failure::new(Code::RecordNotFound, "the model has no record to test with");
                part.failure = Some(failure);
            }
        }
    }
    page(&part)
}

impl RenderedPart {
    /// Shows what became of the record.
    fn show(
        &mut self,
        keys: &[String],
        payload: Result<String, Failure>,
        requests: Result<Vec<ShownRequest>, Failure>,
    ) {
        match payload {
            Ok(payload) => {
                self.payload = highlight::document(&payload);
                let values = serde_json::from_str::<Value>(&payload).unwrap_or_default();
                self.below = keys.iter().map(|key| Below::value(key, values.get(key))).collect();
            }
            Err(failure) => self.tell(keys, vec![(String::new(), failure)]),
        }
        match requests {
            Ok(requests) => self.requests = requests.iter().map(Sent::new).collect(),
            Err(failure) => {
                let named =
                    |below: &&mut Below| failure.message().contains(&format!("`{}`", below.key));
                if let Some(below) = self.below.iter_mut().find(named) {
                    below.failure = Some(failure.clone());
                }
                self.failure = Some(failure);
            }
        }
    }

    /// Shows what is typed wrong, each at its field.
    fn tell(&mut self, keys: &[String], problems: Vec<(String, Failure)>) {
        let below = |key: &String| {
            let found = problems.iter().find(|(path, _)| is_at(path, key));
            Below {
                key: key.clone(),
                value: None,
                failure: found.map(|(_, failure)| failure.clone()),
            }
        };
        self.below = keys.iter().map(below).collect();
        self.failure = problems.into_iter().next().map(|(_, failure)| failure);
    }
}

impl Below {
    fn value(key: &str, value: Option<&Value>) -> Self {
        let value = value.map(|value| {
            let text = value.to_string();
            if text.chars().count() <= WIDEST {
                return text;
            }
            text.chars().take(WIDEST - 1).chain(['…']).collect()
        });
        Self { key: key.to_owned(), value, failure: None }
    }
}

impl Sent {
    fn new(request: &ShownRequest) -> Self {
        Self {
            line: format!("{} {}", request.method, request.url),
            headers: request.headers.clone(),
            body: highlight::document(&request.body),
        }
    }
}

/// Sends one record for real. Nothing is kept or tracked.
pub(in crate::pages::build) async fn send(
    State(app): State<Arc<App>>,
    actor: Actor,
    Form(typed): Form<Typed>,
) -> Result<Response, Refusal> {
    actor.must_be(Role::Editor)?;
    let record = typed.get("record").to_owned();
    let (exchanges, outcome) = match drafted(&app, typed).await {
        Ok(Drafted { job, .. }) => tried(&app, job, &record).await,
        Err(problems) => {
            let failure = problems.into_iter().next().map(|(_, failure)| failure);
            (Vec::new(), failure.map_or(Ok(()), Err))
        }
    };
    let failure = outcome.err();
    let why = failure.as_ref().map(|failure| sentence(failure.message())).unwrap_or_default();
    let frame = Frame::new(&app, &actor, "mappings");
    page(&AnswerPart { frame, record, exchanges, failure, why })
}

async fn tried(app: &App, job: Job, record: &str) -> (Vec<Exchange>, Result<(), Failure>) {
    let redactor = job.delivery.redactor().clone();
    let told = |failure: Failure| failure.map_message(|text| redactor.redact(&text));
    let trial = match app.engine.trial(job, record).await {
        Ok(trial) => trial,
        Err(failure) => return (Vec::new(), Err(told(failure))),
    };
    let exchange = |exchange: &ebb_core::port::Exchange| {
        let reply = &exchange.reply;
        Exchange {
            sent: Sent::new(&exchange.request.shown(&redactor)),
            status: reply.status,
            fine: (200..300).contains(&reply.status),
            millis: reply.elapsed.as_millis(),
            answer: highlight::document(&redactor.redact(&String::from_utf8_lossy(&reply.body))),
        }
    };
    (trial.exchanges.iter().map(exchange).collect(), trial.outcome.map_err(told))
}
