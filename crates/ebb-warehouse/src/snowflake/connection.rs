//! Opens sessions by the protocol that the settings choose.

use std::sync::Arc;

use async_trait::async_trait;
use ebb_core::Failure;

use super::{
    runner::Runner,
    session::SnowflakeSession,
    sessions::Account,
    settings::{ConnectionSettings, Protocol},
    sql_api::Client,
};
use crate::connection::{Access, Connection, Session};

/// Reaches one account.
pub(crate) struct SnowflakeConnection(Way);

enum Way {
    /// Sessions are no more than what their requests say of themselves.
    SqlApi(Arc<Client>),
    /// Sessions sign in.
    Sessions(Arc<Account>),
}

impl SnowflakeConnection {
    /// Sets the client up; nothing is sent yet.
    pub(super) fn new(settings: ConnectionSettings) -> Result<Self, Failure> {
        Ok(Self(match settings.protocol {
            Protocol::SqlApi => Way::SqlApi(Arc::new(Client::new(settings)?)),
            Protocol::Session => Way::Sessions(Arc::new(Account::new(settings)?)),
        }))
    }
}

#[async_trait]
impl Connection for SnowflakeConnection {
    /// MD5 and JSON stay the same from release to release, and so by both protocols.
    fn engine(&self) -> String {
        "snowflake".to_owned()
    }

    /// A session that reads is like one that writes: no query of Snowflake's changes anything, also not
    /// by the functions that it calls.
    async fn open(&self, _access: Access) -> Result<Box<dyn Session>, Failure> {
        let runner: Arc<dyn Runner> = match &self.0 {
            Way::SqlApi(client) => Arc::<Client>::clone(client),
            Way::Sessions(account) => Arc::new(account.session()),
        };
        Ok(Box::new(SnowflakeSession::new(runner)))
    }
}
