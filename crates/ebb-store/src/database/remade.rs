//! Mappings that were deleted and made again: they begin anew.

use super::{
    entries::Edit,
    fault::Fault,
    sql::{Transaction, params},
};

/// The section of mappings.
const MAPPINGS: &str = "mappings";

/// Notes that a mapping is deleted, or that one of its name is made again, with the version of that.
pub(super) fn note(transaction: &Transaction<'_>, edit: &Edit, version: i64) -> Result<(), Fault> {
    let Edit { section, name, document, expected, .. } = edit;
    if section != MAPPINGS {
        return Ok(());
    }
    match (document, expected) {
        (None, _) => transaction.execute(
            "insert into remade (mapping, version) values (?1, 0)
             on conflict (mapping) do update set version = 0",
            params![name],
        )?,
        (Some(_), None) => transaction
            .execute("update remade set version = ?2 where mapping = ?1", params![name, version])?,
        (Some(_), Some(_)) => 0,
    };
    Ok(())
}

/// What [`ebb_core::port::Store::made_anew`] says.
pub(super) fn read(transaction: &Transaction<'_>, mapping: &str) -> Result<Option<i64>, Fault> {
    let query = "select version from remade where mapping = ?1 and version > 0";
    transaction.query_optional(query, params![mapping], |row| row.get(0))
}
