//! What a `mysql` source is and takes.

use crate::form::{
    Form, Setting,
    SettingKind::Secret,
    common::{
        CONNECT_TIMEOUT, LOCK_TIMEOUT, SSLCERT, SSLKEY, SSLMODE, SSLROOTCERT, STATEMENT_TIMEOUT,
        port, url,
    },
};

pub(crate) static FORM: Form = Form {
    kind: "mysql",
    name: "MySQL",
    description: "A server of MySQL 8.0 or MariaDB 10.6, or of newer ones",
    guide: "docs/sources/mysql.md",
    available: true,
    schemes: &["mysql", "mariadb"],
    settings: &[
        url(
            "All in one, as `mysql://user:password@host:3306/database`; other settings win over it",
        ),
        Setting::connection("host", "Host", "A name, an address, or the path of a Unix socket")
            .required(),
        port("3306"),
        Setting::connection(
            "database",
            "Database",
            "Where models find tables that they name without a database",
        )
        .leads_nowhere(),
        Setting::sign_in("user", "User", "The user that Ebb signs in as").required(),
        Setting::sign_in("password", "Password", "The user's password, if the server asks for one")
            .of(Secret),
        SSLMODE,
        SSLROOTCERT,
        SSLCERT,
        SSLKEY,
        CONNECT_TIMEOUT,
        STATEMENT_TIMEOUT,
        LOCK_TIMEOUT,
    ],
};
