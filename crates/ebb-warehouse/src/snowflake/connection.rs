//! Opens sessions, which are no more than what the next requests are to say of themselves.

use std::sync::Arc;

use async_trait::async_trait;
use ebb_core::Failure;

use super::{client::Client, session::SnowflakeSession, settings::ConnectionSettings};
use crate::connection::{Access, Connection, Session};

/// Reaches one account.
pub(crate) struct SnowflakeConnection(Arc<Client>);

impl SnowflakeConnection {
    /// Sets the client up; nothing is sent yet.
    pub(super) fn new(settings: ConnectionSettings) -> Result<Self, Failure> {
        Ok(Self(Arc::new(Client::new(settings)?)))
    }
}

#[async_trait]
impl Connection for SnowflakeConnection {
    /// MD5 and JSON stay the same from release to release.
    fn engine(&self) -> String {
        "snowflake".to_owned()
    }

    /// A session that reads is like one that writes: no query of Snowflake's changes anything, also not
    /// by the functions that it calls.
    async fn open(&self, _access: Access) -> Result<Box<dyn Session>, Failure> {
        Ok(Box::new(SnowflakeSession::new(Arc::clone(&self.0))))
    }
}
