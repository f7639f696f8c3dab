//! Opens sessions, which are no more than what the next jobs are to say of themselves.

use std::sync::Arc;

use async_trait::async_trait;
use ebb_core::Failure;

use super::{
    client::Client,
    session::BigQuerySession,
    settings::{ConnectionSettings, StorageRead},
    storage,
};
use crate::connection::{Access, Connection, Session, Tried};

/// Reaches one project.
pub(crate) struct BigQueryConnection(Arc<Client>);

impl BigQueryConnection {
    /// Sets the client up; nothing is sent yet.
    pub(super) fn new(settings: ConnectionSettings) -> Result<Self, Failure> {
        Ok(Self(Arc::new(Client::new(settings)?)))
    }
}

#[async_trait]
impl Connection for BigQueryConnection {
    /// The fingerprint of a row's JSON is promised to stay the same.
    fn engine(&self) -> String {
        "bigquery".to_owned()
    }

    /// A session that reads is like one that writes: no query of BigQuery's changes anything, also not by
    /// the functions that it calls. One that writes finds the managed dataset there.
    async fn open(&self, access: Access) -> Result<Box<dyn Session>, Failure> {
        match access {
            Access::Read => {}
            Access::Write => self.0.ensure_managed().await?,
        }
        Ok(Box::new(BigQuerySession::new(Arc::clone(&self.0))))
    }

    fn beside(&self) -> Option<&'static str> {
        match self.0.settings.storage_read {
            StorageRead::Auto | StorageRead::Always => Some("storage read"),
            StorageRead::Never => None,
        }
    }

    async fn try_beside(&self, table: &Tried<'_>) -> Result<(), Failure> {
        storage::try_out(&self.0, table.name).await
    }
}
