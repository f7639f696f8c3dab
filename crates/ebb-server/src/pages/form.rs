//! What a page's form sent.

use axum::{
    extract::{self, FromRequest, Request},
    http::StatusCode,
};
use ebb_core::{Code, Failure};
use serde::de::DeserializeOwned;

use crate::{
    body::{LARGEST, too_large},
    refusal::Refusal,
};

/// A form's values. Whatever does not fit is refused in the words of pages: `A610`, or `A618` for too much.
pub(super) struct Form<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Form<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        match extract::Form::from_request(request, state).await {
            Ok(extract::Form(value)) => Ok(Self(value)),
            Err(error) if error.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                Err(too_large(LARGEST).into())
            }
            Err(error) => {
                let message = "the form has other fields than its page";
                let failure = Failure::new(Code::RequestInvalid, message).caused_by(error);
                Err(failure.help("Load the page again, then send the form").into())
            }
        }
    }
}
