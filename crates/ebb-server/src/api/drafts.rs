//! Connections that are tried before they are kept, as the pages do while somebody types.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    connections::{Checked, findings, one_step},
    extract::{Body, Editor},
    sections::{
        channels::ChannelDocument, destinations::DestinationDocument, sources::SourceDocument,
    },
};
use crate::{
    app::{App, Section},
    refusal::Refusal,
};

pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(check_draft_source))
        .routes(routes!(check_draft_destination))
        .routes(routes!(test_draft_channel))
}

/// A document that need not be kept.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Draft<D> {
    /// The kept one that it would replace, if there is one: secrets that are left out are taken from it.
    name: Option<String>,
    /// What a project file would say. Every text is meant as it is.
    document: D,
}

impl<D: Into<Map<String, Value>>> Draft<D> {
    /// Its parts. Fails with `A609` if it would replace what is not there.
    fn apart(
        self,
        app: &App,
        section: Section,
    ) -> Result<(Option<String>, Map<String, Value>), Refusal> {
        let Self { name, document } = self;
        replaced(app, section, name.as_deref())?;
        Ok((name, document.into()))
    }
}

/// `A609` if a draft would replace what is not there.
pub(super) fn replaced(app: &App, section: Section, name: Option<&str>) -> Result<(), Refusal> {
    name.map_or(Ok(()), |name| Ok(app.configuration().find(section, name)?))
}

/// Test a source that is not kept: reach it, sign in, read, create the managed schema, write
#[utoipa::path(post, path = "/drafts/source/check", tag = "sources", request_body = Draft<SourceDocument>,
    responses((status = 200, description = "What was found", body = Checked)))]
async fn check_draft_source(
    State(app): State<Arc<App>>,
    _: Editor,
    Body(draft): Body<Draft<SourceDocument>>,
) -> Result<Json<Checked>, Refusal> {
    let (name, document) = draft.apart(&app, Section::Sources)?;
    Ok(Json(findings(app.drafted_source(name.as_deref(), document)?.findings().await)))
}

/// Test the credentials of a destination that is not kept
#[utoipa::path(post, path = "/drafts/destination/check", tag = "destinations",
    request_body = Draft<DestinationDocument>,
    responses((status = 200, description = "What was found", body = Checked)))]
async fn check_draft_destination(
    State(app): State<Arc<App>>,
    _: Editor,
    Body(draft): Body<Draft<DestinationDocument>>,
) -> Result<Json<Checked>, Refusal> {
    let (name, document) = draft.apart(&app, Section::Destinations)?;
    let failure = app.try_destination(name.as_deref(), document).await?;
    Ok(Json(one_step("credentials", failure.as_ref())))
}

/// Send a test alert to a channel that is not kept
#[utoipa::path(post, path = "/drafts/channel/test", tag = "channels", request_body = Draft<ChannelDocument>,
    responses((status = 200, description = "Whether it was taken", body = Checked)))]
async fn test_draft_channel(
    State(app): State<Arc<App>>,
    Editor(actor): Editor,
    Body(draft): Body<Draft<ChannelDocument>>,
) -> Result<Json<Checked>, Refusal> {
    let (name, document) = draft.apart(&app, Section::Channels)?;
    let failure = app.try_channel(&actor, name.as_deref(), document).await?;
    Ok(Json(one_step("test alert", failure.as_ref())))
}
