//! Records that are sent for real, to see what is answered.

use std::sync::Arc;

use axum::{Json, extract::State};
use ebb_core::port::ShownRequest;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    drafts::replaced,
    extract::{Body, Editor, Path},
    once::{self, Key},
    sections::mappings::MappingDocument,
    shapes,
    views::FailureView,
};
use crate::{
    access::digest_of,
    app::{App, Said, Section, Tried},
    refusal::Refusal,
};

pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(test_record)).routes(routes!(test_draft_record))
}

/// What became of a test record.
#[derive(Debug, Serialize, ToSchema)]
struct TrialView {
    /// Whether the destination took it.
    delivered: bool,
    /// The requests and their answers, in order, without secrets.
    exchanges: Vec<ExchangeView>,
    /// Why it was not taken.
    #[schema(required, nullable)]
    failure: Option<FailureView>,
}

/// A request and its answer.
#[derive(Debug, Serialize, ToSchema)]
struct ExchangeView {
    #[schema(value_type = shapes::ShownRequest)]
    request: ShownRequest,
    reply: ReplyView,
}

/// An answer.
#[derive(Debug, Serialize, ToSchema)]
struct ReplyView {
    /// The HTTP status.
    status: u16,
    body: String,
}

impl From<Tried> for TrialView {
    fn from(Tried { exchanges, outcome }: Tried) -> Self {
        let exchange = |said: Said| ExchangeView {
            request: said.request,
            reply: ReplyView { status: said.status, body: said.body },
        };
        Self {
            delivered: outcome.is_ok(),
            exchanges: exchanges.into_iter().map(exchange).collect(),
            failure: outcome.as_ref().err().map(FailureView::from),
        }
    }
}

/// Which record is sent.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TestRecord {
    /// The record's identifier.
    record_id: String,
}

/// Send one record for real, as if it had just been added; nothing is tracked
///
/// A mapping or destination that is switched off sends it too. With an `Idempotency-Key` the same request within
/// a day gives the same answer and sends nothing.
#[utoipa::path(post, path = "/mappings/{name}/test-record", tag = "mappings",
    params(("name" = String, Path), ("Idempotency-Key" = Option<String>, Header,
        description = "Any text of up to 255 characters, new for every test that is meant anew")),
    request_body = TestRecord,
    responses((status = 200, description = "What was said", body = TrialView)))]
async fn test_record(
    State(app): State<Arc<App>>,
    Editor(actor): Editor,
    Path(name): Path<String>,
    key: Key,
    Body(TestRecord { record_id }): Body<TestRecord>,
) -> Result<Json<Value>, Refusal> {
    let once = key.once(&actor, format!("{name} test-record {record_id}"));
    let asked = Arc::clone(&app);
    let work = async move { Ok(TrialView::from(asked.trial(&actor, &name, &record_id).await?)) };
    once::done(&app, once, work).await
}

/// A mapping that need not be kept, and the record that is sent.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TestDraft {
    /// The kept mapping that it would replace, if there is one.
    name: Option<String>,
    /// What a project file would say. Every text is meant as it is.
    document: MappingDocument,
    /// The record's identifier.
    record_id: String,
}

/// Send one record for real by a mapping that is not kept; nothing is tracked
///
/// With an `Idempotency-Key` the same request within a day gives the same answer and sends nothing.
#[utoipa::path(post, path = "/drafts/mapping/test-record", tag = "mappings",
    params(("Idempotency-Key" = Option<String>, Header,
        description = "Any text of up to 255 characters, new for every test that is meant anew")),
    request_body = TestDraft,
    responses((status = 200, description = "What was said", body = TrialView)))]
async fn test_draft_record(
    State(app): State<Arc<App>>,
    Editor(actor): Editor,
    key: Key,
    Body(TestDraft { name, document, record_id }): Body<TestDraft>,
) -> Result<Json<Value>, Refusal> {
    replaced(&app, Section::Mappings, name.as_deref())?;
    let document = Map::from(document);
    let subject = name.clone().unwrap_or_default();
    let asks = json!([subject, document, record_id]);
    let once = key.once(&actor, format!("test-record {}", digest_of(&asks.to_string())));
    let asked = Arc::clone(&app);
    let work = async move {
        let drafted = asked.drafted(name.as_deref(), document)?;
        let tried = asked.send_record(&actor, drafted.job, &subject, &record_id).await?;
        Ok(TrialView::from(tried))
    };
    once::done(&app, once, work).await
}
