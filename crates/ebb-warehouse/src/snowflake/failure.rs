//! The service's refusals as failures that a person can act on.

use ebb_core::{Code, Failure};

use super::{answer::Refused, credentials::Kind, dialect::quoted, settings::ConnectionSettings};
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
pub(super) fn credentials(answer: &Refused, kind: Kind) -> Failure {
    let (what, help) = match kind {
        Kind::KeyPair => (
            "the key pair",
            "Correct `account` and `user`, give the user the key by `alter user … set rsa_public_key = '…'`, \
             and see that this machine's clock is right",
        ),
        Kind::OAuth => (
            "the OAuth token",
            "Get a new token, or consent anew for a refresh token, put it where the settings read it, and see that its scope \
             has the role",
        ),
        Kind::Password => (
            "user and password",
            "Correct `account`, `user` and `password`; a user of type `service` has none, so give such a one a key pair",
        ),
        Kind::ProgrammaticToken => (
            "the programmatic access token",
            "Make a new one by `alter user … add programmatic access token …`, put it where `token` reads it, and see that \
             a network policy lets this machine in",
        ),
    };
    Failure::new(Code::SourceAuth, format!("Snowflake refused {what}: {}", said(answer))).help(help)
}

/// Why a session could not sign in.
pub(super) fn sign_in(answer: &Refused, kind: Kind, settings: &ConnectionSettings) -> Failure {
    let told = said(answer);
    let auth = |why: String, help: &'static str| Failure::new(Code::SourceAuth, why).help(help);
    match answer.code.as_str() {
        // what the session is to work with, not who signs in
        "390186" | "390189" | "390201" | "390317" | "000606" => refused(answer, settings),
        code if wants_second_factor(code, &answer.message) => auth(
            format!("Snowflake wants a second factor of the user: {told}"),
            "Nobody is there to give one at a sync: sign in with a key pair or a programmatic access token, or let an \
             administrator exempt the user from it by an authentication policy",
        ),
        "390422" | "390432" => auth(
            format!("a network policy keeps this machine out: {told}"),
            "Let an administrator add this machine's address to the network policy of the user or the account",
        ),
        _ => credentials(answer, kind),
    }
}

/// Whether a refusal is one of those by which a second factor is asked for, or judged.
fn wants_second_factor(code: &str, message: &str) -> bool {
    let words = message.to_lowercase();
    matches!(
        code,
        "390120"
            | "390121"
            | "390122"
            | "390123"
            | "390124"
            | "390125"
            | "390126"
            | "390127"
            | "390129"
            | "390132"
    ) || words.contains("multi-factor")
        || words.contains("mfa ")
}

/// A session that ended, was signed in anew, and ended again.
pub(super) fn session_ended(answer: &Refused) -> Failure {
    let told = said(answer);
    Failure::new(Code::SourceAuth, format!("Snowflake ends every session of the user: {told}")).help(
        "Let an administrator see in `snowflake.account_usage.sessions` who ends them, and whether the user is disabled or \
         a session policy sets too short a time",
    )
}

/// What the service says, in one line.
pub(super) fn said(answer: &Refused) -> String {
    http::one_line(&answer.message, &answer.code)
}
