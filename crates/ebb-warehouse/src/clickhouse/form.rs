//! What a `clickhouse` source is and takes.

use crate::form::{
    Form, Setting,
    SettingKind::{Number, Secret},
    common::{CONNECT_TIMEOUT, SSLMODE, SSLROOTCERT, STATEMENT_TIMEOUT, start_timeout, url},
};

pub(crate) static FORM: Form = Form {
    kind: "clickhouse",
    name: "ClickHouse",
    description: "ClickHouse Cloud, or a ClickHouse server of version 24.8 or newer",
    guide: "docs/sources/clickhouse.md",
    available: true,
    schemes: &["clickhouse"],
    settings: &[
        url(
            "All in one, as `clickhouse://user:password@host:8443/database`; other settings win over it",
        ),
        Setting::connection(
            "host",
            "Host",
            "The server's name, such as `abc123.eu-central-1.aws.clickhouse.cloud`",
        )
        .required(),
        Setting::connection(
            "port",
            "Port",
            "The port of its HTTP interface; `8123` if left out without encryption",
        )
        .of(Number)
        .by_default("8443"),
        Setting::connection(
            "database",
            "Database",
            "Where models find tables that they name without a database; the user's own default if left out",
        )
        .leads_nowhere(),
        Setting::sign_in("user", "User", "The user that runs statements"),
        Setting::sign_in("password", "Password", "The user's password").of(Secret),
        Setting::sign_in(
            "token",
            "Access token",
            "A JSON Web Token, in place of user and password",
        )
        .of(Secret),
        SSLMODE,
        SSLROOTCERT,
        CONNECT_TIMEOUT,
        start_timeout(
            "5min",
            "How long a service that sleeps may take to wake up; `0` is no limit",
        ),
        STATEMENT_TIMEOUT,
    ],
};
