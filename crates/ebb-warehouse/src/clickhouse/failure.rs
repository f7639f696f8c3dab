//! The server's exceptions as failures that a person can act on.

use std::{error::Error, time::Duration};

use ebb_core::{Code, Failure};

use super::{
    answer::Exception,
    dialect::quoted,
    settings::{ConnectionSettings, SignIn},
};
use crate::{http, setup::is_plain};

/// What a sync does in the managed database.
const MANAGED_RIGHTS: &str = "select, insert, create table, drop table";

/// The failure of a statement that the server refused or ended.
pub(super) fn refused(exception: &Exception, settings: &ConnectionSettings) -> Failure {
    let told = format!("{} (code {})", exception.told, exception.number);
    let failed = |code, what: &str| Failure::new(code, format!("{what}: {told}"));
    match exception.number {
        192..=194 | 516 => credentials(&told, settings),
        195 => failed(Code::SourceAuth, "the server does not let this machine in")
            .help("Let an administrator allow the user to come from the host that Ebb runs on"),
        497 => failed(Code::SourcePermission, "a permission is missing")
            .help(format!("Let an administrator run {}", grant(&exception.told, settings))),
        164 => failed(Code::SourcePermission, "the statement may only read").help(
            "Take what writes out of the model; if the user's profile has `readonly`, let an administrator give it another one",
        ),
        452 => failed(Code::SourcePermission, "the user's profile forbids a setting that Ebb needs")
            .help("Let an administrator take the constraint out of the user's settings profile"),
        115 => failed(Code::SourceSettings, "the server does not know a setting that Ebb needs")
            .help("Upgrade the server"),
        81 => failed(Code::SourceQuery, "the server has no such database")
            .help("Correct `database` in the source's settings, or the model"),
        159 | 160 => {
            let limit = settings.statement_timeout.as_secs_f64();
            failed(Code::SourceTimeout, &format!("a statement took longer than {limit} s"))
        }
        241 => failed(Code::SourceFull, "the server has no memory left for a statement").help(
            "Raise `max_memory_usage` for the user or the server's memory, or select less in the model",
        ),
        201 => failed(Code::SourceFull, "the user's quota is used up")
            .help("Raise the quota, or run the sync again when its time is over"),
        243 | 76 | 1001 => failed(Code::SourceFull, "the server's disk is full"),
        202 | 439 | 745 => failed(Code::SourceLost, "the server has too much to do, again and again")
            .help("Run the sync again later; nothing was lost"),
        394 | 735 => Failure::new(Code::Canceled, "the statement was canceled at the server"),
        209 | 210 | 216 | 225 | 236 | 242 | 279 | 285 | 319 | 999 => {
            failed(Code::SourceLost, "the server could not finish a statement")
                .help("Run the sync again later; nothing was lost")
        }
        _ if exception.told.contains("Atomic") => {
            failed(Code::SourceQuery, "the managed database cannot replace a table at once").help(
                format!(
                    "Let an administrator drop it and run `create database {} engine = Atomic`",
                    named(&settings.managed_schema)
                ),
            )
        }
        _ => failed(Code::SourceQuery, "ClickHouse refused the SQL"),
    }
}

fn credentials(told: &str, settings: &ConnectionSettings) -> Failure {
    match &settings.sign_in {
        SignIn::Password { user, .. } => {
            let message = format!("the server refused user `{user}`: {told}");
            Failure::new(Code::SourceAuth, message)
        }
        SignIn::Token(_) => {
            Failure::new(Code::SourceAuth, format!("the server refused the access token: {told}"))
                .help("Get a new one, and put it where the source's `token` is read from")
        }
    }
}

/// The statement that gives what is missing, as far as the words say it.
fn grant(told: &str, settings: &ConnectionSettings) -> String {
    let user = match &settings.sign_in {
        SignIn::Password { user, .. } => named(user),
        SignIn::Token(_) => "…".to_owned(),
    };
    let managed = &settings.managed_schema;
    let Some((right, on)) = lacking(told) else {
        return format!("`grant … to {user}`: the guide of the source lists what Ebb needs");
    };
    let database = on.split('.').next().unwrap_or_default().trim_matches('`');
    if database == managed {
        let managed = named(managed);
        return format!(
            "`create database if not exists {managed}`, then `grant {MANAGED_RIGHTS} on {managed}.* to {user}`"
        );
    }
    format!("`grant {right} on {on} to {user}`")
}

/// Right and object out of `… necessary to have the grant SELECT(id) ON shop.users. (ACCESS_DENIED)`.
fn lacking(told: &str) -> Option<(String, &str)> {
    let (_, rest) = told.split_once("necessary to have the grant ")?;
    let rest = rest.split(" (ACCESS_DENIED)").next().unwrap_or_default();
    let (right, on) = rest.split_once(" ON ")?;
    // Columns keep their letters, words need none of theirs.
    let (words, columns) = right.find('(').map_or((right, ""), |at| right.split_at(at));
    let is_words = words.chars().all(|it| it.is_ascii_alphabetic() || it == ' ');
    let on = on.trim_end_matches('.');
    (is_words && !on.contains(' ')).then(|| (format!("{}{columns}", words.to_lowercase()), on))
}

/// A name, quoted where it needs quotes.
fn named(name: &str) -> String {
    if is_plain(name) { name.to_owned() } else { quoted(name) }
}

/// A service that did not wake up.
pub(super) fn not_awake(limit: Duration) -> Failure {
    let limit = limit.as_secs_f64();
    Failure::new(Code::SourceUnreachable, format!("the service did not wake up within {limit} s"))
        .help("See why the service does not start, or raise `start_timeout`")
}

/// A request that got no answer, or not all of it.
pub(super) fn unanswered(error: reqwest::Error, settings: &ConnectionSettings) -> Failure {
    // The address holds the names of databases and statements.
    let error = error.without_url();
    let mut cause: &(dyn Error + 'static) = &error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    let place = settings.place();
    if let Some(tls) = tls_error(&error) {
        return ebb_tls::refused(tls, &place)
            .help("Name the authority with `sslrootcert`, or choose another `sslmode`")
            .caused_by(error);
    }
    let failure = if error.is_connect() {
        Failure::new(Code::SourceUnreachable, format!("cannot connect to `{place}`: {cause}"))
            .help("Correct `host` and `port`, and see that this machine may reach them")
    } else {
        http::lost(&cause.to_string())
    };
    failure.caused_by(error)
}

/// The TLS library's error, if one was caused by it. What an error of the system's holds is not what it
/// names as its cause.
fn tls_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    if let Some(tls) = error.downcast_ref() {
        return Some(tls);
    }
    let held = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    match held {
        Some(held) => tls_error(held),
        None => error.source().and_then(tls_error),
    }
}

#[cfg(test)]
mod tests {
    use super::lacking;

    #[test]
    fn what_is_missing_is_read_from_the_servers_words() {
        let told = |rest: &str| {
            let told = format!(
                "ebb: Not enough privileges. To execute this query, it's necessary to have the grant {rest} (ACCESS_DENIED)"
            );
            lacking(&told).map(|(right, on)| format!("{right} on {on}"))
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(told("SELECT(Id, name) ON shop.users."), some("select(Id, name) on shop.users"));
        assert_eq!(told("CREATE DATABASE ON `my-ebb`.*."), some("create database on `my-ebb`.*"));
        assert_eq!(told("SELECT ON system.processes."), some("select on system.processes"));
        assert_eq!(told("SELECT ON a.b AND INSERT ON a.c."), None);
        assert_eq!(lacking("Access denied"), None);
    }
}
