//! Stylesheet, scripts and drawings: part of the program, kept by browsers until they change.

use std::sync::OnceLock;

use axum::{
    extract::Path,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use ring::digest::{Context, SHA256};

/// A file that pages load.
struct Asset {
    name: &'static str,
    kind: &'static str,
    bytes: &'static [u8],
}

macro_rules! assets {
    ($($name:literal $kind:literal;)*) => {
        &[$(Asset {
            name: $name,
            kind: $kind,
            bytes: include_bytes!(concat!("../assets/", $name)),
        }),*]
    };
}

const ASSETS: &[Asset] = assets! {
    "complete.js" "text/javascript";
    "ebb.css" "text/css";
    "ebb.js" "text/javascript";
    "editor.js" "text/javascript";
    "htmx.js" "text/javascript";
    "refused.js" "text/javascript";
    "ebb.svg" "image/svg+xml";
    "icons.svg" "image/svg+xml";
    "source-tables.js" "text/javascript";
    "suggestions.js" "text/javascript";
    "tables.js" "text/javascript";
    "tide.svg" "image/svg+xml";
};

/// A digest of all assets: a part of their addresses, so that a browser may keep them for good.
pub(crate) fn version() -> &'static str {
    static VERSION: OnceLock<String> = OnceLock::new();
    VERSION.get_or_init(|| {
        let mut digest = Context::new(&SHA256);
        for asset in ASSETS {
            digest.update(asset.bytes);
        }
        BASE64_URL_SAFE_NO_PAD
            .encode(digest.finish().as_ref().first_chunk::<9>().unwrap_or(&[0; 9]))
    })
}

/// Answers with a file.
pub(crate) async fn get(Path((_, name)): Path<(String, String)>) -> Response {
    let Some(asset) = ASSETS.iter().find(|asset| asset.name == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let kept = HeaderValue::from_static("public, max-age=31536000, immutable");
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(asset.kind)),
        (header::CACHE_CONTROL, kept),
    ];
    (headers, asset.bytes).into_response()
}
