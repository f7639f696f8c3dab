//! One channel: made, shown, tested, changed, removed.

use std::{collections::BTreeSet, sync::Arc};

use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};
use ebb_core::{
    Code, Failure,
    config::{ChannelKind, Problem},
};
use ebb_store::Role;
use serde_json::{Map, Value, json};

use crate::{
    access::Actor,
    alerts,
    app::{App, Change, Section, shown},
    pages::{
        Form, Frame,
        alerts::kind as kind_in_words,
        build::{
            Hold,
            field::{Field, Input, Need, Problems},
            form_again, lead_to, settings, shown_version, taken,
            typed::{Asked, Typed},
            version,
        },
        page,
    },
    prose::prose,
    refusal::Refusal,
};

/// What a test found.
pub(in crate::pages::build) enum Tested {
    /// The channel took it.
    Taken,
    Refused(Failure),
}

/// A channel that is there.
struct There {
    name: String,
    version: i64,
    /// The rules that name it.
    rules: Vec<String>,
}

#[derive(Template)]
#[template(path = "build/channel.html")]
struct ChannelPage {
    frame: Frame,
    /// As it is written.
    kind: &'static str,
    /// In words.
    what: &'static str,
    name: Field,
    fields: Vec<Field>,
    failures: Vec<Failure>,
    tested: Option<Tested>,
    there: Option<There>,
    hold: Hold,
}

#[derive(Template)]
#[template(path = "build/channel_test.html")]
struct TestPart {
    frame: Frame,
    tested: Option<Tested>,
}

/// The kind of an address or form; `A609` if there is none of this name.
fn kind(text: &str) -> Result<ChannelKind, Failure> {
    ChannelKind::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or_else(|| {
        Failure::new(Code::AddressUnknown, format!("there is no kind of channel `{text}`"))
    })
}

/// What a page shows of a channel.
struct Shown<'s> {
    /// Its name, if it is there already.
    of: Option<&'s str>,
    typed: &'s Typed,
    problems: Problems,
    tested: Option<Tested>,
}

fn channel_page(app: &App, actor: &Actor, shown: Shown<'_>) -> Result<ChannelPage, Failure> {
    let Shown { of, typed, mut problems, tested } = shown;
    let configuration = app.configuration();
    let entry = of.and_then(|name| configuration.made(Section::Channels, name));
    let stored: BTreeSet<_> =
        entry.map(|entry| settings::stored(&entry.document)).unwrap_or_default();
    let kind = kind(typed.get("kind"))?;
    let fields = settings::of_channel(kind);
    let fields = fields.iter().map(|setting| setting.field(typed, &stored, &mut problems));
    let fields = fields.collect();
    let rules = configuration.workspace.project.alert_rules.iter();
    Ok(ChannelPage {
        frame: Frame::new(app, actor, "alerts"),
        kind: kind.as_str(),
        what: kind_in_words(kind),
        name: Field {
            name: "name".to_owned(),
            label: "Name".to_owned(),
            help: prose("What rules call it: small letters, digits, `-` and `_`"),
            need: Need::Required,
            input: Input::Code,
            value: typed.get("name").to_owned(),
            default: String::new(),
            problem: problems.take_exactly(""),
            wide: true,
        },
        fields,
        failures: problems.rest(),
        tested,
        there: of.map(|name| There {
            name: name.to_owned(),
            version: shown_version(typed, entry),
            rules: rules
                .filter(|(_, rule)| rule.to.contains(name))
                .map(|(rule, _)| rule.clone())
                .collect(),
        }),
        hold: match of {
            Some(name) => Hold::of(app, actor, Section::Channels, name),
            None => Hold::Open,
        },
    })
}

pub(in crate::pages::build) async fn show_new(
    State(app): State<Arc<App>>,
    actor: Actor,
    Path(wanted): Path<String>,
) -> Result<Response, Refusal> {
    actor.must_be(Role::Editor)?;
    kind(&wanted)?;
    let mut typed = Typed::default();
    if app.configuration().find(Section::Channels, &wanted).is_err() {
        typed.set("name", wanted.as_str());
    }
    typed.set("kind", wanted);
    let shown = Shown { of: None, typed: &typed, problems: Problems::default(), tested: None };
    page(&channel_page(&app, &actor, shown)?)
}

/// The document that was typed.
fn document(typed: &Typed) -> Result<Map<String, Value>, Failure> {
    let kind = kind(typed.get("kind"))?;
    let settings = settings::document(&settings::of_channel(kind), typed);
    let mut document = Map::new();
    document.insert("kind".to_owned(), kind.as_str().into());
    document.insert("settings".to_owned(), settings.into());
    Ok(document)
}

async fn save(
    app: &App,
    actor: &Actor,
    name: &str,
    typed: &Typed,
    expected: Option<i64>,
) -> Result<i64, Vec<Problem>> {
    let document = document(typed).map_err(|failure| vec![failure.into()])?;
    let (section, name) = (Section::Channels, name.to_owned());
    app.change(&actor.told(), Change { section, name, document: Some(document), expected }).await
}

