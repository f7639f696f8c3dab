//! What a `databricks` source is and takes.

use crate::form::{
    Form, Setting,
    SettingKind::{Number, Secret},
    common::{CONNECT_TIMEOUT, STATEMENT_TIMEOUT, start_timeout},
};

pub(crate) static FORM: Form = Form {
    kind: "databricks",
    name: "Databricks",
    description: "A catalog of Databricks' Unity Catalog, by a SQL warehouse",
    guide: "docs/sources/databricks.md",
    available: true,
    schemes: &[],
    settings: &[
        Setting::connection(
            "hostname",
            "Host",
            "The workspace's host, such as `dbc-a1b2c3d4-e5f6.cloud.databricks.com`",
        )
        .required(),
        Setting::connection(
            "http_path",
            "HTTP path",
            "The SQL warehouse's path, `/sql/1.0/warehouses/…`, from its connection details",
        )
        .required(),
        Setting::connection(
            "catalog",
            "Catalog",
            "The catalog of the models and of the managed schema",
        )
        .leads_nowhere()
        .required(),
        Setting::connection(
            "schema",
            "Schema",
            "Where models find tables that they name without a schema; the catalog's `default` if left out",
        )
        .leads_nowhere(),
        Setting::sign_in("client_id", "Client ID", "A service principal's application ID"),
        Setting::sign_in("client_secret", "Client secret", "The service principal's OAuth secret")
            .of(Secret),
        Setting::sign_in(
            "token",
            "Access token",
            "A personal access token, in place of a service principal",
        )
        .of(Secret),
        Setting::advanced("port", "Port", "The port of the workspace").of(Number).by_default("443"),
        CONNECT_TIMEOUT,
        start_timeout(
            "15min",
            "How long a statement may wait for the warehouse to start or to have room; `0` is no limit",
        ),
        STATEMENT_TIMEOUT,
    ],
};
