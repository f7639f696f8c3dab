//! What a request proves itself by. Google's own library reads its kinds of credentials, signs or fetches
//! tokens, and renews them in time.

use std::{fs, path::Path};

use ebb_core::{Code, Failure, Secret};
use google_cloud_auth::{
    build_errors,
    credentials::{
        Builder, CacheableResource, Credentials, external_account, impersonated, service_account,
        user_account,
    },
    errors::CredentialsError,
};
use reqwest::header::HeaderMap;
use serde_json::Value;
use tokio::sync::Mutex;

use super::settings::SignIn;

/// What a token may be used for. Nothing narrower lets jobs write tables.
const SCOPE: &str = "https://www.googleapis.com/auth/bigquery";

/// Gives the headers of requests.
pub(super) struct Tokens {
    source: Source,
    /// Made by the first request, because it starts a task that renews the token; the task ends once the
    /// credentials are let go.
    live: Mutex<Option<Credentials>>,
}

/// Credentials as they were given.
enum Source {
    Given(Secret),
    Default,
}

impl Tokens {
    /// Reads what is given. Fails with `S115` if it cannot be read.
    pub(super) fn new(sign_in: &SignIn) -> Result<Self, Failure> {
        let source = match sign_in {
            SignIn::Text(text) => Source::Given(text.clone()),
            SignIn::File(path) => Source::Given(read(path)?),
            SignIn::Default => Source::Default,
        };
        if let Source::Given(json) = &source {
            kind(&parse(json)?)?;
        }
        Ok(Self { source, live: Mutex::new(None) })
    }

    /// The headers of a request now. Fails with `S102` if there is no token to be had.
    pub(super) async fn headers(&self) -> Result<HeaderMap, Failure> {
        let credentials = {
            let mut live = self.live.lock().await;
            match &*live {
                Some(credentials) => credentials.clone(),
                None => live.insert(self.source.build()?).clone(),
            }
        };
        match credentials.headers(http::Extensions::new()).await.map_err(refused)? {
            CacheableResource::New { data, .. } => Ok(data),
            // It is said only of what was asked for by its tag.
            CacheableResource::NotModified => Ok(HeaderMap::new()),
        }
    }

    /// Lets the token go that was refused: the next one is a new one.
    pub(super) async fn renew(&self) {
        *self.live.lock().await = None;
    }
}

impl Source {
    fn build(&self) -> Result<Credentials, Failure> {
        // The library takes the process's own provider of ciphers. If another one is set already, that
        // one will do.
        drop(rustls::crypto::ring::default_provider().install_default());
        let built = match self {
            Self::Default => Builder::default().with_scopes([SCOPE]).build(),
            Self::Given(json) => {
                let json = parse(json)?;
                match kind(&json)? {
                    Kind::ServiceAccount => service_account::Builder::new(json)
                        .with_access_specifier(service_account::AccessSpecifier::from_scopes([
                            SCOPE,
                        ]))
                        .build(),
                    Kind::User => user_account::Builder::new(json).with_scopes([SCOPE]).build(),
                    Kind::Workload => {
                        external_account::Builder::new(json).with_scopes([SCOPE]).build()
                    }
                    Kind::Impersonated => {
                        impersonated::Builder::new(json).with_scopes([SCOPE]).build()
                    }
                }
            }
        };
        built.map_err(unusable)
    }
}

/// The kinds of credentials, by the word in their JSON.
#[derive(Debug, Clone, Copy)]
enum Kind {
    ServiceAccount,
    User,
    Workload,
    Impersonated,
}

fn kind(json: &Value) -> Result<Kind, Failure> {
    match json.get("type").and_then(Value::as_str) {
        Some("service_account") => Ok(Kind::ServiceAccount),
        Some("authorized_user") => Ok(Kind::User),
        Some("external_account") => Ok(Kind::Workload),
        Some("impersonated_service_account") => Ok(Kind::Impersonated),
        Some(other) => Err(broken(format!("credentials of type `{other}` are not known"))),
        None => Err(broken("the credentials do not say their `type`")),
    }
}

fn read(path: &Path) -> Result<Secret, Failure> {
    fs::read_to_string(path).map(Secret::new).map_err(|error| {
        broken(format!("the credentials in `{}` cannot be read", path.display()))
            .help("Correct `credentials_path`, or let the user who runs Ebb read the file")
            .caused_by(error)
    })
}

fn parse(json: &Secret) -> Result<Value, Failure> {
    // What the parser says of the text would show parts of it.
    serde_json::from_str(json.expose()).map_err(|_| broken("the credentials are not JSON"))
}

fn broken(message: impl Into<String>) -> Failure {
    Failure::new(Code::SourceSettings, message).help(
        "Give the JSON that `gcloud iam service-accounts keys create` or \
         `gcloud iam workload-identity-pools create-cred-config` writes",
    )
}

/// Credentials that the library does not take.
fn unusable(error: build_errors::Error) -> Failure {
    let what = if error.is_loading() {
        "the application default credentials cannot be read"
    } else if error.is_missing_field() {
        "the credentials lack a field"
    } else {
        "the credentials are not what Google writes"
    };
    broken(what).caused_by(error)
}

/// No token was to be had.
fn refused(error: CredentialsError) -> Failure {
    if error.is_transient() {
        return Failure::new(Code::SourceUnreachable, "Google's token service cannot be reached")
            .help(
                "See that this machine may reach it; without `credentials` or `credentials_path` it is the metadata \
                 server of a machine in Google's cloud that is asked",
            )
            .caused_by(error);
    }
    Failure::new(Code::SourceAuth, "Google gives no token for the credentials")
        .help("Make new credentials; see that the key or the federation still stands and that this machine's clock is right")
        .caused_by(error)
}
