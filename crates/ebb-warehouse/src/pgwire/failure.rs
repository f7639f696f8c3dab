//! The server's and the driver's errors as failures that a person can act on.

use std::{error::Error as _, io};

use ebb_core::{Code, Failure};
use tokio_postgres::{
    Error,
    error::{DbError, ErrorPosition},
};

use super::{names::quoted, settings::ConnectionSettings};

/// A failure to connect.
pub(super) fn connecting(error: Error, settings: &ConnectionSettings) -> Failure {
    let ConnectionSettings { host, port, user, database, .. } = settings;
    if let Some(answer) = error.as_db_error() {
        let told = answer.message();
        let failure = match answer.code().code() {
            "28P01" => refused_password(user),
            // As servers said it before 8.4.
            "28000" if told.starts_with("password authentication failed") => refused_password(user),
            "28000" => {
                Failure::new(Code::SourceAuth, format!("the server refused user `{user}`: {told}"))
                    .help(format!(
                        "Correct `user`, `password` and `sslmode`, or allow the user in {}",
                        settings.product.admission
                    ))
            }
            "3D000" => Failure::new(
                Code::SourceUnreachable,
                format!("the server at `{host}` has no database `{database}`"),
            )
            .help("Correct `database` in the source's settings"),
            "53300" => Failure::new(
                Code::SourceUnreachable,
                format!("the server at `{host}` has no connection left: {told}"),
            )
            .help("Raise `max_connections` at the server, or end idle sessions"),
            "42501" => lacking(told, settings),
            _ => Failure::new(
                Code::SourceUnreachable,
                format!("the server at `{host}` refused the connection: {told}"),
            ),
        };
        return failure.caused_by(error);
    }
    if let Some(tls) = tls_error(&error) {
        return ebb_tls::refused(tls, host).caused_by(error);
    }
    let why = root_cause(&error);
    let text = error.to_string();
    let failure = if text.contains("TLS") {
        Failure::new(
            Code::SourceTls,
            format!("no encrypted connection to `{host}` is possible: {why}"),
        )
        .help("Switch TLS on at the server, or choose a laxer `sslmode`")
    } else if why.contains("authentication tag") {
        // Redshift asks so where a password was stored by another recipe than its own.
        Failure::new(
            Code::SourceAuth,
            format!(
                "the server asks user `{user}` for a password in a way that is not known: {why}"
            ),
        )
        .help(format!(
            "Let an administrator give it in clear: `alter user {} password '…'`",
            quoted(user)
        ))
    } else if text.contains("invalid configuration") || text.contains("authentication") {
        Failure::new(Code::SourceAuth, format!("user `{user}` cannot log in: {why}"))
    } else {
        let place = if settings.is_socket() { host.clone() } else { format!("{host}:{port}") };
        Failure::new(Code::SourceUnreachable, format!("cannot connect to `{place}`: {why}"))
    };
    failure.caused_by(error)
}

fn refused_password(user: &str) -> Failure {
    Failure::new(Code::SourceAuth, format!("the server refused the password of user `{user}`"))
}

/// A failure of a statement; the caller keeps the error as its cause. `model` is the text that positions refer to, if it was sent as it is.
pub(super) fn running(
    error: &Error,
    settings: &ConnectionSettings,
    model: Option<&str>,
) -> Failure {
    let Some(answer) = error.as_db_error() else {
        return lost(root_cause(error));
    };
    let told = answer.message();
    let state = answer.code().code();
    match state {
        "42501" => lacking(told, settings),
        "25006" => Failure::new(Code::SourcePermission, format!("the session may only read: {told}"))
            .help("Take what writes out of the model; if the server is a standby, name its primary in `host`"),
        "57014" if told.contains("user request") => {
            Failure::new(Code::Canceled, "the statement was canceled at the server")
        }
        // Redshift says the same of a time limit and of an administrator.
        "57014" if told.contains("user's request") => Failure::new(
            Code::SourceTimeout,
            format!(
                "a statement took longer than {} s, or somebody canceled it at the server: {told}",
                settings.statement_timeout.as_secs()
            ),
        ),
        "57014" => Failure::new(
            Code::SourceTimeout,
            format!("a statement took longer than {} s", settings.statement_timeout.as_secs()),
        ),
        "55P03" => Failure::new(
            Code::SourceTimeout,
            format!(
                "a table stayed locked for more than {} s: {told}",
                settings.lock_timeout.as_secs()
            ),
        )
        .help("End the session that holds the lock, or raise `lock_timeout`"),
        "40001" | "40P01" => lost(format!("the server ended the transaction: {told}")),
        // Redshift has no code of their own for these.
        _ if told.contains("Serializable isolation violation") => {
            lost(format!("the server ended the transaction: {told}"))
        }
        _ if told.starts_with("Disk Full") => {
            Failure::new(Code::SourceFull, format!("the server's disk is full: {told}"))
        }
        "53100" => Failure::new(Code::SourceFull, format!("the server's disk is full: {told}")),
        "53400" => Failure::new(Code::SourceFull, format!("a limit of the server is reached: {told}"))
            .help("Raise the limit that is named, such as `temp_file_limit`; nothing was lost"),
        "53200" => Failure::new(Code::SourceFull, format!("the server is out of memory: {told}"))
            .help("Lower `work_mem` in the source's settings; nothing was lost"),
        _ if state.starts_with("57P") || state.starts_with("08") => lost(told),
        _ => Failure::new(Code::SourceQuery, query_message(answer, model)),
    }
}

/// A connection that ended before its work did.
pub(crate) fn lost(why: impl AsRef<str>) -> Failure {
    Failure::new(
        Code::SourceLost,
        format!("the connection to the source was lost: {}", why.as_ref()),
    )
}

