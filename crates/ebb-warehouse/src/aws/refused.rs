//! What a service of Amazon's says when it refuses.

use ebb_core::{Code, Failure};
use reqwest::StatusCode;
use serde::Deserialize;

/// A refusal: its status, and what the body says in any of the three forms that services use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) status: StatusCode,
    /// Such as `AccessDenied`; empty if the body does not say.
    pub(crate) code: String,
    pub(crate) message: String,
}

#[derive(Debug, Default, Deserialize)]
struct Said {
    #[serde(alias = "__type", alias = "Code", alias = "code", default)]
    code: String,
    #[serde(alias = "Message", alias = "message", default)]
    message: String,
}

/// The query protocol wraps what others say at once.
#[derive(Debug, Deserialize)]
struct Wrapped {
    #[serde(rename = "Error")]
    error: Said,
}

impl Refused {
    pub(super) fn read(status: StatusCode, body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(body);
        let said = serde_json::from_str::<Said>(&text)
            .ok()
            .or_else(|| Some(quick_xml::de::from_str::<Wrapped>(&text).ok()?.error))
            .or_else(|| quick_xml::de::from_str::<Said>(&text).ok())
            .unwrap_or_default();
        // Before the name a type may have the name of its service.
        let code = said.code.rsplit('#').next().unwrap_or_default().to_owned();
        Self { status, code, message: said.message }
    }

    /// Whether a key that was good is good no longer.
    pub(super) fn is_expired(&self) -> bool {
        matches!(self.code.as_str(), "ExpiredToken" | "ExpiredTokenException" | "RequestExpired")
    }

    /// Whether the service wants to be asked less often, in whatever status it says so.
    pub(super) fn is_too_often(&self) -> bool {
        self.status == StatusCode::BAD_REQUEST
            && matches!(
                self.code.as_str(),
                "Throttling" | "ThrottlingException" | "RequestLimitExceeded"
            )
    }

    /// Whether the same request may be answered later.
    fn may_pass(&self) -> bool {
        self.is_too_often()
            || self.status == StatusCode::TOO_MANY_REQUESTS
            || self.status.is_server_error()
    }

    /// What it means to a person; `asked` is what was asked for, as in `AWS did not …`.
    pub(crate) fn failure(&self, asked: &str) -> Failure {
        let told = format!("AWS did not {asked}: {}", self.said());
        let keys =
            "Renew the key, or whatever gives it, and see that this machine's clock is right";
        match self.code.as_str() {
            _ if self.is_expired() => Failure::new(Code::SourceAuth, told).help(keys),
            "InvalidClientTokenId"
            | "InvalidAccessKeyId"
            | "SignatureDoesNotMatch"
            | "UnrecognizedClientException"
            | "InvalidSignatureException"
            | "IncompleteSignature"
            | "InvalidToken" => Failure::new(Code::SourceAuth, told).help(keys),
            "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" => {
                Failure::new(Code::SourcePermission, told).help(
                    "Let an administrator allow it in a policy of the user or role whose key is used; the guide has one",
                )
            }
            _ if self.may_pass() => Failure::new(Code::SourceLost, told)
                .help("Run the sync again later; nothing was lost"),
            _ => Failure::new(Code::SourceUnreachable, told)
                .help("Correct what the message names in the source's settings, and `region`"),
        }
    }

    fn said(&self) -> String {
        let words: Vec<_> = self.message.split_whitespace().collect();
        match (words.join(" ").as_str(), self.code.as_str()) {
            ("", "") => format!("status {}", self.status.as_u16()),
            ("", code) => code.to_owned(),
            (words, "") => words.to_owned(),
            (words, code) => format!("{words} ({code})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use reqwest::StatusCode;

    use super::Refused;

    #[test]
    fn every_form_of_refusal_is_read() {
        let read = |body: &str| {
            let refused = Refused::read(StatusCode::BAD_REQUEST, body.as_bytes());
            (refused.code, refused.message)
        };
        let expected = ("AccessDenied".to_owned(), "no".to_owned());
        for body in [
            "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code><Message>no</Message><HostId>x</HostId></Error>",
            "<ErrorResponse xmlns=\"http://x/\"><Error><Type>Sender</Type><Code>AccessDenied</Code>\
             <Message>no</Message></Error><RequestId>1</RequestId></ErrorResponse>",
            r#"{"__type":"com.amazonaws#AccessDenied","message":"no"}"#,
        ] {
            assert_eq!(read(body), expected, "{body}");
        }
        assert_eq!(read("<html>"), (String::new(), String::new()));
    }
}
