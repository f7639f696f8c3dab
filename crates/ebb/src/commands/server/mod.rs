//! A server that others use too, asked by its API.

pub(crate) mod apply;
pub(crate) mod export;

use std::{collections::BTreeMap, fmt};

use ebb_core::{
    Code, Failure, Secret,
    config::{Place, Problem},
};
use ebb_destination::{Network, Outlet, no_answer};
use serde_json::Value;

/// Which server.
#[derive(clap::Args)]
pub(crate) struct Address {
    /// The server's address, such as `https://ebb.example.com`; `EBB_SERVER` if absent
    #[arg(long, value_name = "URL")]
    server: Option<String>,
}

impl fmt::Debug for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Address(…)")
    }
}

/// A server's API with a token for it.
pub(super) struct Server {
    root: String,
    token: Secret,
    outlet: Outlet,
}

impl Server {
    /// The server of these arguments. `EBB_TOKEN` has the token: arguments are seen by everybody on the
    /// machine.
    pub(super) fn of(address: &Address) -> Result<Self, Failure> {
        let missing = |what: &str, help: &str| {
            Failure::new(Code::ConfigValue, what.to_owned()).help(help.to_owned())
        };
        let root = address.server.clone().or_else(|| variable("EBB_SERVER")).ok_or_else(|| {
            missing("no server is named", "Name it with `--server`, or as EBB_SERVER")
        })?;
        let token = variable("EBB_TOKEN").ok_or_else(|| {
            missing(
                "there is no token",
                "Make one of an editor in the server's settings, and set EBB_TOKEN to it",
            )
        })?;
        let root = root.trim_end_matches('/');
        let url = url::Url::parse(root).ok();
        let plain = url.as_ref().is_some_and(|url| url.scheme() == "http" && !is_loopback(url));
        if plain || url.is_none_or(|url| !matches!(url.scheme(), "http" | "https")) {
            return Err(missing(
                &format!("`{root}` is not the address of a server"),
                "Write `https://` and the host; only a server on this machine is asked by `http://`",
            ));
        }
        let outlet = Outlet::new(&Network::default(), 1)?;
        Ok(Self { root: root.to_owned(), token: Secret::new(token), outlet })
    }

    pub(super) async fn get(&self, path: &str) -> Result<Value, Vec<Problem>> {
        self.ask("GET", path, None).await
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Result<Value, Vec<Problem>> {
        self.ask("POST", path, Some(body)).await
    }

    async fn ask(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, Vec<Problem>> {
        let url = format!("{}/api/v1{path}", self.root);
        let (status, text) =
            self.exchange(method, &url, body).await.map_err(|failure| vec![failure.into()])?;
        let answer: Value = serde_json::from_str(&text).unwrap_or_default();
        if (200..300).contains(&status) && !answer.is_null() {
            return Ok(answer);
        }
        let problems = refused(&answer);
        if problems.is_empty() {
            let message = format!("`{url}` answered `{status}`, which is no answer of Ebb");
            let failure = Failure::new(Code::DestinationAnswer, message);
            return Err(vec![failure.help("Correct the server's address").into()]);
        }
        Err(problems)
    }

    async fn exchange(
        &self,
        method: &str,
        url: &str,
        body: Option<&Value>,
    ) -> Result<(u16, String), Failure> {
        let mut request = self.outlet.request(method, url)?.bearer_auth(self.token.expose());
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let unanswered = |error| no_answer(url, error);
        let answer = request.send().await.map_err(unanswered)?;
        let status = answer.status().as_u16();
        Ok((status, answer.text().await.map_err(unanswered)?))
    }
}

/// What a problem document tells; nothing if it is none.
fn refused(document: &Value) -> Vec<Problem> {
    let items = document.get("errors").and_then(Value::as_array);
    let told: Vec<Problem> = items.into_iter().flatten().filter_map(problem).collect();
    if told.is_empty() { problem(document).into_iter().collect() } else { told }
}

fn problem(item: &Value) -> Option<Problem> {
    let text = |key: &str| Some(item.get(key)?.as_str()?.to_owned());
    let failure = Failure::new(text("code")?.parse().ok()?, text("detail")?);
    let failure = text("remedy").into_iter().fold(failure, Failure::help);
    Some(match text("path") {
        Some(path) => Problem::at(Place::file(path), failure),
        None => failure.into(),
    })
}

fn is_loopback(url: &url::Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn variable(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "what no file of a project may hold")]
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// A document as a project file has it: text means what it says.
fn escaped(document: &Value) -> Value {
    match document {
        Value::String(text) => ebb_core::config::plain(text).into(),
        Value::Array(items) => items.iter().map(escaped).collect(),
        Value::Object(entries) => {
            let entries: serde_json::Map<String, Value> =
                entries.iter().map(|(key, value)| (key.clone(), escaped(value))).collect();
            entries.into()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => document.clone(),
    }
}

/// Sections and names of entries with their documents.
type Sections = BTreeMap<String, BTreeMap<String, Value>>;

fn yaml(value: &impl serde::Serialize) -> Result<String, Failure> {
    serde_saphyr::to_string(value).map_err(|error| {
        Failure::new(Code::ConfigSyntax, "a document cannot be written as YAML").caused_by(error)
    })
}
