//! All addresses, and what every answer goes through.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Extension, Json, Router,
    extract::{DefaultBodyLimit, Request, State, connect_info::Connected},
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware::{Next, from_fn, from_fn_with_state},
    response::Response,
    routing::get,
    serve::{IncomingStream, Listener},
};
use ebb_core::port::Store;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower_http::compression::CompressionLayer;

use crate::{
    access::{Peer, guard, identify},
    api,
    app::App,
    assets,
    body::LARGEST,
    hooks, metrics, pages,
    refusal::as_documents,
    tls::{Certificate, TlsListener, follow},
};

/// Answers requests until `stop` says otherwise and those under way are answered.
pub async fn serve(
    app: Arc<App>,
    listener: TcpListener,
    stop: CancellationToken,
) -> io::Result<()> {
    app.listens_at("http", listener.local_addr()?);
    answer(app, listener, stop).await
}

/// The same by TLS, with a certificate that may be renewed meanwhile.
pub async fn serve_tls(
    app: Arc<App>,
    listener: TcpListener,
    certificate: Certificate,
    stop: CancellationToken,
) -> io::Result<()> {
    app.listens_at("https", listener.local_addr()?);
    let listener = TlsListener::new(listener, &certificate).map_err(io::Error::other)?;
    let (followed, answered) =
        tokio::join!(follow(certificate, stop.clone()), answer(app, listener, stop));
    followed.and(answered)
}

async fn answer<L>(app: Arc<App>, listener: L, stop: CancellationToken) -> io::Result<()>
where
    L: Listener<Addr = SocketAddr>,
    Peer: for<'a> Connected<IncomingStream<'a, L>>,
{
    let finishing = app.finishing.clone();
    let service = router(app, stop.clone()).into_make_service_with_connect_info::<Peer>();
    axum::serve(listener, service).with_graceful_shutdown(stop.cancelled_owned()).await?;
    finishing.close();
    finishing.wait().await;
    Ok(())
}

fn router(app: Arc<App>, stop: CancellationToken) -> Router {
    let api = api::router()
        .layer(Extension(stop))
        .layer(from_fn_with_state(Arc::clone(&app), guard))
        .layer(from_fn_with_state(Arc::clone(&app), identify))
        .layer(from_fn(as_documents));
    let pages = pages::router()
        .layer(from_fn_with_state(Arc::clone(&app), guard))
        .layer(from_fn_with_state(Arc::clone(&app), pages::in_words))
        .layer(from_fn_with_state(Arc::clone(&app), identify));
    let metrics = Router::new()
        .route("/metrics", get(metrics::get))
        .layer(from_fn_with_state(Arc::clone(&app), identify))
        .layer(from_fn(as_documents));
    Router::new()
        .merge(metrics)
        .merge(hooks::router())
        .merge(pages)
        .merge(api)
        .route("/assets/{version}/{name}", get(assets::get))
        .route("/healthz", get(alive))
        .route("/readyz", get(ready))
        .layer(DefaultBodyLimit::max(LARGEST))
        .layer(CompressionLayer::new())
        .layer(from_fn_with_state(Arc::clone(&app), secured))
        .layer(from_fn_with_state(Arc::clone(&app), metrics::measured))
        .with_state(app)
}

/// Says what a browser may do with an answer: no script but the server's own, no frame around it.
async fn secured(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                          connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
    /// A browser that was here by TLS comes by nothing else for a year.
    const BY_TLS_ALONE: HeaderValue = HeaderValue::from_static("max-age=31536000");
    let mut response = next.run(request).await;
    if app.way.is_encrypted() {
        response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, BY_TLS_ALONE);
    }
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// The process answers.
async fn alive() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

/// It can work: the control database answers.
async fn ready(State(app): State<Arc<App>>) -> (StatusCode, Json<Value>) {
    if let Ok(Ok(_)) = tokio::time::timeout(Duration::from_secs(5), app.store.syncs(None, 1)).await
    {
        return (StatusCode::OK, Json(json!({ "status": "ok" })));
    }
    let told = json!({ "status": "the control database does not answer" });
    (StatusCode::SERVICE_UNAVAILABLE, Json(told))
}
