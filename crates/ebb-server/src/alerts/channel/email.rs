//! Letters by a mail server.

use ebb_core::{Failure, config::Settings};
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    address::Envelope,
    message::{Mailbox, Mailboxes, header::ContentType},
    transport::smtp::{
        Error,
        authentication::Credentials,
        client::{Tls, TlsParameters},
    },
};
use serde_json::Value;

use super::{
    LIMIT,
    form::{text, wrong},
    not_sent,
};
use crate::alerts::letter::Letter;

/// A mail server with who writes and who reads.
pub(in crate::alerts) struct Post {
    server: AsyncSmtpTransport<Tokio1Executor>,
    host: String,
    from: Mailbox,
    to: Mailboxes,
}

impl Post {
    pub(super) fn new(settings: &Settings) -> Result<Self, Failure> {
        let get = |key| text(settings, key);
        let host = get("host").unwrap_or_default().to_owned();
        let security = get("security").unwrap_or("starttls");
        let tls = || {
            TlsParameters::new(host.clone()).map_err(|error| {
                wrong(format!("`{host}` cannot be the name of a mail server")).caused_by(error)
            })
        };
        let (port, tls) = match security {
            "tls" => (465, Tls::Wrapper(tls()?)),
            "none" => (25, Tls::None),
            _ => (587, Tls::Required(tls()?)),
        };
        let port = match settings.get("port").and_then(Value::as_u64) {
            None => port,
            Some(port) => u16::try_from(port).map_err(|_| {
                wrong(format!("the channel's `port` cannot be `{port}`"))
                    .help("Give a number from 1 to 65535")
            })?,
        };
        let mut server = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&host)
            .port(port)
            .tls(tls)
            .timeout(Some(LIMIT));
        if let Some(password) = get("password") {
            if security == "none" {
                return Err(wrong("the channel's `password` would be sent in clear")
                    .help("Choose `starttls` or `tls` as `security`, or remove the password"));
            }
            let user = get("username").unwrap_or_default().to_owned();
            server = server.credentials(Credentials::new(user, password.to_owned()));
        }
        Ok(Self {
            server: server.build(),
            host,
            from: addresses(get("from"), "from")?,
            to: addresses(get("to"), "to")?,
        })
    }

    pub(super) async fn send(&self, letter: &Letter) -> Result<(), Failure> {
        let unwritten = |error: lettre::error::Error| {
            not_sent("the letter could not be written").caused_by(error)
        };
        let domain = self.from.email.domain();
        let message = Message::builder()
            .from(self.from.clone())
            .mailbox(lettre::message::header::To::from(self.to.clone()))
            .subject(letter.subject())
            .message_id(Some(format!("<{}@{domain}>", letter.id)))
            .date(std::time::SystemTime::from(letter.made_at))
            .header(ContentType::TEXT_PLAIN)
            .body(letter.text())
            .map_err(unwritten)?;
        let to = self.to.iter().map(|mailbox| mailbox.email.clone()).collect();
        let envelope = Envelope::new(Some(self.from.email.clone()), to).map_err(unwritten)?;
        match self.server.send_raw(&envelope, &message.formatted()).await {
            Ok(_) => Ok(()),
            Err(error) => Err(self.told(error)),
        }
    }

    /// What the server made of it.
    fn told(&self, error: Error) -> Failure {
        let host = &self.host;
        let answer = std::error::Error::source(&error).map(ToString::to_string);
        let answer = answer.unwrap_or_else(|| error.to_string());
        let failure = if error.is_permanent() || error.is_transient() {
            let failure = not_sent(format!("the mail server `{host}` refused: {answer}"));
            // 530 to 538 are about who signs in.
            match error.status().map(u16::from) {
                Some(530..=538) => failure.help("Correct user name and password of the channel"),
                Some(_) | None => failure,
            }
        } else if error.is_timeout() {
            not_sent(format!("the mail server `{host}` did not answer in time"))
        } else if error.is_tls() {
            not_sent(format!("the mail server `{host}` could not be trusted: {answer}"))
                .help("Compare `host` with the name in its certificate, and `security` with what it speaks")
        } else {
            not_sent(format!("the mail server `{host}` cannot be reached: {answer}"))
        };
        failure.caused_by(error)
    }
}

/// The addresses of a setting.
fn addresses<T: std::str::FromStr>(given: Option<&str>, key: &str) -> Result<T, Failure> {
    let given = given.unwrap_or_default();
    given.parse().map_err(|_| {
        wrong(format!("the channel's `{key}` cannot be `{given}`"))
            .help("Give addresses such as `ops@example.com` or `Ebb <ebb@example.com>`")
    })
}
