//! What a `bigquery` source is and takes.

use crate::form::{
    Form, Setting,
    SettingKind::{Choice, Number, Path, SecretLines},
    common::{CONNECT_TIMEOUT, STATEMENT_TIMEOUT},
};

pub(crate) static FORM: Form = Form {
    kind: "bigquery",
    name: "BigQuery",
    description: "Datasets of BigQuery in one location of Google Cloud",
    guide: "docs/sources/bigquery.md",
    available: true,
    schemes: &[],
    settings: &[
        Setting::connection(
            "project",
            "Project ID",
            "The project that runs and pays for statements, and holds the managed dataset",
        )
        .leads_nowhere()
        .required(),
        Setting::connection(
            "location",
            "Location",
            "Where the models' data and the managed dataset lie, such as `EU` or `europe-west3`",
        )
        .leads_nowhere()
        .by_default("US"),
        Setting::connection(
            "dataset",
            "Dataset",
            "Where models find tables that they name without a dataset",
        )
        .leads_nowhere(),
        Setting::sign_in(
            "credentials",
            "Credentials",
            "The JSON that Google made for a service account or a federated workload; left out with the file, \
             Ebb looks where Google's own tools do",
        )
        .of(SecretLines),
        Setting::sign_in("credentials_path", "Credentials file", "A file with the same, in its place")
            .of(Path),
        Setting::advanced("endpoint", "Endpoint", "Another address of BigQuery, for a private connection")
            .by_default("https://bigquery.googleapis.com"),
        Setting::advanced(
            "storage_read",
            "Storage Read API",
            "Which changes it fetches: `auto` many, `always` all, `never` none",
        )
        .leads_nowhere()
        .of(Choice(&["auto", "always", "never"]))
        .by_default("auto"),
        Setting::advanced(
            "storage_endpoint",
            "Storage endpoint",
            "Another address of the Storage Read API; what fits the endpoint if left out",
        ),
        Setting::advanced(
            "maximum_bytes_billed",
            "Most bytes billed",
            "A statement that would be billed for more bytes is refused",
        )
        .leads_nowhere()
        .of(Number),
        CONNECT_TIMEOUT,
        STATEMENT_TIMEOUT,
    ],
};
