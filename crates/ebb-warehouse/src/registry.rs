//! The kinds of sources, one line each.

use std::{collections::BTreeMap, sync::Arc};

use ebb_core::{Code, Failure, Limits, config::Settings, port::Warehouse, suggest};

#[cfg(feature = "duckdb")]
use crate::duckdb;
use crate::{
    azure, bigquery, clickhouse, databricks, mysql, postgres, redshift, setup::Setup, snowflake,
    sqlite,
};

type Connected = Result<Arc<dyn Warehouse>, Failure>;

/// What makes a source of a kind: settings, managed schema, limits.
type Connect = fn(&Settings, &str, &Limits) -> Connected;

/// Every kind of source; a kind that this build lacks says so when it is used.
const KINDS: &[(&str, Connect)] = &[
    ("postgres", |settings, schema, limits| {
        Ok(Arc::new(postgres::source(settings, schema, limits)?))
    }),
    ("bigquery", |settings, schema, limits| {
        Ok(Arc::new(bigquery::source(settings, schema, limits)?))
    }),
    ("mysql", |settings, schema, limits| Ok(Arc::new(mysql::source(settings, schema, limits)?))),
    ("redshift", |settings, schema, limits| {
        Ok(Arc::new(redshift::source(settings, schema, limits)?))
    }),
    ("azure", |settings, schema, limits| Ok(Arc::new(azure::source(settings, schema, limits)?))),
    ("snowflake", |settings, schema, limits| {
        Ok(Arc::new(snowflake::source(settings, schema, limits)?))
    }),
    ("databricks", |settings, schema, limits| {
        Ok(Arc::new(databricks::source(settings, schema, limits)?))
    }),
    ("clickhouse", |settings, schema, limits| {
        Ok(Arc::new(clickhouse::source(settings, schema, limits)?))
    }),
    ("sqlite", |settings, schema, limits| Ok(Arc::new(sqlite::source(settings, schema, limits)?))),
    #[cfg(feature = "duckdb")]
    ("duckdb", |settings, schema, limits| Ok(Arc::new(duckdb::source(settings, schema, limits)?))),
    #[cfg(not(feature = "duckdb"))]
    ("duckdb", |_, _, _| Err(missing("duckdb"))),
];

/// What an administrator runs before a source of a kind can be used; kinds that are files need nothing.
const SETUPS: &[(&str, Setup)] = &[
    ("azure", azure::SETUP),
    ("bigquery", bigquery::SETUP),
    ("clickhouse", clickhouse::SETUP),
    ("databricks", databricks::SETUP),
    ("mysql", mysql::SETUP),
    ("postgres", postgres::SETUP),
    ("redshift", redshift::SETUP),
    ("snowflake", snowflake::SETUP),
];

/// The SQL that makes a user for Ebb with the least rights, with these names (`user`, `password`,
/// `database`, `reads`, `schema`); `None` if the kind needs none. Fails with `C506` for an unknown kind
/// or name.
pub fn setup(kind: &str, names: &BTreeMap<String, Vec<String>>) -> Result<Option<String>, Failure> {
    if !kinds().any(|known| known == kind) {
        return Err(unknown(kind));
    }
    let setup = SETUPS.iter().find(|(known, _)| *known == kind);
    setup.map(|(_, setup)| setup.sql(names)).transpose()
}

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
        return Err(unknown(kind));
    };
    connect(settings, schema, limits)
}

fn unknown(kind: &str) -> Failure {
    Failure::new(Code::ConfigName, format!("`{kind}` is not a kind of source"))
        .help(suggest::allowed(kind, kinds()))
}

#[cfg(not(feature = "duckdb"))]
fn missing(feature: &str) -> Failure {
    Failure::new(Code::FeatureMissing, format!("this build of Ebb lacks sources of kind `{feature}`"))
        .help(format!(
            "Build Ebb with `--features {feature}-bundled`, or with `--features {feature}` and the library's folder in `DUCKDB_LIB_DIR`"
        ))
}

#[cfg(test)]
mod tests {
    use ebb_core::{Code, Limits, config::Settings};

    use super::{connect, kinds};

    #[test]
    fn an_unknown_kind_is_told_with_the_nearest() {
        let failure = connect("sqlit", &Settings::default(), "managed", &Limits::default())
            .err()
            .expect("no such kind");
        assert_eq!(failure.code, Code::ConfigName);
        assert!(failure.advice().starts_with("Did you mean `sqlite`?"), "{}", failure.advice());
        assert!(kinds().any(|kind| kind == "sqlite"));
    }

    #[cfg(not(feature = "duckdb"))]
    #[test]
    fn a_kind_that_was_left_out_says_so() {
        let failure = connect("duckdb", &Settings::default(), "managed", &Limits::default())
            .err()
            .expect("not in this build");
        assert_eq!(failure.code, Code::FeatureMissing);
    }
}
