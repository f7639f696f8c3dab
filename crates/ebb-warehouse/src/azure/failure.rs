//! The server's and the driver's errors as failures that a person can act on.

use std::time::Duration;

use ebb_core::{Code, Failure};
use tiberius::error::{Error, TokenError};

use super::{
    dialect::quoted,
    settings::{ConnectionSettings, SignIn},
};

/// What a server says whose database is about to come: it resumes, moves, or has no room just now.
const NOT_READY: [u32; 8] = [40_613, 40_197, 40_501, 40_540, 49_918, 49_919, 49_920, 4221];

/// Whether another attempt may soon succeed.
pub(super) fn may_pass(error: &Error) -> bool {
    error.code().is_some_and(|code| NOT_READY.contains(&code))
}

/// Whether the credentials were refused.
pub(super) fn is_sign_in(error: &Error) -> bool {
    error.code() == Some(18_456)
}

/// A server that does not answer in time.
pub(super) fn no_answer(host: &str, limit: Duration) -> Failure {
    let limit = limit.as_secs();
    let message = format!("cannot connect to `{host}`: no answer within {limit} s");
    Failure::new(Code::SourceUnreachable, message)
}

/// A pool in which nothing can be written.
pub(super) fn serverless() -> Failure {
    Failure::new(
        Code::SourceSettings,
        "the server is a serverless SQL pool of Synapse, which keeps no tables",
    )
    .help("Name a dedicated SQL pool, or a database of Azure SQL, in `hostname` and `database`")
}

/// A failure to connect.
pub(super) fn connecting(error: Error, settings: &ConnectionSettings) -> Failure {
    let ConnectionSettings { hostname, database, .. } = settings;
    let Error::Server(answer) = &error else {
        let message = format!("the server at `{hostname}` ended the connection: {error}");
        return Failure::new(Code::SourceUnreachable, message).caused_by(error);
    };
    let told = answer.message();
    let failure = match answer.code() {
        18_456 => refused(settings),
        18_487 | 18_488 => {
            let user = settings.user().unwrap_or_default();
            Failure::new(Code::SourceAuth, format!("the password of login `{user}` has expired"))
                .help("Let an administrator run: alter login … with password = …")
        }
        4060 | 40_532 => Failure::new(
            Code::SourceUnreachable,
            format!("the server at `{hostname}` has no database `{database}` for Ebb"),
        )
        .help("Correct `database` in the source's settings, or create a user for the login there"),
        40_615 | 40_914 | 47_073 => Failure::new(
            Code::SourceUnreachable,
            format!("the server at `{hostname}` lets this machine in by no rule: {told}"),
        )
        .help("Add the address to the server's firewall rules, or use its private endpoint"),
        42_108 | 42_109 | 42_119 => Failure::new(
            Code::SourceUnreachable,
            format!("the database `{database}` is paused: {told}"),
        )
        .help("Resume the database, then sync again"),
        code if NOT_READY.contains(&code) => Failure::new(
            Code::SourceUnreachable,
            format!("the database `{database}` is not available now: {told}"),
        ),
        _ => Failure::new(
            Code::SourceUnreachable,
            format!("the server at `{hostname}` refused the connection: {told}"),
        ),
    };
    failure.caused_by(error)
}

/// Credentials that were refused.
fn refused(settings: &ConnectionSettings) -> Failure {
    match &settings.sign_in {
        SignIn::Password { user, .. } => Failure::new(
            Code::SourceAuth,
            format!("the server refused the password of login `{user}`"),
        )
        .help("Correct `user` and `password`; the server must allow logins of its own"),
        SignIn::Token(_) => {
            Failure::new(Code::SourceAuth, "the server refused the access token")
                .help("Give a fresh `access_token`, or the `client_id` and `client_secret` of an application, which renews its own")
        }
        SignIn::Application(application) => Failure::new(
            Code::SourceAuth,
            format!("the server refused the token of application `{}`", application.client_id),
        )
        .help("Create a user for the application in the database: create user [its name] from external provider"),
    }
}

/// A failure of a statement. `user` is whom the database takes Ebb for.
pub(super) fn running(error: Error, settings: &ConnectionSettings, user: Option<&str>) -> Failure {
    let failure = if let Error::Server(answer) = &error {
        refusal(answer, settings, user)
    } else {
        lost(error.to_string())
    };
    failure.caused_by(error)
}

