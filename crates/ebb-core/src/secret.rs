//! Secrets, and how they are kept out of everything that people see.

use std::fmt;

/// A value that never shows itself. There is no `Display` and no `Serialize` on purpose.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret(String);

impl Secret {
    /// Wraps a value.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value, for the one place that sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Secret(…)")
    }
}

/// Takes known secrets out of text that others wrote, such as an answer that echoes a key.
#[derive(Debug, Clone, Default)]
pub struct Redactor(Vec<Secret>);

/// What stands in place of a secret.
pub const REDACTED: &str = "••••";

/// Shorter values would turn up in harmless text.
const SHORTEST: usize = 4;

impl Redactor {
    /// A redactor of these secrets, in plain, URL-encoded, JSON-escaped and base64 form.
    pub fn new(secrets: impl IntoIterator<Item = Secret>) -> Self {
        use base64::{Engine, prelude::BASE64_STANDARD};
        let mut forms = Vec::new();
        for Secret(plain) in secrets {
            let encoded: String = plain
                .bytes()
                .map(|byte| match byte {
                    b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                        char::from(byte).to_string()
                    }
                    other => format!("%{other:02X}"),
                })
                .collect();
            let quoted = serde_json::Value::from(plain.as_str()).to_string();
            let escaped = quoted.trim_matches('"').to_owned();
            forms.extend([BASE64_STANDARD.encode(&plain), encoded, escaped, plain]);
        }
        forms.retain(|form| form.len() >= SHORTEST);
        forms.sort_unstable_by_key(|form| std::cmp::Reverse(form.len()));
        forms.dedup();
        Self(forms.into_iter().map(Secret).collect())
    }

    /// A redactor of the secrets of both.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        self.0.extend(other.0.iter().cloned());
        self.0.sort_unstable_by_key(|form| std::cmp::Reverse(form.0.len()));
        self.0.dedup();
        self
    }

    /// The text without the secrets.
    pub fn redact(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, secret| text.replace(&secret.0, REDACTED))
    }
}
