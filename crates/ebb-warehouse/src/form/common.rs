//! Settings that mean the same in several kinds of sources.

use super::{
    Setting,
    SettingKind::{Choice, Length, Number, Path, Secret},
};

/// All in one, which may hold a password.
pub(crate) const fn url(help: &'static str) -> Setting {
    Setting { leads: true, ..Setting::connection("url", "URL", help).of(Secret) }
}

pub(crate) const fn port(default: &'static str) -> Setting {
    Setting::connection("port", "Port", "The port that the server listens at")
        .of(Number)
        .by_default(default)
}

pub(crate) const SSLMODE: Setting = Setting::advanced(
    "sslmode",
    "Encryption",
    "How strict the connection is about encryption and the server's certificate",
)
.of(Choice(&["disable", "require", "verify-ca", "verify-full"]))
.by_default("verify-full");

/// The same where a server may be asked whether it can encrypt.
pub(crate) const SSLMODE_OF_LIBPQ: Setting =
    SSLMODE.of(Choice(&["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]));

pub(crate) const SSLROOTCERT: Setting = Setting::advanced(
    "sslrootcert",
    "Trusted authorities",
    "A PEM file with the authorities to trust in place of the system's",
)
.of(Path);

pub(crate) const SSLCERT: Setting = Setting::advanced(
    "sslcert",
    "Client certificate",
    "A PEM file with the certificate that Ebb shows to the server",
)
.of(Path);

pub(crate) const SSLKEY: Setting =
    Setting::advanced("sslkey", "Client key", "A PEM file with the certificate's private key")
        .of(Path);

pub(crate) const CONNECT_TIMEOUT: Setting = Setting::advanced(
    "connect_timeout",
    "Connect time-out",
    "How long opening a connection may take",
)
.of(Length)
.by_default("10s");

pub(crate) const STATEMENT_TIMEOUT: Setting = Setting::advanced(
    "statement_timeout",
    "Statement time-out",
    "The longest that one statement may take; `0` is no limit",
)
.of(Length)
.by_default("1h");

pub(crate) const LOCK_TIMEOUT: Setting = Setting::advanced(
    "lock_timeout",
    "Lock time-out",
    "The longest wait for a table or a row that somebody else has locked",
)
.of(Length)
.by_default("5min");

/// How long something that sleeps may take to wake up.
pub(crate) const fn start_timeout(default: &'static str, help: &'static str) -> Setting {
    Setting::advanced("start_timeout", "Start time-out", help).of(Length).by_default(default)
}
