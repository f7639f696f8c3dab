//! Dates.

use std::sync::LazyLock;

use ebb_core::Value;
use jiff::{Timestamp, civil, tz::TimeZone};
use regex::Regex;

use super::{Apply, Arguments, text};
use crate::{
    liquid::evaluate::to_number,
    script::{is_nullish, milliseconds_of_date, text_of, to_whole},
};

static DIRECTIVE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"%([-_0^#:]+)?([0-9]+)?([EO])?([^\n\r\x{2028}\x{2029}])")
        .expect("the expression is a constant and valid")
});

/// How a date is shown when nothing else is said.
const FORMAT: &str = "%A, %B %-e, %Y at %-l:%M %P %z";

/// A moment in a time zone.
struct Moment {
    local: civil::DateTime,
    seconds: i64,
    /// Minutes east of UTC.
    east: i64,
    zone: String,
}

/// A filter of dates.
pub(super) fn find(name: &str) -> Option<Apply> {
    Some(match name {
        "date" => |value, arguments| {
            let format = match arguments.get(0) {
                Some(format) if !is_nullish(format) => text(format),
                Some(_) | None => FORMAT.to_owned(),
            };
            shown(value, arguments, arguments.get(1), &format)
        },
        "date_to_xmlschema" => {
            |value, arguments| shown(value, arguments, None, "%Y-%m-%dT%H:%M:%S%:z")
        }
        "date_to_rfc822" => {
            |value, arguments| shown(value, arguments, None, "%a, %d %b %Y %H:%M:%S %z")
        }
        "date_to_string" => |value, arguments| named(value, arguments, "%b"),
        "date_to_long_string" => |value, arguments| named(value, arguments, "%B"),
        _ => return None,
    })
}

fn named(
    value: &Value<'_>,
    arguments: &Arguments<'_>,
    month: &str,
) -> Result<Value<'static>, String> {
    let is =
        |place: usize, wanted: &str| arguments.get(place).and_then(Value::as_str) == Some(wanted);
    let format = match (is(0, "ordinal"), is(1, "US")) {
        (true, true) => format!("{month} %-d%q, %Y"),
        (true, false) => format!("%-d%q {month} %Y"),
        (false, _) => format!("%d {month} %Y"),
    };
    shown(value, arguments, None, &format)
}

/// The date in a format; what is no date stays as it is.
fn shown(
    value: &Value<'_>,
    arguments: &Arguments<'_>,
    zone: Option<&Value<'_>>,
    format: &str,
) -> Result<Value<'static>, String> {
    let Some(milliseconds) = milliseconds(value, arguments) else {
        return Ok(value.clone().into_owned());
    };
    let Some(moment) = Moment::new(milliseconds, zone)? else {
        return Ok(value.clone().into_owned());
    };
    let mut out = String::new();
    let mut end = 0;
    for found in DIRECTIVE.captures_iter(format) {
        let part = |place| found.get(place).map_or("", |part| part.as_str());
        let Some(whole) = found.get(0) else { continue };
        out.push_str(format.get(end..whole.start()).unwrap_or_default());
        end = whole.end();
        match moment.part(part(4), part(1), part(2)) {
            Some(text) => out.push_str(&text),
            None => out.push_str(whole.as_str()),
        }
    }
    out.push_str(format.get(end..).unwrap_or_default());
    Ok(out.into())
}

fn milliseconds(value: &Value<'_>, arguments: &Arguments<'_>) -> Option<i64> {
    let of_number = |number: f64| (number.abs() <= 8.64e15).then(|| to_whole(number));
    match value {
        value if is_nullish(value) => None,
        Value::String(text) if matches!(&**text, "now" | "today") => {
            milliseconds_of_date(&arguments.variables.now()?)
        }
        Value::Number(_) => of_number(to_number(value) * 1000.0),
        Value::Bool(_) => of_number(to_number(value)),
        Value::String(text) => {
            if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
                of_number(to_number(value) * 1000.0)
            } else {
                milliseconds_of_date(text)
            }
        }
        Value::Null | Value::Array(_) | Value::Object(_) => milliseconds_of_date(&text_of(value)),
    }
}

impl Moment {
    fn new(milliseconds: i64, zone: Option<&Value<'_>>) -> Result<Option<Self>, String> {
        let Ok(moment) = Timestamp::from_millisecond(milliseconds) else { return Ok(None) };
        let (east, name) = match zone {
            None | Some(Value::Null) => (0, "UTC".to_owned()),
            Some(Value::String(name)) => {
                let zone =
                    TimeZone::get(name).map_err(|_| format!("`{name}` is not a time zone"))?;
                (i64::from(zone.to_offset(moment).seconds()) / 60, name.to_string())
            }
            Some(minutes) => (-to_whole(to_number(minutes)), String::new()),
        };
        let local = milliseconds.checked_add(east * 60_000);
        let local = local.and_then(|local| Timestamp::from_millisecond(local).ok());
        Ok(local.map(|local| Self {
            local: local.to_zoned(TimeZone::UTC).datetime(),
            seconds: (local.as_millisecond() + 500).div_euclid(1000),
            east,
            zone: name,
        }))
    }

