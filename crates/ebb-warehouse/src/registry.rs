//! The kinds of sources, one line each.

use std::{collections::BTreeMap, sync::Arc};

use ebb_core::{Code, Failure, Limits, config::Settings, port::Warehouse, suggest};

use crate::{
    azure, bigquery, clickhouse, databricks, duckdb, form::Form, mysql, postgres, redshift,
    setup::Setup, snowflake, sqlite,
};

/// A source, if its settings fit.
pub(crate) type Connected = Result<Arc<dyn Warehouse>, Failure>;

/// A kind of source.
struct Kind {
    form: &'static Form,
    /// What an administrator runs before it can be used; files need nothing.
    setup: Option<Setup>,
    /// Makes a source of settings, managed schema and limits.
    connect: fn(&Settings, &str, &Limits) -> Connected,
}

/// Every kind of source; one that this build lacks says so when it is used.
static KINDS: &[Kind] = &[
    Kind { form: &postgres::FORM, setup: Some(postgres::SETUP), connect: postgres::source },
    Kind { form: &bigquery::FORM, setup: Some(bigquery::SETUP), connect: bigquery::source },
    Kind { form: &mysql::FORM, setup: Some(mysql::SETUP), connect: mysql::source },
    Kind { form: &redshift::FORM, setup: Some(redshift::SETUP), connect: redshift::source },
    Kind { form: &azure::FORM, setup: Some(azure::SETUP), connect: azure::source },
    Kind { form: &snowflake::FORM, setup: Some(snowflake::SETUP), connect: snowflake::source },
    Kind { form: &databricks::FORM, setup: Some(databricks::SETUP), connect: databricks::source },
    Kind { form: &clickhouse::FORM, setup: Some(clickhouse::SETUP), connect: clickhouse::source },
    Kind { form: &sqlite::FORM, setup: None, connect: sqlite::source },
    Kind { form: &duckdb::FORM, setup: None, connect: duckdb::source },
];

/// The SQL that makes a user for Ebb with the least rights, with these names (`user`, `password`,
/// `database`, `reads`, `schema`); `None` if the kind needs none. Fails with `C506` for an unknown kind
/// or name.
pub fn setup(kind: &str, names: &BTreeMap<String, Vec<String>>) -> Result<Option<String>, Failure> {
    find(kind)?.setup.map(|setup| setup.sql(names)).transpose()
}

/// The kinds of sources that [`connect`] knows.
pub fn kinds() -> impl Iterator<Item = &'static str> + Clone {
    KINDS.iter().map(|kind| kind.form.kind)
}

/// What each kind of source is and takes.
pub fn forms() -> impl Iterator<Item = &'static Form> {
    KINDS.iter().map(|kind| kind.form)
}

/// What one kind is and takes. Fails with `C506` for an unknown kind.
pub fn form(kind: &str) -> Result<&'static Form, Failure> {
    find(kind).map(|kind| kind.form)
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
    (find(kind)?.connect)(settings, schema, limits)
}

fn find(name: &str) -> Result<&'static Kind, Failure> {
    KINDS.iter().find(|kind| kind.form.kind == name).ok_or_else(|| {
        Failure::new(Code::ConfigName, format!("`{name}` is not a kind of source"))
            .help(suggest::allowed(name, kinds()))
    })
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
