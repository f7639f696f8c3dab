//! What a mapping makes of a test record: payload and request, live, and for real by **Send test record**.

use std::sync::Arc;

use askama::Template;
use axum::{extract::State, response::Response};
use ebb_core::{Code, Failure, config::Problem, port::ShownRequest};
use ebb_store::Role;
use serde_json::Value;

use super::{
    edit::{action, names, sample},
    editor::is_at,
    ends::Ends,
    form::Said,
};
use crate::{
    access::Actor,
    app::{App, Drafted, Rehearsal, Said as AsSaid, Tried},
    pages::{
        Form, Frame,
        build::{
            highlight::{self, Piece},
            typed::Typed,
        },
        page,
    },
    prose::{Prose, sentence},
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
    let refused = |problems: Vec<Problem>| {
        problems.into_iter().map(|problem| (String::new(), problem.failure)).collect()
    };
    app.drafted(of.as_deref(), document).map_err(refused)
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
    let keys: Vec<String> =
        action(&definition, &ends.action)?.visible().map(str::to_owned).collect();
    let mut part = RenderedPart {
        frame: Frame::new(&app, &actor, "mappings"),
        payload: Vec::new(),
        requests: Vec::new(),
        failure: None,
        below: Vec::new(),
    };
    match drafted(&app, typed).await {
        Err(problems) => part.tell(&keys, problems),
        Ok(drafted) => {
            let chosen = Some(wanted.as_str()).filter(|record| !record.is_empty());
            let rehearsal = match app.rehearse(&drafted, chosen).await {
                // Another model may have been chosen since.
                Err(failure) if failure.code == Code::RecordNotFound && chosen.is_some() => {
                    app.rehearse(&drafted, None).await
                }
                rehearsal => rehearsal,
            };
            match rehearsal {
                Ok(rehearsal) => part.show(&keys, &drafted, rehearsal),
                Err(failure) => part.failure = Some(failure),
            }
        }
    }
    page(&part)
}

impl RenderedPart {
    /// Shows what became of the record.
    fn show(&mut self, keys: &[String], drafted: &Drafted, rehearsal: Rehearsal) {
        let Rehearsal { record_id: _, payload, requests } = rehearsal;
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
                let field = drafted.field_of(&failure);
                if let Some(below) = self.below.iter_mut().find(|it| field == Some(&it.key)) {
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
    let called = typed.get("name").to_owned();
    let tried = match drafted(&app, typed).await {
        Ok(drafted) => app.send_record(&actor, drafted.job, &called, &record).await,
        Err(problems) => {
            let failure = problems.into_iter().next().map(|(_, failure)| failure);
            failure.map_or_else(|| Ok(Tried { exchanges: Vec::new(), outcome: Ok(()) }), Err)
        }
    };
    let tried =
        tried.unwrap_or_else(|failure| Tried { exchanges: Vec::new(), outcome: Err(failure) });
    let exchanges = tried.exchanges.iter().map(Exchange::new).collect();
    let failure = tried.outcome.err();
    let why = failure.as_ref().map(|failure| sentence(failure.message())).unwrap_or_default();
    let frame = Frame::new(&app, &actor, "mappings");
    page(&AnswerPart { frame, record, exchanges, failure, why })
}

impl Exchange {
    fn new(said: &AsSaid) -> Self {
        Self {
            sent: Sent::new(&said.request),
            status: said.status,
            fine: (200..300).contains(&said.status),
            millis: said.elapsed.as_millis(),
            answer: highlight::document(&said.body),
        }
    }
}
