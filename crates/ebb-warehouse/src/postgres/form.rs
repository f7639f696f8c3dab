//! What a `postgres` source is and takes.

use crate::form::{
    Form, Setting,
    SettingKind::Secret,
    common::{
        CONNECT_TIMEOUT, LOCK_TIMEOUT, SSLCERT, SSLKEY, SSLMODE_OF_LIBPQ, SSLROOTCERT,
        STATEMENT_TIMEOUT, port, url,
    },
};

pub(crate) static FORM: Form = Form {
    kind: "postgres",
    name: "PostgreSQL",
    description: "A PostgreSQL server, version 11 or newer, your own or a hosted one",
    guide: "docs/sources/postgres.md",
    available: true,
    schemes: &["postgres", "postgresql"],
    settings: &[
        url(
            "All in one, as `postgres://user:password@host:5432/database`; other settings win over it",
        ),
        Setting::connection("host", "Host", "A name, an address, or the folder of a Unix socket")
            .required(),
        port("5432"),
        Setting::connection(
            "database",
            "Database",
            "The database of the models; the user's name if left out",
        )
        .leads_nowhere(),
        Setting::sign_in("user", "User", "The user that Ebb signs in as").required(),
        Setting::sign_in("password", "Password", "The user's password, if the server asks for one")
            .of(Secret),
        Setting {
            help: "How strict the connection is about encryption and the server's certificate; `prefer` if \
                   left out at a server on Ebb's own machine",
            ..SSLMODE_OF_LIBPQ
        },
        SSLROOTCERT,
        SSLCERT,
        SSLKEY,
        CONNECT_TIMEOUT,
        STATEMENT_TIMEOUT,
        LOCK_TIMEOUT,
        Setting::advanced(
            "work_mem",
            "Working memory",
            "Memory for one sort or hash join of the diff, such as `512MB`; the server's, at least `256MB`, \
             if left out",
        )
        .leads_nowhere(),
    ],
};
