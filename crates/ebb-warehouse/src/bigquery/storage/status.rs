//! How a call ended, as gRPC tells it in the last headers of an answer.

use std::time::Duration;

use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use percent_encoding::percent_decode_str;
use prost::Message;
use reqwest::{StatusCode, header::HeaderMap};

use super::messages::{Detail, ErrorInfo, RetryInfo, RichStatus};

/// Binary headers may be padded or not.
const BINARY: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The codes of gRPC, as far as they mean something of their own here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Code {
    PermissionDenied,
    Unauthenticated,
    Unimplemented,
    /// A quota is used up, or calls come too fast.
    ResourceExhausted,
    /// Another attempt may work: the service is not there, took too long, or lost the call.
    Transient,
    Other(u8),
}

impl Code {
    fn of(number: u8) -> Self {
        match number {
            7 => Self::PermissionDenied,
            8 => Self::ResourceExhausted,
            12 => Self::Unimplemented,
            16 => Self::Unauthenticated,
            // deadline exceeded, aborted, internal (a stream that was reset), unavailable
            4 | 10 | 13 | 14 => Self::Transient,
            other => Self::Other(other),
        }
    }
}

/// Why a call failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Status {
    pub(super) code: Code,
    pub(super) message: String,
    /// The reason in one word of Google's list, or nothing.
    pub(super) reason: String,
    /// When the service wants to be asked again.
    pub(super) retry_after: Option<Duration>,
}

impl Status {
    /// The status that headers tell; `None` if they tell none, and nothing inside if the call went well.
    pub(super) fn told(headers: &HeaderMap) -> Option<Result<(), Self>> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let number: u8 = text("grpc-status")?.parse().ok()?;
        if number == 0 {
            return Some(Ok(()));
        }
        let message = percent_decode_str(text("grpc-message").unwrap_or_default());
        let details = text("grpc-status-details-bin").and_then(|text| BINARY.decode(text).ok());
        let details = details.and_then(|bytes| RichStatus::decode(bytes.as_slice()).ok());
        let details = details.unwrap_or_default().details;
        Some(Err(Self {
            code: Code::of(number),
            message: message.decode_utf8_lossy().into_owned(),
            reason: detail::<ErrorInfo>(&details, "google.rpc.ErrorInfo")
                .map(|info| info.reason)
                .unwrap_or_default(),
            retry_after: detail::<RetryInfo>(&details, "google.rpc.RetryInfo").and_then(wait),
        }))
    }

    /// What an answer means that is none of gRPC's, as its specification has it.
    pub(super) fn of_http(status: StatusCode) -> Self {
        let code = match status.as_u16() {
            401 => Code::Unauthenticated,
            403 => Code::PermissionDenied,
            429 | 502 | 503 | 504 => Code::Transient,
            _ => Code::Unimplemented,
        };
        let message = format!("it answered `{}`", status.as_u16());
        Self { code, message, reason: String::new(), retry_after: None }
    }
}

/// The first detail of a type.
fn detail<M: Message + Default>(details: &[Detail], name: &str) -> Option<M> {
    let is = |detail: &&Detail| detail.type_url.rsplit('/').next() == Some(name);
    details.iter().find(is).and_then(|detail| M::decode(detail.value.clone()).ok())
}

fn wait(info: RetryInfo) -> Option<Duration> {
    let delay = info.retry_delay?;
    let whole = Duration::from_secs(u64::try_from(delay.seconds).ok()?);
    Some(whole + Duration::from_nanos(u64::try_from(delay.nanos).ok()?))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use base64::{Engine, prelude::BASE64_STANDARD_NO_PAD};
    use prost::Message;
    use reqwest::{StatusCode, header::HeaderMap};

    use super::{Code, Status};
    use crate::bigquery::storage::messages::{Detail, ErrorInfo, RetryInfo, RichStatus, Span};

    fn headers(of: &[(&'static str, &str)]) -> HeaderMap {
        of.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn a_status_tells_reason_and_wait() {
        let detail = |name: &str, value: Vec<u8>| Detail {
            type_url: format!("type.googleapis.com/google.rpc.{name}"),
            value: value.into(),
        };
        let delay = Span { seconds: 2, nanos: 500_000_000 };
        let retry = RetryInfo { retry_delay: Some(delay) }.encode_to_vec();
        let reason = ErrorInfo { reason: "RATE_LIMIT_EXCEEDED".to_owned() }.encode_to_vec();
        let details = vec![detail("ErrorInfo", reason), detail("RetryInfo", retry)];
        let details = BASE64_STANDARD_NO_PAD.encode(RichStatus { details }.encode_to_vec());
        let told = Status::told(&headers(&[
            ("grpc-status", "8"),
            ("grpc-message", "too quick, caf%C3%A9"),
            ("grpc-status-details-bin", &details),
        ]));
        let expected = Status {
            code: Code::ResourceExhausted,
            message: "too quick, café".to_owned(),
            reason: "RATE_LIMIT_EXCEEDED".to_owned(),
            retry_after: Some(Duration::from_millis(2500)),
        };
        assert_eq!(told, Some(Err(expected)));
        assert_eq!(Status::told(&headers(&[("grpc-status", "0")])), Some(Ok(())));
        assert_eq!(Status::told(&headers(&[])), None);
    }

    #[test]
    fn codes_are_told_apart_by_what_follows_from_them() {
        let codes = [2, 3, 4, 7, 8, 10, 12, 13, 14, 16].map(Code::of);
        insta::assert_debug_snapshot!(codes, @r"
        [
            Other(
                2,
            ),
            Other(
                3,
            ),
            Transient,
            PermissionDenied,
            ResourceExhausted,
            Transient,
            Unimplemented,
            Transient,
            Transient,
            Unauthenticated,
        ]
        ");
        let answers = [401, 403, 404, 200, 503]
            .map(|number| Status::of_http(StatusCode::from_u16(number).unwrap()).code);
        let (refused, unlike) = (Code::PermissionDenied, Code::Unimplemented);
        assert_eq!(answers, [Code::Unauthenticated, refused, unlike, unlike, Code::Transient]);
    }
}
