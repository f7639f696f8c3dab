//! The server's and the driver's errors as failures that a person can act on. None has a secret in it.

use std::{error::Error as _, io};

use ebb_core::{Code, Failure};
use tokio_postgres::{Error, config::Host, error::Severity};

use super::url::DatabaseUrl;

/// Whether a connection is of no use any more, when no transaction could be begun: it was lost, or its
/// server may not be written to.
pub(super) fn is_of_connection(error: &Error) -> bool {
    let Some(answer) = error.as_db_error() else { return true };
    let state = answer.code().code();
    let ended = matches!(answer.parsed_severity(), Some(Severity::Fatal | Severity::Panic));
    ended
        || state.starts_with("57P")
        || state.starts_with("08")
        || ["25006", "0A000"].contains(&state)
}

/// A failure to connect.
pub(super) fn connecting(url: &DatabaseUrl, error: Error) -> Failure {
    let hosts = url.config.get_hosts();
    let host = hosts.iter().find_map(|host| match host {
        Host::Tcp(name) => Some(name.as_str()),
        Host::Unix(_) => None,
    });
    if let Some(tls) = tls_error(&error) {
        let refused = ebb_tls::refused(tls, host.unwrap_or("localhost"));
        return of_encryption(url, &refused).caused_by(error);
    }
    let user = url.config.get_user().unwrap_or_default();
    let failure = match error.as_db_error() {
        Some(answer) => {
            let told = answer.message();
            let (what, help) = match answer.code().code() {
                "28P01" => (
                    format!("refused the password of user `{user}`"),
                    "Correct user and password in `--database-url`",
                ),
                "28000" => (
                    format!("refused user `{user}`: {told}"),
                    "Correct user and `sslmode` in `--database-url`, or allow the user in the server's pg_hba.conf",
                ),
                "3D000" => {
                    (format!("is missing: {told}"), "Make the database; Ebb makes its schema")
                }
                "53300" => (
                    format!("has no connection left: {told}"),
                    "Raise `max_connections` at the server; Ebb needs up to nine",
                ),
                "57P03" => {
                    (format!("does not take connections now: {told}"), "Wait until the server runs")
                }
                _ => (format!("refused the connection: {told}"), CHECK),
            };
            unavailable(url, &what).help(help)
        }
        None => unavailable(url, &format!("cannot be reached: {}", root_cause(&error))).help(CHECK),
    };
    failure.caused_by(error)
}

const CHECK: &str = "Check `--database-url`, and that the server runs and can be reached from here";

/// A failure of encryption, whose words speak of a host and its certificate.
pub(super) fn of_encryption(url: &DatabaseUrl, refused: &Failure) -> Failure {
    unavailable(url, &format!("cannot be connected to safely: {}", refused.message())).help(
        "Name the authority with `sslrootcert` in `--database-url`, or choose a laxer `sslmode` there",
    )
}

/// A failure of a statement.
pub(in crate::database) fn told(url: &DatabaseUrl, error: &Error) -> Failure {
    let Some(answer) = error.as_db_error() else {
        let what = format!("was lost while it was asked: {}", root_cause(error));
        return unavailable(url, &what).help(CHECK);
    };
    let told = answer.message();
    match answer.code().code() {
        "53100" => unavailable(url, "has no room left on its disk")
            .help("Free space at the server; nothing was lost"),
        "42501" => unavailable(url, &format!("refuses what Ebb needs: {told}"))
            .help("Let the user make a schema in the database, or make it owner of the one that Ebb uses"),
        "25006" => unavailable(url, &format!("may not be written: {told}"))
            .help("Name the primary server in `--database-url`"),
        "55P03" | "57014" | "40P01" | "40001" => {
            unavailable(url, &format!("is kept busy by another session: {told}"))
                .help("End other sessions of the control database that do not end by themselves")
        }
        "XX001" | "XX002" => unavailable(url, &format!("is damaged: {told}")).help(
            "Restore a backup: the tracked state is in the warehouse, only history and unfinished syncs are lost",
        ),
        state if state.starts_with("57P") || state.starts_with("08") => {
            unavailable(url, &format!("was lost while it was asked: {told}")).help(CHECK)
        }
        _ => unavailable(url, &format!("could not do what was asked: {told}"))
            .help("Look into the server's log"),
    }
}

fn unavailable(url: &DatabaseUrl, what: &str) -> Failure {
    Failure::new(Code::StateUnavailable, format!("the control database `{url}` {what}"))
}

/// The TLS library's error, if the driver's was caused by one.
fn tls_error(error: &Error) -> Option<&rustls::Error> {
    error.source()?.downcast_ref::<io::Error>()?.get_ref()?.downcast_ref::<rustls::Error>()
}

/// The words of the innermost error.
fn root_cause(error: &Error) -> String {
    let mut cause: &(dyn std::error::Error + 'static) = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
