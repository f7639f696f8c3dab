//! The service's refusals as failures that a person can act on.

use ebb_core::{Code, Failure};

use super::{answer::Reason, settings::ConnectionSettings};
use crate::http::{one_line, too_long};

/// The failure of a statement that the service refused or could not finish.
pub(super) fn refused(reason: &Reason, settings: &ConnectionSettings) -> Failure {
    let told = said(reason);
    match reason.reason.as_str() {
        "accessDenied" => denied(&told, settings),
        "stopped" | "timeout" if reason.message.contains("timed out") => {
            too_long(settings.statement_timeout)
        }
        "timeout" => too_long(settings.statement_timeout),
        "stopped" => Failure::new(Code::Canceled, "the statement was canceled at the source"),
        "quotaExceeded" => Failure::new(Code::SourceFull, format!("a quota is used up: {told}"))
            .help("Let an administrator raise the project's quota, or wait until it is renewed; nothing was lost"),
        "bytesBilledLimitExceeded" => Failure::new(Code::SourceQuery, told)
            .help("Raise `maximum_bytes_billed` in the source's settings, or let the model read less"),
        "billingNotEnabled" => Failure::new(
            Code::SourcePermission,
            format!("the project `{}` has no billing account: {told}", settings.project),
        )
        .help("Link a billing account: without one BigQuery changes no rows"),
        "rateLimitExceeded" | "jobRateLimitExceeded" | "backendError" | "jobBackendError" | "internalError"
        | "jobInternalError" | "tableUnavailable" => busy(&told),
        "notFound" if reason.message.contains("Project") => Failure::new(
            Code::SourcePermission,
            format!("there is no project `{}`, or it may not be seen: {told}", settings.project),
        )
        .help("Correct `project`, or grant the account `roles/bigquery.jobUser` on it"),
        "notFound" => Failure::new(Code::SourceQuery, format!("BigQuery does not find it: {told}")).help(format!(
            "Correct the name; statements run in `{}`, and see no dataset that lies elsewhere (`location` in the source's \
             settings)",
            settings.location
        )),
        _ if reason.message.contains("uplicate column name") => {
            Failure::new(Code::ModelColumns, format!("the model has two columns of one name: {told}"))
                .help("Give one of them another name with `AS`")
        }
        _ => Failure::new(Code::SourceQuery, format!("BigQuery refused the SQL: {told}")),
    }
}

/// The failure of an account that may not do something, with what lets it.
fn denied(told: &str, settings: &ConnectionSettings) -> Failure {
    let ConnectionSettings { project, managed, location, .. } = settings;
    let failure =
        Failure::new(Code::SourcePermission, format!("the account lacks a permission: {told}"));
    let on_dataset = |role: &str, dataset: &str| {
        format!("grant `roles/bigquery.{role}` on schema `{dataset}` to 'serviceAccount:…'")
    };
    let help = if told.contains("bigquery.jobs.create") {
        format!(
            "gcloud projects add-iam-policy-binding {project} --member=serviceAccount:… --role=roles/bigquery.jobUser"
        )
    } else if told.contains("bigquery.datasets.create") {
        format!(
            "create schema `{managed}` options (location = '{location}'); {}",
            on_dataset("dataEditor", managed)
        )
    } else {
        match dataset(told) {
            Some(dataset) if dataset == managed => on_dataset("dataEditor", managed),
            Some(dataset) => on_dataset("dataViewer", dataset),
            None => on_dataset("dataViewer", "…"),
        }
    };
    failure.help(format!("Let an administrator run: {help}"))
}

/// The dataset that the words name, as `Dataset shop:sales` or `Table shop:sales.users`.
fn dataset(told: &str) -> Option<&str> {
    let named = |kind: &str| told.split_once(kind).map(|(_, rest)| rest);
    let name = named("Dataset ").or_else(|| named("dataset ")).or_else(|| named("Table "));
    let name = name.or_else(|| named("table "))?.split([' ', ',', '\'']).next()?;
    let (_, name) = name.trim_end_matches([':', '.']).rsplit_once(':')?;
    name.split('.').next()
}

/// The refusal of a request's token.
pub(super) fn credentials(reason: &Reason) -> Failure {
    Failure::new(Code::SourceAuth, format!("BigQuery refused the credentials: {}", said(reason)))
        .help("See that the account and its key still stand and that this machine's clock is right")
}

/// The service could not do what was asked, and may be able to later.
fn busy(told: &str) -> Failure {
    Failure::new(Code::SourceLost, format!("BigQuery was asked again and again: {told}"))
        .help("Run the sync again later; nothing was lost")
}

/// What the service says, in one line.
pub(super) fn said(reason: &Reason) -> String {
    one_line(&reason.message, &reason.reason)
}
