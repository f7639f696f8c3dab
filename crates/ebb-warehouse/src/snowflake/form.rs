//! What a `snowflake` source is and takes.

use crate::form::{
    Form, Setting,
    SettingKind::{Choice, Path, Secret, SecretLines},
    common::{CONNECT_TIMEOUT, STATEMENT_TIMEOUT},
};

pub(crate) static FORM: Form = Form {
    kind: "snowflake",
    name: "Snowflake",
    description: "A database of a Snowflake account, on any of its clouds",
    guide: "docs/sources/snowflake.md",
    available: true,
    schemes: &[],
    settings: &[
        Setting::connection(
            "account",
            "Account",
            "The account's identifier, such as `acme-shop` or `xy12345.eu-central-1`; needed unless a host is \
             given, and always with a key pair",
        ),
        Setting::connection(
            "database",
            "Database",
            "The database of the models and of the managed schema",
        )
        .leads_nowhere()
        .required(),
        Setting::connection(
            "schema",
            "Schema",
            "Where models find tables that they name without a schema",
        )
        .leads_nowhere(),
        Setting::connection(
            "warehouse",
            "Warehouse",
            "What runs the statements; the user's own default if left out",
        )
        .leads_nowhere(),
        Setting::connection(
            "role",
            "Role",
            "Whose rights count; the user's own default if left out",
        )
        .leads_nowhere(),
        Setting::sign_in("user", "User", "The user of a key pair or a password"),
        Setting::sign_in(
            "private_key",
            "Private key",
            "The user's private key, as PKCS#8 in PEM form",
        )
        .of(SecretLines),
        Setting::sign_in("private_key_path", "Private key file", "A file with the same, in its place")
            .of(Path),
        Setting::sign_in(
            "private_key_passphrase",
            "Passphrase",
            "The private key's passphrase, if it has one",
        )
        .of(Secret),
        Setting::sign_in(
            "password",
            "Password",
            "The user's password in place of a key, where the account still takes it",
        )
        .of(Secret),
        Setting::sign_in(
            "token",
            "Access token",
            "A programmatic access token, in place of user and key",
        )
        .of(Secret),
        Setting::sign_in(
            "oauth_token",
            "OAuth token",
            "An OAuth access token that something else renews, in place of user and key",
        )
        .of(Secret),
        Setting::sign_in(
            "oauth_client_id",
            "OAuth client ID",
            "An OAuth client that gets access tokens itself, in place of user and key",
        ),
        Setting::sign_in("oauth_client_secret", "OAuth client secret", "The client's secret")
            .of(Secret),
        Setting::sign_in(
            "oauth_refresh_token",
            "OAuth refresh token",
            "What a user's consent gave the client",
        )
        .of(Secret),
        Setting::sign_in(
            "oauth_token_url",
            "OAuth token URL",
            "Where the client gets tokens; at the account itself if left out",
        ),
        Setting::sign_in(
            "oauth_scope",
            "OAuth scope",
            "What the tokens are for, such as `session:role:EBB`",
        ),
        Setting::advanced("host", "Host", "Another host, for a private link; the account's if left out"),
        Setting::advanced(
            "protocol",
            "Protocol",
            "The documented SQL API, or the sessions of Snowflake's drivers; with a password `session` if \
             left out",
        )
        .of(Choice(&["sql_api", "session"]))
        .by_default("sql_api"),
        CONNECT_TIMEOUT,
        STATEMENT_TIMEOUT,
    ],
};
