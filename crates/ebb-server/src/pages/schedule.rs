//! Schedules in words.

use ebb_core::Schedule;
use serde_json::Value;

/// A schedule as people say it.
pub(super) fn words(schedule: &Schedule) -> String {
    let value = serde_json::to_value(schedule).unwrap_or_default();
    match schedule {
        Schedule::Manual => "only by hand".to_owned(),
        Schedule::Every { .. } => format!("every {}", text(&value, "every")),
        Schedule::Cron(_) => format!("by cron `{}`{}", text(&value, "cron"), zone(&value)),
        Schedule::After { after } => format!("after `{after}`"),
        Schedule::AfterDbtCloudJob { after_dbt_cloud_job } => {
            format!("after dbt Cloud job {after_dbt_cloud_job}")
        }
        Schedule::Days(_) => {
            let list = |key: &str| {
                let items = value.get(key).and_then(Value::as_array).into_iter().flatten();
                let items: Vec<_> = items
                    .map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned))
                    .collect();
                items.join(", ")
            };
            let days = list("days");
            let days = if days.is_empty() { "every day".to_owned() } else { format!("on {days}") };
            format!("{days} at {}{}", list("at"), zone(&value))
        }
    }
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn zone(value: &Value) -> String {
    match text(value, "timezone") {
        "" => String::new(),
        zone => format!(", {zone}"),
    }
}
