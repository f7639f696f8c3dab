//! What people typed in a form.

use std::convert::Infallible;

use axum::{extract::FromRequestParts, http::request::Parts};
use serde::Deserialize;

/// What a form sent, or what it shows at first: values by the names of inputs, in their order. May hold
/// secrets, so it has no `Debug`.
#[derive(Clone, Default, Deserialize)]
#[serde(transparent)]
pub(super) struct Typed(Vec<(String, String)>);

impl Typed {
    /// What was typed, without space around it; empty if there is no such input.
    pub(super) fn get(&self, name: &str) -> &str {
        self.raw(name).trim()
    }

    /// What was typed, to the letter.
    pub(super) fn raw(&self, name: &str) -> &str {
        let found = self.0.iter().rev().find(|(key, _)| key == name);
        found.map_or("", |(_, value)| value.as_str())
    }

    /// Several lines, each ended as everywhere but in forms.
    pub(super) fn lines(&self, name: &str) -> String {
        self.raw(name).replace("\r\n", "\n")
    }

    /// Whether there was such an input: a box that is not checked is not sent.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(key, _)| key == name)
    }

    /// All values of one name.
    pub(super) fn all<'t>(&'t self, name: &'t str) -> impl Iterator<Item = &'t str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// All values with their names.
    pub(super) fn all_by_name(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The same without some of its inputs.
    pub(super) fn without(mut self, names: &[&str]) -> Self {
        self.0.retain(|(key, _)| !names.contains(&key.as_str()));
        self
    }

    /// Gives an input a value; it is the only one from now on.
    pub(super) fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        let name = name.into();
        self.0.retain(|(key, _)| *key != name);
        self.0.push((name, value.into()));
    }

    /// Adds a value beside those that are there.
    pub(super) fn add(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.push((name.into(), value.into()));
    }
}

/// Whether a part of a page is asked for, by htmx, and not the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    Whole,
    Part,
}

impl<S: Sync> FromRequestParts<S> for Asked {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let part = parts.headers.contains_key("hx-request");
        Ok(if part { Self::Part } else { Self::Whole })
    }
}
