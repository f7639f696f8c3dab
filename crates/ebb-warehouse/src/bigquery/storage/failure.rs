//! What the Storage Read API refuses, as failures that a person can act on.

use ebb_core::{Code, Failure};

use super::{
    call::Broken,
    status::{Code as Answer, Status},
};
use crate::{
    bigquery::settings::ConnectionSettings,
    http::{self, Service, one_line},
};

/// What lets a person do without it.
const NEVER: &str = "or set `storage_read: never` in the source's settings";

/// The failure of a call that is not made again.
pub(super) fn failed(broken: Broken, service: &Service, settings: &ConnectionSettings) -> Failure {
    match broken {
        Broken::NoToken(failure) => failure,
        Broken::Lost(error) => service.unanswered(error.without_url()),
        Broken::Malformed => http::lost("an answer broke off"),
        Broken::Refused(status) => refused(&status, service, settings),
    }
}

fn refused(status: &Status, service: &Service, settings: &ConnectionSettings) -> Failure {
    let told = one_line(&status.message, &status.reason);
    let project = &settings.project;
    match status.code {
        Answer::Unauthenticated => {
            Failure::new(Code::SourceAuth, format!("BigQuery refused the credentials: {told}"))
                .help("See that the account and its key still stand and that this machine's clock is right")
        }
        Answer::PermissionDenied => {
            let help = if status.reason == "SERVICE_DISABLED" {
                format!("gcloud services enable bigquerystorage.googleapis.com --project={project}")
            } else {
                format!(
                    "gcloud projects add-iam-policy-binding {project} --member=serviceAccount:… \
                     --role=roles/bigquery.readSessionUser"
                )
            };
            let message = format!("the account may not use {}: {told}", service.interface);
            Failure::new(Code::SourcePermission, message)
                .help(format!("Let an administrator run: {help}; {NEVER}"))
        }
        Answer::Unimplemented => {
            let message = format!("what answers is not {}: {told}", service.interface);
            Failure::new(Code::SourceUnreachable, message)
                .help(format!("Correct {} in the source's settings, {NEVER}", service.settings))
        }
        Answer::ResourceExhausted => {
            Failure::new(Code::SourceFull, format!("a quota is used up: {told}")).help(
                "Let an administrator raise the project's quota, or wait until it is renewed; nothing was lost",
            )
        }
        Answer::Transient => {
            Failure::new(Code::SourceLost, format!("BigQuery was asked again and again: {told}"))
                .help("Run the sync again later; nothing was lost")
        }
        Answer::Other(number) => Failure::new(
            Code::SourceQuery,
            format!("{} refused a call (code {number}): {told}", service.interface),
        )
        .help(format!("Run the sync again, {NEVER}")),
    }
}

/// The failure of an answer that is not what the interface promises.
pub(super) fn unlike(what: &str) -> Failure {
    Failure::new(
        Code::SourceQuery,
        format!("BigQuery gave rows of another form than it promised: {what}"),
    )
    .help("Run the sync again")
}
