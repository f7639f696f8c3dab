//! Help pages of codes.

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};
use ebb_core::{Code, Failure};

use super::{Frame, page};
use crate::{access::Actor, app::App, refusal::Refusal};

#[derive(Template)]
#[template(path = "help.html")]
struct HelpPage {
    frame: Frame,
    code: Code,
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    actor: Actor,
    Path(code): Path<String>,
) -> Result<Response, Refusal> {
    let unknown = |()| Failure::new(Code::AddressUnknown, format!("there is no code `{code}`"));
    let code: Code = code.parse().map_err(unknown)?;
    page(&HelpPage { frame: Frame::new(&app, &actor, ""), code })
}
