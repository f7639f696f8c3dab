//! `${env:NAME}`, `${file:PATH}` and `${secret:NAME}` in texts: the only ways to give a secret.

use std::fmt;

use super::Surroundings;
use crate::{Code, Failure, Secret, suggest};

/// A text of the configuration: as it is written, and what it stands for.
#[derive(Clone, PartialEq)]
pub struct Text {
    written: String,
    value: Option<String>,
}

/// Shows what is written, never what it stands for.
impl fmt::Debug for Text {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.written.fmt(out)
    }
}

impl Text {
    /// A text as it is written in the file.
    pub fn new(written: impl Into<String>) -> Self {
        Self { written: written.into(), value: None }
    }

    /// The text as it is written: for messages.
    pub fn written(&self) -> &str {
        &self.written
    }

    /// What the text stands for; `None` if it refers to something that was not looked up.
    pub fn value(&self) -> Option<&str> {
        self.value.as_deref()
    }

    /// Looks up what the text refers to. Gives the secrets that it took in.
    pub(super) fn resolve(&mut self, world: &dyn Surroundings) -> Result<Vec<Secret>, Failure> {
        let mut value = String::new();
        let mut secrets = Vec::new();
        for piece in pieces(&self.written)? {
            match piece {
                Piece::Plain(plain) => value.push_str(plain),
                Piece::Reference(reference) => {
                    let secret = reference.look_up(world)?;
                    value.push_str(&secret);
                    secrets.push(Secret::new(secret));
                }
            }
        }
        self.value = Some(value);
        Ok(secrets)
    }

    /// Takes a text without references as it is; checks how others are written.
    pub(super) fn check(&mut self) -> Result<(), Failure> {
        let mut value = Some(String::new());
        for piece in pieces(&self.written)? {
            match piece {
                Piece::Plain(plain) => value.iter_mut().for_each(|value| value.push_str(plain)),
                Piece::Reference(_) => value = None,
            }
        }
        self.value = value;
        Ok(())
    }
}

