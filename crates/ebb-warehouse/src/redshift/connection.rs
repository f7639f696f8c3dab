//! Opening sessions, and everything that decides how values turn into text in them.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use ebb_core::Failure;
use futures_util::TryStreamExt;

use super::{
    iam::Passwords,
    session::RedshiftSession,
    settings::RedshiftSettings,
    unload::{self, Unload},
};
use crate::{
    aws::Aws,
    connection::{Access, Connection, Session, Tried},
    pgwire::{ConnectionSettings, Connector, SignIn},
};

/// Opens sessions at one cluster or workgroup.
pub(crate) struct RedshiftConnection {
    connector: Arc<Connector>,
    unload: Option<Arc<Unload>>,
}

impl RedshiftConnection {
    /// A connection by these settings; nothing is opened yet.
    pub(super) fn new(settings: RedshiftSettings) -> Result<Self, Failure> {
        let RedshiftSettings { connection, passwords, unload, aws } = settings;
        let aws = aws.map(Aws::new).transpose()?.map(Arc::new);
        let unload = unload.zip(aws.clone());
        let unload = unload.map(|(settings, aws)| Arc::new(Unload::new(aws, settings)));
        let sign_in = passwords.zip(aws).map(|(place, aws)| -> Arc<dyn SignIn> {
            Arc::new(Passwords::new(aws, place, connection.database.clone()))
        });
        let version = Arc::new(OnceLock::new());
        Ok(Self { connector: Connector::signing_in(connection, version, sign_in), unload })
    }
}

#[async_trait]
impl Connection for RedshiftConnection {
    fn engine(&self) -> String {
        // FNV-1a and FarmHash's fingerprint are fixed: no version of the service changes them.
        "redshift".to_owned()
    }

    async fn open(&self, access: Access) -> Result<Box<dyn Session>, Failure> {
        let mut link = self.connector.open().await?;
        link.set(&session_settings(&self.connector.settings)).await?;
        // Not every release has intervals, and with them the style.
        link.try_set("set intervalstyle to 'iso_8601'").await?;
        Ok(Box::new(RedshiftSession::new(link, access, self.unload.clone())))
    }

    fn beside(&self) -> Option<&'static str> {
        self.unload.as_ref().map(|_| "unload")
    }

    async fn try_beside(&self, table: &Tried<'_>) -> Result<(), Failure> {
        let Some(unload) = &self.unload else { return Ok(()) };
        let link = self.connector.open().await?;
        let sql = format!(
            "select cast(seq as bigint), cast(0 as bigint), cast('a' as varchar(1)), cast('b' as varchar(1))\n\
             from {}\norder by seq",
            table.quoted
        );
        let mut rows = unload::stream(unload, link, "ebb:check:check", &sql, &[]).await?;
        while rows.try_next().await?.is_some() {}
        Ok(())
    }
}

/// The statements that give a session the same settings everywhere, whatever cluster, database and
/// user have set.
fn session_settings(settings: &ConnectionSettings) -> String {
    let timeout = i32::try_from(settings.statement_timeout.as_millis()).unwrap_or(i32::MAX);
    // 2 is the most digits that Redshift takes: 17 of a double, which tell every one apart.
    format!(
        "set timezone to 'UTC';
        set datestyle to 'ISO, YMD';
        set extra_float_digits to 2;
        set query_group to 'ebb';
        set statement_timeout to {timeout}"
    )
}
