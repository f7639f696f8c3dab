//! Who asks, and what they may do.

mod actor;
mod cross_site;
mod csrf;
mod joining;
mod oidc;
mod origin;
mod password;
mod session;
mod throttle;

pub(crate) use actor::{Actor, Credential, THEME, identify};
pub(crate) use csrf::guard;
pub(crate) use joining::{address, first_owner, invite, invited, join};
pub(crate) use oidc::{Answer, Gate};
pub(crate) use origin::{Origin, Peer};
pub(crate) use session::{end_session, sign_in};
pub(crate) use throttle::Throttle;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use ebb_core::{Code, Failure, Secret};
use ring::{
    digest::{SHA256, digest},
    rand::{SecureRandom, SystemRandom},
};

/// What somebody holds to be known by: 256 random bits. Only its digest is kept.
pub(crate) fn new_token() -> Result<Secret, Failure> {
    let mut bytes = [0; 32];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| Failure::new(Code::StateUnavailable, "the system gives no random bytes"))?;
    Ok(Secret::new(BASE64_URL_SAFE_NO_PAD.encode(bytes)))
}

/// By what a token is known. A plain digest does: nobody guesses 256 bits.
pub(crate) fn digest_of(token: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, token.as_bytes()))
}