    /// A directive's text; `None` if there is no such directive.
    fn part(&self, conversion: &str, flags: &str, width: &str) -> Option<String> {
        let mut text = self.plain(conversion, flags, width)?;
        if flags.contains('^') {
            text = text.to_uppercase();
        } else if flags.contains('#') {
            let lower = text.contains(|character: char| character.is_ascii_lowercase());
            text = if lower { text.to_uppercase() } else { text.to_lowercase() };
        }
        let wide: usize = match conversion {
            "d" | "e" | "H" | "I" | "k" | "l" | "m" | "M" | "S" | "U" | "W" => 2,
            "j" | "L" => 3,
            _ => 0,
        };
        let wide = if flags.contains('-') { 0 } else { width.parse().unwrap_or(wide).min(1000) };
        let spaces =
            matches!(conversion, "a" | "A" | "b" | "B" | "c" | "e" | "k" | "l" | "p" | "P");
        let fill = if flags.contains('_') {
            ' '
        } else if flags.contains('0') || !spaces {
            '0'
        } else {
            ' '
        };
        let missing = wide.saturating_sub(text.chars().count());
        Some(std::iter::repeat_n(fill, missing).chain(text.chars()).collect())
    }

    fn plain(&self, conversion: &str, flags: &str, width: &str) -> Option<String> {
        let local = self.local;
        let strftime = |format: &str| local.strftime(format).to_string();
        let hour = match local.hour() % 12 {
            0 => 12,
            hour => hour,
        };
        let clock = || {
            format!(
                "{hour}:{:02}:{:02}\u{202f}{}",
                local.minute(),
                local.second(),
                if local.hour() < 12 { "AM" } else { "PM" }
            )
        };
        let calendar = || format!("{}/{}/{}", local.month(), local.day(), local.year());
        Some(match conversion {
            "a" | "A" | "b" | "B" => strftime(&format!("%{conversion}")),
            "h" => strftime("%b"),
            "c" => format!("{}, {}", calendar(), clock()),
            "C" => local.year().to_string().chars().take(2).collect(),
            "d" | "e" => local.day().to_string(),
            "H" | "k" => local.hour().to_string(),
            "I" | "l" => hour.to_string(),
            "j" => local.day_of_year().to_string(),
            "L" => local.millisecond().to_string(),
            "m" => local.month().to_string(),
            "M" => local.minute().to_string(),
            "N" => {
                let width = width.parse().ok().filter(|width| *width > 0).unwrap_or(9).min(1000);
                let digits: String = local.millisecond().to_string().chars().take(width).collect();
                format!("{digits:0<width$}")
            }
            "p" => if local.hour() < 12 { "AM" } else { "PM" }.to_owned(),
            "P" => if local.hour() < 12 { "am" } else { "pm" }.to_owned(),
            "q" => match (local.day(), local.day() % 10) {
                (11..=13, _) => "th",
                (_, 1) => "st",
                (_, 2) => "nd",
                (_, 3) => "rd",
                _ => "th",
            }
            .to_owned(),
            "s" => self.seconds.to_string(),
            "S" => local.second().to_string(),
            "u" => local.weekday().to_monday_one_offset().to_string(),
            "U" => self.week(0).to_string(),
            "w" => local.weekday().to_sunday_zero_offset().to_string(),
            "W" => self.week(1).to_string(),
            "x" => calendar(),
            "X" => clock(),
            "y" => local.year().to_string().chars().skip(2).take(2).collect(),
            "Y" => local.year().to_string(),
            "z" => self.offset(flags),
            "Z" if self.zone.is_empty() => self.offset(flags),
            "Z" => self.zone.clone(),
            "t" => "\t".to_owned(),
            "n" => "\n".to_owned(),
            "%" => "%".to_owned(),
            _ => return None,
        })
    }

    fn offset(&self, flags: &str) -> String {
        let sign = if self.east < 0 { '-' } else { '+' };
        let colon = if flags.contains(':') { ":" } else { "" };
        let minutes = self.east.abs();
        format!("{sign}{:02}{colon}{:02}", minutes / 60, minutes % 60)
    }

    /// The week of the year, counted from its first week that begins on a day (0 is Sunday).
    fn week(&self, start: i64) -> i64 {
        let weekday = i64::from(self.local.weekday().to_sunday_zero_offset());
        let now = i64::from(self.local.day_of_year()) + start - weekday;
        let first = self.local.date().first_of_year().weekday().to_sunday_zero_offset();
        (now - (7 - i64::from(first) + start)).div_euclid(7) + 1
    }
}
