//! The kinds of sources, one line each.

use std::sync::Arc;

use ebb_core::{Code, Failure, Limits, config::Settings, port::Warehouse, suggest};

use crate::{postgres, sqlite, tracker::Tracker};

type Connected = Result<Arc<dyn Warehouse>, Failure>;

/// What makes a source of a kind: settings, managed schema, limits.
type Connect = fn(&Settings, &str, &Limits) -> Connected;

/// Every kind of source; a kind that this build lacks says so when it is used.
const KINDS: [(&str, Connect); 2] = [
    ("postgres", |settings, schema, limits| {
        Ok(Arc::new(postgres::source(settings, schema, limits)?))
    }),
    ("sqlite", |settings, schema, limits| {
        let connection = sqlite::SqliteConnection::new(settings, schema)?;
        Ok(Arc::new(Tracker::new(sqlite::SqliteDialect, connection, schema, limits)))
    }),
];

/// The kinds of sources that [`connect`] knows.
pub fn kinds() -> impl Iterator<Item = &'static str> + Clone {
    KINDS.iter().map(|(kind, _)| *kind)
}

/// The source that settings describe. Nothing is opened: the first call of a method does.
///
/// `schema` is the managed schema. Relative paths in the settings start from the current folder, so
/// the caller makes them absolute. Fails with `C506` for an unknown kind, `C510` for a kind that this
/// build lacks, `S115` for settings that do not fit.
pub fn connect(
    kind: &str,
    settings: &Settings,
    schema: &str,
    limits: &Limits,
) -> Result<Arc<dyn Warehouse>, Failure> {
    let Some((_, connect)) = KINDS.iter().find(|(known, _)| *known == kind) else {
        return Err(Failure::new(Code::ConfigName, format!("`{kind}` is not a kind of source"))
            .help(suggest::allowed(kind, kinds())));
    };
    connect(settings, schema, limits)
}
