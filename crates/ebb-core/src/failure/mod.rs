//! What went wrong, in a form that the engine can act on and a person can read.

mod code;

use std::{borrow::Cow, error::Error, fmt, time::Duration};

use serde::{Deserialize, Serialize};

pub use code::{Code, Remedy};

/// The cause of a failure, for the log alone.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// A failure: a stable code, one sentence that says what happened, and what to do next.
///
/// The message never holds a secret. `cause` is for the log and never leaves the process.
#[derive(Debug, Serialize, Deserialize)]
pub struct Failure {
    /// The stable code; it decides what the engine does next.
    pub code: Code,
    message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    help: Option<Cow<'static, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    retry_after: Option<Duration>,
    #[serde(skip)]
    cause: Option<BoxError>,
}

impl Failure {
    /// A failure with the one sentence that says what happened, offending value in backticks.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), help: None, retry_after: None, cause: None }
    }

    /// Says what to do next, when that is more exact than [`Code::help`].
    #[must_use]
    pub fn help(mut self, help: impl Into<Cow<'static, str>>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The other side asked to wait this long before the next try.
    #[must_use]
    pub fn after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// Keeps the underlying error for the log.
    #[must_use]
    pub fn caused_by(mut self, cause: impl Into<BoxError>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// What happened, in one sentence.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to do next.
    pub fn advice(&self) -> &str {
        self.help.as_deref().unwrap_or_else(|| self.code.help())
    }

    /// How long the other side asked to wait.
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// What the engine does about it.
    pub fn remedy(&self) -> Remedy {
        self.code.remedy()
    }

    /// The same failure with its message changed, for redaction.
    #[must_use]
    pub fn map_message(mut self, change: impl FnOnce(String) -> String) -> Self {
        self.message = change(self.message);
        self
    }
}

/// The cause stays with the original: it is for the log, which has it already.
impl Clone for Failure {
    fn clone(&self) -> Self {
        Self {
            code: self.code,
            message: self.message.clone(),
            help: self.help.clone(),
            retry_after: self.retry_after,
            cause: None,
        }
    }
}

impl PartialEq for Failure {
    fn eq(&self, other: &Self) -> bool {
        self.code == other.code && self.message == other.message && self.advice() == other.advice()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.code, self.message)
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as &(dyn Error + 'static))
    }
}
