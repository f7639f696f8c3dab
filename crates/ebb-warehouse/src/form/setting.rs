//! One setting of a source.

use serde::Serialize;

/// A setting, as people and programs have to know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Setting {
    /// Its key in project files.
    pub key: &'static str,
    /// What stands before its field.
    pub label: &'static str,
    /// What it means.
    pub help: &'static str,
    /// What may be given.
    #[serde(flatten)]
    pub kind: SettingKind,
    /// What holds where it is left out, as project files would say it; `help` tells of exceptions.
    pub default: Option<&'static str>,
    /// Whether no source can do without it, unless its `url` says the same. What one way to sign in needs and
    /// another does not is not required.
    pub required: bool,
    /// Where it stands in a form.
    pub part: Part,
    /// Whether it has a say in where the source's secrets are sent, or in who could read them on the way.
    #[serde(skip)]
    pub leads: bool,
}

/// What may be given for a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", content = "choices", rename_all = "snake_case")]
pub enum SettingKind {
    /// A line of text.
    Text,
    /// A line that is never shown again.
    Secret,
    /// Several lines that are never shown again, such as a private key.
    SecretLines,
    /// A whole number.
    Number,
    /// A length of time: seconds such as `30`, or a time such as `5min`.
    Length,
    /// The path of a file on the machine of Ebb; a relative one starts from the project folder.
    Path,
    /// One of these.
    Choice(&'static [&'static str]),
}

impl SettingKind {
    /// Whether its value must never be shown.
    pub const fn is_secret(self) -> bool {
        match self {
            Self::Secret | Self::SecretLines => true,
            Self::Text | Self::Number | Self::Length | Self::Path | Self::Choice(_) => false,
        }
    }
}

/// A part of a form, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// What is connected to.
    Connection,
    /// As whom.
    SignIn,
    /// What most people leave alone.
    Advanced,
}

/// Settings are written as a line of text of a part, and then what is particular about them.
impl Setting {
    pub(crate) const fn connection(
        key: &'static str,
        label: &'static str,
        help: &'static str,
    ) -> Self {
        Self::text(Part::Connection, key, label, help)
    }

    pub(crate) const fn sign_in(
        key: &'static str,
        label: &'static str,
        help: &'static str,
    ) -> Self {
        Self::text(Part::SignIn, key, label, help)
    }

    pub(crate) const fn advanced(
        key: &'static str,
        label: &'static str,
        help: &'static str,
    ) -> Self {
        Self::text(Part::Advanced, key, label, help)
    }

    const fn text(part: Part, key: &'static str, label: &'static str, help: &'static str) -> Self {
        let kind = SettingKind::Text;
        Self { key, label, help, kind, default: None, required: false, part, leads: true }
    }

    /// A length of time leads nowhere, and a secret is what is sent.
    pub(crate) const fn of(self, kind: SettingKind) -> Self {
        let leads = match kind {
            SettingKind::Length | SettingKind::Secret | SettingKind::SecretLines => false,
            SettingKind::Text
            | SettingKind::Number
            | SettingKind::Path
            | SettingKind::Choice(_) => self.leads,
        };
        Self { kind, leads, ..self }
    }

    /// For what chooses among the things of one server, or how they are read.
    pub(crate) const fn leads_nowhere(self) -> Self {
        Self { leads: false, ..self }
    }

    pub(crate) const fn by_default(self, default: &'static str) -> Self {
        Self { default: Some(default), ..self }
    }

    pub(crate) const fn required(self) -> Self {
        Self { required: true, ..self }
    }
}
