//! Help pages of codes. They are the same for everybody, and who cannot come in may need one most.

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};
use ebb_core::{Code, Failure};

use super::{
    Frame,
    door::{Bare, bare},
    page,
};
use crate::{access::Actor, app::App, refusal::Refusal};

#[derive(Template)]
#[template(path = "help.html")]
struct HelpPage {
    frame: Frame,
    code: Code,
}

#[derive(Template)]
#[template(path = "help_outside.html")]
struct OutsidePage {
    frame: Bare,
    code: Code,
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    actor: Option<Actor>,
    Path(code): Path<String>,
) -> Result<Response, Refusal> {
    let unknown = |()| Failure::new(Code::AddressUnknown, format!("there is no code `{code}`"));
    let code: Code = code.parse().map_err(unknown)?;
    match actor {
        Some(actor) => page(&HelpPage { frame: Frame::new(&app, &actor, ""), code }),
        None => page(&OutsidePage { frame: bare(), code }),
    }
}
