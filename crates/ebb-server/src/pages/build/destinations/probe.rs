//! **Test credentials**: whether the destination takes them. Nothing of what was typed is kept, and no
//! record is sent.

use std::sync::Arc;

use askama::Template;
use axum::{extract::State, response::Response};
use ebb_core::{Failure, config::Problem};
use ebb_store::Role;

use super::{
    edit::{Shown, destination_page},
    form::document,
};
use crate::{
    access::Actor,
    app::{App, Section},
    pages::{
        Form, Frame,
        build::{
            field::Problems,
            form_again,
            typed::{Asked, Typed},
        },
        page,
    },
    refusal::Refusal,
};

/// What a test found.
pub(in crate::pages::build) enum Tested {
    /// The credentials are taken.
    Taken,
    Refused(Failure),
}

#[derive(Template)]
#[template(path = "build/destination_test.html")]
struct TestPart {
    frame: Frame,
    tested: Option<Tested>,
}

/// Tests what was typed; `of` names a destination that is there, of which secrets that are left out are
/// taken. One that comes from files is tested as it is.
pub(in crate::pages::build) async fn test(
    State(app): State<Arc<App>>,
    actor: Actor,
    asked: Asked,
    Form(typed): Form<Typed>,
) -> Result<Response, Refusal> {
    actor.must_be(Role::Editor)?;
    let of = Some(typed.get("of")).filter(|name| !name.is_empty());
    match tested(&app, of, &typed).await {
        Ok(tested) if asked == Asked::Part => {
            let frame = Frame::new(&app, &actor, "destinations");
            page(&TestPart { frame, tested: Some(tested) })
        }
        Ok(tested) => {
            let problems = Problems::default();
            let shown = Shown { of, typed: &typed, problems, tested: Some(tested) };
            page(&destination_page(&app, &actor, shown)?)
        }
        Err(problems) => {
            let problems = Problems::new(Section::Destinations, problems);
            let shown = Shown { of, typed: &typed, problems, tested: None };
            Ok(form_again(asked, page(&destination_page(&app, &actor, shown)?)?))
        }
    }
}

async fn tested(app: &App, of: Option<&str>, typed: &Typed) -> Result<Tested, Vec<Problem>> {
    let alone = |failure: Failure| vec![failure.into()];
    let configuration = app.configuration();
    let from_files = of.filter(|name| configuration.in_files(Section::Destinations, name));
    let refused = if let Some(name) = from_files {
        app.probe_destination(name).await.map_err(alone)?
    } else {
        let kind = typed.get("kind");
        let definition = configuration.workspace.catalog.find(kind).map_err(alone)?;
        let before = of.and_then(|name| configuration.made(Section::Destinations, name));
        let document = document(&definition, typed, before.map(|entry| &entry.document));
        app.try_destination(of, document).await?
    };
    Ok(refused.map_or(Tested::Taken, Tested::Refused))
}
