//! What is configured, section by section: the same five operations for each.

use std::{
    collections::BTreeMap,
    ops::Bound::{Excluded, Unbounded},
    sync::Arc,
};

use axum::{
    Json,
    http::{
        HeaderName, StatusCode,
        header::{ETAG, LOCATION},
    },
    response::{IntoResponse, Response},
};
use ebb_core::{Code, Failure, config::Project};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::paging::{Page, Paging};
use crate::{
    access::Actor,
    app::{App, Change, Configuration, Section, is_secret, secret_keys, shown},
    refusal::Refusal,
};

/// Something that is configured.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Configured<D> {
    /// Its name.
    name: String,
    /// Whether it comes from project files: it is changed there, and here it is only read.
    from_files: bool,
    /// Its version, which is its `ETag` too; `null` for what comes from files.
    version: Option<i64>,
    /// What a project file says of it, without its secrets.
    document: D,
    /// The settings that hold a secret. Secrets are never given back.
    secrets: Vec<String>,
}

/// Something new.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct New<D> {
    /// Its name: `a` to `z`, `0` to `9`, `-` and `_`, at most 50, the first a letter or digit.
    pub(super) name: String,
    /// What a project file would say of it. Every text is meant as it is: nothing refers to the
    /// environment or to files.
    pub(super) document: D,
}

/// The names of a section, in order, behind one of them.
fn names(project: &Project, section: Section, behind: Option<&str>, limit: usize) -> Vec<String> {
    fn of<T>(entries: &BTreeMap<String, T>, behind: Option<&str>, limit: usize) -> Vec<String> {
        let from = behind.map_or(Unbounded, Excluded);
        let entries = entries.range::<str, _>((from, Unbounded));
        entries.take(limit).map(|(name, _)| name.clone()).collect()
    }
    match section {
        Section::Sources => of(&project.sources, behind, limit),
        Section::Models => of(&project.models, behind, limit),
        Section::Destinations => of(&project.destinations, behind, limit),
        Section::Mappings => of(&project.mappings, behind, limit),
        Section::Channels => of(&project.channels, behind, limit),
        Section::AlertRules => of(&project.alert_rules, behind, limit),
    }
}

fn configured<D: From<Map<String, Value>>>(
    configuration: &Configuration,
    section: Section,
    name: &str,
) -> Result<Configured<D>, Failure> {
    configuration.find(section, name)?;
    let made = configuration.made(section, name);
    let written = made.map_or_else(
        || configuration.workspace.written(section.as_str(), name),
        |entry| Some(entry.document.clone()),
    );
    let mut document = match written {
        Some(Value::Object(document)) => document,
        Some(_) | None => Map::new(),
    };
    let kind = document.get("kind").and_then(Value::as_str).unwrap_or_default();
    let keys = secret_keys(configuration, section, kind);
    // Nobody knows which settings of an unknown kind are secrets.
    let known = match section {
        Section::Sources => ebb_warehouse::form(kind).is_ok(),
        Section::Destinations => configuration.workspace.catalog.find(kind).is_ok(),
        Section::Models | Section::Mappings | Section::Channels | Section::AlertRules => true,
    };
    let mut secrets = Vec::new();
    if let Some(settings) = document.get_mut("settings").and_then(Value::as_object_mut) {
        settings.retain(|key, value| {
            let secret = !known || is_secret(value) || keys.contains(key);
            if secret && !value.is_null() {
                secrets.push(key.clone());
            }
            !secret
        });
    }
    if made.is_some()
        && let Value::Object(plain) = shown(&document.clone().into())
    {
        document = plain;
    }
    Ok(Configured {
        name: name.to_owned(),
        from_files: made.is_none(),
        version: made.map(|entry| entry.version),
        document: document.into(),
        secrets,
    })
}

pub(super) fn list<D: From<Map<String, Value>>>(
    app: &App,
    section: Section,
    paging: &Paging,
) -> Result<Json<Page<Configured<D>>>, Refusal> {
    let configuration = app.configuration();
    let limit = paging.limit()?;
    let project = &configuration.workspace.project;
    let names = names(project, section, paging.cursor(), limit + 1);
    let items: Result<Vec<_>, _> =
        names.iter().map(|name| configured(&configuration, section, name)).collect();
    Ok(Json(Page::new(items?, limit, |last: &Configured<D>| last.name.clone())))
}

/// One of them, with its version as `ETag`.
pub(super) fn one<D: From<Map<String, Value>> + Serialize>(
    app: &App,
    section: Section,
    name: &str,
) -> Result<Response, Refusal> {
    let found = configured::<D>(&app.configuration(), section, name)?;
    let tag = found.version.map(|version| [(ETAG, format!("\"{version}\""))]);
    Ok((tag, Json(found)).into_response())
}

pub(super) async fn create<D>(
    app: &App,
    actor: &Actor,
    section: Section,
    new: New<D>,
) -> Result<Response, Refusal>
where
    D: From<Map<String, Value>> + Into<Map<String, Value>> + Serialize,
{
    let New { name, document } = new;
    if name.is_empty() {
        let failure = Failure::new(Code::RequestInvalid, "`name` is empty");
        return Err(failure.help("Give it a name").into());
    }
    let document = Some(document.into());
    let change = Change { section, name: name.clone(), document, expected: None };
    app.change(&actor.told(), change).await?;
    let place: [(HeaderName, String); 1] = [(LOCATION, format!("/api/v1/{section}/{name}"))];
    let made = one::<D>(app, section, &name)?;
    Ok((StatusCode::CREATED, place, made).into_response())
}

pub(super) async fn replace<D>(
    app: &Arc<App>,
    actor: &Actor,
    section: Section,
    name: String,
    change: (i64, D),
) -> Result<Response, Refusal>
where
    D: From<Map<String, Value>> + Into<Map<String, Value>> + Serialize,
{
    app.configuration().find(section, &name)?;
    let (version, document) = change;
    let document = Some(document.into());
    let change = Change { section, name: name.clone(), document, expected: Some(version) };
    app.change(&actor.told(), change).await?;
    one::<D>(app, section, &name)
}

pub(super) async fn remove(
    app: &App,
    actor: &Actor,
    section: Section,
    name: String,
    version: i64,
) -> Result<StatusCode, Refusal> {
    let change = Change { section, name, document: None, expected: Some(version) };
    app.change(&actor.told(), change).await?;
    Ok(StatusCode::NO_CONTENT)
}