fn refusal(answer: &TokenError, settings: &ConnectionSettings, user: Option<&str>) -> Failure {
    let told = answer.message();
    match answer.code() {
        229 | 230 | 262 | 297 | 300 | 371 | 916 | 1088 | 2759 | 2760 | 15_151 | 15_247 => {
            lacking(answer, settings, user)
        }
        1222 => Failure::new(
            Code::SourceTimeout,
            format!("a table stayed locked for more than {} s", settings.lock_timeout.as_secs()),
        )
        .help("End the session that holds the lock, or raise `lock_timeout`"),
        1101 | 1105 | 9002 | 40_544 | 45_192 => {
            Failure::new(Code::SourceFull, format!("the database is full: {told}"))
        }
        701 | 802 | 8645 | 8651 => {
            Failure::new(Code::SourceFull, format!("the server is out of memory: {told}"))
        }
        3906 => {
            Failure::new(Code::SourcePermission, format!("the database may only be read: {told}"))
                .help("Name its writable primary in `hostname`")
        }
        1205 | 596 | 6005 | 10_928 | 10_929 | 40_197 | 40_501 | 40_549 | 40_550 | 40_551
        | 40_552 | 40_553 | 40_613 | 49_918 | 49_919 | 49_920 => {
            lost(format!("the server ended it: {told}"))
        }
        511 | 1701 | 1702 | 4104 | 8060 => Failure::new(
            Code::ModelColumns,
            format!("the server cannot keep the model's columns in one table: {told}"),
        )
        .help("Select fewer or smaller columns"),
        _ => Failure::new(Code::SourceQuery, format!("the server refused the SQL: {told}")),
    }
}

/// A statement that took too long.
pub(super) fn timed_out(settings: &ConnectionSettings) -> Failure {
    Failure::new(
        Code::SourceTimeout,
        format!("a statement took longer than {} s", settings.statement_timeout.as_secs()),
    )
}

/// A session that ended before its work did.
pub(super) fn lost(why: impl AsRef<str>) -> Failure {
    let message = format!("the connection to the source was lost: {}", why.as_ref());
    Failure::new(Code::SourceLost, message)
}

/// The permission that is missing, and the statement that gives it.
fn lacking(answer: &TokenError, settings: &ConnectionSettings, user: Option<&str>) -> Failure {
    let told = answer.message();
    let name = user.unwrap_or("Ebb's user");
    let failure =
        Failure::new(Code::SourcePermission, format!("user `{name}` lacks a permission: {told}"));
    let user = quoted(name);
    let managed = quoted(&settings.managed_schema);
    let own = [
        format!("create schema {managed} authorization {user}"),
        format!("grant create table to {user}"),
    ];
    let missing = match (answer.code(), Denied::read(told)) {
        (229 | 230, Some(Denied { right, object, schema })) => {
            if quoted(&schema) == managed {
                vec![format!(
                    "grant select, insert, update, delete, alter on schema::{managed} to {user}"
                )]
            } else {
                let (schema, object) = (quoted(&schema), quoted(&object));
                vec![format!("grant {} on {schema}.{object} to {user}", right.to_lowercase())]
            }
        }
        (262 | 2759 | 2760 | 15_151 | 15_247 | 1088, _) => own.to_vec(),
        (916, _) => vec![format!("create user {user} for login {user}")],
        (_, _) => return failure,
    };
    let database = quoted(&settings.database);
    failure.help(format!(
        "Let an administrator run in the database {database}: {}",
        missing.join("; ")
    ))
}

/// What the server's words say was denied.
#[derive(Debug, PartialEq, Eq)]
struct Denied {
    right: String,
    object: String,
    schema: String,
}

impl Denied {
    /// From words such as: The SELECT permission was denied on the object 'a', database 'b', schema 'c'.
    fn read(told: &str) -> Option<Self> {
        let right = told.strip_prefix("The ")?.split(' ').next()?.to_owned();
        let named = |before: &str| {
            let (_, rest) = told.split_once(before)?;
            rest.split('\'').next().map(str::to_owned)
        };
        Some(Self { right, object: named("object '")?, schema: named("schema '")? })
    }
}

#[cfg(test)]
mod tests {
    use super::Denied;

    #[test]
    fn what_was_denied_is_read_from_the_servers_words() {
        let told = "The SELECT permission was denied on the object 'orders', database 'shop', schema 'dbo'.";
        let expected =
            Denied { right: "SELECT".into(), object: "orders".into(), schema: "dbo".into() };
        assert_eq!(Denied::read(told), Some(expected));
        assert_eq!(Denied::read("CREATE TABLE permission denied in database 'shop'."), None);
    }
}
