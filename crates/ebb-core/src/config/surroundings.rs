//! What a project may ask of the world around it.

use std::borrow::Cow;

/// The environment and the files that a project refers to.
pub trait Surroundings {
    /// The value of an environment variable; `None` if it is not set or is not Unicode.
    fn variable(&self, name: &str) -> Option<String>;

    /// A secret that a server keeps; `None` if there is none of that name, or no server.
    fn secret(&self, _name: &str) -> Option<String> {
        None
    }

    /// The text of a file; a relative path starts from the project folder.
    fn read(&self, path: &str) -> Result<String, Unreadable>;
}

/// Why a file cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// What follows "the file `x`", such as `does not exist`.
    pub why: String,
    /// The file that may be meant, as the project would write it.
    pub nearest: Option<String>,
}

impl Unreadable {
    /// The remedy: the file that may be meant, or else what is said here.
    pub(super) fn help(&self, otherwise: &'static str) -> Cow<'static, str> {
        match &self.nearest {
            Some(nearest) => format!("Did you mean `{nearest}`? {otherwise}").into(),
            None => otherwise.into(),
        }
    }
}
