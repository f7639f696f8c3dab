//! The server's and the driver's errors as failures that a person can act on.

use std::error::Error as _;

use ebb_core::{Code, Failure};
use mysql_async::{DriverError, Error, IoError, ServerError};

use super::settings::ConnectionSettings;

/// A failure to connect.
pub(super) fn connecting(error: Error, settings: &ConnectionSettings) -> Failure {
    let ConnectionSettings { host, port, user, database, .. } = settings;
    if let Some(tls) = tls_error(&error) {
        return ebb_tls::refused(tls, host).caused_by(error);
    }
    #[expect(clippy::wildcard_enum_match_arm, reason = "the others keep the driver's words")]
    let failure = match &error {
        Error::Server(answer) => match answer.code {
            1045 | 1698 => Failure::new(
                Code::SourceAuth,
                format!("the server refused the password of user `{user}`"),
            ),
            1130 => Failure::new(
                Code::SourceAuth,
                format!("the server refused user `{user}`: {}", answer.message),
            )
            .help("Let an administrator create the user for the host that Ebb runs on"),
            3159 => Failure::new(
                Code::SourceTls,
                format!("the server at `{host}` wants encryption: {}", answer.message),
            )
            .help("Choose another `sslmode` than `disable`"),
            1049 => Failure::new(
                Code::SourceUnreachable,
                format!(
                    "the server at `{host}` has no database `{}`",
                    database.as_deref().unwrap_or_default()
                ),
            )
            .help("Correct `database` in the source's settings"),
            1040 | 1203 | 1226 => Failure::new(
                Code::SourceUnreachable,
                format!("the server at `{host}` has no connection left: {}", answer.message),
            )
            .help("Raise `max_connections` at the server, or end idle sessions"),
            1044 => lacking(answer, settings, None),
            _ => Failure::new(
                Code::SourceUnreachable,
                format!("the server at `{host}` refused the connection: {}", answer.message),
            ),
        },
        Error::Driver(DriverError::NoClientSslFlagFromServer) => Failure::new(
            Code::SourceTls,
            format!("no encrypted connection to `{host}` is possible: the server offers none"),
        )
        .help("Switch TLS on at the server, or choose `sslmode: disable`"),
        Error::Driver(
            DriverError::UnknownAuthPlugin { .. }
            | DriverError::CleartextPluginDisabled
            | DriverError::MysqlOldPasswordDisabled,
        ) => Failure::new(Code::SourceAuth, format!("user `{user}` cannot log in: {error}"))
            .help("Let the user log in by `caching_sha2_password` or `mysql_native_password`"),
        other => {
            let place = if settings.is_socket() { host.clone() } else { format!("{host}:{port}") };
            let why = root_cause(other);
            Failure::new(Code::SourceUnreachable, format!("cannot connect to `{place}`: {why}"))
        }
    };
    failure.caused_by(error)
}

/// A failure of a statement. `account` is whom the server takes the user for, such as `'ebb'@'%'`.
pub(super) fn running(
    error: Error,
    settings: &ConnectionSettings,
    account: Option<&str>,
) -> Failure {
    #[expect(clippy::wildcard_enum_match_arm, reason = "the others mean a lost connection")]
    let failure = match &error {
        Error::Server(answer) => refused(answer, settings, account),
        Error::Driver(
            DriverError::Params(_)
            | DriverError::MixedParams
            | DriverError::StmtParamsMismatch { .. },
        ) => with_placeholders(),
        Error::Driver(DriverError::PacketTooLarge) => Failure::new(
            Code::SourceQuery,
            "a value is larger than the server's `max_allowed_packet`",
        )
        .help("Raise `max_allowed_packet` at the server, or leave the column out"),
        other => lost(root_cause(other)),
    };
    failure.caused_by(error)
}

/// A model with a place for a value that nobody gives.
pub(super) fn with_placeholders() -> Failure {
    Failure::new(Code::SourceQuery, "the model holds a placeholder, `?` or `:name`")
        .help("Write the value itself")
}

