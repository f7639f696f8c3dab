//! Tokens that another implementation signed (`vectors.json`, by Python's `cryptography`), and what is wrong
//! with others.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jiff::Timestamp;
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use serde_json::{Value, json};

use super::{
    id_token::{Disbelief, Expected, read},
    keys::KeySet,
};

fn vectors() -> (KeySet, Value) {
    let text = include_str!("vectors.json");
    (KeySet::read(text.as_bytes()).unwrap(), serde_json::from_str(text).unwrap())
}

fn expected() -> Expected<'static> {
    Expected {
        issuer: "https://idp.test",
        client_id: "ebb",
        nonce: "n",
        now: Timestamp::from_second(1_800_000_010).unwrap(),
    }
}

#[test]
fn what_the_provider_signed_is_believed_however_it_signs() {
    let (keys, vectors) = vectors();
    for (algorithm, token) in vectors["right"].as_object().unwrap() {
        let claims = read(token.as_str().unwrap(), &keys, expected());
        assert_eq!(claims.unwrap()["sub"], "1", "{algorithm}");
    }
}

#[test]
fn what_it_did_not_sign_or_in_no_way_that_is_taken_is_not() {
    let (keys, vectors) = vectors();
    for (what, token) in vectors["wrong"].as_object().unwrap() {
        let disbelief = read(token.as_str().unwrap(), &keys, expected()).unwrap_err();
        assert_eq!(disbelief, Disbelief::Wrong("is not signed by the provider"), "{what}");
    }
    for (what, token) in vectors["unknown"].as_object().unwrap() {
        let disbelief = read(token.as_str().unwrap(), &keys, expected()).unwrap_err();
        assert_eq!(disbelief, Disbelief::UnknownKey, "{what}");
    }
    for token in ["", ".", "..", "a.b", "a.b.c", "e30.e30.", "e30.e30.e30"] {
        let disbelief = read(token, &keys, expected()).unwrap_err();
        assert_eq!(disbelief, Disbelief::Wrong("is malformed"), "{token}");
    }
}

/// A key, and the set that it is in.
fn signer() -> (EcdsaKeyPair, KeySet) {
    let random = SystemRandom::new();
    let scheme = &ECDSA_P256_SHA256_FIXED_SIGNING;
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(scheme, &random).unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(scheme, pkcs8.as_ref(), &random).unwrap();
    let part = |range| BASE64_URL_SAFE_NO_PAD.encode(&pair.public_key().as_ref()[range]);
    let key = json!({ "kty": "EC", "crv": "P-256", "x": part(1..33), "y": part(33..65) });
    let keys = KeySet::read(json!({ "keys": [key] }).to_string().as_bytes()).unwrap();
    (pair, keys)
}

#[test]
fn a_token_must_be_of_this_provider_for_this_server_this_sign_in_and_now() {
    let (pair, keys) = signer();
    let encode = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let judged = |change: &Value| {
        let mut claims = json!({
            "iss": "https://idp.test", "aud": "ebb", "sub": "1", "nonce": "n",
            "iat": 1_800_000_000, "exp": 1_800_000_300.5,
        });
        for (key, value) in change.as_object().unwrap() {
            claims[key] = value.clone();
        }
        let message = format!("{}.{}", encode(&json!({ "alg": "ES256" })), encode(&claims));
        let signature = pair.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
        let signature = BASE64_URL_SAFE_NO_PAD.encode(signature);
        match read(&format!("{message}.{signature}"), &keys, expected()) {
            Ok(_) => "",
            Err(Disbelief::Wrong(what)) => what,
            Err(Disbelief::UnknownKey) => "unknown key",
        }
    };
    for change in [
        json!({}),
        json!({ "aud": ["ebb"] }),
        json!({ "aud": ["ebb", "other"], "azp": "ebb" }),
        json!({ "exp": 1_799_999_960 }),
        json!({ "iat": 1_800_000_060 }),
    ] {
        assert_eq!(judged(&change), "", "{change}");
    }
    for (change, what) in [
        (json!({ "iss": "https://idp.test/" }), "is of another provider"),
        (json!({ "aud": "other" }), "is meant for another client"),
        (json!({ "aud": null }), "is meant for another client"),
        (json!({ "aud": ["ebb", "other"] }), "was asked for by another client"),
        (json!({ "azp": "other" }), "was asked for by another client"),
        (json!({ "nonce": "m" }), "belongs to another sign-in"),
        (json!({ "nonce": null }), "belongs to another sign-in"),
        (json!({ "exp": 1_799_999_950 }), "has expired"),
        (json!({ "exp": "1800000300" }), "has expired"),
        (json!({ "iat": 1_800_000_071 }), "was made in the future"),
        (json!({ "nbf": 1_800_000_071 }), "is not valid yet"),
        (json!({ "sub": "" }), "says of nobody who it is"),
    ] {
        assert_eq!(judged(&change), what, "{change}");
    }
}
