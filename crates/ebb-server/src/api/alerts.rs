//! What went wrong and was told.

use std::{collections::HashMap, sync::Arc};

use axum::{Json, extract::State};
use ebb_core::{Code, Failure, config::Trouble};
use ebb_store::{Alert, AlertFilter, Told};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    extract::{Path, Query},
    paging::{self, Page},
    views::FailureView,
};
use crate::{access::Actor, app::App, refusal::Refusal};

pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(get))
}

/// Something that went wrong with a mapping, from when it was seen until it was over.
#[derive(Debug, Serialize, ToSchema)]
struct AlertView {
    /// Sorts by time.
    id: String,
    mapping: String,
    /// `failed`, `partial`, `held`, `late`, `delivery_rate` or `volume_change`.
    trouble: String,
    /// What it is measured by: seconds for `late`, a share for the last two, `null` for the others.
    #[schema(required, nullable)]
    threshold: Option<f64>,
    /// The sync that showed it; `null` for one that has not started.
    #[schema(required, nullable)]
    sync: Option<String>,
    opened_at: Timestamp,
    /// When it was over; `null` while it lasts.
    #[schema(required, nullable)]
    closed_at: Option<Timestamp>,
    /// `recovered`, or `withdrawn` where nobody watches it any more; `null` while it lasts.
    #[schema(required, nullable)]
    ending: Option<&'static str>,
    /// The sync that showed that it is over.
    #[schema(required, nullable)]
    closing_sync: Option<String>,
    /// The code of the failure, where there is one.
    #[schema(required, nullable)]
    code: Option<String>,
    /// What happened, in one sentence.
    message: String,
    /// What to do.
    help: String,
    /// Which channels were told.
    told: Vec<ToldView>,
}

/// What a channel was told.
#[derive(Debug, Serialize, ToSchema)]
struct ToldView {
    channel: String,
    /// `opened` or `recovered`.
    event: &'static str,
    /// `waiting`, `sent` or `given_up`.
    state: &'static str,
    /// Why the latest try did not work.
    #[schema(required, nullable)]
    failure: Option<FailureView>,
}

impl From<Told> for ToldView {
    fn from(told: Told) -> Self {
        let state = match (told.waits, &told.failure) {
            (true, _) => "waiting",
            (false, None) => "sent",
            (false, Some(_)) => "given_up",
        };
        let failure = told.failure.as_ref().map(FailureView::from);
        Self { channel: told.channel, event: told.event.as_str(), state, failure }
    }
}

impl AlertView {
    fn new(alert: Alert, told: Vec<ToldView>) -> Self {
        let (closed_at, ending, closing_sync) = match alert.end {
            None => (None, None, None),
            Some(end) => (Some(end.at), Some(end.ending.as_str()), end.sync),
        };
        Self {
            threshold: threshold(&alert.trouble, alert.threshold),
            id: alert.id,
            mapping: alert.mapping,
            trouble: alert.trouble,
            sync: alert.sync,
            opened_at: alert.opened_at,
            closed_at,
            ending,
            closing_sync,
            code: alert.code,
            message: alert.message,
            help: alert.help,
            told,
        }
    }
}

/// A measure in the unit of the configuration.
#[expect(clippy::cast_precision_loss, reason = "measures have few digits")]
fn threshold(trouble: &str, threshold: i64) -> Option<f64> {
    match Trouble::named(trouble)? {
        Trouble::Failed | Trouble::Partial | Trouble::Held => None,
        Trouble::Late => Some(threshold as f64),
        Trouble::DeliveryRate | Trouble::VolumeChange => Some(threshold as f64 / 1e6),
    }
}

/// Whether alerts last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum AlertState {
    Open,
    Past,
}

/// Which alerts.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// Those of this mapping alone.
    mapping: Option<String>,
    /// `open` or `past`; both if absent.
    #[param(inline)]
    state: Option<AlertState>,
    /// The `next_cursor` of the piece before; the beginning if absent.
    cursor: Option<String>,
    /// How many at most, 1 to 200; 50 if absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u16>,
}

/// The alerts as they are told, with what became of their notices.
async fn views(app: &App, alerts: Vec<Alert>) -> Result<Vec<AlertView>, Failure> {
    let ids = alerts.iter().map(|alert| alert.id.clone()).collect();
    let mut told: HashMap<String, Vec<ToldView>> = HashMap::new();
    for notice in app.store.alert_notices(ids).await? {
        told.entry(notice.alert.clone()).or_default().push(notice.into());
    }
    let view = |alert: Alert| {
        let told = told.remove(&alert.id).unwrap_or_default();
        AlertView::new(alert, told)
    };
    Ok(alerts.into_iter().map(view).collect())
}

/// List alerts, the newest first
#[utoipa::path(get, path = "/alerts", tag = "alerts", params(Wanted),
    responses((status = 200, description = "The newest first", body = Page<AlertView>)))]
async fn list(
    State(app): State<Arc<App>>,
    _: Actor,
    Query(Wanted { mapping, state, cursor, limit }): Query<Wanted>,
) -> Result<Json<Page<AlertView>>, Refusal> {
    let limit = paging::limit(limit)?;
    let open = state.map(|state| state == AlertState::Open);
    let filter = AlertFilter { mapping, open, before: cursor };
    let alerts = app.store.alerts(filter, limit + 1).await?;
    let views = views(&app, alerts).await?;
    Ok(Json(Page::new(views, limit, |last| last.id.clone())))
}

/// Read an alert
#[utoipa::path(get, path = "/alerts/{id}", tag = "alerts", params(("id" = String, Path)),
    responses((status = 200, description = "As it is", body = AlertView)))]
async fn get(
    State(app): State<Arc<App>>,
    _: Actor,
    Path(id): Path<String>,
) -> Result<Json<AlertView>, Refusal> {
    let found = app.store.alert(&id).await?.into_iter().collect();
    let unknown = || Failure::new(Code::AddressUnknown, format!("there is no alert `{id}`"));
    Ok(Json(views(&app, found).await?.pop().ok_or_else(unknown)?))
}