fn query_message(answer: &DbError, model: Option<&str>) -> String {
    let place = match (answer.position(), model) {
        (Some(ErrorPosition::Original(position)), Some(model)) => place(model, *position),
        _ => None,
    };
    let told = answer.message();
    let hint = answer.hint().map_or_else(String::new, |hint| format!(" ({hint})"));
    match place {
        Some((line, column)) => {
            format!("the server refused the SQL at line {line}, column {column}: {told}{hint}")
        }
        None => format!("the server refused the SQL: {told}{hint}"),
    }
}

/// Line and column, from 1, of a character's position, from 1.
fn place(text: &str, position: u32) -> Option<(usize, usize)> {
    let before = usize::try_from(position).ok()?.checked_sub(1)?;
    let (mut line, mut column) = (1, 1);
    let mut rest = text.chars();
    for _ in 0..before {
        if rest.next()? == '\n' {
            line += 1;
            column = 1;
        } else {
            column += 1;
        }
    }
    Some((line, column))
}

/// What the server denies: `permission denied for table orders`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Denied<'a> {
    told: &'a str,
    kind: &'a str,
    pub(super) name: &'a str,
}

/// The kinds of objects that rows come from.
const RELATIONS: [&str; 5] = ["table", "relation", "view", "materialized view", "foreign table"];

impl Denied<'_> {
    /// Whether it is a table or the like, of which the server does not name the schema.
    pub(super) fn is_relation(&self) -> bool {
        RELATIONS.contains(&self.kind)
    }
}

/// Reads what is denied from the server's words; `None` if they are others.
pub(super) fn denied(told: &str) -> Option<Denied<'_>> {
    const OTHERS: [&str; 7] =
        ["schema", "database", "function", "procedure", "sequence", "foreign server", "type"];
    const TEMPORARY: &str = "permission denied to create temporary tables in database ";
    if let Some(name) = told.strip_prefix(TEMPORARY) {
        return Some(Denied { told, kind: "temporary", name: name.trim_matches('"') });
    }
    let rest = told.strip_prefix("permission denied for ")?;
    RELATIONS.into_iter().chain(OTHERS).find_map(|kind| {
        let name = rest.strip_prefix(kind)?.strip_prefix(' ')?;
        Some(Denied { told, kind, name: name.trim_matches('"') })
    })
}

fn lacking(told: &str, settings: &ConnectionSettings) -> Failure {
    match denied(told) {
        Some(denied) => permission(&denied, settings, None),
        None => lack(told, settings),
    }
}

fn lack(told: &str, settings: &ConnectionSettings) -> Failure {
    let user = &settings.user;
    let failure =
        Failure::new(Code::SourcePermission, format!("user `{user}` lacks a permission: {told}"));
    if told.starts_with("must be owner of") {
        let user = quoted(user);
        return failure.help(format!(
            "Another user made it. Let one user do all syncs, or let an administrator run `alter table … owner to {user}`"
        ));
    }
    failure
}

/// What is denied, and the statement that gives it. `schema` is that of a relation, if it is known.
pub(super) fn permission(
    denied: &Denied<'_>,
    settings: &ConnectionSettings,
    schema: Option<&str>,
) -> Failure {
    let user = quoted(&settings.user);
    let name = quoted(denied.name);
    let grant = match denied.kind {
        "schema" if denied.name == settings.managed_schema => {
            format!("grant usage, create on schema {name} to {user}")
        }
        "schema" => format!("grant usage on schema {name} to {user}"),
        "database" => format!("grant create on database {name} to {user}"),
        "temporary" => format!("grant temporary on database {name} to {user}"),
        "sequence" => format!("grant usage, select on sequence {name} to {user}"),
        "function" | "procedure" => {
            format!("grant execute on {} {} to {user}", denied.kind, denied.name)
        }
        "foreign server" | "type" => format!("grant usage on {} {name} to {user}", denied.kind),
        _ => {
            let schema = schema.map_or_else(String::new, |schema| format!("{}.", quoted(schema)));
            format!("grant select on {schema}{name} to {user}")
        }
    };
    let other = if denied.kind == "database" {
        let managed = quoted(&settings.managed_schema);
        format!(", or make the managed schema: `create schema {managed} authorization {user}`")
    } else {
        String::new()
    };
    lack(denied.told, settings).help(format!("Let an administrator run `{grant}`{other}"))
}

/// The TLS library's error, if the driver's was caused by one.
pub(super) fn tls_error(error: &Error) -> Option<&rustls::Error> {
    let cause = error.source()?;
    cause.downcast_ref::<io::Error>()?.get_ref()?.downcast_ref::<rustls::Error>()
}

/// The words of the innermost error.
fn root_cause(error: &Error) -> String {
    let mut cause: &(dyn std::error::Error + 'static) = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::{denied, place};

    #[test]
    fn a_position_becomes_line_and_column() {
        let model = "select é,\n  bad\nfrom t";
        assert_eq!(place(model, 1), Some((1, 1)));
        assert_eq!(place(model, 13), Some((2, 3)));
        assert_eq!(place(model, 17), Some((3, 1)));
        assert_eq!(place(model, 99), None);
    }

    #[test]
    fn what_is_denied_is_read_from_the_servers_words() {
        let cases = [
            ("permission denied for table orders", Some(("table", "orders"))),
            ("permission denied for materialized view m", Some(("materialized view", "m"))),
            ("permission denied for schema my schema", Some(("schema", "my schema"))),
            (
                "permission denied to create temporary tables in database \"d\"",
                Some(("temporary", "d")),
            ),
            ("must be owner of table orders", None),
        ];
        for (told, expected) in cases {
            let found = denied(told).map(|denied| (denied.kind, denied.name));
            assert_eq!(found, expected);
        }
    }
}
