//! Opens sessions, which are no more than what the next requests are to say of themselves.

use std::sync::Arc;

use async_trait::async_trait;
use ebb_core::{Code, Failure};

use super::{
    answer, client::Client, session::ClickHouseSession, settings::ConnectionSettings,
    wishes::Purpose,
};
use crate::connection::{Access, Connection, Session};

/// The oldest version whose settings are all there.
const OLDEST: (u32, u32) = (24, 8);

/// Reaches one server.
pub(crate) struct ClickHouseConnection(Arc<Client>);

impl ClickHouseConnection {
    /// Sets the client up; nothing is sent yet.
    pub(super) fn new(settings: ConnectionSettings) -> Result<Self, Failure> {
        Ok(Self(Arc::new(Client::new(settings)?)))
    }
}

#[async_trait]
impl Connection for ClickHouseConnection {
    /// What the checksum is made of is the same in every release.
    fn engine(&self) -> String {
        "clickhouse".to_owned()
    }

    /// Asks for the version, which also wakes a service that sleeps, and for what every session needs.
    async fn open(&self, access: Access) -> Result<Box<dyn Session>, Failure> {
        let session = ClickHouseSession::new(Arc::clone(&self.0), access);
        let hello = "select version(), (select count() from system.processes where 0)".to_owned();
        let statement = session.statement(hello, Purpose::Rows)?;
        let told = answer::rows(&self.0.run(&statement).await?)?;
        judge(&told.into_iter().flatten().next().flatten().unwrap_or_default())?;
        Ok(Box::new(session))
    }
}

/// Fails for a server that is too old.
fn judge(version: &str) -> Result<(), Failure> {
    let mut parts = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let found = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
    if found >= OLDEST {
        return Ok(());
    }
    let (major, minor) = OLDEST;
    let message =
        format!("the server is ClickHouse `{version}`, the oldest that works is {major}.{minor}");
    Err(Failure::new(Code::SourceSettings, message).help("Upgrade the server"))
}

#[cfg(test)]
mod tests {
    use ebb_core::Code;

    use super::judge;

    #[test]
    fn servers_that_are_too_old_are_refused() {
        for version in ["24.8.1.2684", "25.1.1", "26.9.2.1"] {
            assert_eq!(judge(version), Ok(()), "{version}");
        }
        for version in ["24.7.9.1", "18.16.1", ""] {
            assert_eq!(judge(version).unwrap_err().code, Code::SourceSettings, "{version}");
        }
    }
}
