//! One statement, or one script, as a job.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use ebb_core::Failure;
use reqwest::{Method, StatusCode};
use serde_json::{Map, Value, json};
use tokio::{runtime::Handle, time};

use super::{
    answer::{Job, Page, QueryStatistics, Statistics},
    client::Client,
    failure,
    question::{Configuration, DatasetReference, JobReference, Property, Query, Request},
    settings::ConnectionSettings,
};
use crate::http;

/// Between two questions whether a job is done: the first wait, and the longest.
const POLL: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(3));
/// What the service may take longer than a statement's time-out to say so.
const GRACE: Duration = Duration::from_secs(5);
/// The longest that cancelling may take.
const CANCEL: Duration = Duration::from_secs(20);

/// What is asked of the service.
#[derive(Debug)]
pub(super) struct Statement<'a> {
    pub(super) sql: &'a str,
    /// What the bill shows it by.
    pub(super) labels: &'a Map<String, Value>,
}

/// A job that is done.
#[derive(Debug)]
pub(super) struct Done {
    id: Arc<str>,
    /// Rows that a statement wrote.
    pub(super) written: u64,
    /// Bytes that it read.
    pub(super) scanned: u64,
}

/// Runs a statement to its end. When the future is dropped, the service is asked to stop it.
pub(super) async fn run(client: &Arc<Client>, statement: &Statement<'_>) -> Result<Done, Failure> {
    let limit = client.settings.statement_timeout;
    let id = format!("ebb_{}", http::unique()?);
    let mut job = request(client, statement);
    job.job_reference.job_id = Some(&id);
    job.configuration.job_timeout_ms =
        Some(limit.as_millis().to_string()).filter(|_| !limit.is_zero());
    let body = json!(job);
    let (client, runtime) = (Arc::clone(client), Handle::current());
    let running = Running { client, id, ended: false, runtime };
    if limit.is_zero() {
        return running.run(&body).await;
    }
    match time::timeout(limit + GRACE, running.run(&body)).await {
        Ok(done) => done,
        Err(_) => Err(http::too_long(limit)),
    }
}

/// What the service knows of a query before it runs.
pub(super) async fn dry_run(client: &Client, sql: &str) -> Result<QueryStatistics, Failure> {
    let labels = Map::new();
    let mut job = request(client, &Statement { sql, labels: &labels });
    job.configuration.dry_run = true;
    let reply = client.send(Method::POST, &client.address(&["jobs"]), Some(&json!(job))).await?;
    match reply.status {
        StatusCode::OK => Ok(finished(client, client.service.parsed(&reply.body)?)?.query),
        _ => Err(client.refusal(&reply)),
    }
}

fn request<'a>(client: &'a Client, statement: &Statement<'a>) -> Request<'a> {
    let ConnectionSettings { project, location, dataset, maximum_bytes_billed, .. } =
        &client.settings;
    Request {
        job_reference: JobReference { project_id: project, location, job_id: None },
        configuration: Configuration {
            query: Query {
                sql: statement.sql,
                use_legacy_sql: false,
                // What timestamps are written and read by.
                connection_properties: [Property { key: "time_zone", value: "UTC" }],
                default_dataset: dataset
                    .as_deref()
                    .map(|dataset_id| DatasetReference { project_id: project, dataset_id }),
                maximum_bytes_billed: maximum_bytes_billed.map(|bytes| bytes.to_string()),
            },
            labels: statement.labels,
            dry_run: false,
            job_timeout_ms: None,
        },
    }
}

/// The statistics of a job that is done, or why it failed.
fn finished(client: &Client, job: Job) -> Result<Statistics, Failure> {
    match job.status.error_result {
        Some(reason) => Err(failure::refused(&reason, &client.settings)),
        None => Ok(job.statistics),
    }
}

impl Done {
    /// A piece of the result: at most so many rows from one on, fewer where they are large. Its body holds
    /// the rows too.
    pub(super) async fn page(
        &self,
        client: &Client,
        from: u64,
        rows: u64,
    ) -> Result<(Page, Bytes), Failure> {
        let mut address = client.address(&["queries", &self.id]);
        address
            .query_pairs_mut()
            .append_pair("location", &client.settings.location)
            .append_pair("startIndex", &from.to_string())
            .append_pair("maxResults", &rows.to_string())
            .append_pair("formatOptions.useInt64Timestamp", "true");
        let reply = client.send(Method::GET, &address, None).await?;
        match reply.status {
            StatusCode::OK => Ok((client.service.parsed(&reply.body)?, reply.body)),
            StatusCode::NOT_FOUND => Err(http::lost("the service no longer knows the job")),
            _ => Err(client.refusal(&reply)),
        }
    }
}

