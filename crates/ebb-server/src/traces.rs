//! Requests in traces: each a trace of its own, by the pattern of its address.

use axum::http::StatusCode;
use tracing::{Span, field::Empty};

/// What is asked all the time and tells nothing.
const SILENT: [&str; 4] = ["/healthz", "/readyz", "/metrics", "/assets/{version}/{name}"];

/// The span of a request. Its address is not in it: it may name a record.
pub(crate) fn request(method: &'static str, route: &str) -> Span {
    if SILENT.contains(&route) {
        return Span::none();
    }
    tracing::info_span!(
        target: ebb_engine::TRACES,
        parent: None,
        "request",
        otel.name = %format_args!("{method} {route}"),
        otel.kind = "server",
        http.request.method = method,
        http.route = route,
        http.response.status_code = Empty,
        otel.status_code = Empty,
    )
}

/// Tells how it was answered. What people ask wrongly is no error of the server.
pub(crate) fn answered(span: &Span, status: StatusCode) {
    span.record("http.response.status_code", i64::from(status.as_u16()));
    if status.is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
}
