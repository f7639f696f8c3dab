//! Whether sources, destinations and channels answer.

use std::sync::Arc;

use axum::{Json, extract::State};
use ebb_core::{Failure, port::Finding};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    extract::{Editor, Path},
    views::FailureView,
};
use crate::{app::App, refusal::Refusal};

pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(check_source))
        .routes(routes!(check_destination))
        .routes(routes!(test_channel))
}

/// Everything that was tried.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Checked {
    /// Whether nothing is wrong.
    ok: bool,
    /// In order.
    steps: Vec<Step>,
}

/// One thing that was tried.
#[derive(Debug, Serialize, ToSchema)]
struct Step {
    /// Such as `connect` or `create schema`.
    what: String,
    /// What is wrong, if anything.
    #[schema(required, nullable)]
    failure: Option<FailureView>,
}

/// Everything that was tried of a source.
pub(super) fn findings(findings: Vec<Finding>) -> Checked {
    let step = |finding: Finding| Step {
        what: finding.step.to_owned(),
        failure: finding.failure.as_ref().map(FailureView::from),
    };
    let steps: Vec<_> = findings.into_iter().map(step).collect();
    Checked { ok: steps.iter().all(|step| step.failure.is_none()), steps }
}

/// The one thing that was tried.
pub(super) fn one_step(what: &str, failure: Option<&Failure>) -> Checked {
    let failure = failure.map(FailureView::from);
    Checked { ok: failure.is_none(), steps: vec![Step { what: what.to_owned(), failure }] }
}

/// Test a source: reach it, sign in, read, create the managed schema, write
#[utoipa::path(post, path = "/sources/{name}/check", tag = "sources", params(("name" = String, Path)),
    responses((status = 200, description = "What was found", body = Checked)))]
async fn check_source(
    State(app): State<Arc<App>>,
    _: Editor,
    Path(name): Path<String>,
) -> Result<Json<Checked>, Refusal> {
    Ok(Json(findings(app.kept_source(&name)?.findings().await)))
}

/// Test a destination's credentials
#[utoipa::path(post, path = "/destinations/{name}/check", tag = "destinations",
    params(("name" = String, Path)),
    responses((status = 200, description = "What was found", body = Checked)))]
async fn check_destination(
    State(app): State<Arc<App>>,
    _: Editor,
    Path(name): Path<String>,
) -> Result<Json<Checked>, Refusal> {
    let failure = app.probe_destination(&name).await?;
    Ok(Json(one_step("credentials", failure.as_ref())))
}

/// Send a test alert to a channel
#[utoipa::path(post, path = "/channels/{name}/test", tag = "channels", params(("name" = String, Path)),
    responses((status = 200, description = "Whether it was taken", body = Checked)))]
async fn test_channel(
    State(app): State<Arc<App>>,
    Editor(actor): Editor,
    Path(name): Path<String>,
) -> Result<Json<Checked>, Refusal> {
    let failure = app.test_channel(&actor, &name).await?;
    Ok(Json(one_step("test alert", failure.as_ref())))
}
