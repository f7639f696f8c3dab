//! The service's refusals as failures that a person can act on.

use std::time::Duration;

use ebb_core::{Code, Failure};

use super::{answer::Refused, dialect::quoted, settings::ConnectionSettings};
use crate::{http, setup::is_plain};

/// The failure of a statement that the service refused or could not finish.
pub(super) fn refused(answer: &Refused, sql_state: &str, principal: Option<&str>) -> Failure {
    let told = said(answer);
    let says = |word: &str| answer.message.contains(word);
    let may_not = sql_state == "42501"
        || answer.error_code == "PERMISSION_DENIED"
        || says("INSUFFICIENT_PERMISSIONS")
        || says("PERMISSION_DENIED");
    if may_not {
        let message = format!("a permission is missing: {told}");
        let grant = grant(&answer.message, principal);
        return Failure::new(Code::SourcePermission, message)
            .help(format!("Let an administrator run {grant}"));
    }
    if says("NO_SUCH_CATALOG") {
        let message = format!("there is no such catalog, or it may not be used: {told}");
        let grantee = grantee(principal);
        return Failure::new(Code::SourcePermission, message).help(format!(
            "Correct `catalog`, or let an administrator run `grant use catalog on catalog … to {grantee}`"
        ));
    }
    match answer.error_code.as_str() {
        "UNAUTHENTICATED" => credentials(&told, "the token"),
        "CANCELLED" => Failure::new(Code::Canceled, "the statement was canceled at the source"),
        code if code == "DEADLINE_EXCEEDED" || says("STATEMENT_TIMEOUT") => {
            let message = format!("the warehouse's own time-out ended a statement: {told}");
            Failure::new(Code::SourceTimeout, message)
                .help("Let an administrator raise `STATEMENT_TIMEOUT`, or make the query cheaper")
        }
        "ABORTED"
        | "INTERNAL_ERROR"
        | "IO_ERROR"
        | "RESOURCE_EXHAUSTED"
        | "SERVICE_UNDER_MAINTENANCE"
        | "TEMPORARILY_UNAVAILABLE"
        | "UNKNOWN"
        | "WORKSPACE_TEMPORARILY_UNAVAILABLE" => {
            let message = format!("Databricks could not finish the statement: {told}");
            Failure::new(Code::SourceLost, message)
                .help("Run the sync again later; nothing was lost")
        }
        _ => Failure::new(Code::SourceQuery, format!("Databricks refused the SQL: {told}")),
    }
}

/// The statement that gives what is missing, as far as the words say it.
fn grant(message: &str, principal: Option<&str>) -> String {
    let grantee = grantee(principal);
    let Some((privilege, kind, name)) = lacking(message) else {
        return format!("`grant … to {grantee}`: the guide of the source lists what Ebb needs");
    };
    let (privilege, kind) = (privilege.to_lowercase(), kind.to_lowercase());
    let name: Vec<_> = name.split('.').map(|part| named(part.trim_matches('`'))).collect();
    format!("`grant {privilege} on {kind} {} to {grantee}`", name.join("."))
}

fn grantee(principal: Option<&str>) -> String {
    principal.map_or_else(|| "…".to_owned(), named)
}

/// A name, quoted where it needs quotes.
fn named(name: &str) -> String {
    if is_plain(name) { name.to_owned() } else { quoted(name) }
}

/// Privilege, kind and name out of `… does not have USE SCHEMA on Schema 'main.sales'`.
fn lacking(message: &str) -> Option<(&str, &str, &str)> {
    let (_, rest) = message.split_once("does not have ")?;
    let (privilege, rest) = rest.split_once(" on ")?;
    let (kind, rest) = rest.split_once(" '")?;
    let (name, _) = rest.split_once('\'')?;
    let is_words = |text: &str| text.chars().all(|it| it.is_ascii_alphabetic() || it == ' ');
    (is_words(privilege) && is_words(kind)).then_some((privilege, kind, name))
}

/// The refusal of a request's credentials.
pub(super) fn credentials(told: &str, kind: &str) -> Failure {
    Failure::new(Code::SourceAuth, format!("Databricks refused {kind}: {told}")).help(
        "Make a new one, put it where the source's settings read it, and see that the workspace's \
         IP access list lets this machine in",
    )
}

/// A warehouse that may not be used.
pub(super) fn no_permission(told: &str, settings: &ConnectionSettings) -> Failure {
    let message = format!("the SQL warehouse `{}` may not be used: {told}", settings.warehouse);
    Failure::new(Code::SourcePermission, message).help(
        "Let an administrator give the permission `Can use` on the SQL warehouse, and the entitlement \
         `Databricks SQL access` in the workspace",
    )
}

/// A warehouse that is not there.
pub(super) fn no_warehouse(answer: &Refused, settings: &ConnectionSettings) -> Failure {
    let message = format!("there is no SQL warehouse `{}`: {}", settings.warehouse, said(answer));
    Failure::new(Code::SourceUnreachable, message)
        .help("Correct `hostname` and `http_path` in the source's settings")
}

/// A statement that waited longer for its warehouse than it may.
pub(super) fn not_started(limit: Duration) -> Failure {
    let limit = limit.as_secs_f64();
    let message = format!("the SQL warehouse did not start a statement within {limit} s");
    Failure::new(Code::SourceUnreachable, message)
        .help("See why the warehouse does not start or is busy, or raise `start_timeout`")
}

/// What the service says, in one line.
pub(super) fn said(answer: &Refused) -> String {
    http::one_line(&answer.message, &answer.error_code)
}
