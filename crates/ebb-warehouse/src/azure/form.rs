//! What an `azure` source is and takes.

use crate::form::{
    Form, Setting,
    SettingKind::Secret,
    common::{CONNECT_TIMEOUT, LOCK_TIMEOUT, SSLMODE, SSLROOTCERT, STATEMENT_TIMEOUT, port},
};

pub(crate) static FORM: Form = Form {
    kind: "azure",
    name: "Azure SQL",
    description: "Azure SQL, SQL Server 2016 or newer, or a dedicated SQL pool of Azure Synapse",
    guide: "docs/sources/azure.md",
    available: true,
    schemes: &[],
    settings: &[
        Setting::connection("hostname", "Host", "The server, such as `acme.database.windows.net`")
            .required(),
        port("1433"),
        Setting::connection("database", "Database", "The database, or the dedicated SQL pool")
            .leads_nowhere()
            .required(),
        Setting::sign_in("user", "User", "A login of the server, or a user of the database itself"),
        Setting::sign_in("password", "Password", "The user's password").of(Secret),
        Setting::sign_in(
            "tenant_id",
            "Tenant ID",
            "The tenant of Entra ID that an application belongs to",
        ),
        Setting::sign_in("client_id", "Client ID", "The application, in place of a user"),
        Setting::sign_in("client_secret", "Client secret", "The application's secret").of(Secret),
        Setting::sign_in(
            "access_token",
            "Access token",
            "A token of Entra ID that something else renews, in place of a user",
        )
        .of(Secret),
        Setting::advanced(
            "authority",
            "Authority",
            "Who gives the application its tokens; national clouds have their own",
        )
        .by_default("https://login.microsoftonline.com"),
        SSLMODE,
        SSLROOTCERT,
        CONNECT_TIMEOUT.by_default("15s"),
        STATEMENT_TIMEOUT,
        LOCK_TIMEOUT,
    ],
};
