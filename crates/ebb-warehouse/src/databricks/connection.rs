//! Opens sessions, which are no more than what the next requests are to say of themselves.

use std::sync::Arc;

use async_trait::async_trait;
use ebb_core::Failure;

use super::{client::Client, session::DatabricksSession, settings::ConnectionSettings};
use crate::connection::{Access, Connection, Session};

/// Reaches one SQL warehouse.
pub(crate) struct DatabricksConnection(Arc<Client>);

impl DatabricksConnection {
    /// Sets the client up; nothing is sent yet.
    pub(super) fn new(settings: ConnectionSettings) -> Result<Self, Failure> {
        Ok(Self(Arc::new(Client::new(settings)?)))
    }
}

#[async_trait]
impl Connection for DatabricksConnection {
    /// What the checksum is made of is the same in every release.
    fn engine(&self) -> String {
        "databricks".to_owned()
    }

    /// A session that reads is like one that writes: a query of Databricks changes nothing.
    async fn open(&self, _access: Access) -> Result<Box<dyn Session>, Failure> {
        Ok(Box::new(DatabricksSession::new(Arc::clone(&self.0))))
    }
}
