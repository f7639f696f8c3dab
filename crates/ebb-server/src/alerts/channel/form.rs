//! The settings of each kind of channel, as data: for forms, for what is a secret, and for the reader.

use ebb_core::{
    Code, Failure,
    config::{ChannelKind, Settings},
    suggest,
};
use serde_json::Value;

/// A setting of a kind.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ChannelSetting {
    pub(crate) key: &'static str,
    pub(crate) label: &'static str,
    pub(crate) help: &'static str,
    pub(crate) default: &'static str,
    pub(crate) required: bool,
    pub(crate) takes: Takes,
    /// Whether it has a say in where the channel's secrets are sent, or in who could read them on the way.
    pub(crate) leads: bool,
}

/// What a setting takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Takes {
    Text,
    Secret,
    Number,
    Choice(&'static [&'static str]),
}

const fn setting(key: &'static str, label: &'static str, help: &'static str) -> ChannelSetting {
    let takes = Takes::Text;
    ChannelSetting { key, label, help, default: "", required: false, takes, leads: true }
}

const EMAIL: &[ChannelSetting] = &[
    ChannelSetting {
        required: true,
        ..setting("host", "Mail server", "Such as `smtp.example.com`")
    },
    ChannelSetting {
        takes: Takes::Choice(&["starttls", "tls", "none"]),
        default: "starttls",
        ..setting(
            "security",
            "Encryption",
            "`none` is for a server on this machine or beside it, and takes no password",
        )
    },
    ChannelSetting {
        takes: Takes::Number,
        ..setting("port", "Port", "587, with `tls` 465, with `none` 25, if left out")
    },
    ChannelSetting {
        leads: false,
        ..setting("username", "User name", "If the server asks for one")
    },
    ChannelSetting { takes: Takes::Secret, leads: false, ..setting("password", "Password", "") },
    ChannelSetting {
        required: true,
        leads: false,
        ..setting("from", "From", "The sender's address, such as `Ebb <ebb@example.com>`")
    },
    ChannelSetting {
        required: true,
        leads: false,
        ..setting("to", "To", "The addresses that are told, with commas between them")
    },
];

const SLACK: &[ChannelSetting] = &[ChannelSetting {
    required: true,
    takes: Takes::Secret,
    ..setting(
        "url",
        "Incoming webhook",
        "Make one in Slack for the channel, under *Incoming Webhooks* of an app of yours",
    )
}];

const WEBHOOK: &[ChannelSetting] = &[
    ChannelSetting {
        required: true,
        takes: Takes::Secret,
        ..setting(
            "url",
            "Address",
            "Takes a POST with JSON. Kept secret: many such addresses let in whoever knows them",
        )
    },
    ChannelSetting {
        takes: Takes::Secret,
        leads: false,
        ..setting(
            "secret",
            "Signing secret",
            "Signs what is sent, as Standard Webhooks says: `whsec_` and base64, or any text",
        )
    },
];

/// The settings of a kind.
pub(crate) const fn settings(kind: ChannelKind) -> &'static [ChannelSetting] {
    match kind {
        ChannelKind::Email => EMAIL,
        ChannelKind::Slack => SLACK,
        ChannelKind::Webhook => WEBHOOK,
    }
}

/// The settings of a kind by its name; none of a kind that is not known.
pub(crate) fn settings_of(kind: &str) -> &'static [ChannelSetting] {
    let kind = ChannelKind::ALL.into_iter().find(|known| known.as_str() == kind);
    kind.map(settings).unwrap_or_default()
}

/// The settings of a kind that are secrets; none of a kind that is not known.
pub(crate) fn secrets(kind: &str) -> impl Iterator<Item = &'static str> + use<> {
    let secret = |setting: &&ChannelSetting| setting.takes == Takes::Secret;
    settings_of(kind).iter().filter(secret).map(|setting| setting.key)
}

/// Whether the settings fit the kind: each known, of its type, and none missing.
pub(super) fn check(kind: ChannelKind, given: &Settings) -> Result<(), Failure> {
    let known = settings(kind);
    let kind = kind.as_str();
    for (key, value) in given.iter() {
        let Some(setting) = known.iter().find(|setting| setting.key == key) else {
            return Err(wrong(format!("a channel of kind `{kind}` has no setting `{key}`"))
                .help(suggest::allowed(key, known.iter().map(|setting| setting.key))));
        };
        let fits = match (setting.takes, value) {
            (Takes::Text | Takes::Secret, Value::String(text)) => !text.is_empty(),
            (Takes::Number, Value::Number(number)) => number.is_u64(),
            (Takes::Choice(choices), Value::String(text)) => choices.contains(&text.as_str()),
            (Takes::Text | Takes::Secret | Takes::Number | Takes::Choice(_), _) => false,
        };
        if !fits {
            return Err(wrong(format!("the channel's `{key}` is not valid")).help(
                match setting.takes {
                    Takes::Text | Takes::Secret => "Give a text".to_owned(),
                    Takes::Number => "Give a whole number".to_owned(),
                    Takes::Choice(choices) => suggest::allowed("", choices.iter().copied()),
                },
            ));
        }
    }
    let missing = known.iter().find(|setting| setting.required && !given.contains_key(setting.key));
    match missing {
        None => Ok(()),
        Some(setting) => {
            let message = format!("a channel of kind `{kind}` needs `{}`", setting.key);
            let help = format!("Give it: {}", setting.label.to_lowercase());
            Err(wrong(message).help(help))
        }
    }
}

/// `C504` with what is wrong with a channel's settings.
pub(super) fn wrong(message: impl Into<String>) -> Failure {
    Failure::new(Code::ConfigValue, message)
}

/// The text of a setting.
pub(super) fn text<'s>(settings: &'s Settings, key: &str) -> Option<&'s str> {
    settings.get(key).and_then(Value::as_str)
}
