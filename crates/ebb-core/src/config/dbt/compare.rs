//! What a change of a dbt project breaks for those who read its models.

use std::{collections::BTreeSet, fmt};

use super::{DbtModel, Manifest};
use crate::suggest;

/// What somebody reads of one dbt model.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Uses {
    /// The model, as [`Manifest::model`] takes it.
    pub model: String,
    /// The columns that are read by name.
    pub columns: BTreeSet<String>,
    /// Whether every column is read, whatever it is called.
    pub whole: bool,
}

/// Something that is read and will not be there any more, or not as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Break {
    /// The model is gone.
    ModelGone {
        /// The new project's model that is most like it.
        nearest: Option<String>,
    },
    /// The model is no longer built, and its text is not compiled: it would be read by its text, and
    /// dbt writes that when it compiles.
    ModelUnreadable,
    /// A column is gone.
    ColumnGone {
        /// Its name.
        column: String,
        /// The model's new column that is most like it.
        nearest: Option<String>,
    },
    /// A column has another type.
    ColumnRetyped {
        /// Its name.
        column: String,
        /// The documented type before.
        before: String,
        /// The documented type after.
        after: String,
    },
}

impl fmt::Display for Break {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let renamed = |nearest: &Option<String>| match nearest {
            Some(nearest) => format!(" (renamed to `{nearest}`?)"),
            None => String::new(),
        };
        match self {
            Self::ModelGone { nearest } => {
                write!(out, "the model is gone{}", renamed(nearest))
            }
            Self::ModelUnreadable => {
                out.write_str("the model is no longer built, and not compiled")
            }
            Self::ColumnGone { column, nearest } => {
                write!(out, "the column `{column}` is gone{}", renamed(nearest))
            }
            Self::ColumnRetyped { column, before, after } => {
                write!(out, "the column `{column}` is `{after}`, it was `{before}`")
            }
        }
    }
}

/// What the step from one manifest to another breaks of a use.
///
/// Columns that the old manifest does not document cannot be compared, nor can those of a model whose
/// columns the new one does not document at all: their absence says nothing.
pub fn breaks(old: &Manifest, new: &Manifest, uses: &Uses) -> Vec<Break> {
    let Ok(after) = new.model(&uses.model) else {
        let known = old.model(&uses.model).map_or(&*uses.model, |model| &*model.name);
        let fresh = new.models.values().map(|model| &*model.name);
        let nearest = suggest::nearest(known, fresh).map(str::to_owned);
        return vec![Break::ModelGone { nearest }];
    };
    let Ok(before) = old.model(&uses.model) else { return Vec::new() };
    if after.relation.is_none() && after.compiled.is_none() && before.relation.is_some() {
        return vec![Break::ModelUnreadable];
    }
    if after.columns.is_empty() {
        return Vec::new();
    }
    let read = before.columns.keys().filter(|column| {
        uses.whole || uses.columns.iter().any(|used| used.eq_ignore_ascii_case(column))
    });
    read.filter_map(|column| column_break(before, after, column)).collect()
}

fn column_break(before: &DbtModel, after: &DbtModel, name: &str) -> Option<Break> {
    let (_, was) = before.column(name)?;
    let Some((_, is)) = after.column(name) else {
        let fresh = after.columns.keys().filter(|column| before.column(column).is_none());
        let nearest = suggest::nearest(name, fresh.map(String::as_str)).map(str::to_owned);
        return Some(Break::ColumnGone { column: name.to_owned(), nearest });
    };
    match (&was.data_type, &is.data_type) {
        (Some(before), Some(after)) if !before.eq_ignore_ascii_case(after) => {
            Some(Break::ColumnRetyped {
                column: name.to_owned(),
                before: before.clone(),
                after: after.clone(),
            })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(models: &str) -> Manifest {
        Manifest::parse(&format!(r#"{{"nodes": {{{models}}}}}"#)).unwrap()
    }

    fn customers(columns: &str) -> Manifest {
        manifest(&format!(
            r#""model.shop.customers": {{"resource_type": "model", "name": "customers",
               "package_name": "shop", "relation_name": "c", "columns": {{{columns}}}}}"#
        ))
    }

    fn told(old: &Manifest, new: &Manifest, columns: &[&str]) -> Vec<String> {
        let uses = Uses {
            model: "customers".to_owned(),
            columns: columns.iter().map(|column| (*column).to_owned()).collect(),
            whole: columns.is_empty(),
        };
        breaks(old, new, &uses).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn only_what_is_read_breaks() {
        let old = customers(r#""id": {"data_type": "bigint"}, "email": {}, "city": {}"#);
        let new = customers(r#""ID": {"data_type": "text"}, "e_mail": {}"#);
        assert_eq!(
            told(&old, &new, &["id", "EMAIL"]),
            [
                "the column `email` is gone (renamed to `e_mail`?)",
                "the column `id` is `text`, it was `bigint`"
            ]
        );
        assert_eq!(told(&old, &new, &["name"]), [""; 0], "never documented");
        assert_eq!(told(&old, &new, &[]).len(), 3, "all columns are read");
        assert_eq!(told(&old, &old, &[]), [""; 0]);
        assert_eq!(told(&old, &customers(""), &[]), [""; 0], "no longer documented");
    }

    #[test]
    fn a_model_that_goes_takes_everything_with_it() {
        let old = customers("");
        assert_eq!(told(&old, &manifest(""), &["id"]), ["the model is gone"]);
        let renamed = manifest(
            r#""model.shop.customer": {"resource_type": "model", "name": "customer", "relation_name": "c"}"#,
        );
        assert_eq!(told(&old, &renamed, &["id"]), ["the model is gone (renamed to `customer`?)"]);
        let ephemeral =
            manifest(r#""model.shop.customers": {"resource_type": "model", "name": "customers"}"#);
        assert_eq!(
            told(&old, &ephemeral, &["id"]),
            ["the model is no longer built, and not compiled"]
        );
    }
}
