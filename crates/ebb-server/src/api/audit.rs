//! Who changed what.

use std::sync::Arc;

use axum::{Json, extract::State};
use ebb_store::AuditLine;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    extract::{Owner, Query},
    paging::{Page, Paging},
};
use crate::{app::App, refusal::Refusal};

pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list))
}

/// A line of the audit log.
#[derive(Debug, Serialize, ToSchema)]
struct AuditView {
    id: String,
    at: Timestamp,
    /// Who: an address, and the token's name where one was used.
    actor: String,
    /// What was done, such as `mapping.updated`.
    action: String,
    /// What it was done to.
    subject: String,
    /// How it was before; secrets are left out.
    #[schema(required, nullable, value_type = Option<Object>)]
    before: Option<Value>,
    /// How it is now; a secret that changed stands as "changed".
    #[schema(required, nullable, value_type = Option<Object>)]
    after: Option<Value>,
}

impl From<AuditLine> for AuditView {
    fn from(line: AuditLine) -> Self {
        let AuditLine { id, at, actor, action, subject, before, after } = line;
        Self { id, at, actor, action, subject, before, after }
    }
}

/// List who changed what, the newest first
#[utoipa::path(get, path = "/audit", tag = "audit", params(Paging),
    responses((status = 200, description = "The newest first", body = Page<AuditView>)))]
async fn list(
    State(app): State<Arc<App>>,
    _: Owner,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<AuditView>>, Refusal> {
    let limit = paging.limit()?;
    let lines = app.store.audit(paging.cursor(), limit + 1).await?;
    Ok(Json(Page::new(lines, limit, |last| last.id.clone()).map(AuditView::from)))
}
