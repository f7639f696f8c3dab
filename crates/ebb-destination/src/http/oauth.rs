//! Tokens that are fetched, and fetched anew when they are no longer taken.

use ebb_core::{Code, Failure, Object, Redactor, Secret, Value};
use tokio::sync::Mutex;

use super::{client::Outlet, failure::no_answer};
use crate::{
    manifest::{Grant, Manifest, OAuth2},
    planner,
    template::{Names, Node},
};

/// Gets tokens, one request at a time however many ask.
#[derive(Debug)]
pub(super) struct Tokens {
    name: String,
    grant: Grant,
    token_url: String,
    client_id: String,
    client_secret: Secret,
    scope: Option<String>,
    held: Mutex<Held>,
}

#[derive(Debug)]
struct Held {
    access: Option<Secret>,
    refresh: Option<Secret>,
    /// Grows with every token, so that late refusals of an old one fetch nothing.
    generation: u64,
}

/// A token, and which one it is.
#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(super) access: Secret,
    pub(super) generation: u64,
}

impl Tokens {
    /// Resolves the manifest's OAuth 2 part with the settings.
    pub(super) fn new(
        oauth: &OAuth2,
        manifest: &Manifest,
        settings: &Object<'static>,
    ) -> Result<Self, Failure> {
        let names = planner::setting_names(manifest, settings);
        let text = |leaf: &str| text(leaf, &names, manifest);
        let optional = |leaf: &Option<String>| leaf.as_deref().map(text).transpose();
        Ok(Self {
            name: manifest.name.clone(),
            grant: oauth.grant,
            token_url: text(&oauth.token_url)?,
            client_id: text(&oauth.client_id)?,
            client_secret: Secret::new(text(&oauth.client_secret)?),
            scope: optional(&oauth.scope)?,
            held: Mutex::new(Held {
                access: optional(&oauth.access_token)?.filter(|it| !it.is_empty()).map(Secret::new),
                refresh: optional(&oauth.refresh_token)?.map(Secret::new),
                generation: 0,
            }),
        })
    }

    /// The token to use now; fetched if there is none.
    pub(super) async fn current(&self, outlet: &Outlet) -> Result<Token, Failure> {
        let mut held = self.held.lock().await;
        if held.access.is_none() {
            self.fetch(outlet, &mut held).await?;
        }
        self.token(&held)
    }

    /// A token to use instead of one that was refused.
    pub(super) async fn renewed(&self, outlet: &Outlet, refused: u64) -> Result<Token, Failure> {
        let mut held = self.held.lock().await;
        if held.generation == refused {
            self.fetch(outlet, &mut held).await?;
        }
        self.token(&held)
    }

    fn token(&self, held: &Held) -> Result<Token, Failure> {
        let access = held.access.clone().ok_or_else(|| self.refused("no token came"))?;
        Ok(Token { access, generation: held.generation })
    }

    async fn fetch(&self, outlet: &Outlet, held: &mut Held) -> Result<(), Failure> {
        let reply = outlet
            .request("POST", &self.token_url)?
            .header("content-type", "application/x-www-form-urlencoded")
            .header("accept", "application/json")
            .body(self.form(held))
            .send()
            .await
            .map_err(|error| no_answer(&self.token_url, error))?;
        let status = reply.status();
        let body = reply.text().await.map_err(|error| no_answer(&self.token_url, error))?;
        let answer = Value::from_json(&body).unwrap_or_default();
        let text = |key: &str| answer.as_object()?.get(key)?.as_str().map(str::to_owned);
        let Some(access) = text("access_token").filter(|_| status.is_success()) else {
            let secrets = [Some(self.client_secret.clone()), held.refresh.clone()];
            let redactor = Redactor::new(secrets.into_iter().flatten());
            let said = redactor.redact(&text("error").unwrap_or_else(|| "no reason".to_owned()));
            if status.is_server_error() {
                return Err(Failure::new(
                    Code::DestinationDown,
                    format!("{} answered `{}` when asked for a token", self.name, status.as_u16()),
                ));
            }
            return Err(self.refused(&format!("it answered `{}`: `{said}`", status.as_u16())));
        };
        if let Some(refresh) = text("refresh_token") {
            held.refresh = Some(Secret::new(refresh));
        }
        held.access = Some(Secret::new(access));
        held.generation += 1;
        Ok(())
    }

    /// The form that asks for a token.
    fn form(&self, held: &Held) -> String {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("client_id", &self.client_id);
        form.append_pair("client_secret", self.client_secret.expose());
        match self.grant {
            Grant::ClientCredentials => {
                form.append_pair("grant_type", "client_credentials");
            }
            Grant::RefreshToken => {
                let refresh = held.refresh.as_ref().map(Secret::expose).unwrap_or_default();
                form.append_pair("grant_type", "refresh_token")
                    .append_pair("refresh_token", refresh);
            }
        }
        if let Some(scope) = &self.scope {
            form.append_pair("scope", scope);
        }
        form.finish()
    }

    fn refused(&self, why: &str) -> Failure {
        Failure::new(Code::DestinationAuth, format!("{} gives no token: {why}", self.name))
            .help("Correct the client's id and secret, or connect the destination anew")
    }
}

/// The text of a leaf over settings, secrets included.
pub(super) fn text(leaf: &str, names: &Names, manifest: &Manifest) -> Result<String, Failure> {
    let wrong = |reason: String| {
        Failure::new(
            Code::DestinationManifest,
            format!("the manifest of `{}` is not valid in `auth`: {reason}", manifest.slug),
        )
    };
    let node = Node::leaf(leaf, names).map_err(wrong)?;
    Ok(node.constant_text().map(std::borrow::Cow::into_owned).unwrap_or_default())
}