pub(in crate::pages::build) async fn create(
    State(app): State<Arc<App>>,
    actor: Actor,
    asked: Asked,
    Path(wanted): Path<String>,
    Form(mut typed): Form<Typed>,
) -> Result<Response, Refusal> {
    actor.must_be(Role::Editor)?;
    typed.set("kind", wanted);
    let name = typed.get("name");
    let problems = match taken(&app, Section::Channels, name) {
        Some(failure) => Problems::at("", failure),
        None => match save(&app, &actor, name, &typed, None).await {
            Ok(_) => return Ok(lead_to(asked, "/alerts?done=channel")),
            Err(problems) => Problems::new(Section::Channels, problems),
        },
    };
    let shown = Shown { of: None, typed: &typed, problems, tested: None };
    Ok(form_again(asked, page(&channel_page(&app, &actor, shown)?)?))
}

pub(in crate::pages::build) async fn show(
    State(app): State<Arc<App>>,
    actor: Actor,
    Path(name): Path<String>,
) -> Result<Response, Refusal> {
    app.configuration().find(Section::Channels, &name)?;
    let typed = as_typed(&app, &name);
    let problems = Problems::default();
    let shown = Shown { of: Some(&name), typed: &typed, problems, tested: None };
    page(&channel_page(&app, &actor, shown)?)
}

/// A channel as it would be typed. Of one that comes from files, what files refer to is not shown.
fn as_typed(app: &App, name: &str) -> Typed {
    let configuration = app.configuration();
    let document = if let Some(entry) = configuration.made(Section::Channels, name) {
        shown(&entry.document)
    } else if let Some(channel) = configuration.workspace.project.channels.get(name) {
        let kind = channel.kind.as_str();
        let secrets: Vec<_> = alerts::secrets(kind).collect();
        let open = channel.settings.iter().filter(|(key, _)| !secrets.contains(&key.as_str()));
        let settings = settings::redacted(open, &configuration.workspace.redactor());
        json!({ "kind": kind, "settings": settings })
    } else {
        Value::Null
    };
    let mut typed = Typed::default();
    typed.set("name", name);
    typed.set("kind", document.get("kind").and_then(Value::as_str).unwrap_or_default());
    if let Some(settings) = document.get("settings").and_then(Value::as_object) {
        settings::type_in(settings, &mut typed);
    }
    typed
}

pub(in crate::pages::build) async fn update(
    State(app): State<Arc<App>>,
    actor: Actor,
    asked: Asked,
    Path(name): Path<String>,
    Form(mut typed): Form<Typed>,
) -> Result<Response, Refusal> {
    actor.must_be(Role::Editor)?;
    app.configuration().find(Section::Channels, &name)?;
    typed.set("name", name.as_str());
    let expected = Some(version(&typed)?);
    match save(&app, &actor, &name, &typed, expected).await {
        Ok(_) => Ok(lead_to(asked, "/alerts?done=channel")),
        Err(problems) => {
            let problems = Problems::new(Section::Channels, problems);
            let shown = Shown { of: Some(&name), typed: &typed, problems, tested: None };
            Ok(form_again(asked, page(&channel_page(&app, &actor, shown)?)?))
        }
    }
}

/// Sends a test alert to what was typed, and keeps nothing. `of` names a channel that is there, of which
/// secrets that are left out are taken; one that comes from files is tested as it is.
pub(in crate::pages::build) async fn test(
    State(app): State<Arc<App>>,
    actor: Actor,
    asked: Asked,
    Form(typed): Form<Typed>,
) -> Result<Response, Refusal> {
    actor.must_be(Role::Editor)?;
    let of = Some(typed.get("of")).filter(|name| !name.is_empty());
    let problems = match tested(&app, &actor, of, &typed).await {
        Ok(tested) if asked == Asked::Part => {
            let frame = Frame::new(&app, &actor, "alerts");
            return page(&TestPart { frame, tested: Some(tested) });
        }
        Ok(tested) => {
            let problems = Problems::default();
            let shown = Shown { of, typed: &typed, problems, tested: Some(tested) };
            return page(&channel_page(&app, &actor, shown)?);
        }
        Err(problems) => Problems::new(Section::Channels, problems),
    };
    let shown = Shown { of, typed: &typed, problems, tested: None };
    Ok(form_again(asked, page(&channel_page(&app, &actor, shown)?)?))
}

async fn tested(
    app: &App,
    actor: &Actor,
    of: Option<&str>,
    typed: &Typed,
) -> Result<Tested, Vec<Problem>> {
    let alone = |failure: Failure| vec![failure.into()];
    let from_files = of.filter(|name| app.configuration().in_files(Section::Channels, name));
    let refused = if let Some(name) = from_files {
        app.test_channel(actor, name).await.map_err(alone)?
    } else {
        app.try_channel(actor, of, document(typed).map_err(alone)?).await?
    };
    Ok(refused.map_or(Tested::Taken, Tested::Refused))
}