/// Looks up what the texts of a value refer to, in place. Gives the secrets that it took in.
///
/// For values that were kept as they are written, such as the fields of a sync that began earlier.
pub fn resolve(
    value: &mut serde_json::Value,
    world: &dyn Surroundings,
) -> Result<Vec<Secret>, Failure> {
    use serde_json::Value;
    let mut secrets = Vec::new();
    match value {
        Value::String(written) => {
            let mut text = Text::new(std::mem::take(written));
            secrets = text.resolve(world)?;
            *written = text.value.unwrap_or_default();
        }
        Value::Array(items) => {
            for item in items {
                secrets.extend(resolve(item, world)?);
            }
        }
        Value::Object(entries) => {
            for entry in entries.values_mut() {
                secrets.extend(resolve(entry, world)?);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
    Ok(secrets)
}

enum Piece<'a> {
    Plain(&'a str),
    Reference(Reference<'a>),
}

enum Reference<'a> {
    Variable(&'a str),
    File(&'a str),
    /// What a server keeps under a name.
    Secret(&'a str),
}

/// A text that is meant as it is, so that it refers to nothing.
pub fn plain(text: &str) -> String {
    text.replace("${", "$${")
}

impl Reference<'_> {
    fn look_up(&self, world: &dyn Surroundings) -> Result<String, Failure> {
        match self {
            Self::Variable(name) => world.variable(name).ok_or_else(|| {
                let message = format!("the environment variable `{name}` is not set");
                Failure::new(Code::SecretMissing, message)
                    .help(format!("Set `{name}` in the environment of `ebb`"))
            }),
            Self::Secret(name) => world.secret(name).ok_or_else(|| {
                Failure::new(Code::SecretMissing, format!("the server keeps no secret `{name}`"))
                    .help(
                        "Give the secret in the page or by the API; files name it by `${env:NAME}`",
                    )
            }),
            Self::File(path) => {
                let text = world.read(path).map_err(|unreadable| {
                    let message = format!("the file `{path}` {}", unreadable.why);
                    Failure::new(Code::SecretMissing, message)
                        .help(unreadable.help("Create the file or correct its path"))
                })?;
                let line = text.strip_suffix('\n').unwrap_or(&text);
                Ok(line.strip_suffix('\r').unwrap_or(line).to_owned())
            }
        }
    }
}

/// Splits a text at its references. `$${` is a plain `${`.
fn pieces(text: &str) -> Result<Vec<Piece<'_>>, Failure> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        if let Some(before) = before.strip_suffix('$') {
            pieces.extend([Piece::Plain(before), Piece::Plain("${")]);
            rest = after;
            continue;
        }
        let Some((inside, after)) = after.split_once('}') else {
            return Err(Failure::new(Code::ConfigValue, "`${` has no closing `}`")
                .help("Close the reference, or write `$${` for a plain `${`"));
        };
        pieces.extend([Piece::Plain(before), Piece::Reference(reference(inside)?)]);
        rest = after;
    }
    pieces.push(Piece::Plain(rest));
    Ok(pieces)
}

fn reference(inside: &str) -> Result<Reference<'_>, Failure> {
    match inside.split_once(':') {
        Some(("env", name)) if !name.is_empty() => Ok(Reference::Variable(name)),
        Some(("file", path)) if !path.is_empty() => Ok(Reference::File(path)),
        Some(("secret", name)) if !name.is_empty() => Ok(Reference::Secret(name)),
        other => {
            let kind = other.map_or(inside, |(kind, _)| kind);
            let near = match suggest::nearest(kind, ["env", "file"]) {
                Some(kind) => format!("Did you mean `{kind}:`? "),
                None => String::new(),
            };
            Err(Failure::new(Code::ConfigValue, format!("`${{{inside}}}` is not a reference"))
                .help(format!(
                    "{near}Allowed: `${{env:NAME}}`, `${{file:PATH}}`; write `$${{` for a plain `${{`"
                )))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::config::Unreadable;

    struct World;

    impl Surroundings for World {
        fn variable(&self, name: &str) -> Option<String> {
            (name == "KEY").then(|| "hunter2".to_owned())
        }

        fn read(&self, path: &str) -> Result<String, Unreadable> {
            match path {
                "key.txt" => Ok("swordfish\n".to_owned()),
                _ => Err(Unreadable { why: "does not exist".to_owned(), nearest: None }),
            }
        }
    }

    fn resolved(written: &str) -> Result<String, String> {
        let mut text = Text::new(written);
        text.resolve(&World).map_err(|failure| failure.to_string())?;
        Ok(text.value().unwrap().to_owned())
    }

    #[test]
    fn references_stand_for_variables_and_files() {
        assert_eq!(resolved("u:${env:KEY}@${file:key.txt}!"), Ok("u:hunter2@swordfish!".into()));
        assert_eq!(resolved("$${env:KEY} $5 {x} $$"), Ok("${env:KEY} $5 {x} $$".into()));
        assert_eq!(
            resolved("${env:KAY}"),
            Err("C508: the environment variable `KAY` is not set".into())
        );
        assert_eq!(resolved("${file:x}"), Err("C508: the file `x` does not exist".into()));
        assert_eq!(resolved("${evn:KEY}"), Err("C504: `${evn:KEY}` is not a reference".into()));
        assert_eq!(resolved("${KEY}"), Err("C504: `${KEY}` is not a reference".into()));
        assert_eq!(resolved("a ${env:KEY"), Err("C504: `${` has no closing `}`".into()));
    }

    #[test]
    fn a_resolved_text_shows_what_is_written() {
        let mut text = Text::new("${env:KEY}");
        let secrets = text.resolve(&World).unwrap();
        assert_eq!(secrets, [Secret::new("hunter2")]);
        assert_eq!(format!("{text:?}"), r#""${env:KEY}""#);
    }

    #[test]
    fn a_text_with_references_has_no_value_until_they_are_looked_up() {
        let mut text = Text::new("${env:ANY} $${");
        text.check().unwrap();
        assert_eq!(text.value(), None);
        let mut text = Text::new("plain $${");
        text.check().unwrap();
        assert_eq!(text.value(), Some("plain ${"));
    }

    proptest! {
        #[test]
        fn a_text_with_every_opening_doubled_stands_for_itself(plain in "[a${}:env]{0,20}") {
            // A `$` before `${` would itself read as the doubling.
            prop_assume!(!plain.contains("$${"));
            prop_assert_eq!(resolved(&plain.replace("${", "$${")), Ok(plain));
        }
    }
}
