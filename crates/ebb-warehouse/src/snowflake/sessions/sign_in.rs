//! How a session begins, goes on, and ends.

use std::{env::consts, time::Duration};

use ebb_core::{Failure, Secret};
use reqwest::{
    RequestBuilder,
    header::{AUTHORIZATION, HeaderValue},
};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use url::Url;

use super::{
    account::Account,
    answer::{Granted, Renewed, Said},
};
use crate::{
    http::{self, Repeat, Reply},
    snowflake::{answer::Refused, credentials::Kind, dialect::quoted, failure, runner::PARAMETERS},
};

/// The drivers' names and versions decide in which form the service gives rows, and to those that it does
/// not know it gives no Arrow. So this is the driver whose requests ours are like; Ebb's own name stands in
/// the environment.
const DRIVER: (&str, &str) = ("Go", "1.13.0");
/// How long a farewell may take.
const FAREWELL: Duration = Duration::from_secs(5);

/// What a session's requests prove themselves by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tokens {
    /// For an hour.
    pub(super) session: Secret,
    /// For some hours: it renews the other.
    pub(super) master: Secret,
    /// Where the session finds tables that are named without a schema.
    pub(super) schema: Option<String>,
}

impl Tokens {
    fn new(
        session: Option<String>,
        master: Option<String>,
        schema: Option<String>,
    ) -> Option<Self> {
        let given = |token: Option<String>| token.filter(|token| !token.is_empty());
        let (session, master) = given(session).zip(given(master))?;
        Some(Self { session: Secret::new(session), master: Secret::new(master), schema })
    }
}

/// Proves whose a request is.
pub(super) fn signed(request: RequestBuilder, token: &Secret) -> RequestBuilder {
    let value = HeaderValue::from_str(&format!("Snowflake Token=\"{}\"", token.expose()));
    match value {
        Ok(mut value) => {
            value.set_sensitive(true);
            request.header(AUTHORIZATION, value)
        }
        // The service refuses what has no proof.
        Err(_) => request,
    }
}

impl Account {
    /// Signs a session in. Credentials that the service refuses are got anew once, if they can be.
    pub(super) async fn sign_in(&self) -> Result<Tokens, Failure> {
        let token = self.credentials.token(&self.http).await?;
        match self.sign_in_by(&token).await? {
            Ok(tokens) => Ok(tokens),
            Err(refused) => {
                let kind = self.credentials.kind();
                let stale = is_stale(&refused.code, kind) && self.credentials.renew(&token).await;
                if stale {
                    let token = self.credentials.token(&self.http).await?;
                    let again = self.sign_in_by(&token).await?;
                    return again
                        .map_err(|refused| failure::sign_in(&refused, kind, &self.settings));
                }
                Err(failure::sign_in(&refused, kind, &self.settings))
            }
        }
    }

    async fn sign_in_by(&self, token: &Secret) -> Result<Result<Tokens, Refused>, Failure> {
        let address = self.sign_in_address(&http::unique()?);
        let body = json!({ "data": self.credentials_body(token) }).to_string();
        let request = |_| {
            let request = self.http.post(address.clone());
            plain(request).body(body.clone())
        };
        let reply = self.service.send(Repeat::Freely, request).await?;
        let said: Said<Granted> = self.said(&reply)?;
        let refused = said.refused(None);
        let Granted { token, master_token, next_action, session_info } =
            said.data.unwrap_or_default();
        let schema = session_info.and_then(|place| place.schema_name);
        let tokens = Tokens::new(token, master_token, schema).filter(|_| said.success);
        Ok(tokens.ok_or_else(|| with_next_action(refused, next_action.as_deref())))
    }

    /// Where a session begins, and what it works with.
    fn sign_in_address(&self, id: &str) -> Url {
        let mut address = self.address("/session/v1/login-request");
        let context = &self.settings.context;
        let places = [
            ("databaseName", Some(&context.database)),
            ("schemaName", context.schema.as_ref()),
            ("warehouse", context.warehouse.as_ref()),
            ("roleName", context.role.as_ref()),
        ];
        let mut query = address.query_pairs_mut();
        query.append_pair("request_id", id);
        for (name, place) in places {
            if let Some(place) = place {
                query.append_pair(name, &written(place));
            }
        }
        drop(query);
        address
    }

