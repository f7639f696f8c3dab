//! Forms that text can be held to.

use std::{net::Ipv6Addr, sync::LazyLock};

use jiff::civil;
use regex::Regex;
use serde::Deserialize;

use crate::script::{is_date, is_space, number_of_text, value_of_f64};

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

impl Format {
    /// Whether text has the form.
    pub(super) fn accepts(self, text: &str) -> bool {
        match self {
            Self::Text | Self::Password => true,
            Self::Date => is_day(text),
            Self::Time => is_time(text),
            Self::DateTime => is_day_and_time(text),
            Self::DateLike => is_date_like(text),
            Self::Email => EMAIL.is_match(text),
            Self::Hostname => is_hostname(text),
            Self::Ipv4 => IPV4.is_match(text),
            Self::Ipv6 => text.parse::<Ipv6Addr>().is_ok(),
            Self::Uri => text.contains(['/', ':']) && URI.is_match(text),
            Self::UriReference => URI_REFERENCE.is_match(text),
            Self::Uuid => UUID.is_match(text),
        }
    }
}

macro_rules! expression {
    ($($name:ident = $text:expr;)+) => {
        $(static $name: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(&$text).expect("the expression is a constant and valid")
        });)+
    };
}

/// A number of 0 to 255, leading zeros allowed.
const OCTET: &str = "(?:25[0-5]|2[0-4][0-9]|[01]?[0-9][0-9]?)";

expression! {
    EMAIL = {
        let atom = "[a-z0-9!#$%&'*+/=?^_`{|}~-]+";
        let label = "[a-z0-9](?:[a-z0-9-]*[a-z0-9])?";
        format!(r"^(?i-u:{atom}(?:\.{atom})*@(?:{label}\.)+{label})$")
    };
    IPV4 = format!(r"^(?:{OCTET}\.){{3}}{OCTET}$");
    UUID = "^(?i-u:(?:urn:uuid:)?[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})$";
    TIME = r"^([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.[0-9]+)?(?i-u:z|[+-][0-9]{2}(?::?[0-9]{2})?)?$";
    DAY = "^([0-9]{4})-([0-9]{2})-([0-9]{2})$";
    URI = uri("[a-z][a-z0-9+.-]*:", false);
    URI_REFERENCE = uri("(?:[a-z][a-z0-9+.-]*:)?", true);
}

/// The grammar of RFC 3986, after a scheme.
fn uri(scheme: &str, reference: bool) -> String {
    // The reference's expressions allow a quotation mark where the grammar has none.
    let quote = if reference { "\"" } else { "" };
    let plain = format!(r"a-z0-9._~!$&'{quote}()*+,;=\-");
    let escape = "%[0-9a-f]{2}";
    let user = format!("(?:[a-z0-9._~!$&'()*+,;=:-]|{escape})*@");
    let name = format!("(?:[{plain}]|{escape})*");
    let step = format!("(?:[{plain}:@]|{escape})");
    let future = r"v[0-9a-f]+\.[a-z0-9._~!$&'()*+,;=:-]+";
    let host = format!(r"(?:\[(?:{}|{future})\]|{name})", ipv6());
    let rootless = if reference {
        format!("(?:{step}+(?:/{step}*)*)?")
    } else {
        format!("{step}+(?:/{step}*)*")
    };
    // A path without an authority may not be empty in an address with a scheme.
    let path = format!(
        "(?:/?/(?:{user})?{host}(?::[0-9]*)?(?:/{step}*)*|/(?:{step}+(?:/{step}*)*)?|{rootless})"
    );
    let tail = format!("(?:[{plain}:@/?]|{escape})*");
    format!(r"^(?i-u:{scheme}{path}(?:\?{tail})?(?:#{tail})?)$")
}

fn ipv6() -> String {
    let hex = "[0-9a-f]{1,4}";
    let last = format!(r"(?:{hex}:{hex}|(?:{OCTET}\.){{3}}{OCTET})");
    let before = |most: usize| format!("(?:(?:{hex}:){{0,{most}}}{hex})?::");
    let mut forms = vec![format!("(?:{hex}:){{6}}{last}"), format!("::(?:{hex}:){{5}}{last}")];
    forms.push(format!("(?:{hex})?::(?:{hex}:){{4}}{last}"));
    for (most, after) in [(1, 3), (2, 2), (3, 1), (4, 0)] {
        forms.push(format!("{}(?:{hex}:){{{after}}}{last}", before(most)));
    }
    forms.push(format!("{}{hex}", before(5)));
    forms.push(before(6));
    format!("(?:{})", forms.join("|"))
}

fn is_day(text: &str) -> bool {
    DAY.is_match(text) && text.parse::<civil::Date>().is_ok() || text == "0000-02-29"
}

/// A zone may be missing: the reference's test for it never fails.
fn is_time(text: &str) -> bool {
    let Some(found) = TIME.captures(text) else { return false };
    let part = |place| found.get(place).and_then(|part| part.as_str().parse::<u8>().ok());
    match (part(1), part(2), part(3)) {
        (Some(23), Some(59), Some(60)) => true,
        (Some(hour), Some(minute), Some(second)) => hour <= 23 && minute <= 59 && second <= 59,
        _ => false,
    }
}

fn is_day_and_time(text: &str) -> bool {
    let parts: Vec<_> = text
        .split(|character: char| matches!(character, 't' | 'T') || is_space(character))
        .collect();
    match parts.as_slice() {
        [day, time] => is_day(day) && is_time(time),
        _ => false,
    }
}

fn is_hostname(text: &str) -> bool {
    let name = text.strip_suffix('.').unwrap_or(text);
    name.len() <= 253
        && name.split('.').all(|label| {
            let edge = |end: Option<char>| end.is_some_and(|end| end.is_ascii_alphanumeric());
            label.len() <= 63
                && edge(label.chars().next())
                && edge(label.chars().next_back())
                && label.chars().all(|inner| inner.is_ascii_alphanumeric() || inner == '-')
        })
}

fn is_date_like(text: &str) -> bool {
    if let Some(seconds) = number_of_text(text)
        && value_of_f64(seconds).to_json() == text
    {
        return (seconds * 1000.0).abs() <= MOST_MILLISECONDS;
    }
    is_date(text)
}

/// The most milliseconds since 1970 that JavaScript has dates for.
const MOST_MILLISECONDS: f64 = 8.64e15;
