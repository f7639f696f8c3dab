//! **Test connection**: every step and what came of it, as soon as it is over. Nothing of what was typed is kept.

use std::{convert::Infallible, sync::Arc};

use askama::Template;
use axum::{
    body::Body,
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use ebb_core::{Failure, config::Problem, port::Finding};
use ebb_store::Role;
use futures_util::{FutureExt, Stream, StreamExt, stream};
use tokio::sync::mpsc;

use super::{
    edit::{Shown, whole_page},
    form::document,
};
use crate::{
    access::Actor,
    app::{App, Section},
    pages::{
        Form, Frame,
        build::{
            field::Problems,
            form_again,
            typed::{Asked, Typed},
        },
    },
    prose::capitalized,
    refusal::Refusal,
};

/// Steps of one test that may wait to be shown; no test has more.
const STEPS: usize = 16;

/// A step of the test.
pub(in crate::pages::build) struct Step {
    pub(super) word: String,
    pub(super) failure: Option<Failure>,
}

#[derive(Template)]
#[template(path = "build/source_check.html")]
struct StepPart<'a> {
    frame: &'a Frame,
    step: &'a Step,
}

#[derive(Template)]
#[template(path = "build/source_verdict.html")]
struct VerdictPart<'a> {
    frame: &'a Frame,
    works: bool,
}

/// Tests a source with what was typed; `of` names one that is there, of which secrets that are left out
/// are taken. One that comes from files is tested as it is.
pub(in crate::pages::build) async fn test(
    State(app): State<Arc<App>>,
    actor: Actor,
    asked: Asked,
    Form(typed): Form<Typed>,
) -> Result<Response, Refusal> {
    actor.must_be(Role::Editor)?;
    let of = Some(typed.get("of")).filter(|name| !name.is_empty());
    match tested(&app, of, &typed) {
        Ok(steps) if asked == Asked::Part => {
            Ok(streamed(Frame::new(&app, &actor, "sources"), steps))
        }
        Ok(steps) => {
            let steps = steps.collect().await;
            let shown = Shown { of, typed: &typed, problems: Problems::default(), steps };
            whole_page(&app, &actor, shown)
        }
        Err(problems) => {
            let problems = Problems::new(Section::Sources, problems);
            let shown = Shown { of, typed: &typed, problems, steps: Vec::new() };
            Ok(form_again(asked, whole_page(&app, &actor, shown)?))
        }
    }
}

/// The steps of a test, which goes on while they are asked for.
fn tested(
    app: &App,
    of: Option<&str>,
    typed: &Typed,
) -> Result<impl Stream<Item = Step> + Send + use<>, Vec<Problem>> {
    let alone = |failure: Failure| vec![failure.into()];
    let source = match of {
        Some(name) if app.configuration().in_files(Section::Sources, name) => {
            app.kept_source(name).map_err(alone)?
        }
        Some(_) | None => {
            let kind = ebb_warehouse::form(typed.get("kind")).map_err(alone)?;
            app.drafted_source(of, document(kind, typed))?
        }
    };
    let (tell, told) = mpsc::channel(STEPS);
    let work = async move {
        // Nobody is there to be told when the browser has gone.
        source.steps(&mut |finding| drop(tell.try_send(Step::new(finding)))).await;
    };
    let nothing = work.into_stream().filter_map(|()| async { None });
    let told = stream::unfold(told, |mut told| async { told.recv().await.map(|it| (it, told)) });
    Ok(stream::select(told, nothing))
}

/// The part of the page with the steps, one after the other.
fn streamed(frame: Frame, steps: impl Stream<Item = Step> + Send + 'static) -> Response {
    let pieces = stream::unfold(Some((frame, Box::pin(steps), true)), |state| async {
        let (frame, mut steps, works) = state?;
        let Some(step) = steps.next().await else {
            let verdict = VerdictPart { frame: &frame, works }.render().unwrap_or_default();
            return Some((format!("{verdict}</ol></div>"), None));
        };
        let piece = StepPart { frame: &frame, step: &step }.render().unwrap_or_default();
        let works = works && step.failure.is_none();
        Some((piece, Some((frame, steps, works))))
    });
    let begin = "<div id=\"checks\" aria-live=\"polite\" data-streams><ol class=\"checks\">";
    let whole = stream::once(async { begin.to_owned() }).chain(pieces);
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        // Compression would hold pieces back until there are enough of them.
        (header::CONTENT_ENCODING, HeaderValue::from_static("identity")),
    ];
    (headers, Body::from_stream(whole.map(Ok::<_, Infallible>))).into_response()
}

/// Whether nothing failed.
pub(in crate::pages::build) fn all_work(steps: &[Step]) -> bool {
    steps.iter().all(|step| step.failure.is_none())
}

impl Step {
    fn new(finding: Finding) -> Self {
        Self { word: capitalized(finding.step), failure: finding.failure }
    }
}
