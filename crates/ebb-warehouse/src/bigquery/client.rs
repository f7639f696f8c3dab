//! The service's REST interface: requests go out, answers come back, what may be tried again is tried again.

use ebb_core::{Code, Failure};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use url::Url;

use super::{
    answer::{Dataset, Reason, Refused, TableInfo, TableList},
    credentials::Tokens,
    failure,
    settings::ConnectionSettings,
    storage::Storage,
};
use crate::{
    connection::KnownTable,
    http::{self, Repeat, Reply, Service, Tasks},
};

/// Talks to one project.
pub(super) struct Client {
    http: reqwest::Client,
    pub(super) settings: ConnectionSettings,
    pub(super) tokens: Tokens,
    pub(super) storage: Storage,
    /// Set once the managed dataset is known to be there.
    managed: OnceCell<()>,
    pub(super) service: Service,
    /// Requests that cancel statements.
    pub(super) tasks: Tasks,
}

impl Client {
    pub(super) fn new(settings: ConnectionSettings) -> Result<Self, Failure> {
        let tokens = Tokens::new(&settings.sign_in)?;
        let http = http::client(settings.connect_timeout)?;
        let storage = Storage::new(&settings)?;
        let service = Service {
            name: "BigQuery",
            interface: "BigQuery's REST interface",
            settings: "`endpoint` and `project`",
            address: settings.endpoint.clone(),
        };
        let (managed, tasks) = (OnceCell::new(), Tasks::default());
        Ok(Self { http, settings, tokens, storage, managed, service, tasks })
    }

    /// `/bigquery/v2/projects/<project>/` and what follows it.
    pub(super) fn address(&self, path: &[&str]) -> Url {
        let mut address = self.settings.endpoint.clone();
        if let Ok(mut segments) = address.path_segments_mut() {
            segments.clear().extend(["bigquery", "v2", "projects", &self.settings.project]);
            segments.extend(path);
        }
        address
    }

    /// Asks for something that is there or not.
    pub(super) async fn find<T: DeserializeOwned>(
        &self,
        path: &[&str],
    ) -> Result<Option<T>, Failure> {
        self.look(&self.address(path)).await
    }

    pub(super) async fn look<T: DeserializeOwned>(
        &self,
        address: &Url,
    ) -> Result<Option<T>, Failure> {
        let reply = self.send(Method::GET, address, None).await?;
        match reply.status {
            StatusCode::OK => self.service.parsed(&reply.body).map(Some),
            StatusCode::NOT_FOUND => Ok(None),
            _ => Err(self.refusal(&reply)),
        }
    }

    /// Those of some tables of the managed dataset that are there.
    pub(super) async fn tables(&self, names: &[&str]) -> Result<Vec<KnownTable>, Failure> {
        let mut known = Vec::new();
        for name in names {
            let path = ["datasets", &self.settings.managed, "tables", name];
            if let Some(TableInfo { description, num_rows, .. }) = self.find(&path).await? {
                let name = (*name).to_owned();
                known.push(KnownTable { name, comment: description, rows: num_rows });
            }
        }
        Ok(known)
    }

    /// The names of all tables of the managed dataset.
    pub(super) async fn all_tables(&self) -> Result<Vec<String>, Failure> {
        self.tables_of(&self.settings.managed).await
    }

    /// The names of all tables and views of a dataset.
    pub(super) async fn tables_of(&self, dataset: &str) -> Result<Vec<String>, Failure> {
        let mut address = self.address(&["datasets", dataset, "tables"]);
        let mut all = Vec::new();
        loop {
            let Some(list) = self.look::<TableList>(&address).await? else { return Ok(all) };
            all.extend(list.tables.into_iter().map(|table| table.table_reference.table_id));
            let Some(next) = list.next_page_token else { return Ok(all) };
            address.query_pairs_mut().clear().append_pair("pageToken", &next);
        }
    }

    /// Makes the managed dataset unless it is there. Fails with `S115` if it lies elsewhere.
    pub(super) async fn ensure_managed(&self) -> Result<(), Failure> {
        self.managed.get_or_try_init(|| self.make_managed()).await.copied()
    }

    async fn make_managed(&self) -> Result<(), Failure> {
        let ConnectionSettings { project, location, managed, .. } = &self.settings;
        if let Some(dataset) = self.find::<Dataset>(&["datasets", managed]).await? {
            if dataset.location.is_empty() || dataset.location.eq_ignore_ascii_case(location) {
                return Ok(());
            }
            let there = dataset.location;
            return Err(Failure::new(
                Code::SourceSettings,
                format!("the dataset `{managed}` lies in `{there}`, not in `{location}`"),
            )
            .help(format!("Set `location: {there}` in the source's settings")));
        }
        let body = json!({
            "datasetReference": { "projectId": project, "datasetId": managed },
            "location": location,
        });
        let reply = self.send(Method::POST, &self.address(&["datasets"]), Some(&body)).await?;
        match reply.status {
            // Another one was quicker.
            StatusCode::OK | StatusCode::CONFLICT => Ok(()),
            _ => Err(self.refusal(&reply)),
        }
    }

    /// Sends a request, again if that may help, once more with a fresh token.
    pub(super) async fn send(
        &self,
        method: Method,
        address: &Url,
        body: Option<&Value>,
    ) -> Result<Reply, Failure> {
        let reply = self.send_once(&method, address, body).await?;
        if reply.status == StatusCode::UNAUTHORIZED {
            self.tokens.renew().await;
            return self.send_once(&method, address, body).await;
        }
        Ok(reply)
    }

    async fn send_once(
        &self,
        method: &Method,
        address: &Url,
        body: Option<&Value>,
    ) -> Result<Reply, Failure> {
        let headers = self.tokens.headers().await?;
        let request = |_| self.request(method.clone(), address, body).headers(headers.clone());
        self.service.send(Repeat::FreelyAfter(is_too_quick), request).await
    }

    fn request(&self, method: Method, address: &Url, body: Option<&Value>) -> RequestBuilder {
        let request =
            self.http.request(method, address.clone()).header("Accept", "application/json");
        match body {
            Some(body) => request.header("Content-Type", "application/json").body(body.to_string()),
            None => request,
        }
    }

    /// The failure that an answer tells.
    pub(super) fn refusal(&self, reply: &Reply) -> Failure {
        let reason = reason(&reply.body);
        match reply.status {
            StatusCode::UNAUTHORIZED => failure::credentials(&reason),
            status if reason.reason.is_empty() => {
                self.service.unexpected(status, &failure::said(&reason))
            }
            _ => failure::refused(&reason, &self.settings),
        }
    }
}

fn reason(body: &[u8]) -> Reason {
    serde_json::from_slice::<Refused>(body).unwrap_or_default().reason()
}

/// Whether a project asks more often than it may, which the service also says as a refusal.
fn is_too_quick(reply: &Reply) -> bool {
    reply.status == StatusCode::FORBIDDEN && reason(&reply.body).reason == "rateLimitExceeded"
}
