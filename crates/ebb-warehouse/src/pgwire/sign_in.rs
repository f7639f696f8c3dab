//! Signing in with passwords that expire.

use async_trait::async_trait;
use ebb_core::{Failure, Secret};

/// With what a connection signs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Login {
    /// The user, as grants name it.
    pub(crate) user: String,
    /// The name that is told to the server, which may say more than the user's.
    pub(crate) name: String,
    pub(crate) password: Secret,
}

/// Gives logins, where the settings have no lasting password.
#[async_trait]
pub(crate) trait SignIn: Send + Sync {
    /// The login of a connection that is opened now.
    async fn login(&self) -> Result<Login, Failure>;

    /// Forgets a login that the server refused, so that the next one is a new one.
    async fn forget(&self, refused: &Login);

    /// What to tell when the server refused a new one too.
    fn refused(&self, failure: Failure) -> Failure;
}
