//! How many records destinations got in a month, and how many they may get.

use std::{collections::BTreeMap, fmt, str::FromStr};

use jiff::{Timestamp, civil, tz::TimeZone};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

use crate::{Code, Failure};

/// A calendar month in UTC. A sync counts in the one in which it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cycle {
    year: i16,
    month: i8,
}

impl Cycle {
    /// The month of a moment.
    pub fn of(moment: Timestamp) -> Self {
        let date = moment.to_zoned(TimeZone::UTC).date();
        Self { year: date.year(), month: date.month() }
    }

    /// The month before.
    #[must_use]
    pub const fn before(self) -> Self {
        match self {
            Self { year, month: 1 } => Self { year: year - 1, month: 12 },
            Self { year, month } => Self { year, month: month - 1 },
        }
    }

    /// The month behind.
    #[must_use]
    pub const fn following(self) -> Self {
        match self {
            Self { year, month: 12 } => Self { year: year + 1, month: 1 },
            Self { year, month } => Self { year, month: month + 1 },
        }
    }

    /// Its first moment; the last of all if time ends before.
    pub fn begins(self) -> Timestamp {
        let first = civil::Date::new(self.year, self.month, 1).ok();
        let first = first.and_then(|day| day.to_zoned(TimeZone::UTC).ok());
        first.map_or(Timestamp::MAX, |first| first.timestamp())
    }

    /// The first moment behind it.
    pub fn ends(self) -> Timestamp {
        self.following().begins()
    }
}

/// As in `2026-11`.
impl fmt::Display for Cycle {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:04}-{:02}", self.year, self.month)
    }
}

impl FromStr for Cycle {
    type Err = jiff::Error;

    fn from_str(text: &str) -> Result<Self, jiff::Error> {
        let day: civil::Date = format!("{text}-01").parse()?;
        Ok(Self { year: day.year(), month: day.month() })
    }
}

impl Serialize for Cycle {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Allowed: `none`, `free`, `teams`, `{ records: NUMBER }`, `{ business: { mtu: NUMBER } }`, `{ business: { api_calls: NUMBER } }`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, deny_unknown_fields)]
pub enum UsagePlan {
    /// A plan that has a name.
    Named(NamedPlan),
    /// A limit of one's own.
    Records {
        /// Records that all destinations together may get in a month
        #[schemars(range(min = 1))]
        records: u64,
    },
    /// A limit that grows with something else.
    Business {
        /// What the limit grows with
        business: Business,
    },
}

/// A plan that has a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NamedPlan {
    /// No limit.
    None,
    /// 500,000 records a month.
    Free,
    /// 1,000,000 records a month.
    Teams,
}

/// What the limit of a business plan grows with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, deny_unknown_fields)]
pub enum Business {
    /// Users.
    Users {
        /// Users that are tracked in a month; each of them allows 50 records
        #[schemars(range(min = 1))]
        mtu: u64,
    },
    /// Calls.
    Calls {
        /// Calls of the tracking interface in a month; every four of them allow a record
        #[schemars(range(min = 4))]
        api_calls: u64,
    },
}

impl Default for UsagePlan {
    fn default() -> Self {
        Self::Named(NamedPlan::None)
    }
}

impl UsagePlan {
    /// Records that may be processed in a month; `None` is no limit.
    pub const fn limit(self) -> Option<u64> {
        match self {
            Self::Named(NamedPlan::None) => None,
            Self::Named(NamedPlan::Free) => Some(500_000),
            Self::Named(NamedPlan::Teams) => Some(1_000_000),
            Self::Records { records } => Some(records),
            Self::Business { business: Business::Users { mtu } } => Some(mtu.saturating_mul(50)),
            Self::Business { business: Business::Calls { api_calls } } => Some(api_calls / 4),
        }
    }

    /// The plan's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Named(NamedPlan::None) => "none",
            Self::Named(NamedPlan::Free) => "free",
            Self::Named(NamedPlan::Teams) => "teams",
            Self::Records { .. } => "records",
            Self::Business { .. } => "business",
        }
    }
}

/// Why nothing more is sent in a month: `R405`, with the time until the next one.
pub fn exhausted(limit: u64, cycle: Cycle, now: Timestamp) -> Failure {
    let message = format!("the limit of `{limit}` records in `{cycle}` is reached");
    let next = cycle.ends();
    let day = next.to_zoned(TimeZone::UTC).date();
    let help = format!(
        "Syncs go on by themselves from {day} 00:00 UTC. The usage shows what was sent; `usage` in a project file sets the limit"
    );
    Failure::new(Code::UsageLimit, message)
        .help(help)
        .after(now.duration_until(next).try_into().unwrap_or_default())
}

/// What a destination got in a month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Used {
    /// The destination's name.
    pub destination: String,
    /// The month.
    pub cycle: Cycle,
    /// Records that were tried: delivered, failed, or refused. One that is sent again by another sync
    /// counts again.
    pub records: u64,
}

/// The usage of some months, for people and programs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// This month.
    pub month: Cycle,
    /// When the next one begins.
    pub ends_at: Timestamp,
    /// The plan's name.
    pub plan: &'static str,
    /// Records that may be processed in a month, if there is a limit.
    pub limit: Option<u64>,
    /// Records that were processed in this month.
    pub records: u64,
    /// The same by destination, most first.
    pub destinations: Vec<Share>,
    /// This month and those before it, the newest first. One in which nothing was processed has none.
    pub months: Vec<Month>,
}

