//! The service's refusals as failures that a person can act on.

use ebb_core::{Code, Failure};

use super::{answer::Refused, dialect::quoted, settings::ConnectionSettings};
use crate::http::{self, too_long};

/// The failure of a statement that the service refused or could not finish.
pub(super) fn refused(answer: &Refused, settings: &ConnectionSettings) -> Failure {
    let told = said(answer);
    let lacking = |why: String, help: String| {
        Failure::new(Code::SourcePermission, why).help(format!("Let an administrator run {help}"))
    };
    let role = grantee(settings);
    match answer.code.as_str() {
        _ if answer.message.contains("exceeded its quota") => {
            Failure::new(Code::SourceFull, format!("the warehouse is suspended: {told}"))
                .help("Let an administrator raise the resource monitor's quota; nothing was lost")
        }
        "000604" => Failure::new(Code::Canceled, "the statement was canceled at the source"),
        "000630" => too_long(settings.statement_timeout),
        "000606" => lacking(
            format!("there is no warehouse to run the statement: {told}"),
            format!(
                "`grant usage on warehouse {} to role {role}`, and name it as `warehouse` in the source's settings",
                settings.context.warehouse.as_deref().map_or_else(|| "…".to_owned(), quoted),
            ),
        ),
        "390201" => lacking(
            format!(
                "there is no database `{}`, or the role may not use it: {told}",
                settings.context.database
            ),
            format!(
                "`grant usage on database {} to role {role}`; a name without quotes is upper case",
                quoted(&settings.context.database)
            ),
        ),
        "390186" | "390189" | "390317" => Failure::new(
            Code::SourceAuth,
            format!("the user may not take the role: {told}"),
        )
        .help(format!("Correct `role`, or let an administrator run `grant role {role} to user …`")),
        code if code == "003001" || answer.sql_state == "42501" => lacking(
            format!("the role lacks a permission: {told}"),
            format!("`{}`", grant(&answer.message, settings)),
        ),
        _ => Failure::new(Code::SourceQuery, format!("Snowflake refused the SQL: {told}")),
    }
}

/// The statement that gives what is missing, as far as the words say it: they end in a kind and a name.
fn grant(message: &str, settings: &ConnectionSettings) -> String {
    let role = grantee(settings);
    let database = quoted(&settings.context.database);
    let (kind, name) = operated(message).unwrap_or(("table", "…"));
    let name = if name == "…" { name.to_owned() } else { quoted(name) };
    match kind {
        "schema" if name == quoted(&settings.managed_schema) => {
            format!("grant usage, create table on schema {database}.{name} to role {role}")
        }
        "schema" => format!("grant usage on schema {database}.{name} to role {role}"),
        "database" => format!("grant usage, create schema on database {name} to role {role}"),
        "warehouse" => format!("grant usage on warehouse {name} to role {role}"),
        "function" | "procedure" => {
            format!("grant usage on {kind} {database}.….{name} to role {role}")
        }
        _ => format!("grant select on {kind} {database}.….{name} to role {role}"),
    }
}

/// Kind and name of what a role may not touch: `… to operate on schema 'SALES'`.
fn operated(message: &str) -> Option<(&str, &str)> {
    let (_, rest) = message.split_once("operate on ")?;
    let (kind, rest) = rest.split_once(" '")?;
    let (name, _) = rest.split_once('\'')?;
    Some((kind, name))
}

fn grantee(settings: &ConnectionSettings) -> String {
    settings.context.role.as_deref().map_or_else(|| "…".to_owned(), quoted)
}

/// The refusal of a request's credentials.
pub(super) fn credentials(answer: &Refused, kind: &str) -> Failure {
    let (what, help) = match kind {
        "KEYPAIR_JWT" => (
            "the key pair",
            "Correct `account` and `user`, give the user the key by `alter user … set rsa_public_key = '…'`, \
             and see that this machine's clock is right",
        ),
        "OAUTH" => (
            "the OAuth token",
            "Get a new token, put it where `oauth_token` reads it, and run `ebb check`",
        ),
        _ => (
            "the programmatic access token",
            "Make a new one by `alter user … add programmatic access token …`, put it where `token` reads it, and see that \
             a network policy lets this machine in",
        ),
    };
    Failure::new(Code::SourceAuth, format!("Snowflake refused {what}: {}", said(answer))).help(help)
}

/// What the service says, in one line.
pub(super) fn said(answer: &Refused) -> String {
    http::one_line(&answer.message, &answer.code)
}
