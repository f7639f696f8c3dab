//! What is wrong with schedules beyond their shape.

use std::collections::BTreeMap;

use super::{
    Assembly, Code, Failure,
    merge::{Merged, noun},
};
use crate::{
    Schedule,
    config::{Entry, Mapping, Place},
    suggest,
};

impl Assembly<'_> {
    /// Reports what is wrong with the schedule that a mapping or a model gives.
    pub(super) fn schedule(
        &mut self,
        section: &str,
        entry: &Entry,
        schedule: &Schedule,
        mappings: &Merged<'_>,
    ) {
        let user = format!("the {} `{}`", noun(section), entry.key);
        match schedule {
            Schedule::Every { every } => self.interval(entry, schedule, &every.to_string()),
            Schedule::Cron(moments) => self.interval(entry, schedule, &moments.cron.to_string()),
            Schedule::After { after } if !mappings.contains_key(after.as_str()) => {
                let message =
                    format!("{user} comes after the mapping `{after}`, which is not defined");
                let others = mappings.keys().copied().filter(|other| *other != entry.key);
                let failure =
                    Failure::new(Code::ConfigName, message).help(suggest::allowed(after, others));
                self.report(&in_schedule(entry, "after"), failure);
            }
            Schedule::AfterDbtCloudJob { after_dbt_cloud_job: job } if self.dbt_cloud.is_none() => {
                let message = format!(
                    "{user} comes after the dbt Cloud job `{job}`, and `dbt_cloud` is not set"
                );
                let failure = Failure::new(Code::ConfigValue, message).help(
                    "Make a webhook in dbt Cloud, and set `dbt_cloud.webhook_secret` in the project's files",
                );
                self.report(&in_schedule(entry, "after_dbt_cloud_job"), failure);
            }
            Schedule::Manual
            | Schedule::Days(_)
            | Schedule::After { .. }
            | Schedule::AfterDbtCloudJob { .. } => {}
        }
    }

    /// Reports moments that are too close to each other.
    fn interval(&mut self, entry: &Entry, schedule: &Schedule, written: &str) {
        let least = self.limits.schedule_interval;
        if schedule.shortest().is_some_and(|shortest| shortest < least) {
            let message = format!(
                "`{written}` is shorter than the limit of {} minutes between two syncs",
                least.as_secs().div_ceil(60)
            );
            let failure = Failure::new(Code::ConfigLimit, message)
                .help("Choose a longer one, or lower `limits.schedule_interval`");
            let key = if matches!(schedule, Schedule::Cron(_)) { "cron" } else { "every" };
            self.report(&in_schedule(entry, key), failure);
        }
    }

    /// Reports a mapping that follows itself, over others or not, whether it says so or its model does.
    pub(super) fn circles(&mut self, mappings: &BTreeMap<String, Mapping>, entries: &Merged<'_>) {
        for (name, mapping) in mappings {
            let Some(entry) = entries.get(name.as_str()) else { continue };
            let leader = |of: &&str| mappings.get(*of)?.schedule.after();
            let chain = std::iter::successors(mapping.schedule.after(), leader);
            if chain.take(mappings.len()).any(|before| before == name) {
                let message = format!("the mapping `{name}` comes after itself");
                let failure = Failure::new(Code::ConfigValue, message)
                    .help("Give one of the mappings a time of its own");
                self.report(&in_schedule(entry, "after"), failure);
            }
        }
    }
}

/// The place of a schedule's key.
fn in_schedule(entry: &Entry, key: &str) -> Place {
    entry.value.entry("schedule").map_or_else(
        || entry.place.clone(),
        |schedule| {
            let there = schedule.value.entry(key).is_some();
            if there { schedule.value.place_of(key) } else { schedule.place.clone() }
        },
    )
}