/// A month of the past.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Month {
    /// Which.
    pub month: Cycle,
    /// Records that were processed in it.
    pub records: u64,
    /// The same by destination, most first.
    pub destinations: Vec<Share>,
}

/// A destination's part of a month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Share {
    /// The destination.
    pub destination: String,
    /// Records that were processed for it.
    pub records: u64,
}

/// Months of a report: this one, and the twelve before it.
pub const MONTHS: usize = 13;

impl Report {
    /// The first month that a report of this moment tells of.
    pub fn since(now: Timestamp) -> Cycle {
        (1..MONTHS).fold(Cycle::of(now), |cycle, _| cycle.before())
    }

    /// A report of what was used since [`Report::since`].
    pub fn new(used: &[Used], plan: UsagePlan, now: Timestamp) -> Self {
        let mut shares: BTreeMap<Cycle, BTreeMap<&str, u64>> = BTreeMap::new();
        for Used { destination, cycle, records } in used {
            *shares.entry(*cycle).or_default().entry(destination).or_default() += records;
        }
        let this = Cycle::of(now);
        let months = std::iter::successors(Some(this), |cycle| Some(cycle.before())).take(MONTHS);
        let months: Vec<Month> = months
            .map(|month| {
                let shares = shares.remove(&month).unwrap_or_default().into_iter();
                let share = |(destination, records): (&str, u64)| Share {
                    destination: destination.to_owned(),
                    records,
                };
                let mut destinations: Vec<Share> = shares.map(share).collect();
                destinations.sort_by_key(|share| std::cmp::Reverse(share.records));
                let records = destinations.iter().map(|share| share.records).sum();
                Month { month, records, destinations }
            })
            .collect();
        let now = months.first();
        Self {
            month: this,
            ends_at: this.ends(),
            plan: plan.name(),
            limit: plan.limit(),
            records: now.map_or(0, |now| now.records),
            destinations: now.map(|now| now.destinations.clone()).unwrap_or_default(),
            months,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn cycle(text: &str) -> Cycle {
        text.parse().unwrap()
    }

    #[test]
    fn a_cycle_is_a_month_of_utc() {
        let last = "2026-12-31T23:59:59.999999Z".parse().unwrap();
        assert_eq!(Cycle::of(last), cycle("2026-12"));
        assert_eq!(Cycle::of(last).ends().to_string(), "2027-01-01T00:00:00Z");
        assert_eq!(Cycle::of(Cycle::of(last).ends()).to_string(), "2027-01");
        assert_eq!(
            (cycle("2027-01").before(), cycle("2026-11").following()),
            (cycle("2026-12"), cycle("2026-12"))
        );
        assert!("2026-13".parse::<Cycle>().is_err());
        assert!(cycle("2026-09") < cycle("2026-10"));
    }

    #[test]
    fn plans_are_limits() {
        let limit =
            |plan: serde_json::Value| serde_json::from_value::<UsagePlan>(plan).unwrap().limit();
        assert_eq!(limit(json!("none")), None);
        assert_eq!(limit(json!("free")), Some(500_000));
        assert_eq!(limit(json!("teams")), Some(1_000_000));
        assert_eq!(limit(json!({ "records": 7 })), Some(7));
        assert_eq!(limit(json!({ "business": { "mtu": 10_000 } })), Some(500_000));
        assert_eq!(limit(json!({ "business": { "api_calls": 10_000 } })), Some(2_500));
        assert_eq!(UsagePlan::default().limit(), None);
    }

    #[test]
    fn who_is_refused_learns_when_it_goes_on() {
        let now = "2026-11-30T23:59:00Z".parse().unwrap();
        let failure = exhausted(500, cycle("2026-11"), now);
        assert_eq!(failure.to_string(), "R405: the limit of `500` records in `2026-11` is reached");
        assert!(failure.advice().contains("2026-12-01 00:00 UTC"), "{}", failure.advice());
        assert_eq!(failure.retry_after(), Some(std::time::Duration::from_mins(1)));
    }

    #[test]
    fn a_report_has_every_month_and_the_largest_destination_first() {
        let used = |destination: &str, month: &str, records| Used {
            destination: destination.to_owned(),
            cycle: cycle(month),
            records,
        };
        let now = "2026-03-02T10:00:00Z".parse().unwrap();
        assert_eq!(Report::since(now), cycle("2025-03"));
        let rows = [used("a", "2026-03", 1), used("b", "2026-03", 5), used("a", "2025-12", 9)];
        let report = Report::new(&rows, UsagePlan::Named(NamedPlan::Free), now);
        assert_eq!((report.records, report.limit, report.plan), (6, Some(500_000), "free"));
        assert_eq!(report.destinations[0], Share { destination: "b".to_owned(), records: 5 });
        assert_eq!(report.months.len(), 13);
        let months: Vec<_> = report
            .months
            .iter()
            .filter(|month| month.records > 0)
            .map(|month| month.month)
            .collect();
        assert_eq!(months, [cycle("2026-03"), cycle("2025-12")]);
    }
}
