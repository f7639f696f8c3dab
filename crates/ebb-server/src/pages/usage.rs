//! How many records destinations got, beside what they may get.

use std::sync::Arc;

use askama::Template;
use axum::{extract::State, response::Response};
use ebb_core::usage::{Cycle, Month, Report, Share};
use jiff::{Timestamp, tz::TimeZone};

use super::{Frame, page, words::count};
use crate::{access::Actor, app::App, refusal::Refusal};

/// A destination in this month.
struct Row {
    name: String,
    /// Whether it is there still.
    known: bool,
    records: u64,
    told: String,
    share: String,
}

/// A month of the past.
struct Past {
    name: String,
    records: u64,
    told: String,
    /// The destinations, most first.
    among: String,
}

/// The plan's limit.
struct Limit {
    records: u64,
    told: String,
    left: String,
    reached: bool,
}

#[derive(Template)]
#[template(path = "usage.html")]
struct UsagePage {
    frame: Frame,
    month: String,
    /// The day on which the next month begins.
    next: String,
    plan: &'static str,
    records: u64,
    told: String,
    limit: Option<Limit>,
    rows: Vec<Row>,
    past: Vec<Past>,
    most: u64,
}

pub(super) async fn show(State(app): State<Arc<App>>, actor: Actor) -> Result<Response, Refusal> {
    let Report { month, ends_at, plan, limit, records, destinations, months } = app.usage().await?;
    let configuration = app.configuration();
    let known = &configuration.workspace.project.destinations;
    let row = |Share { destination, records: of }: Share| Row {
        known: known.contains_key(&destination),
        told: count(of),
        share: share(of, records),
        name: destination,
        records: of,
    };
    let most = months.iter().skip(1).map(|month| month.records).max().unwrap_or(0);
    page(&UsagePage {
        frame: Frame::new(&app, &actor, "usage"),
        month: name(month),
        next: day(ends_at),
        plan,
        told: count(records),
        limit: limit.map(|limit| Limit {
            records: limit.max(1),
            told: count(limit),
            left: count(limit.saturating_sub(records)),
            reached: records >= limit,
        }),
        rows: destinations.into_iter().map(row).collect(),
        past: months.into_iter().skip(1).map(past).collect(),
        most: most.max(1),
        records,
    })
}

fn past(Month { month, records, destinations }: Month) -> Past {
    let among =
        destinations.iter().map(|share| format!("{} {}", share.destination, count(share.records)));
    Past {
        name: name(month),
        records,
        told: count(records),
        among: among.collect::<Vec<_>>().join(" · "),
    }
}

/// A part of a whole in percent.
fn share(part: u64, whole: u64) -> String {
    let tenths = u128::from(part) * 1000 / u128::from(whole.max(1));
    format!("{}.{} %", tenths / 10, tenths % 10)
}

/// `November 2026`.
fn name(month: Cycle) -> String {
    month.begins().to_zoned(TimeZone::UTC).strftime("%B %Y").to_string()
}

/// `1 December`.
fn day(moment: Timestamp) -> String {
    moment.to_zoned(TimeZone::UTC).strftime("%-d %B").to_string()
}
