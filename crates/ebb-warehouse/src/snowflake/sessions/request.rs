//! One statement on its way.

use std::{mem, sync::Arc, time::Duration};

use ebb_core::Failure;
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use tokio::{runtime::Handle, time};

use super::{
    answer::{Executed, Said},
    signed_in::SignedIn,
};
use crate::{
    http,
    snowflake::{
        failure,
        runner::{Form, Statement},
    },
};

/// Between two questions whether a statement is done: the first wait, and the longest. The service holds
/// its answer back for up to 45 s besides.
const POLL: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));
/// The longest that aborting may take.
const ABORT: Duration = Duration::from_secs(20);
/// How often a statement is to be aborted that the service says does not run: it may be about to.
const ABORTS: u32 = 5;

/// One statement on its way. Dropped before its end, it is aborted.
pub(super) struct Request {
    session: Arc<SignedIn>,
    /// By which the service knows a statement that is sent again.
    id: String,
    sql: String,
    parameters: Value,
    accept: &'static str,
    /// How many statements it is.
    count: usize,
    ended: bool,
}

impl Request {
    pub(super) fn new(session: Arc<SignedIn>, statement: &Statement) -> Result<Self, Failure> {
        let (accept, format) = match statement.form {
            Form::Text => ("application/json", "JSON"),
            Form::Batches => ("application/snowflake", "ARROW"),
        };
        let mut parameters = json!({
            "QUERY_TAG": statement.label,
            "GO_QUERY_RESULT_FORMAT": format,
        });
        if statement.count > 1
            && let Some(parameters) = parameters.as_object_mut()
        {
            parameters.insert("MULTI_STATEMENT_COUNT".to_owned(), statement.count.into());
        }
        let (id, sql, count) = (http::unique()?, statement.sql.clone(), statement.count);
        Ok(Self { session, id, sql, parameters, accept, count, ended: false })
    }

    /// Runs the statement to its end.
    pub(super) async fn run(mut self) -> Result<Executed, Failure> {
        let session = Arc::clone(&self.session);
        let mut said = session.send(|attempt| self.submission(attempt)).await?;
        let (mut wait, longest) = POLL;
        while is_running(&said) {
            let place = said.data.and_then(|data| data.get_result_url);
            let place = place.ok_or_else(|| http::lost("a statement runs that has no name"))?;
            time::sleep(wait).await;
            wait = (wait * 2).min(longest);
            said = session.send(|_| self.question(&place)).await?;
        }
        self.ended = true;
        let executed = self.judged(said);
        if executed.is_err() && self.count > 1 {
            // A transaction may be open that is not at its end.
            session.doubt();
        }
        let executed = executed?;
        if self.count > 1 {
            self.last(&executed).await?;
        }
        session.is_in(executed.final_schema_name.as_deref()).await;
        Ok(executed)
    }

    fn judged(&self, said: Said<Executed>) -> Result<Executed, Failure> {
        let state = said.data.as_ref().and_then(|data| data.sql_state.clone());
        let refused = said.refused(state);
        match said.data {
            Some(executed) if said.success => Ok(executed),
            Some(_) | None => Err(failure::refused(&refused, &self.session.account.settings)),
        }
    }

    /// Several statements are done if each has a result and that of the last one is none of a failure.
    async fn last(&self, executed: &Executed) -> Result<(), Failure> {
        let ids = executed.result_ids.as_deref().unwrap_or_default();
        let ids: Vec<_> = ids.split(',').filter(|id| !id.is_empty()).collect();
        let Some(last) = ids.last().filter(|_| ids.len() == self.count) else {
            self.session.doubt();
            return Err(http::lost("some of several statements have no result"));
        };
        let place = result_of(last);
        let said = self.session.send(|_| self.question(&place)).await?;
        self.judged(said).map(drop).inspect_err(|_| self.session.doubt())
    }

    /// The request that runs the statement. Sent again, it says so, and gets the answer of the first one
    /// if there was one.
    fn submission(&self, attempt: u32) -> RequestBuilder {
        let mut address = self.session.account.address("/queries/v1/query-request");
        let mut query = address.query_pairs_mut();
        query.append_pair("requestId", &self.id);
        if attempt > 0 {
            query.append_pair("retryCount", &attempt.to_string());
            query.append_pair("retryReason", "0");
        }
        drop(query);
        let body = json!({
            "sqlText": self.sql,
            "asyncExec": false,
            "sequenceId": 1,
            "isInternal": false,
            "describeOnly": false,
            "parameters": self.parameters,
        });
        let request = self.session.account.http.post(address).header("Accept", self.accept);
        request.header("Content-Type", "application/json").body(body.to_string())
    }

    fn question(&self, place: &str) -> RequestBuilder {
        let address = self.session.account.address(place);
        self.session.account.http.get(address).header("Accept", self.accept)
    }
}

/// Where the result of a statement is asked for.
pub(super) fn result_of(query: &str) -> String {
    format!("/queries/{query}/result")
}

fn is_running(said: &Said<Executed>) -> bool {
    matches!(said.code.as_deref(), Some("333333" | "333334"))
}

impl Drop for Request {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        self.session.doubt();
        let session = Arc::clone(&self.session);
        let (id, sql) = (mem::take(&mut self.id), mem::take(&mut self.sql));
        let runtime: Handle = session.runtime.clone();
        let owner = Arc::clone(&session.account);
        let aborted = async move {
            if time::timeout(ABORT, abort(&session, &id, &sql)).await.is_err() {
                tracing::debug!("a statement took too long to abort");
            }
        };
        owner.tasks.spawn(aborted, &runtime);
    }
}

/// Asks the service to stop a statement.
async fn abort(session: &SignedIn, id: &str, sql: &str) {
    // What never signed in runs nothing, and must not try the same password once more.
    if !session.is_signed_in().await {
        return;
    }
    let (mut wait, longest) = POLL;
    for _ in 0..ABORTS {
        let Ok(own) = http::unique() else { return };
        let mut address = session.account.address("/queries/v1/abort-request");
        address.query_pairs_mut().append_pair("requestId", &own);
        let body = json!({ "requestId": id, "sqlText": sql }).to_string();
        let request = |_| {
            let request = session.account.http.post(address.clone());
            let request = request.header("Accept", "application/json");
            request.header("Content-Type", "application/json").body(body.clone())
        };
        match session.send(request).await {
            Ok(said) if said.code.as_deref() == Some("000605") => {}
            Ok(_) => return,
            Err(failure) => {
                tracing::debug!(%failure, "a statement could not be aborted");
                return;
            }
        }
        time::sleep(wait).await;
        wait = (wait * 2).min(longest);
    }
}
