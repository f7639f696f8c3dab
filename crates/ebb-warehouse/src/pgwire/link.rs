//! One connection at work: statements, their answers, and the end of what nobody waits for any more.

use std::{sync::Arc, time::Duration};

use ebb_core::{Code, Failure};
use tokio::{runtime::Handle, task::AbortHandle};
use tokio_postgres::{Client, Error, SimpleQueryMessage, Statement};

use super::{
    connector::{Cancel, Connected, Connector},
    failure,
    settings::ConnectionSettings,
};

/// How long a cancel request may take before the socket is closed without it.
const CANCEL: Duration = Duration::from_secs(5);

/// A connection. Dropped while the server works for it, it cancels that work.
pub(crate) struct Link {
    client: Client,
    driver: AbortHandle,
    cancel: Cancel,
    /// Whether the server may still work for this connection.
    busy: bool,
    runtime: Handle,
    connector: Arc<Connector>,
    settings: Arc<ConnectionSettings>,
}

impl Link {
    pub(super) fn new(connected: Connected, connector: Arc<Connector>) -> Self {
        let Connected { client, driver, cancel, settings } = connected;
        let runtime = Handle::current();
        Self { client, driver, cancel, busy: false, runtime, connector, settings }
    }

    /// The client, for what the server is asked to do; it works until [`Link::settle`] says otherwise.
    pub(crate) const fn ask(&mut self) -> &Client {
        self.busy = true;
        &self.client
    }

    /// The server's answer is here: it no longer works for this connection.
    pub(crate) async fn settle<T>(&mut self, answer: Result<T, Error>) -> Result<T, Failure> {
        self.settle_of(answer, None).await
    }

    /// The server will send nothing more of what it was asked for.
    pub(crate) const fn rest(&mut self) {
        self.busy = false;
    }

    /// The answer to a text that was sent as it is, so that an error's place in it can be told.
    async fn settle_of<T>(
        &mut self,
        answer: Result<T, Error>,
        model: Option<&str>,
    ) -> Result<T, Failure> {
        self.busy = false;
        match answer {
            Ok(value) => Ok(value),
            Err(error) => Err(self.explain(error, model).await),
        }
    }

    async fn explain(&self, error: Error, model: Option<&str>) -> Failure {
        let settings = &self.settings;
        let failure = failure::running(&error, settings, model);
        let relation = error.as_db_error().and_then(|answer| failure::denied(answer.message()));
        let failure = match (failure.code, relation) {
            // Only another session can look: in this one a transaction may have failed.
            (Code::SourcePermission, Some(denied)) if denied.is_relation() => {
                let schema = self.connector.schema_of(denied.name).await;
                failure::permission(&denied, settings, schema.as_deref())
            }
            _ => failure,
        };
        failure.caused_by(error)
    }

    /// Runs statements that give no rows.
    pub(crate) async fn set(&mut self, statements: &str) -> Result<(), Failure> {
        let done = self.ask().batch_execute(statements).await;
        self.settle(done).await
    }

    /// Runs a statement that a server may lack; nothing happens then.
    pub(crate) async fn try_set(&mut self, statement: &str) -> Result<(), Failure> {
        let done = self.ask().batch_execute(statement).await;
        if done.as_ref().is_err_and(|error| error.as_db_error().is_some()) {
            self.busy = false;
            return Ok(());
        }
        self.settle(done).await
    }

    /// Runs one statement and gives the number of rows that it wrote.
    pub(crate) async fn execute(&mut self, sql: &str) -> Result<u64, Failure> {
        let messages = self.simple(sql).await?;
        let completed = messages.iter().rev().find_map(|message| {
            if let SimpleQueryMessage::CommandComplete(rows) = message { Some(*rows) } else { None }
        });
        Ok(completed.unwrap_or(0))
    }

    /// All rows of a small query as text.
    pub(crate) async fn rows(&mut self, sql: &str) -> Result<Vec<Vec<Option<String>>>, Failure> {
        let messages = self.simple(sql).await?;
        Ok(messages
            .iter()
            .filter_map(
                |message| {
                    if let SimpleQueryMessage::Row(row) = message { Some(row) } else { None }
                },
            )
            .map(|row| (0..row.len()).map(|column| row.get(column).map(str::to_owned)).collect())
            .collect())
    }

    async fn simple(&mut self, sql: &str) -> Result<Vec<SimpleQueryMessage>, Failure> {
        let answer = self.ask().simple_query(sql).await;
        self.settle(answer).await
    }

    /// Has the server read a query of Ebb's and tell its columns.
    pub(crate) async fn prepare(&mut self, sql: &str) -> Result<Statement, Failure> {
        let described = self.ask().prepare(sql).await;
        self.settle(described).await
    }

    /// Has the server read a model and tell its columns.
    pub(crate) async fn prepare_model(&mut self, model: &str) -> Result<Statement, Failure> {
        let described = self.ask().prepare(model).await;
        self.settle_of(described, Some(model)).await
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        if !self.busy {
            return;
        }
        let (cancel, driver) = (self.cancel.clone(), self.driver.clone());
        let canceled = async move {
            if tokio::time::timeout(CANCEL, cancel.send()).await.is_err() {
                tracing::debug!("a cancel request took too long");
            }
            driver.abort();
        };
        self.connector.spawn(canceled, &self.runtime);
    }
}
