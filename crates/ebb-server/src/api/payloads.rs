//! What mappings make of one record, with nothing sent.

use std::sync::Arc;

use axum::{Json, extract::State};
use ebb_core::port::ShownRequest;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    drafts::replaced,
    extract::{Body, Editor, Path, Query},
    sections::mappings::MappingDocument,
    shapes,
    views::FailureView,
};
use crate::{
    app::{App, Drafted, Rehearsal, Section},
    refusal::Refusal,
};

pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(preview_payload)).routes(routes!(preview_draft))
}

/// What a mapping makes of a record. What fails is among the failures.
#[derive(Debug, Serialize, ToSchema)]
struct PayloadView {
    /// The record's identifier.
    record_id: String,
    /// Values by field.
    #[schema(required, nullable, value_type = Option<Object>)]
    payload: Option<Value>,
    /// The exact requests that would be made first; later ones may depend on the answers.
    #[schema(value_type = Vec<shapes::ShownRequest>)]
    requests: Vec<ShownRequest>,
    failures: Vec<FieldFailureView>,
}

/// What does not work.
#[derive(Debug, Serialize, ToSchema)]
struct FieldFailureView {
    /// The field that it is about, if it is about one.
    #[schema(required, nullable)]
    field: Option<String>,
    failure: FailureView,
}

impl PayloadView {
    fn new(drafted: &Drafted, rehearsal: Rehearsal) -> Self {
        let Rehearsal { record_id, payload, requests } = rehearsal;
        let failures = payload.as_ref().err().or_else(|| requests.as_ref().err());
        let failures = failures.map(|failure| FieldFailureView {
            field: drafted.field_of(failure).map(str::to_owned),
            failure: FailureView::from(failure),
        });
        let failures = failures.into_iter().collect();
        let payload = payload.ok().and_then(|payload| serde_json::from_str(&payload).ok());
        Self { record_id, payload, requests: requests.unwrap_or_default(), failures }
    }
}

/// Which record.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct OfRecord {
    /// The record's identifier; the model's first record if absent.
    record_id: Option<String>,
}

/// Find out what a mapping makes of one record; nothing is sent
#[utoipa::path(post, path = "/mappings/{name}/preview", tag = "mappings",
    params(("name" = String, Path), OfRecord),
    responses((status = 200, description = "Payload and requests", body = PayloadView)))]
async fn preview_payload(
    State(app): State<Arc<App>>,
    _: Editor,
    Path(name): Path<String>,
    Query(OfRecord { record_id }): Query<OfRecord>,
) -> Result<Json<PayloadView>, Refusal> {
    let drafted = app.kept(&name)?;
    let rehearsal = app.rehearse(&drafted, record_id.as_deref()).await?;
    Ok(Json(PayloadView::new(&drafted, rehearsal)))
}

/// A mapping that need not be kept, and a record for it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PreviewDraft {
    /// The kept mapping that it would replace, if there is one.
    name: Option<String>,
    /// What a project file would say. Every text is meant as it is.
    document: MappingDocument,
    /// The record's identifier; the model's first record if absent.
    record_id: Option<String>,
}

/// Find out what a mapping that is not kept makes of one record; nothing is sent
///
/// What is wrong with the document itself is refused (422), each error with its path.
#[utoipa::path(post, path = "/drafts/mapping/preview", tag = "mappings", request_body = PreviewDraft,
    responses((status = 200, description = "Payload and requests", body = PayloadView)))]
async fn preview_draft(
    State(app): State<Arc<App>>,
    _: Editor,
    Body(PreviewDraft { name, document, record_id }): Body<PreviewDraft>,
) -> Result<Json<PayloadView>, Refusal> {
    replaced(&app, Section::Mappings, name.as_deref())?;
    let drafted = app.drafted(name.as_deref(), document.into())?;
    let rehearsal = app.rehearse(&drafted, record_id.as_deref()).await?;
    Ok(Json(PayloadView::new(&drafted, rehearsal)))
}
