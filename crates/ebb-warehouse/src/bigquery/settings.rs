//! The settings of a `bigquery` source, read and checked once.

use std::{path::PathBuf, time::Duration};

use ebb_core::{Code, Failure, Secret, config::Settings};
use url::Url;

use super::form::FORM;
use crate::{given::Given, http::address};

/// Where and as whom statements run, and what they may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ConnectionSettings {
    /// The address of the service, without a path.
    pub(super) endpoint: Url,
    /// The address of the Storage Read API, without a path.
    pub(super) storage_endpoint: Url,
    pub(super) storage_read: StorageRead,
    /// The project that runs the statements, is billed for them, and holds the managed dataset.
    pub(super) project: String,
    /// Where the managed dataset lies and all statements run.
    pub(super) location: String,
    /// The dataset of tables that a model names without one.
    pub(super) dataset: Option<String>,
    pub(super) sign_in: SignIn,
    /// A statement that would be billed for more is refused by the service.
    pub(super) maximum_bytes_billed: Option<u64>,
    pub(super) connect_timeout: Duration,
    pub(super) statement_timeout: Duration,
    /// The dataset of Ebb's tables.
    pub(super) managed: String,
}

/// Where the credentials are: any JSON that Google makes for a service account, a user, or a federated
/// workload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SignIn {
    Text(Secret),
    File(PathBuf),
    /// Application default credentials: where Google's own tools look.
    Default,
}

/// Which changes are read by the Storage Read API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StorageRead {
    /// Many; if it is refused, they are read by statements.
    Auto,
    /// All; if it is refused, the sync fails.
    Always,
    /// None.
    Never,
}

impl StorageRead {
    const ALL: [Self; 3] = [Self::Auto, Self::Always, Self::Never];

    const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Always => "always",
            Self::Never => "never",
        }
    }
}

impl ConnectionSettings {
    /// Reads the settings. Fails with `S115`.
    pub(super) fn read(settings: &Settings, managed: &str) -> Result<Self, Failure> {
        let given = Given::read(&FORM, settings)?;
        let endpoint = endpoint(&given)?;
        Ok(Self {
            storage_endpoint: storage_endpoint(&given, &endpoint)?,
            storage_read: given.choice("storage_read", &StorageRead::ALL, StorageRead::name)?,
            endpoint,
            project: project(&given)?,
            location: given.value("location").unwrap_or_default().to_owned(),
            dataset: given.text("dataset"),
            sign_in: sign_in(&given)?,
            maximum_bytes_billed: number(&given, "maximum_bytes_billed")?,
            connect_timeout: given.duration("connect_timeout")?,
            statement_timeout: given.duration("statement_timeout")?,
            managed: managed.to_owned(),
        })
    }
}

fn number(given: &Given, key: &str) -> Result<Option<u64>, Failure> {
    let Some(text) = given.text(key) else { return Ok(None) };
    text.parse().map(Some).map_err(|_| {
        refuse(format!("`{text}` is not allowed for `{key}`")).help("Give a number of bytes")
    })
}

fn project(given: &Given) -> Result<String, Failure> {
    let project = given.text("project").ok_or_else(|| {
        refuse("the setting `project` is missing")
            .help("Give the project's id; `gcloud projects list` tells it")
    })?;
    // What stands in addresses and in quoted names must not end them.
    let is_id = |it: char| it.is_ascii_alphanumeric() || "-_.:".contains(it);
    if project.chars().all(is_id) {
        return Ok(project);
    }
    Err(refuse(format!("`{project}` is not the id of a project"))
        .help("Give the project's id, such as `acme-shop`, and not its name"))
}

fn endpoint(given: &Given) -> Result<Url, Failure> {
    address(given.value("endpoint").unwrap_or_default(), "https://bigquery-shop.p.googleapis.com")
}

/// Where the Storage Read API is: beside the other one, whose host says `bigquery` where its own says
/// `bigquerystorage`.
fn storage_endpoint(given: &Given, endpoint: &Url) -> Result<Url, Failure> {
    if let Some(host) = given.text("storage_endpoint") {
        return address(&host, "https://bigquerystorage-shop.p.googleapis.com");
    }
    let mut beside = endpoint.clone();
    let rest = endpoint.host_str().and_then(|host| host.strip_prefix("bigquery"));
    if let Some(rest) = rest.filter(|rest| rest.starts_with(['.', '-'])) {
        let host = format!("bigquerystorage{rest}");
        beside.set_host(Some(&host)).map_err(|error| refuse(error.to_string()))?;
    }
    Ok(beside)
}

