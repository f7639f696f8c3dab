//! What a provider says of somebody who signs in, and whether that can be believed (OpenID Connect Core,
//! 3.1.3.7).

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::keys::{KeySet, Signed};

/// What is said of somebody.
pub(super) type Claims = Map<String, Value>;

/// Seconds by which clocks may differ.
const LEEWAY: i64 = 60;

/// What a token must be about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) client_id: &'a str,
    pub(super) nonce: &'a str,
    pub(super) now: Timestamp,
}

/// Why a token is not believed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Disbelief {
    /// It is signed by a key that was not published when the keys were fetched.
    UnknownKey,
    /// Something else; the rest of a sentence about the token.
    Wrong(&'static str),
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
}

/// Reads a token that is signed by one of these keys and says what is expected.
pub(super) fn read(
    token: &str,
    keys: &KeySet,
    expected: Expected<'_>,
) -> Result<Claims, Disbelief> {
    const MALFORMED: Disbelief = Disbelief::Wrong("is malformed");
    let (message, signature) = token.rsplit_once('.').ok_or(MALFORMED)?;
    let (header, claims) = message.split_once('.').ok_or(MALFORMED)?;
    let decode = |text: &str| BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| MALFORMED);
    let Header { alg, kid } = serde_json::from_slice(&decode(header)?).map_err(|_| MALFORMED)?;
    let signature = decode(signature)?;
    match keys.judge((&alg, kid.as_deref()), message.as_bytes(), &signature) {
        Signed::Right => {}
        Signed::Wrong => return Err(Disbelief::Wrong("is not signed by the provider")),
        Signed::ByUnknown => return Err(Disbelief::UnknownKey),
    }
    let claims: Claims = serde_json::from_slice(&decode(claims)?).map_err(|_| MALFORMED)?;
    judge(&claims, expected)?;
    Ok(claims)
}

fn judge(claims: &Claims, expected: Expected<'_>) -> Result<(), Disbelief> {
    let Expected { issuer, client_id, nonce, now } = expected;
    let text = |key: &str| claims.get(key).and_then(Value::as_str);
    let audience: Vec<&str> = match claims.get("aud") {
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
        one => one.and_then(Value::as_str).into_iter().collect(),
    };
    // Not `azp` alone: of several readers it is the one that asked.
    let party = text("azp");
    let alone = audience.len() == 1 || party.is_some();
    let now = now.as_second();
    for (fine, what) in [
        (text("iss") == Some(issuer), "is of another provider"),
        (audience.contains(&client_id), "is meant for another client"),
        (alone && party.is_none_or(|party| party == client_id), "was asked for by another client"),
        (text("nonce") == Some(nonce), "belongs to another sign-in"),
        (moment(claims, "exp").is_some_and(|end| now < end + LEEWAY), "has expired"),
        (moment(claims, "iat").is_some_and(|made| made <= now + LEEWAY), "was made in the future"),
        (moment(claims, "nbf").is_none_or(|begin| begin <= now + LEEWAY), "is not valid yet"),
        (text("sub").is_some_and(|subject| !subject.is_empty()), "says of nobody who it is"),
    ] {
        if !fine {
            return Err(Disbelief::Wrong(what));
        }
    }
    Ok(())
}

/// Seconds since 1970; some providers write fractions.
fn moment(claims: &Claims, key: &str) -> Option<i64> {
    let number = claims.get(key)?;
    #[expect(clippy::cast_possible_truncation, reason = "a cast of floats saturates")]
    let rounded = || number.as_f64().map(|seconds| seconds as i64);
    number.as_i64().or_else(rounded)
}
