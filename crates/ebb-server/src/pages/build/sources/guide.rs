//! The set-up of a warehouse with the values that were typed.

use std::{collections::BTreeMap, sync::Arc};

use askama::Template;
use axum::{extract::State, response::Response};
use ebb_store::Role;

use crate::{
    access::Actor,
    app::App,
    pages::{
        Form, Frame,
        build::{
            highlight::{self, Piece},
            typed::Typed,
        },
        page,
    },
    refusal::Refusal,
};

/// What an administrator runs.
pub(super) struct Guide {
    /// The product's name.
    pub(super) product: &'static str,
    /// SQL; empty if nothing has to be set up.
    pub(super) sql: Vec<Piece>,
    /// The schemas that models read, as they were typed.
    pub(super) reads: String,
    /// Whether the SQL asks for them.
    pub(super) asks_reads: bool,
}

#[derive(Template)]
#[template(path = "build/source_guide.html")]
struct GuidePart {
    frame: Frame,
    guide: Guide,
}

/// The set-up SQL anew, while somebody types.
pub(in crate::pages::build) async fn setup(
    State(app): State<Arc<App>>,
    actor: Actor,
    Form(typed): Form<Typed>,
) -> Result<Response, Refusal> {
    actor.must_be(Role::Editor)?;
    let guide = Guide::new(ebb_warehouse::form(typed.get("kind"))?, &typed)?;
    page(&GuidePart { frame: Frame::new(&app, &actor, "sources"), guide })
}

impl Guide {
    pub(super) fn new(
        form: &'static ebb_warehouse::Form,
        typed: &Typed,
    ) -> Result<Self, ebb_core::Failure> {
        let reads = typed.get("reads");
        // The password is not among them: it is never shown.
        let given = [
            ("user", ["user", "username", "client_id"].map(|key| typed.get(&format!("s-{key}")))),
            (
                "database",
                ["database", "project", "catalog"].map(|key| typed.get(&format!("s-{key}"))),
            ),
            ("schema", [typed.get("schema"), "", ""]),
        ];
        let mut names: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, values) in given {
            if let Some(value) = values.into_iter().find(|value| !value.is_empty()) {
                names.insert(name.to_owned(), vec![value.to_owned()]);
            }
        }
        let schemas: Vec<String> =
            reads.split([',', ' ']).filter(|name| !name.is_empty()).map(str::to_owned).collect();
        if !schemas.is_empty() {
            names.insert("reads".to_owned(), schemas);
        }
        names.retain(|name, _| asks(form.kind, name));
        let sql = ebb_warehouse::setup(form.kind, &names)?.unwrap_or_default();
        Ok(Self {
            product: form.name,
            sql: highlight::sql(&sql),
            reads: reads.to_owned(),
            asks_reads: asks(form.kind, "reads"),
        })
    }
}

/// Whether the set-up of a kind has a name.
fn asks(kind: &str, name: &str) -> bool {
    let names = BTreeMap::from([(name.to_owned(), vec!["x".to_owned()])]);
    ebb_warehouse::setup(kind, &names).is_ok_and(|sql| sql.is_some())
}
