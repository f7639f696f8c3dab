//! Columns that would fit the fields of an action.

use std::sync::Arc;

use axum::{Json, extract::State};
use ebb_core::port::Wanted;
use ebb_destination::{Likeness, value_of_column};
use ebb_workspace::Freshness;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    extract::{Body, Editor},
    shapes,
};
use crate::{app::App, refusal::Refusal};

pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(suggestions))
}

/// What a mapping joins.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Ends {
    /// The model's name.
    model: String,
    /// The destination's name.
    destination: String,
    /// The action's key.
    action: String,
    /// What the mapping says already: these fields get no suggestion.
    #[serde(default)]
    #[schema(value_type = Object, required = false)]
    fields: Map<String, Value>,
}

/// Columns that would fit.
#[derive(Debug, Serialize, ToSchema)]
struct Suggestions {
    /// In the order of the action's fields.
    items: Vec<SuggestionView>,
}

/// A column that would fit a field.
#[derive(Debug, Serialize, ToSchema)]
struct SuggestionView {
    /// The field's key.
    field: String,
    /// The column's name.
    column: String,
    /// What the column is called like, beside having values that the field may take.
    #[schema(value_type = shapes::Likeness)]
    why: Likeness,
    /// What the mapping's `fields` would say.
    #[schema(value_type = Object)]
    value: Value,
}

/// Suggest columns for the fields of an action, by name and type
///
/// Fields with a default that holds get none.
#[utoipa::path(post, path = "/drafts/mapping/suggestions", tag = "mappings", request_body = Ends,
    responses((status = 200, description = "By field", body = Suggestions)))]
async fn suggestions(
    State(app): State<Arc<App>>,
    _: Editor,
    Body(Ends { model, destination, action, fields }): Body<Ends>,
) -> Result<Json<Suggestions>, Refusal> {
    let preview = app.preview_model(&model, Wanted::First, Freshness::Kept).await?;
    let definition = app.definition(&destination)?;
    definition.action_exists(&action)?;
    let columns = preview.records.columns();
    let mut items = Vec::new();
    if let Some(action) = definition.manifest.actions.get(&action) {
        for key in action.visible().filter(|key| !fields.contains_key(*key)) {
            items.extend(action.suggestion(key, columns).map(|found| SuggestionView {
                field: key.to_owned(),
                column: found.column.to_owned(),
                why: found.why,
                value: value_of_column(found.column),
            }));
        }
    }
    Ok(Json(Suggestions { items }))
}