    fn credentials_body(&self, token: &Secret) -> Value {
        let kind = self.credentials.kind();
        let (name, version) = DRIVER;
        let mut parameters: Map<_, _> =
            PARAMETERS.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        let mut set = |name: &str, value: Value| parameters.insert(name.to_owned(), value);
        set("AUTOCOMMIT", true.into());
        // What fails within a transaction undoes it at once, and holds no lock while nobody is there.
        set("TRANSACTION_ABORT_ON_ERROR", true.into());
        // A database or role that is not there is told at once.
        set("CLIENT_VALIDATE_DEFAULT_PARAMETERS", true.into());
        let limit = self.settings.statement_timeout;
        if !limit.is_zero() {
            set("STATEMENT_TIMEOUT_IN_SECONDS", limit.as_secs().max(1).into());
        }
        let proof = match kind {
            Kind::Password => "PASSWORD",
            Kind::KeyPair | Kind::ProgrammaticToken | Kind::OAuth => "TOKEN",
        };
        json!({
            "CLIENT_APP_ID": name,
            "CLIENT_APP_VERSION": version,
            "ACCOUNT_NAME": self.settings.account,
            "LOGIN_NAME": self.settings.user.as_deref().unwrap_or_default(),
            "AUTHENTICATOR": kind.of_session(),
            proof: token.expose(),
            "SESSION_PARAMETERS": parameters,
            "CLIENT_ENVIRONMENT": { "APPLICATION": "Ebb", "OS": consts::OS, "OS_VERSION": consts::ARCH },
        })
    }

    /// Gets tokens for a session whose token expired; none if the session has to begin anew.
    pub(super) async fn renew(&self, tokens: &Tokens) -> Result<Option<Tokens>, Failure> {
        let mut address = self.address("/session/token-request");
        address.query_pairs_mut().append_pair("requestId", &http::unique()?);
        let old = tokens.session.expose();
        let body = json!({ "oldSessionToken": old, "requestType": "RENEW" }).to_string();
        let request = |_| {
            let request = plain(self.http.post(address.clone()));
            signed(request, &tokens.master).body(body.clone())
        };
        let reply = self.service.send(Repeat::Freely, request).await?;
        let said: Said<Renewed> = self.said(&reply)?;
        let Renewed { session_token, master_token } = said.data.unwrap_or_default();
        let schema = tokens.schema.clone();
        Ok(Tokens::new(session_token, master_token, schema).filter(|_| said.success))
    }

    /// What an answer says, be it that the request was refused.
    pub(super) fn said<T: DeserializeOwned>(&self, reply: &Reply) -> Result<Said<T>, Failure> {
        match reply.status.as_u16() {
            // Who is not signed in is told so in the frame, too.
            200 | 401 => self.service.parsed(&reply.body),
            _ => {
                let said: Option<Said<Value>> = serde_json::from_slice(&reply.body).ok();
                let refused = said.map(|said| said.refused(None)).unwrap_or_default();
                Err(self.service.unexpected(reply.status, &failure::said(&refused)))
            }
        }
    }
}

/// Ends a session, and with it what it has open.
pub(super) async fn sign_off(http: reqwest::Client, mut address: Url, tokens: Tokens) {
    address.query_pairs_mut().append_pair("delete", "true");
    let request = plain(http.post(address)).timeout(FAREWELL).body("{}");
    if let Err(error) = signed(request, &tokens.session).send().await {
        tracing::debug!(error = %error.without_url(), "a session could not be signed off");
    }
}

/// A request about a session.
fn plain(request: RequestBuilder) -> RequestBuilder {
    request.header("Content-Type", "application/json").header("Accept", "application/json")
}

/// Whether other credentials of the kind may do better than those that were refused so.
fn is_stale(code: &str, kind: Kind) -> bool {
    match kind {
        Kind::OAuth => matches!(code, "390303" | "390318"),
        Kind::KeyPair => matches!(code, "390144") || code.starts_with("39430"),
        // Users are locked who come with a wrong password again and again.
        Kind::ProgrammaticToken | Kind::Password => false,
    }
}

/// A name as a statement writes it: this protocol reads it as a statement does.
fn written(name: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    let begins = name.bytes().next().is_some_and(|byte| !byte.is_ascii_digit());
    if begins && name.bytes().all(is_plain) { name.to_owned() } else { quoted(name) }
}

/// A refusal with what the service wants the user to do, where that is all it says.
fn with_next_action(refused: Refused, next: Option<&str>) -> Refused {
    match next {
        Some(next) if next.starts_with("EXT_AUTHN") => {
            Refused { code: "390124".to_owned(), ..refused }
        }
        Some("PWD_CHANGE") if refused.message.is_empty() => {
            Refused { message: "the password must be changed".to_owned(), ..refused }
        }
        Some(_) | None => refused,
    }
}

#[cfg(test)]
mod tests {
    use super::written;

    #[test]
    fn names_are_quoted_that_would_be_read_as_others() {
        let told = ["SHOP", "Shop", "A_1", "1A", "a\"b", "Ä"].map(written);
        assert_eq!(told, ["SHOP", "\"Shop\"", "A_1", "\"1A\"", "\"a\"\"b\"", "\"Ä\""]);
    }
}
