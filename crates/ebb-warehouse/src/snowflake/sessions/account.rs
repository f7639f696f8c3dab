//! The sessions of one account: those that wait for work, and how new ones begin.

use std::{
    mem,
    sync::{Arc, Mutex, PoisonError},
};

use ebb_core::Failure;
use tokio::runtime::Handle;

use super::{
    sign_in::{Tokens, sign_off},
    signed_in::SignedIn,
};
use crate::{
    http::{self, Service, Tasks},
    snowflake::{credentials::Credentials, settings::ConnectionSettings},
};

/// So many sessions are kept for the next operation; signing in takes longer than a small statement.
const KEPT: usize = 4;

/// Talks to one account.
pub(in crate::snowflake) struct Account {
    pub(super) http: reqwest::Client,
    pub(super) service: Service,
    pub(super) settings: ConnectionSettings,
    pub(super) credentials: Credentials,
    /// Signed in, and at nobody's service.
    idle: Mutex<Vec<Tokens>>,
    /// Requests that abort statements and end sessions.
    pub(super) tasks: Tasks,
}

impl Account {
    /// Sets the client up; nothing is sent yet. Fails with `S115` if the credentials cannot be read.
    pub(in crate::snowflake) fn new(settings: ConnectionSettings) -> Result<Self, Failure> {
        let credentials = Credentials::new(&settings.sign_in)?;
        let http = http::client(settings.connect_timeout)?;
        let service = Service {
            name: "Snowflake",
            interface: "Snowflake's protocol of sessions",
            settings: "`account` or `host`",
            address: settings.address.clone(),
        };
        let (idle, tasks) = (Mutex::default(), Tasks::default());
        Ok(Self { http, service, settings, credentials, idle, tasks })
    }

    /// A session for one operation: one that waits for work, or one that signs in at its first statement.
    pub(in crate::snowflake) fn session(self: &Arc<Self>) -> SignedIn {
        let tokens = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        SignedIn::new(Arc::clone(self), tokens)
    }

    /// Keeps a session for the next operation, or gives it back if there are enough.
    pub(super) fn keep(&self, tokens: Tokens) -> Option<Tokens> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() >= KEPT {
            return Some(tokens);
        }
        idle.push(tokens);
        None
    }

    /// An address of the service.
    pub(super) fn address(&self, path: &str) -> url::Url {
        let mut address = self.settings.address.clone();
        address.set_path(path);
        address
    }
}

impl Drop for Account {
    /// Nobody waits for the farewell: a session that gets none ends by itself after four idle hours.
    fn drop(&mut self) {
        let idle = mem::take(self.idle.get_mut().unwrap_or_else(PoisonError::into_inner));
        if let Ok(runtime) = Handle::try_current() {
            for tokens in idle {
                runtime.spawn(sign_off(self.http.clone(), self.address("/session"), tokens));
            }
        }
    }
}