fn sign_in(given: &Given) -> Result<SignIn, Failure> {
    match (given.text("credentials"), given.text("credentials_path")) {
        (Some(_), Some(_)) => Err(refuse("both `credentials` and `credentials_path` are given")),
        (Some(text), None) => Ok(SignIn::Text(Secret::new(text))),
        (None, Some(path)) => Ok(SignIn::File(path.into())),
        (None, None) => Ok(SignIn::Default),
    }
}

fn refuse(message: impl Into<String>) -> Failure {
    Failure::new(Code::SourceSettings, message)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ebb_core::{Code, Failure};
    use serde_json::{Value, json};

    use super::{ConnectionSettings, SignIn, StorageRead};

    fn read(settings: Value) -> Result<ConnectionSettings, Failure> {
        let Value::Object(settings) = settings else { panic!("settings are an object") };
        ConnectionSettings::read(&settings.into(), "managed")
    }

    #[test]
    fn a_project_is_all_it_takes() {
        let settings = read(json!({ "project": "example.com:shop" })).unwrap();
        assert_eq!(settings.endpoint.as_str(), "https://bigquery.googleapis.com/");
        assert_eq!(settings.storage_endpoint.as_str(), "https://bigquerystorage.googleapis.com/");
        assert_eq!(settings.storage_read, StorageRead::Auto);
        assert_eq!(settings.location, "US");
        assert_eq!(settings.sign_in, SignIn::Default);
        assert_eq!(settings.statement_timeout, Duration::from_hours(1));
        let settings = read(json!({
            "project": "shop", "location": "EU", "dataset": "sales", "credentials_path": "key.json",
            "maximum_bytes_billed": 1_000_000_000_000_u64, "statement_timeout": "5min",
        }))
        .unwrap();
        assert_eq!(settings.sign_in, SignIn::File("key.json".into()));
        assert_eq!(settings.maximum_bytes_billed, Some(1_000_000_000_000));
        assert_eq!(settings.statement_timeout, Duration::from_mins(5));
    }

    #[test]
    fn the_storage_read_api_is_beside_the_other_unless_it_is_said() {
        for (endpoint, storage, expected) in [
            (
                "bigquery-shop.p.googleapis.com",
                "",
                "https://bigquerystorage-shop.p.googleapis.com/",
            ),
            (
                "bigquery.us-east4.rep.googleapis.com",
                "",
                "https://bigquerystorage.us-east4.rep.googleapis.com/",
            ),
            ("https://bq.shop.example:8443", "", "https://bq.shop.example:8443/"),
            ("bq.shop.example", "storage.shop.example", "https://storage.shop.example/"),
        ] {
            let settings = json!({
                "project": "a", "endpoint": endpoint, "storage_endpoint": storage,
                "storage_read": "never",
            });
            let settings = read(settings).unwrap();
            assert_eq!(settings.storage_endpoint.as_str(), expected);
            assert_eq!(settings.storage_read, StorageRead::Never);
        }
    }

    #[test]
    fn wrong_settings_are_named_and_secrets_are_not_told() {
        let cases = [
            json!({ "projct": "a" }),
            json!({ "credentials": "hunter2" }),
            json!({ "project": "my shop" }),
            json!({ "project": "a", "credentials": "hunter2", "credentials_path": "key.json" }),
            json!({ "project": "a", "endpoint": "http://example.com" }),
            json!({ "project": "a", "endpoint": "https://example.com/path" }),
            json!({ "project": "a", "storage_endpoint": "http://example.com" }),
            json!({ "project": "a", "storage_read": "allways" }),
            json!({ "project": "a", "dataset": ["d"] }),
            json!({ "project": "a", "maximum_bytes_billed": "1 TB" }),
            json!({ "project": "a", "statement_timeout": "soon" }),
        ];
        let told: Vec<String> = cases
            .into_iter()
            .map(|settings| {
                let failure = read(settings).unwrap_err();
                assert_eq!(failure.code, Code::SourceSettings);
                format!("{} | {}", failure.message(), failure.advice())
            })
            .collect();
        let told = told.join("\n");
        assert!(!told.contains("hunter2"), "{told}");
        insta::assert_snapshot!(told);
    }

    #[test]
    fn debug_shows_no_secret() {
        let settings = read(json!({ "project": "a", "credentials": "hunter2" }));
        assert!(!format!("{settings:?}").contains("hunter2"));
    }
}
