//! Letters by HTTP: incoming webhooks of Slack, and addresses of programs.

use base64::{Engine, prelude::BASE64_STANDARD};
use ebb_core::{
    Failure, Secret,
    config::Settings,
    port::{Body, Header, Request, Transport},
};
use ring::hmac;
use url::Url;

use super::{
    form::{text, wrong},
    not_sent,
};
use crate::alerts::letter::Letter;

/// An address that takes a POST.
pub(in crate::alerts) struct Hook {
    url: Secret,
    form: Form,
}

/// What the other side understands.
enum Form {
    Slack,
    /// A document, signed by this key.
    Document(Option<hmac::Key>),
}

impl Hook {
    pub(super) fn slack(settings: &Settings) -> Result<Self, Failure> {
        Ok(Self { url: address(settings)?, form: Form::Slack })
    }

    pub(super) fn signed(settings: &Settings) -> Result<Self, Failure> {
        let key = text(settings, "secret").map(key).transpose()?;
        Ok(Self { url: address(settings)?, form: Form::Document(key) })
    }

    pub(super) async fn send(
        &self,
        letter: &Letter,
        transport: &dyn Transport,
    ) -> Result<(), Failure> {
        let reply = transport
            .send(&self.request(letter))
            .await
            .map_err(|failure| not_sent(failure.message().to_owned()).caused_by(failure))?;
        if (200..300).contains(&reply.status) {
            return Ok(());
        }
        let status = reply.status;
        let failure = not_sent(format!("the channel answered with the status `{status}`"));
        let failure = match status {
            401 | 403 | 404 | 410 => failure.help(
                "The address is no longer taken: make a new one, and replace it in the channel",
            ),
            _ => failure,
        };
        Err(match wait(&reply.headers) {
            Some(wait) => failure.after(wait),
            None => failure,
        })
    }

    fn request(&self, letter: &Letter) -> Request {
        let mut headers = vec![header("content-type", "application/json", false)];
        let body = match &self.form {
            Form::Slack => letter.slack().to_string(),
            Form::Document(key) => {
                let body = letter.document().to_string();
                // Who checks it takes nothing that is older than some minutes.
                let moment = letter.sent_at.as_second().to_string();
                headers.push(header("webhook-id", &letter.id, false));
                headers.push(header("webhook-timestamp", &moment, false));
                if let Some(key) = key {
                    let signed = format!("{}.{moment}.{body}", letter.id);
                    let signature = BASE64_STANDARD.encode(hmac::sign(key, signed.as_bytes()));
                    headers.push(header("webhook-signature", &format!("v1,{signature}"), true));
                }
                body
            }
        };
        Request {
            method: "POST".to_owned(),
            url: self.url.expose().to_owned(),
            headers,
            body: Body::Json(body.into()),
        }
    }
}

/// What `Retry-After` asks for; the transport has made seconds of it.
fn wait(headers: &[(String, String)]) -> Option<std::time::Duration> {
    let (_, value) = headers.iter().find(|(name, _)| name == "retry-after")?;
    value.parse().ok().map(std::time::Duration::from_secs)
}

fn header(name: &str, value: &str, secret: bool) -> Header {
    Header { name: name.to_owned(), value: value.to_owned(), secret }
}

/// The address; what is wrong with it is told without it.
fn address(settings: &Settings) -> Result<Secret, Failure> {
    let given = text(settings, "url").unwrap_or_default();
    let usable = Url::parse(given)
        .is_ok_and(|url| ["http", "https"].contains(&url.scheme()) && url.has_host());
    if usable {
        return Ok(Secret::new(given));
    }
    Err(wrong("the channel's `url` is not an address")
        .help("Give an address such as `https://hooks.example.com/…`"))
}

/// The key of a secret: `whsec_` and base64 as Standard Webhooks has it, or the text itself.
fn key(secret: &str) -> Result<hmac::Key, Failure> {
    let bytes = match secret.strip_prefix("whsec_") {
        None => secret.as_bytes().to_vec(),
        Some(encoded) => BASE64_STANDARD.decode(encoded).map_err(|_| {
            wrong("the channel's `secret` begins with `whsec_`, and base64 does not follow")
                .help("Copy it again, or choose another text")
        })?,
    };
    Ok(hmac::Key::new(hmac::HMAC_SHA256, &bytes))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::json;

    use super::*;

    fn settings(value: &serde_json::Value) -> Settings {
        Settings::from(value.as_object().unwrap().clone())
    }

    #[test]
    fn the_signature_is_that_of_standard_webhooks() {
        // The example of the specification's reference libraries: identity, moment and key.
        let given = json!({
            "url": "https://h.test/", "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        });
        let hook = Hook::signed(&settings(&given)).unwrap();
        let Form::Document(Some(key)) = &hook.form else { panic!("a key") };
        let signed = "msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{\"test\": 2432232314}";
        let signature = BASE64_STANDARD.encode(hmac::sign(key, signed.as_bytes()));
        assert_eq!(signature, "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_letter_that_is_sent_again_is_known_by_its_identity() {
        let given = json!({ "url": "https://h.test/x", "secret": "plain" });
        let hook = Hook::signed(&settings(&given)).unwrap();
        let mut letter = Letter::test("01m".to_owned(), Timestamp::UNIX_EPOCH, None);
        let first = hook.request(&letter);
        letter.sent_at = Timestamp::from_second(60).unwrap();
        let again = hook.request(&letter);
        assert_eq!(first.body, again.body);
        let told = |request: Request| {
            let headers = request.headers.into_iter();
            headers.map(|Header { name, value, .. }| format!("{name}: {value}")).collect::<Vec<_>>()
        };
        let (first, again) = (told(first), told(again));
        assert_eq!(first[..2], again[..2]);
        assert_eq!(first[1], "webhook-id: 01m");
        assert_eq!(
            (first[2].as_str(), again[2].as_str()),
            ("webhook-timestamp: 0", "webhook-timestamp: 60")
        );
        assert_ne!(first[3], again[3], "the moment is signed, too");
    }

    #[test]
    fn what_is_wrong_is_told_without_the_secret() {
        for given in [
            json!({ "url": "hunter2" }),
            json!({ "url": "ftp://hunter2" }),
            json!({ "url": "https://h.test", "secret": "whsec_hunter2!" }),
        ] {
            let Err(failure) = Hook::signed(&settings(&given)) else { panic!("{given}") };
            assert!(!failure.to_string().contains("hunter2"), "{failure}");
        }
    }
}
