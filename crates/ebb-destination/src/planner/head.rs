//! A request's method, address and headers, which all records of a batch have in common.

use bytes::Bytes;
use ebb_core::{Code, Failure, Object, Value, port::Header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::template::{Node, Scope, text_of};

/// Method, address and headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) headers: Vec<Header>,
}

/// How a head is made. No `Debug`: it holds secrets.
pub(crate) struct HeadPlan {
    pub(crate) method: Node,
    pub(crate) url: Node,
    pub(crate) query: Vec<(String, Node)>,
    /// The action's own headers, an object.
    pub(crate) headers: Option<Node>,
    /// The headers of the credentials, by name.
    pub(crate) secret: Vec<(String, Credential)>,
}

/// What a secret header holds.
pub(crate) enum Credential {
    /// The text as it is.
    Plain(Node),
    /// `Bearer …`.
    Bearer(Node),
    /// `Basic …`, of user and password.
    Basic(Node, Node),
}

/// A head in the form in which it travels as an item's group.
#[derive(Serialize, Deserialize)]
struct Packed(String, String, Vec<(String, String, bool)>);

/// What a query's names and values must not hold, as browsers encode forms.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'*');

impl HeadPlan {
    /// Whether every record has the same head.
    pub(crate) fn is_constant(&self) -> bool {
        self.method.is_constant()
            && self.url.is_constant()
            && self.query.iter().all(|(_, node)| node.is_constant())
            && self.headers.as_ref().is_none_or(Node::is_constant)
            && self.secret.iter().all(|(_, credential)| credential.is_constant())
    }

    /// Whether every record has the same head, given which fields are the same for every record.
    pub(crate) fn build(&self, scope: Scope<'_>) -> Result<Head, Failure> {
        let method = self.method.evaluate(scope).map(|it| text_of(&it).to_uppercase());
        let url = self.url.evaluate(scope).map(|it| text_of(&it).into_owned()).unwrap_or_default();
        let mut query = String::new();
        for (name, node) in &self.query {
            let Some(value) = node.evaluate(scope) else { continue };
            query.push(if query.is_empty() { '?' } else { '&' });
            query.extend(utf8_percent_encode(name, QUERY));
            query.push('=');
            query.extend(utf8_percent_encode(&text_of(&value), QUERY));
        }
        if url.is_empty() {
            return Err(Failure::new(
                Code::PayloadInvalid,
                "the request's address lacks a value that the mapping does not give",
            ));
        }
        let url = Url::parse(&(url.clone() + &query)).map_err(|error| {
            Failure::new(Code::PayloadInvalid, format!("`{url}` is not an address"))
                .help("Give a whole address that starts with `https://` or `http://`")
                .caused_by(error)
        })?;
        let mut headers = Vec::new();
        let own = self.headers.as_ref().and_then(|node| node.evaluate(scope));
        if let Some(Value::Object(own)) = own {
            own_headers(&own, &mut headers)?;
        }
        for (name, credential) in &self.secret {
            if let Some(value) = credential.text(scope) {
                headers.push(Header { name: name.clone(), value, secret: true });
            }
        }
        Ok(Head { method: method.unwrap_or_else(|| "POST".to_owned()), url: url.into(), headers })
    }
}

impl Credential {
    fn is_constant(&self) -> bool {
        match self {
            Self::Plain(node) | Self::Bearer(node) => node.is_constant(),
            Self::Basic(username, password) => username.is_constant() && password.is_constant(),
        }
    }

    /// The header's value.
    pub(super) fn text(&self, scope: Scope<'_>) -> Option<String> {
        use base64::{Engine, prelude::BASE64_STANDARD};
        let text = |node: &Node| node.evaluate(scope).map(|it| text_of(&it).into_owned());
        match self {
            Self::Plain(node) => text(node),
            Self::Bearer(node) => Some(format!("Bearer {}", text(node)?)),
            Self::Basic(username, password) => {
                let pair = format!("{}:{}", text(username)?, text(password).unwrap_or_default());
                Some(format!("Basic {}", BASE64_STANDARD.encode(pair)))
            }
        }
    }
}

/// A header that people may see.
pub(crate) fn header(name: &str, value: impl Into<String>) -> Header {
    Header { name: name.to_ascii_lowercase(), value: value.into(), secret: false }
}

fn own_headers(own: &Object<'_>, headers: &mut Vec<Header>) -> Result<(), Failure> {
    let wrong = |what: String| {
        Failure::new(Code::PayloadInvalid, what)
            .help("Header names are letters, digits and dashes; values have no line breaks")
    };
    for (name, value) in own.iter() {
        let value = text_of(value);
        // A value that was never there arrives as this word.
        if value == "undefined" {
            continue;
        }
        if http::HeaderName::from_bytes(name.as_bytes()).is_err() {
            return Err(wrong(format!("`{name}` is not the name of a header")));
        }
        if value.chars().any(|it| it != '\t' && !matches!(it, ' '..='~' | '\u{80}'..='\u{ff}')) {
            return Err(wrong(format!(
                "the value of the header `{name}` has characters that headers cannot carry"
            )));
        }
        let mut made = header(name, value.trim_matches([' ', '\t']));
        made.secret = carries_secret(&made.name);
        headers.retain(|known| known.name != made.name);
        headers.push(made);
    }
    Ok(())
}

/// Whether a header that a mapping gives is likely to hold a credential, so that nobody sees it.
fn carries_secret(name: &str) -> bool {
    ["auth", "cookie", "key", "password", "secret", "token"].iter().any(|part| name.contains(part))
}

impl Head {
    /// The head as an item's group; `more` tells records apart that share a head.
    pub(crate) fn pack(&self, more: &[u8]) -> Bytes {
        let headers = self
            .headers
            .iter()
            .map(|header| (header.name.clone(), header.value.clone(), header.secret));
        let packed = Packed(self.method.clone(), self.url.clone(), headers.collect());
        let mut bytes = serde_json::to_vec(&packed).expect("texts are always JSON");
        bytes.extend_from_slice(more);
        bytes.into()
    }

    /// The head of an item's group.
    pub(crate) fn unpack(group: &[u8]) -> Option<Self> {
        let mut stream = serde_json::Deserializer::from_slice(group).into_iter::<Packed>();
        let Packed(method, url, headers) = stream.next()?.ok()?;
        let headers = headers
            .into_iter()
            .map(|(name, value, secret)| Header { name, value, secret })
            .collect();
        Some(Self { method, url, headers })
    }

    /// Sets a header, in place of one of the same name.
    pub(crate) fn set(&mut self, header: Header) {
        self.headers.retain(|known| known.name != header.name);
        self.headers.push(header);
    }
}
