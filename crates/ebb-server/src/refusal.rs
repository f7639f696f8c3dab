//! What is answered when something cannot be done: one failure or several, told by the API as a problem
//! document (RFC 9457) and by pages in words.

use axum::{
    Json,
    extract::Request,
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{ALLOW, CONTENT_TYPE, RETRY_AFTER},
    },
    middleware::Next,
    response::{IntoResponse, Response},
};
use ebb_core::{Code, Failure, config::Problem};
use serde::Serialize;

/// Why something was not done. The way in which it is told is left to who answers.
#[derive(Debug, Clone)]
pub(crate) struct Refusal(pub(crate) Vec<Problem>);

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self(vec![failure.into()])
    }
}

impl From<Vec<Problem>> for Refusal {
    fn from(problems: Vec<Problem>) -> Self {
        Self(problems)
    }
}

impl Refusal {
    /// The first of its failures.
    pub(crate) fn failure(&self) -> Failure {
        self.0.first().map_or_else(
            || Failure::new(Code::RequestInvalid, "the request was refused"),
            |problem| problem.failure.clone(),
        )
    }

    pub(crate) fn status(&self) -> StatusCode {
        let status = self.0.first().map(|problem| status(problem.failure.code));
        status.unwrap_or(StatusCode::BAD_REQUEST)
    }

    /// With what an answer begins that tells it, in whichever way: the status, and when to come again.
    pub(crate) fn head(&self) -> (StatusCode, HeaderMap) {
        let (status, mut headers) = (self.status(), HeaderMap::new());
        if status == StatusCode::TOO_MANY_REQUESTS
            && let Some(wait) = self.failure().retry_after()
        {
            headers.insert(RETRY_AFTER, (wait.as_secs() + 1).into());
        }
        (status, headers)
    }
}

/// The HTTP status of a failure. What a source, a destination or a mapping refuses is no fault of the
/// request's form: 422.
#[expect(clippy::wildcard_enum_match_arm, reason = "all codes of other families are told alike")]
const fn status(code: Code) -> StatusCode {
    match code {
        Code::SignedOut | Code::SignInRefused => StatusCode::UNAUTHORIZED,
        Code::Forbidden
        | Code::FormExpired
        | Code::SignInStale
        | Code::IdentityRefused
        | Code::StrangerRefused
        | Code::PasswordsOff => StatusCode::FORBIDDEN,
        Code::ProviderUnavailable => StatusCode::BAD_GATEWAY,
        Code::TooManyTries => StatusCode::TOO_MANY_REQUESTS,
        Code::LinkExpired => StatusCode::GONE,
        Code::EditConflict => StatusCode::PRECONDITION_FAILED,
        Code::FromFiles
        | Code::InUse
        | Code::SyncRunning
        | Code::ConfigDuplicate
        | Code::RequestUnfinished => StatusCode::CONFLICT,
        Code::AddressUnknown | Code::SyncNotFound => StatusCode::NOT_FOUND,
        Code::RequestInvalid => StatusCode::BAD_REQUEST,
        Code::RequestTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Code::VersionMissing => StatusCode::PRECONDITION_REQUIRED,
        Code::StateUnavailable => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

/// The refusal waits in the response for the layer that tells it.
impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = self.head().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// A problem document.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ProblemDocument {
    /// The address of the help page, such as `/help/A602`.
    #[serde(rename = "type")]
    kind: String,
    /// What the code means.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// The stable code.
    #[schema(example = "A602")]
    code: &'static str,
    /// What happened, in one sentence.
    detail: String,
    /// What to do next.
    remedy: String,
    /// Everything that is wrong, where there is more than one sentence to say or a place to name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<ProblemItem>,
}

/// One of the things that are wrong.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ProblemItem {
    /// The path of the value, such as `models.users.id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    /// The stable code.
    code: &'static str,
    /// What happened, in one sentence.
    detail: String,
    /// What to do next.
    remedy: String,
}

impl From<&Refusal> for ProblemDocument {
    fn from(refusal: &Refusal) -> Self {
        let failure = refusal.failure();
        let item = |problem: &Problem| ProblemItem {
            path: problem.place.as_ref().map(ToString::to_string),
            code: problem.failure.code.as_str(),
            detail: problem.failure.message().to_owned(),
            remedy: problem.failure.advice().to_owned(),
        };
        let told = refusal.0.len() > 1 || refusal.0.iter().any(|problem| problem.place.is_some());
        Self {
            kind: format!("/help/{}", failure.code),
            title: failure.code.title(),
            status: refusal.status().as_u16(),
            code: failure.code.as_str(),
            detail: failure.message().to_owned(),
            remedy: failure.advice().to_owned(),
            errors: if told { refusal.0.iter().map(item).collect() } else { Vec::new() },
        }
    }
}

/// Tells refusals as problem documents.
pub(crate) async fn as_documents(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let Some(refusal) = response.extensions_mut().remove::<Refusal>() else { return response };
    let status = response.status();
    let document = ProblemDocument { status: status.as_u16(), ..ProblemDocument::from(&refusal) };
    let mut told = (status, Json(document)).into_response();
    let kind = HeaderValue::from_static("application/problem+json");
    told.headers_mut().insert(CONTENT_TYPE, kind);
    // What could have been asked instead, of 405; when to ask again, of 429.
    for name in [ALLOW, RETRY_AFTER] {
        if let Some(value) = response.headers_mut().remove(&name) {
            told.headers_mut().insert(name, value);
        }
    }
    told
}
