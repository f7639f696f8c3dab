//! When a mapping syncs, as forms of it and of its model say it.

use ebb_core::schedule::Interval;
use serde_json::{Map, Value, json};

use super::{field::Choice, typed::Typed};

/// The days of the week: as documents name them, and as people do.
const DAYS: [(&str, &str); 7] = [
    ("mon", "Mon"),
    ("tue", "Tue"),
    ("wed", "Wed"),
    ("thu", "Thu"),
    ("fri", "Fri"),
    ("sat", "Sat"),
    ("sun", "Sun"),
];

/// The ways to say when, by the name of their part of the form.
const WAYS: [(&str, &str); 6] = [
    ("manual", "By hand"),
    ("every", "Interval"),
    ("days", "Days and hours"),
    ("cron", "Cron"),
    ("after", "After another"),
    ("after_dbt_cloud_job", "After a dbt Cloud job"),
];

/// The way that leaves it to somebody else: a mapping's to its model, a model's to its mappings.
const UNSAID: &str = "unsaid";

/// The fields of a schedule, ready to be shown.
pub(super) struct Schedule {
    /// What it means to leave it to somebody else.
    pub(super) unsaid: &'static str,
    pub(super) ways: Vec<Choice>,
    pub(super) every: Vec<Choice>,
    pub(super) days: Vec<Choice>,
    pub(super) at: String,
    pub(super) cron: String,
    pub(super) timezone: String,
    pub(super) after: Vec<Choice>,
    pub(super) job: String,
}

impl Schedule {
    /// What was typed of a model's mappings; `mappings` are those that may come before.
    pub(super) fn of_model(typed: &Typed, mappings: &[String]) -> Self {
        let unsaid = Choice::new(UNSAID, "Each mapping has its own", "");
        Self {
            unsaid: "Those without one sync by hand.",
            ..Self::new(typed, Some(unsaid), mappings)
        }
    }

    /// What was typed of a mapping; `of_model` is what its model says, and `others` are the mappings that
    /// may come before.
    pub(super) fn of_mapping(
        typed: &Typed,
        of_model: Option<&ebb_core::Schedule>,
        others: &[String],
    ) -> Self {
        let words = crate::pages::schedule::words(of_model.unwrap_or(&ebb_core::Schedule::Manual));
        let offered = of_model.is_some() || typed.get("when") == UNSAID;
        let unsaid =
            offered.then(|| Choice::new(UNSAID, &format!("As the model says: {words}"), ""));
        Self { unsaid: "Changes with the model.", ..Self::new(typed, unsaid, others) }
    }

    fn new(typed: &Typed, unsaid: Option<Choice>, others: &[String]) -> Self {
        let first = unsaid.as_ref().map_or("manual", |_| UNSAID);
        let way = Some(typed.get("when")).filter(|way| !way.is_empty()).unwrap_or(first);
        let unsaid = unsaid.map(|unsaid| Choice { chosen: way == UNSAID, ..unsaid });
        let every = Some(typed.get("every")).filter(|every| !every.is_empty()).unwrap_or("1h");
        let chosen: Vec<&str> = typed.all("day").collect();
        let day = |(day, label): (&str, &str)| Choice {
            value: day.to_owned(),
            label: label.to_owned(),
            chosen: chosen.contains(&day),
        };
        Self {
            unsaid: "",
            ways: unsaid
                .into_iter()
                .chain(WAYS.map(|(key, label)| Choice::new(key, label, way)))
                .collect(),
            every: Interval::ALL
                .map(|interval| Choice::new(interval.as_str(), &words(interval), every))
                .into(),
            days: DAYS.map(day).into(),
            at: typed.get("at").to_owned(),
            cron: typed.get("cron").to_owned(),
            timezone: typed.get("timezone").to_owned(),
            job: typed.get("after_dbt_cloud_job").to_owned(),
            after: others.iter().map(|name| Choice::new(name, name, typed.get("after"))).collect(),
        }
    }
}

fn words(interval: Interval) -> String {
    let (number, unit) = match interval.duration().as_secs() / 60 {
        minutes @ 0..60 => (minutes, "minutes"),
        1_440 => return "Every day, at midnight UTC".to_owned(),
        60 => return "Every hour".to_owned(),
        minutes => (minutes / 60, "hours"),
    };
    format!("Every {number} {unit}")
}

/// What was typed, as a document says it; `None` where somebody else is to say it.
pub(super) fn document(typed: &Typed) -> Option<Value> {
    let zoned = |mut schedule: Map<String, Value>| {
        let zone = typed.get("timezone");
        if !zone.is_empty() {
            schedule.insert("timezone".to_owned(), zone.into());
        }
        Value::from(schedule)
    };
    Some(match typed.get("when") {
        UNSAID => return None,
        "every" => json!({ "every": typed.get("every") }),
        "days" => {
            let days: Vec<&str> = typed.all("day").collect();
            let at = typed.get("at").split([',', ' ']).filter(|hour| !hour.is_empty());
            let at: Vec<&str> = at.collect();
            zoned(Map::from_iter([("days".to_owned(), days.into()), ("at".to_owned(), at.into())]))
        }
        "cron" => zoned(Map::from_iter([("cron".to_owned(), typed.get("cron").into())])),
        "after" => json!({ "after": typed.get("after") }),
        "after_dbt_cloud_job" => {
            let typed = typed.get("after_dbt_cloud_job");
            let job = typed.parse::<u64>().map_or_else(|_| typed.into(), Value::from);
            json!({ "after_dbt_cloud_job": job })
        }
        _ => "manual".into(),
    })
}

/// A document's schedule as it would be typed; `None` if it does not say one.
pub(super) fn type_in(schedule: Option<&Value>, typed: &mut Typed) {
    let Some(Value::Object(schedule)) = schedule else {
        typed.set("when", if schedule.is_some() { "manual" } else { UNSAID });
        return;
    };
    for (key, value) in schedule {
        match value {
            Value::String(text) => typed.set(key.as_str(), text.as_str()),
            Value::Array(items) if key == "days" => {
                items.iter().filter_map(Value::as_str).for_each(|day| typed.add("day", day));
            }
            Value::Array(items) => {
                let items: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
                typed.set(key.as_str(), items.join(", "));
            }
            Value::Number(number) => typed.set(key.as_str(), number.to_string()),
            Value::Null | Value::Bool(_) | Value::Object(_) => {}
        }
    }
    let way = WAYS.map(|(way, _)| way).into_iter().find(|way| schedule.contains_key(*way));
    typed.set("when", way.unwrap_or("manual"));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{document, type_in};
    use crate::pages::build::typed::Typed;

    #[test]
    fn a_schedule_is_typed_and_said_as_it_was() {
        for schedule in [
            None,
            Some(json!("manual")),
            Some(json!({ "every": "2h" })),
            Some(
                json!({ "days": ["mon", "fri"], "at": ["09:00", "14:00"], "timezone": "Europe/Berlin" }),
            ),
            Some(json!({ "days": ["sun"], "at": ["00:00"] })),
            Some(json!({ "cron": "30 6 * * 1-5", "timezone": "UTC" })),
            Some(json!({ "after": "people_to_hook" })),
            Some(json!({ "after_dbt_cloud_job": 12_345 })),
        ] {
            let mut typed = Typed::default();
            type_in(schedule.as_ref(), &mut typed);
            assert_eq!(document(&typed), schedule);
        }
    }
}
