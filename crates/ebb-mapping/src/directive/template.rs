//! `@template`: text with `{{path}}` and `{{{path}}}` in it.

use std::sync::LazyLock;

use ebb_core::Value;
use regex::{Captures, Regex};

use crate::{
    scope::{Scope, Source},
    script::{Path, is_nullish, push_text, text_of, trim},
};

static DOUBLE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\{\{([^}]+)\}\}").expect("the expression is a constant and valid")
});
static TRIPLE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\{\{\{([^}]+)\}\}\}").expect("the expression is a constant and valid")
});

/// A template, cut into its parts.
#[derive(Debug)]
pub(crate) enum Template {
    /// Nothing but double braces.
    Parts(Vec<Part>),
    /// With triple braces: what these insert is looked through for double braces again.
    Twice(Box<str>),
}

/// A part of a template.
#[derive(Debug)]
pub(crate) enum Part {
    /// Text that stays as it is.
    Text(Box<str>),
    /// A value; nothing for `undefined` and `null`.
    Value(Source),
}

impl Template {
    /// Cuts a template; `source` makes a source of each path.
    pub(crate) fn new(text: &str, mut source: impl FnMut(Path) -> Source) -> Self {
        if TRIPLE.is_match(text) {
            for found in DOUBLE.captures_iter(text) {
                // What it is filled in from is the whole event; this only notes what it names.
                let (_, [path]) = found.extract();
                source(Path::parse(trim(path.trim_start_matches('{'))));
            }
            return Self::Twice(text.into());
        }
        let mut parts = Vec::new();
        let mut end = 0;
        for found in DOUBLE.captures_iter(text) {
            let (whole, [path]) = (found.get_match(), found.extract().1);
            if let Some(text) = text.get(end..whole.start()).filter(|text| !text.is_empty()) {
                parts.push(Part::Text(text.into()));
            }
            parts.push(Part::Value(source(Path::parse(trim(path)))));
            end = whole.end();
        }
        if let Some(text) = text.get(end..).filter(|text| !text.is_empty()) {
            parts.push(Part::Text(text.into()));
        }
        Self::Parts(parts)
    }

    /// Fills in the values.
    pub(crate) fn render<'s>(&'s self, scope: Scope<'s>) -> Value<'s> {
        match self {
            Self::Parts(parts) => match parts.as_slice() {
                [] => Value::text(""),
                [Part::Text(text)] => Value::text(&**text),
                [Part::Value(source)] => alone(source.read(scope)),
                parts => {
                    let mut out = String::with_capacity(64);
                    for part in parts {
                        match part {
                            Part::Text(text) => out.push_str(text),
                            Part::Value(source) => insert(&source.read(scope), &mut out),
                        }
                    }
                    out.into()
                }
            },
            Self::Twice(text) => render(text, &scope.whole()).into(),
        }
    }
}

/// Renders a template that is known only with the record.
pub(crate) fn render(template: &str, root: &Value<'_>) -> String {
    let fill = |found: &Captures<'_>| {
        let mut out = String::new();
        let path = Path::parse(trim(found.get(1).map_or("", |path| path.as_str())));
        insert(&path.of(root), &mut out);
        out
    };
    let once = TRIPLE.replace_all(template, fill);
    DOUBLE.replace_all(&once, fill).into_owned()
}

fn alone(value: Value<'_>) -> Value<'_> {
    if value.as_str().is_some() {
        value
    } else if is_nullish(&value) {
        Value::text("")
    } else {
        text_of(&value).into_owned().into()
    }
}

fn insert(value: &Value<'_>, out: &mut String) {
    if !is_nullish(value) {
        push_text(value, out);
    }
}
