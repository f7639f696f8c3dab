//! Fences: each holder of a mapping's lock has a token, and writes of an earlier one are refused.

use std::collections::HashMap;

use super::{
    fault::Fault,
    sql::{Transaction, params},
};
use ebb_core::{Code, Failure};

/// The tokens of the locks that this process took, by mapping.
pub(super) type Tokens = HashMap<String, i64>;

/// The newest token of a mapping; 0 before the first.
pub(super) fn token(transaction: &Transaction<'_>, mapping: &str) -> Result<i64, Fault> {
    let query = "select token from lease where mapping = ?1";
    let token = transaction.query_optional(query, params![mapping], |row| row.get(0))?;
    Ok(token.unwrap_or(0))
}

/// A new token, which makes all earlier ones stale.
pub(super) fn renew(transaction: &Transaction<'_>, mapping: &str) -> Result<i64, Fault> {
    transaction.query_row(
        "insert into lease (mapping, token) values (?1, 1)
         on conflict (mapping) do update set token = lease.token + 1 returning token",
        params![mapping],
        |row| row.get(0),
    )
}

/// `R407` if this process had the lock and somebody took it since. A process that never had it is
/// let through: it then writes at its own risk, as tools and tests do.
pub(super) fn check(
    transaction: &Transaction<'_>,
    held: &Tokens,
    mapping: &str,
) -> Result<i64, Fault> {
    let newest = token(transaction, mapping)?;
    if held.get(mapping).is_some_and(|ours| *ours != newest) {
        let message = format!("another process took over the mapping `{mapping}`");
        return Err(Failure::new(Code::SyncRunning, message).into());
    }
    Ok(newest)
}
