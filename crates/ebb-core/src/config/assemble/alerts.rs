//! Channels and alert rules from their forms.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Assembly, Code, Failure,
    merge::{Merged, noun},
};
use crate::{
    config::{
        AlertRule, Channel, Entry, Kind, Settings, Trouble,
        duration::Length,
        form::{AlertRuleForm, ChannelForm},
    },
    suggest,
};

/// The keys that hold for one trouble alone.
const THRESHOLDS: [(&str, Trouble); 3] = [
    ("late_after", Trouble::Late),
    ("min_delivery_rate", Trouble::DeliveryRate),
    ("max_volume_change", Trouble::VolumeChange),
];

impl Assembly<'_> {
    pub(super) fn channels(&mut self, entries: &Merged<'_>) -> BTreeMap<String, Channel> {
        self.each("channels", entries, |_, _, form: ChannelForm| {
            let settings = Settings::from(form.settings.unwrap_or_default());
            Some(Channel { kind: form.kind, settings })
        })
    }

    pub(super) fn alert_rules(
        &mut self,
        entries: &Merged<'_>,
        mappings: &Merged<'_>,
        channels: &Merged<'_>,
    ) -> BTreeMap<String, AlertRule> {
        self.each("alert_rules", entries, |assembly, entry, form: AlertRuleForm| {
            assembly.all_defined(entry, "mappings", mappings);
            assembly.all_defined(entry, "to", channels);
            let AlertRule {
                when,
                late_after,
                min_delivery_rate,
                max_volume_change,
                enabled,
                mappings: _,
                to: _,
            } = AlertRule::default();
            let when = form.when.map_or(when, BTreeSet::from_iter);
            assembly.idle_thresholds(entry, &when);
            Some(AlertRule {
                when,
                mappings: form.mappings.map(BTreeSet::from_iter),
                late_after: form.late_after.map_or(late_after, |Length(length)| length),
                min_delivery_rate: form.min_delivery_rate.unwrap_or(min_delivery_rate),
                max_volume_change: form.max_volume_change.unwrap_or(max_volume_change),
                to: form.to.unwrap_or_default().into_iter().collect(),
                enabled: form.enabled.unwrap_or(enabled),
            })
        })
    }

    /// Reports names in a rule's list that refer to nothing.
    fn all_defined(&mut self, entry: &Entry, key: &str, targets: &Merged<'_>) {
        let Some(Kind::List(items)) = entry.value.entry(key).map(|list| &list.value.kind) else {
            return;
        };
        let what = if key == "to" { "channel" } else { noun(key) };
        for item in items {
            let Kind::Text(text) = &item.kind else { continue };
            if text.value().is_none_or(|name| targets.contains_key(name)) {
                continue;
            }
            let written = text.written();
            let message = format!(
                "the alert rule `{}` names the {what} `{written}`, which is not defined",
                entry.key
            );
            let help = suggest::allowed(written, targets.keys().copied());
            self.report(&item.place, Failure::new(Code::ConfigName, message).help(help));
        }
    }

    /// Reports thresholds of troubles that the rule does not tell: somebody believes it does.
    fn idle_thresholds(&mut self, entry: &Entry, when: &BTreeSet<Trouble>) {
        for (key, trouble) in THRESHOLDS {
            if entry.value.entry(key).is_none() || when.contains(&trouble) {
                continue;
            }
            let word = trouble.as_str();
            let message =
                format!("the alert rule `{}` has `{key}`, but does not tell `{word}`", entry.key);
            let failure = Failure::new(Code::ConfigValue, message)
                .help(format!("Add `{word}` to `when`, or remove `{key}`"));
            self.report(&entry.value.place_of(key), failure);
        }
    }
}
