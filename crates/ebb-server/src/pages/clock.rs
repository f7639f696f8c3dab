//! Moments on the clock of the server, and its time zone.

use jiff::{Timestamp, Zoned, tz::TimeZone};

/// The zone of all moments that do not name theirs, as a schedule names it: `UTC`, `Europe/Berlin`.
pub(super) fn zone() -> String {
    name(here())
}

/// A moment that stands alone: `14:00 UTC`, `Tomorrow 02:00 CET`.
pub(super) fn alone(now: Timestamp, moment: Timestamp) -> String {
    with_zone(&now.to_zoned(here()), moment)
}

/// A moment in a table, which names the zone for all: `14:00`, `Tomorrow 02:00`, `18 Nov 09:00`.
pub(super) fn listed(now: Timestamp, moment: Timestamp) -> String {
    without_zone(&now.to_zoned(here()), moment)
}

/// Of a server that does not know its zone: UTC.
fn here() -> TimeZone {
    TimeZone::try_system().unwrap_or(TimeZone::UTC)
}

fn name(zone: TimeZone) -> String {
    match zone.iana_name() {
        Some(name) if !name.starts_with("Etc/") => name.to_owned(),
        Some(_) | None => Timestamp::UNIX_EPOCH.to_zoned(zone).strftime("%Z").to_string(),
    }
}

fn with_zone(now: &Zoned, moment: Timestamp) -> String {
    let then = moment.to_zoned(now.time_zone().clone());
    format!("{} {}", without_zone(now, moment), then.strftime("%Z"))
}

fn without_zone(now: &Zoned, moment: Timestamp) -> String {
    let (today, then) = (now.date(), moment.to_zoned(now.time_zone().clone()));
    let told = |form: &str| then.strftime(form).to_string();
    match (today.tomorrow(), today.yesterday()) {
        _ if then.date() == today => told("%H:%M"),
        (Ok(tomorrow), _) if then.date() == tomorrow => told("Tomorrow %H:%M"),
        (_, Ok(yesterday)) if then.date() == yesterday => told("Yesterday %H:%M"),
        _ if then.year() == today.year() => told("%-d %b %H:%M"),
        _ => told("%-d %b %Y %H:%M"),
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::{name, with_zone, without_zone};

    fn berlin() -> TimeZone {
        TimeZone::get("Europe/Berlin").unwrap()
    }

    #[test]
    fn a_moment_that_stands_alone_names_the_zone_that_it_is_in() {
        let now = "2026-03-28T10:00:00Z".parse::<jiff::Timestamp>().unwrap().to_zoned(berlin());
        let told = ["2026-03-28T13:00:00Z", "2026-03-29T07:00:00Z", "2025-11-18T08:00:00Z"]
            .map(|text| with_zone(&now, text.parse().unwrap()));
        assert_eq!(told, ["14:00 CET", "Tomorrow 09:00 CEST", "18 Nov 2025 09:00 CET"]);
    }

    #[test]
    fn a_moment_in_a_table_leaves_the_zone_to_it() {
        let now = "2026-03-28T10:00:00Z".parse::<jiff::Timestamp>().unwrap().to_zoned(berlin());
        let told = ["2026-03-26T23:30:00Z", "2026-01-18T08:00:00Z"]
            .map(|text| without_zone(&now, text.parse().unwrap()));
        assert_eq!(told, ["Yesterday 00:30", "18 Jan 09:00"]);
        let names = [berlin(), TimeZone::UTC, TimeZone::get("Etc/UTC").unwrap()].map(name);
        assert_eq!(names, ["Europe/Berlin", "UTC", "UTC"]);
    }
}
