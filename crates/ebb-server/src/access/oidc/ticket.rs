//! What a browser carries from the beginning of a sign-in to its end: sealed, so that it can neither be read
//! nor made elsewhere, and good once.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use ebb_core::{Code, Failure};
use jiff::{SignedDuration, Timestamp};
use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    rand::{SecureRandom, SystemRandom},
};
use serde::{Deserialize, Serialize};

/// So long somebody may take at the provider.
const LASTS: SignedDuration = SignedDuration::from_mins(10);
/// So many uses are remembered; a browser forgets its ticket by itself.
const REMEMBERED: usize = 10_000;

/// A sign-in that has begun.
#[derive(Serialize, Deserialize)]
pub(super) struct Ticket {
    /// Comes back with the browser.
    pub(super) state: String,
    /// Comes back in the ID token.
    pub(super) nonce: String,
    /// Shows the provider that who began the sign-in ends it (PKCE).
    pub(super) verifier: String,
    /// Where in this server the browser wants to go.
    pub(super) next: String,
    /// The token of the link by which somebody joins.
    pub(super) link: Option<String>,
    /// Seconds since 1970.
    ends: i64,
}

impl Ticket {
    /// A sign-in that begins now.
    pub(super) fn new(
        [state, nonce, verifier]: [String; 3],
        next: String,
        link: Option<String>,
        now: Timestamp,
    ) -> Self {
        Self { state, nonce, verifier, next, link, ends: (now + LASTS).as_second() }
    }
}

/// Seals tickets with a key that dies with the process, and takes each once.
pub(super) struct Desk {
    key: LessSafeKey,
    /// The states of tickets that were used, the oldest first.
    used: Mutex<VecDeque<String>>,
}

impl Desk {
    pub(super) fn new() -> Result<Self, Failure> {
        let mut key = [0; 32];
        SystemRandom::new().fill(&mut key).map_err(|_| no_seal())?;
        let key = UnboundKey::new(&AES_256_GCM, &key).map_err(|_| no_seal())?;
        Ok(Self { key: LessSafeKey::new(key), used: Mutex::default() })
    }

    /// The ticket as a browser keeps it.
    pub(super) fn seal(&self, ticket: &Ticket) -> Result<String, Failure> {
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).map_err(|_| no_seal())?;
        let mut bytes = serde_json::to_vec(ticket).map_err(|_| no_seal())?;
        let sealing = Nonce::assume_unique_for_key(nonce);
        self.key
            .seal_in_place_append_tag(sealing, Aad::empty(), &mut bytes)
            .map_err(|_| no_seal())?;
        Ok(BASE64_URL_SAFE_NO_PAD.encode([&nonce, &*bytes].concat()))
    }

    /// Takes the ticket of a browser that comes back with this state. `A614` if it has none, another one, one
    /// that is too old, or one that was taken already.
    pub(super) fn take(
        &self,
        sealed: Option<&str>,
        state: &str,
        now: Timestamp,
    ) -> Result<Ticket, Failure> {
        let ticket = sealed.and_then(|sealed| self.open(sealed));
        let ticket = ticket.filter(|ticket| ticket.state == state && now.as_second() < ticket.ends);
        let ticket = ticket.filter(|ticket| self.is_first_use(&ticket.state));
        ticket.ok_or_else(|| {
            Failure::new(
                Code::SignInStale,
                "the sign-in is out of date or began in another browser",
            )
        })
    }

    fn open(&self, sealed: &str) -> Option<Ticket> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let (nonce, bytes) = bytes.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut bytes = bytes.to_vec();
        let bytes = self.key.open_in_place(nonce, Aad::empty(), &mut bytes).ok()?;
        serde_json::from_slice(bytes).ok()
    }

    fn is_first_use(&self, state: &str) -> bool {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if used.iter().any(|used| used == state) {
            return false;
        }
        if used.len() == REMEMBERED {
            used.pop_front();
        }
        used.push_back(state.to_owned());
        true
    }
}

fn no_seal() -> Failure {
    Failure::new(Code::StateUnavailable, "the system gives no random bytes")
}

#[cfg(test)]
mod tests {
    use ebb_core::Code;
    use jiff::{SignedDuration, Timestamp};

    use super::{Desk, Ticket};

    fn ticket(now: Timestamp) -> Ticket {
        let parts = ["state", "nonce", "verifier"].map(str::to_owned);
        Ticket::new(parts, "/syncs".to_owned(), None, now)
    }

    #[test]
    fn a_ticket_is_taken_once_in_its_time_and_with_its_state() {
        let (desk, now) = (Desk::new().unwrap(), Timestamp::UNIX_EPOCH);
        let sealed = desk.seal(&ticket(now)).unwrap();
        assert!(!sealed.contains("verifier"));
        let late = now + SignedDuration::from_mins(10);
        let elsewhere = Desk::new().unwrap().seal(&ticket(now)).unwrap();
        for (sealed, state, now) in [
            (None, "state", now),
            (Some("x"), "state", now),
            (Some(&*elsewhere), "state", now),
            (Some(&*sealed), "other", now),
            (Some(&*sealed), "state", late),
        ] {
            let refused = desk.take(sealed, state, now).err().unwrap();
            assert_eq!(refused.code, Code::SignInStale);
        }
        assert_eq!(desk.take(Some(&sealed), "state", now).unwrap().next, "/syncs");
        assert!(desk.take(Some(&sealed), "state", now).is_err(), "it was taken already");
    }
}
