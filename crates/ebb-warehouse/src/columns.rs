//! Whether a model's columns fit: identifier and timestamp exist, types identify, limits hold.

use std::collections::HashSet;

use ebb_core::{Code, Column, Failure, Limits, port::ModelQuery, suggest};

use crate::dialect::Dialect;

/// Fails with `S109`, `S110` or `S111` unless the columns fit the model and the limits.
pub(crate) fn check<D: Dialect + ?Sized>(
    dialect: &D,
    limits: &Limits,
    model: &ModelQuery,
    columns: &[Column],
) -> Result<(), Failure> {
    if columns.len() > limits.columns {
        return Err(Failure::new(
            Code::ModelColumns,
            format!(
                "the model has `{}` columns, at most `{}` are allowed",
                columns.len(),
                limits.columns
            ),
        ));
    }
    let mut seen = HashSet::new();
    for Column { name, .. } in columns {
        if name.chars().count() > limits.column_name {
            return Err(Failure::new(
                Code::ModelColumns,
                format!(
                    "the column name `{name}` is longer than `{}` characters",
                    limits.column_name
                ),
            )
            .help("Give the column a shorter name with `AS`"));
        }
        let folded = if dialect.ignores_case() { name.to_lowercase() } else { name.clone() };
        if !seen.insert(folded) {
            return Err(Failure::new(
                Code::ModelColumns,
                format!("the model has two columns `{name}`"),
            )
            .help("Give one of them another name with `AS`"));
        }
    }
    // Whoever sees a query's columns for the first time has yet to choose the one that identifies.
    if model.id.is_empty() {
        return Ok(());
    }
    let id = find("identifier", &model.id, columns)?;
    if let Some(timestamp) = &model.timestamp {
        find("timestamp", timestamp, columns)?;
    }
    if dialect.can_identify(id) {
        return Ok(());
    }
    Err(Failure::new(
        Code::IdentifierType,
        format!(
            "the identifier column `{}` has the type `{}`, which cannot identify",
            id.name, id.native
        ),
    ))
}

fn find<'a>(role: &str, name: &str, columns: &'a [Column]) -> Result<&'a Column, Failure> {
    columns.iter().find(|column| column.name == name).ok_or_else(|| {
        Failure::new(Code::ModelColumnMissing, format!("the model has no {role} column `{name}`"))
            .help(suggest::allowed(name, columns.iter().map(|column| column.name.as_str())))
    })
}
