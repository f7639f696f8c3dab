//! A statement on its way ends with whoever waits for it.

use std::{sync::Arc, time::Duration};

use tokio::{runtime::Handle, time};

use super::client::Client;

/// The longest that ending a statement may take.
const KILL: Duration = Duration::from_secs(20);

/// A statement that the server may be working for. Dropped before its end, it is killed.
pub(super) struct Running {
    client: Arc<Client>,
    id: Option<String>,
    runtime: Handle,
}

impl Running {
    pub(super) fn new(client: &Arc<Client>, id: &str) -> Self {
        Self { client: Arc::clone(client), id: Some(id.to_owned()), runtime: Handle::current() }
    }

    /// Says that the server has done with it.
    pub(super) fn ended(mut self) {
        self.id = None;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let Some(id) = self.id.take() else { return };
        let client = Arc::clone(&self.client);
        let killed = async move {
            if time::timeout(KILL, client.kill(&id)).await.is_err() {
                tracing::debug!("a statement took too long to end");
            }
        };
        self.client.tasks.spawn(killed, &self.runtime);
    }
}
