//! Temporary passwords, which AWS gives to whom it knows by an access key.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use ebb_core::{Code, Failure, Secret};
use http::{Request, header::CONTENT_TYPE};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::Mutex;
use url::form_urlencoded::Serializer;

use crate::{
    aws::{Ask, Aws},
    pgwire::{Login, SignIn},
};

/// How long a password is to be good for; the services allow an hour at most.
const LIFETIME: u32 = 3600;
/// A password that is good for less is not used any more: connecting takes time, too.
const LEFT: Duration = Duration::from_mins(1);

/// Whose users sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// A provisioned cluster; as this user, or as one that is named after who holds the key.
    Cluster { identifier: String, user: Option<String> },
    /// Serverless; always as a user named after who holds the key.
    Workgroup(String),
}

/// Asks for passwords and keeps the last one while it is good.
pub(super) struct Passwords {
    aws: Arc<Aws>,
    place: Place,
    database: String,
    last: Mutex<Option<(Login, Timestamp)>>,
}

/// The answer of `GetClusterCredentials` and `GetClusterCredentialsWithIAM`.
#[derive(Debug, Deserialize)]
struct Wrapped {
    #[serde(rename = "GetClusterCredentialsResult", alias = "GetClusterCredentialsWithIAMResult")]
    result: OfCluster,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OfCluster {
    db_user: String,
    db_password: String,
    expiration: Timestamp,
}

impl std::fmt::Debug for OfCluster {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("OfCluster").field("db_user", &self.db_user).finish_non_exhaustive()
    }
}

/// The answer of `GetCredentials`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfWorkgroup {
    db_user: String,
    db_password: String,
    /// Seconds since 1970.
    expiration: f64,
}

impl Passwords {
    pub(super) fn new(aws: Arc<Aws>, place: Place, database: String) -> Self {
        Self { aws, place, database, last: Mutex::new(None) }
    }

    async fn fetch(&self) -> Result<(Login, Timestamp), Failure> {
        match &self.place {
            Place::Cluster { identifier, user } => {
                self.of_cluster(identifier, user.as_deref()).await
            }
            Place::Workgroup(name) => self.of_workgroup(name).await,
        }
    }

    async fn of_cluster(
        &self,
        identifier: &str,
        user: Option<&str>,
    ) -> Result<(Login, Timestamp), Failure> {
        let request = Request::post(format!("https://{}/", self.aws.host("redshift")))
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded; charset=utf-8")
            .body(Bytes::from(form(identifier, user, &self.database)));
        let answer = self.aws.ask(asked("redshift", request)?).await?;
        let Wrapped { result } = quick_xml::de::from_reader(answer.as_ref()).map_err(unreadable)?;
        let OfCluster { db_user, db_password, expiration } = result;
        let login = Login {
            // What stands before a user's name says how it signs in.
            user: user.map_or_else(|| db_user.clone(), str::to_owned),
            name: db_user,
            password: Secret::new(db_password),
        };
        Ok((login, expiration))
    }

    async fn of_workgroup(&self, name: &str) -> Result<(Login, Timestamp), Failure> {
        let body = json!({
            "workgroupName": name,
            "dbName": self.database,
            "durationSeconds": LIFETIME,
        });
        let request = Request::post(format!("https://{}/", self.aws.host("redshift-serverless")))
            .header(CONTENT_TYPE, "application/x-amz-json-1.1")
            .header("x-amz-target", "RedshiftServerless.GetCredentials")
            .body(Bytes::from(body.to_string()));
        let answer = self.aws.ask(asked("redshift-serverless", request)?).await?;
        let OfWorkgroup { db_user, db_password, expiration } =
            serde_json::from_slice(&answer).map_err(unreadable)?;
        let login =
            Login { user: db_user.clone(), name: db_user, password: Secret::new(db_password) };
        #[expect(clippy::cast_possible_truncation, reason = "a moment of today's, in seconds")]
        let until = Timestamp::from_second(expiration as i64).map_err(unreadable)?;
        Ok((login, until))
    }
}

#[async_trait]
impl SignIn for Passwords {
    async fn login(&self) -> Result<Login, Failure> {
        // The lock is held on purpose: of several that wait for a password one asks for it.
        let mut last = self.last.lock().await;
        if let Some((login, until)) = &*last
            && Timestamp::now() + LEFT < *until
        {
            return Ok(login.clone());
        }
        let (login, until) = self.fetch().await?;
        *last = Some((login.clone(), until));
        Ok(login)
    }

    async fn forget(&self, refused: &Login) {
        let mut last = self.last.lock().await;
        if last.as_ref().is_some_and(|(login, _)| login == refused) {
            *last = None;
        }
    }

    fn refused(&self, failure: Failure) -> Failure {
        failure.map_message(|told| format!("{told}; it was a temporary one, just given by AWS")).help(
            match &self.place {
                Place::Cluster { .. } => {
                    "See that `cluster` and `host` are of the same cluster, and that the database has the user"
                }
                Place::Workgroup(_) => {
                    "See that `workgroup` and `host` are of the same workgroup"
                }
            },
        )
    }
}

/// The question for the password of a cluster's user.
fn form(identifier: &str, user: Option<&str>, database: &str) -> String {
    let action =
        if user.is_some() { "GetClusterCredentials" } else { "GetClusterCredentialsWithIAM" };
    let mut form = Serializer::new(String::new());
    form.append_pair("Action", action)
        .append_pair("Version", "2012-12-01")
        .append_pair("ClusterIdentifier", identifier)
        .append_pair("DbName", database)
        .append_pair("DurationSeconds", &LIFETIME.to_string())
        .extend_pairs(user.map(|user| ("DbUser", user)));
    form.finish()
}

fn asked(
    service: &'static str,
    request: Result<Request<Bytes>, http::Error>,
) -> Result<Ask, Failure> {
    let request = request.map_err(|error| {
        Failure::new(Code::SourceSettings, "`region` makes no valid address").caused_by(error)
    })?;
    Ok(Ask { service, request, wanted: "give a temporary password" })
}

fn unreadable(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Failure {
    Failure::new(
        Code::SourceUnreachable,
        "what answers a request for a temporary password is not AWS",
    )
    .help("Correct `region` or `aws_endpoint` in the source's settings")
    .caused_by(error)
}
