//! Everything that a sync did not deliver, as a table for spreadsheets.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use ebb_core::{Code, Failure, port::Verdict};
use ebb_engine::Undelivered;
use futures_util::{StreamExt, TryStreamExt, stream};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::extract::Path;
use crate::{access::Actor, app::App, refusal::Refusal};

/// The first line.
const COLUMNS: &str = "code,verdict,message,advice,record_id,payload,reply,records\r\n";

pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(failures_csv))
}

/// Download the records that a sync did not deliver, one a line
///
/// The first few of each reason have what was sent and what was answered. Where identifiers are not kept, as
/// of rows without one or of a sync whose records are no longer kept, a line without an identifier tells
/// in its last column how many records it stands for. An answer that breaks off is not complete.
#[utoipa::path(get, path = "/syncs/{id}/failures.csv", tag = "syncs", params(("id" = String, Path)),
    responses((status = 200,
        description = "Code, verdict, message, advice, record, payload, answer, number of records",
        body = String, content_type = "text/csv")))]
async fn failures_csv(
    State(app): State<Arc<App>>,
    _: Actor,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let sync = app.sync(&id).await?;
    let reader = app.engine.undelivered(&sync).await?;
    let lines = stream::try_unfold(reader, async |mut reader| {
        let found = reader.next().await?;
        Ok::<_, Failure>(found.map(|found| (found.iter().map(line).collect::<String>(), reader)))
    });
    let text = stream::iter([Ok(COLUMNS.to_owned())]).chain(lines);
    let told = text.inspect_err(|failure| tracing::warn!(%failure, "a download broke off"));
    let name = format!("attachment; filename=\"failures-{}.csv\"", sync.id);
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8")),
        (
            header::CONTENT_DISPOSITION,
            HeaderValue::try_from(name).map_err(|error| {
                Failure::new(Code::StateUnavailable, "the file has no name").caused_by(error)
            })?,
        ),
    ];
    Ok((headers, Body::from_stream(told)).into_response())
}

fn line(of: &Undelivered) -> String {
    let Undelivered { failure, verdict, records, record_id, sample } = of;
    let verdict = match verdict {
        Verdict::Delivered => "delivered",
        Verdict::Failed => "failed",
        Verdict::Discarded => "discarded",
    };
    let (payload, reply) = sample
        .as_ref()
        .map_or(("", ""), |sample| (&sample.payload, sample.reply.as_deref().unwrap_or_default()));
    let cells = [
        failure.code.as_str(),
        verdict,
        failure.message(),
        failure.advice(),
        record_id.as_deref().unwrap_or_default(),
        payload,
        reply,
        &records.to_string(),
    ];
    let cells: Vec<_> = cells.into_iter().map(cell).collect();
    cells.join(",") + "\r\n"
}

/// A value as RFC 4180 has it. What a spreadsheet would take for a formula is made plain text by an
/// apostrophe before it: values come from others.
fn cell(value: &str) -> String {
    let formula = value.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let number = value.parse::<f64>().is_ok();
    let mark = if formula && !number { "'" } else { "" };
    format!("\"{mark}{}\"", value.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::cell;

    #[test]
    fn a_cell_keeps_its_quotes_and_is_no_formula() {
        for (value, expected) in [
            ("a \"b\", c", "\"a \"\"b\"\", c\""),
            ("=1+1", "\"'=1+1\""),
            ("-12.5", "\"-12.5\""),
            ("", "\"\""),
        ] {
            assert_eq!(cell(value), expected);
        }
    }
}