fn refused(answer: &ServerError, settings: &ConnectionSettings, account: Option<&str>) -> Failure {
    let told = &answer.message;
    match answer.code {
        1044 | 1142 | 1143 | 1227 | 1370 | 1410 => lacking(answer, settings, account),
        1792 | 1290 | 1836 => {
            Failure::new(Code::SourcePermission, format!("the session may only read: {told}")).help(
                "Take what writes out of the model; if the server is a replica, name its primary in `host`",
            )
        }
        1317 => Failure::new(Code::Canceled, "the statement was canceled at the server"),
        1969 | 3024 => timed_out(settings),
        1205 => Failure::new(
            Code::SourceTimeout,
            format!(
                "a table stayed locked for more than {} s: {told}",
                settings.lock_timeout.as_secs()
            ),
        )
        .help("End the session that holds the lock, or raise `lock_timeout`"),
        1213 => lost(format!("the server ended the transaction: {told}")),
        1021 | 1114 => {
            Failure::new(Code::SourceFull, format!("the server's disk or table is full: {told}"))
        }
        1037 | 1038 | 1041 | 5 => {
            Failure::new(Code::SourceFull, format!("the server is out of memory: {told}"))
        }
        1053 | 1077 | 1152 | 1927 | 4031 => lost(told),
        1117 | 1118 | 1059 => Failure::new(
            Code::ModelColumns,
            format!("the server cannot keep the model's columns in one table: {told}"),
        )
        .help("Select fewer or smaller columns, and give none a name longer than 64 characters"),
        1054 => Failure::new(Code::SourceQuery, format!("the server refused the SQL: {told}")).help(
            "Correct the name; a text stands in single quotes, double quotes enclose names",
        ),
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

/// A connection that ended before its work did.
pub(super) fn lost(why: impl AsRef<str>) -> Failure {
    Failure::new(
        Code::SourceLost,
        format!("the connection to the source was lost: {}", why.as_ref()),
    )
}

/// The permission that is missing, and the statement that gives it.
fn lacking(answer: &ServerError, settings: &ConnectionSettings, account: Option<&str>) -> Failure {
    let ConnectionSettings { user, database, managed_schema, .. } = settings;
    let told = &answer.message;
    let failure =
        Failure::new(Code::SourcePermission, format!("user `{user}` lacks a permission: {told}"));
    let Some(named) = named(told, answer.code) else { return failure };
    // Where a database is denied the server names the account, elsewhere the host that it is used from.
    let account = account.or_else(|| account_in(told)).unwrap_or(user);
    let managed = backticked(managed_schema);
    if backticked(&named) == managed || named.starts_with(&format!("{managed}.")) {
        // An underscore in the name of a database stands for any letter.
        let pattern = managed.replace('_', "\\_");
        return failure.help(format!(
            "Let an administrator run: create database if not exists {managed}; \
             grant {MANAGED_RIGHTS} on {pattern}.* to {account}"
        ));
    }
    let (right, on) = match answer.code {
        1044 => ("select", format!("{}.*", backticked(&named))),
        1370 => ("execute", format!("function {named}")),
        _ if named.contains('.') => ("select", named),
        _ => {
            let database = database.as_deref().map(|name| format!("{}.", backticked(name)));
            ("select", format!("{}{}", database.unwrap_or_default(), backticked(&named)))
        }
    };
    failure.help(format!("Let an administrator run: grant {right} on {on} to {account}"))
}

/// What a sync does in the managed database.
const MANAGED_RIGHTS: &str =
    "select, insert, update, delete, create, create temporary tables, drop, alter";

fn backticked(name: &str) -> String {
    format!("`{}`", name.trim_matches(['`', '\'']))
}

/// The account that the server's words name, such as `'ebb'@'localhost'`.
fn account_in(told: &str) -> Option<&str> {
    let from = told.find("user '")? + "user ".len();
    let account = told.get(from..)?;
    account.split(' ').next()
}

/// The table, routine or database that the server's words name, in the server's quotes.
fn named(told: &str, code: u16) -> Option<String> {
    let before = match code {
        1044 => "to database ",
        1142 => "for table ",
        1143 => "in table ",
        1370 => "for routine ",
        _ => return None,
    };
    let (_, name) = told.split_once(before)?;
    Some(name.trim_end_matches('.').to_owned())
}

/// The TLS library's error, if the driver's was caused by one.
fn tls_error(error: &Error) -> Option<&rustls::Error> {
    let Error::Io(error) = error else { return None };
    match error {
        IoError::Io(error) => error.get_ref()?.downcast_ref::<rustls::Error>(),
        IoError::Tls(error) => error.source()?.downcast_ref::<rustls::Error>(),
    }
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
    use super::{account_in, named};

    #[test]
    fn what_is_denied_is_read_from_the_servers_words() {
        let cases = [
            (
                1142,
                "SELECT command denied to user 'ebb'@'localhost' for table `shop`.`orders`",
                "`shop`.`orders`",
            ),
            (1142, "SELECT command denied to user 'ebb'@'%' for table 'orders'", "'orders'"),
            (1044, "Access denied for user 'ebb'@'%' to database 'shop'", "'shop'"),
        ];
        for (code, told, expected) in cases {
            assert_eq!(named(told, code).as_deref(), Some(expected));
            assert!(account_in(told).unwrap().starts_with("'ebb'@'"));
        }
        assert_eq!(named("Access denied", 1227), None);
    }
}