/// A job on its way. Dropped before its end, it is canceled.
struct Running {
    client: Arc<Client>,
    id: String,
    ended: bool,
    runtime: Handle,
}

impl Running {
    /// A job has its id from here, so that a request that is sent again after a lost answer finds the job
    /// that the first one made.
    async fn run(mut self, body: &Value) -> Result<Done, Failure> {
        let client = Arc::clone(&self.client);
        let mut address = client.address(&["jobs"]);
        let mut reply = client.send(Method::POST, &address, Some(body)).await?;
        address = client.address(&["jobs", &self.id]);
        address.query_pairs_mut().append_pair("location", &client.settings.location);
        if reply.status == StatusCode::CONFLICT {
            reply = client.send(Method::GET, &address, None).await?;
        }
        let (mut wait, longest) = POLL;
        loop {
            if reply.status != StatusCode::OK {
                self.ended = reply.status.is_client_error();
                return Err(client.refusal(&reply));
            }
            let job: Job = client.service.parsed(&reply.body)?;
            if job.status.state == "DONE" {
                self.ended = true;
                let statistics = finished(&client, job)?;
                let scanned = statistics.total_bytes_processed;
                return Ok(Done {
                    id: std::mem::take(&mut self.id).into(),
                    written: statistics.query.num_dml_affected_rows,
                    scanned: scanned.max(statistics.query.total_bytes_processed),
                });
            }
            time::sleep(wait).await;
            wait = (wait * 2).min(longest);
            reply = client.send(Method::GET, &address, None).await?;
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        let (client, id) = (Arc::clone(&self.client), std::mem::take(&mut self.id));
        let canceled = async move {
            if time::timeout(CANCEL, cancel(&client, &id)).await.is_err() {
                tracing::debug!("a job took too long to cancel");
            }
        };
        self.client.tasks.spawn(canceled, &self.runtime);
    }
}

/// Stops a job. It may be that the request which makes it is still on its way.
async fn cancel(client: &Client, id: &str) {
    let mut address = client.address(&["jobs", id, "cancel"]);
    address.query_pairs_mut().append_pair("location", &client.settings.location);
    let (mut wait, longest) = POLL;
    loop {
        match client.send(Method::POST, &address, None).await {
            Ok(reply) if reply.status == StatusCode::NOT_FOUND => {
                time::sleep(wait).await;
                wait = (wait * 2).min(longest);
            }
            Ok(_) => return,
            Err(failure) => {
                tracing::debug!(%failure, "a job could not be canceled");
                return;
            }
        }
    }
}

/// The labels of a statement that works for `ebb:<mapping>:<sync>`; other statements are `ebb`'s.
pub(super) fn labels(label: &str) -> Map<String, Value> {
    let parts = label.strip_prefix("ebb:").and_then(|rest| rest.rsplit_once(':'));
    let labels = match parts {
        Some((mapping, sync)) => vec![("ebb_mapping", mapping), ("ebb_sync", sync)],
        None => vec![("ebb", "")],
    };
    labels.into_iter().map(|(key, value)| (key.to_owned(), labelled(value).into())).collect()
}

/// A label's value may hold 63 letters in lower case, digits, underscores and dashes.
fn labelled(text: &str) -> String {
    let allowed = |it: char| {
        let it = it.to_ascii_lowercase();
        if it.is_ascii_lowercase() || it.is_ascii_digit() || it == '_' { it } else { '-' }
    };
    text.chars().map(allowed).take(63).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::labels;

    #[test]
    fn labels_hold_what_the_service_allows() {
        let told = Value::Object(labels("ebb:Users to_hook:01HF"));
        assert_eq!(told, json!({ "ebb_mapping": "users-to_hook", "ebb_sync": "01hf" }));
        assert_eq!(Value::Object(labels("ebb")), json!({ "ebb": "" }));
        let long = labels(&format!("ebb:{}:1", "é".repeat(70)));
        assert_eq!(long["ebb_mapping"], "-".repeat(63));
    }
}
