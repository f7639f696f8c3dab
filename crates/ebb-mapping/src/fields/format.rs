//! Forms that text can be held to.

use serde::Deserialize;

/// The form that a field's text must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// Any text.
    Text,
    /// Any text that is not shown.
    Password,
    /// A day: `2024-05-31`.
    Date,
    /// A time of day: `12:30:00Z`.
    Time,
    /// A day and time: `2024-05-31T12:30:00Z`.
    DateTime,
    /// Whatever JavaScript understands as a date, or seconds since 1970 as text.
    DateLike,
    /// An e-mail address.
    Email,
    /// A host name.
    Hostname,
    /// An address of IP version 4.
    Ipv4,
    /// An address of IP version 6.
    Ipv6,
    /// An absolute address with its scheme.
    Uri,
    /// An absolute or relative address.
    UriReference,
    /// A UUID.
    Uuid,
}
