//! Which conditions hold for which mapping.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use ebb_core::config::{AlertRule, Trouble};

/// A trouble with its measure. Rules that say the same of a mapping share one, and so one alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Condition {
    pub(crate) trouble: Trouble,
    /// Seconds, or millionths; 0 where the trouble has no measure.
    pub(crate) threshold: i64,
}

/// The conditions of a mapping, each with the channels that are told.
pub(crate) type Watched = BTreeMap<Condition, BTreeSet<String>>;

impl Condition {
    /// What a rule says of a trouble.
    fn of(rule: &AlertRule, trouble: Trouble) -> Self {
        let threshold = match trouble {
            Trouble::Failed | Trouble::Partial | Trouble::Held => 0,
            Trouble::Late => i64::try_from(rule.late_after.as_secs()).unwrap_or(i64::MAX),
            Trouble::DeliveryRate => millionths(rule.min_delivery_rate),
            Trouble::VolumeChange => millionths(rule.max_volume_change),
        };
        Self { trouble, threshold }
    }

    /// The measure as a length of time.
    pub(crate) fn length(self) -> Duration {
        Duration::from_secs(u64::try_from(self.threshold).unwrap_or_default())
    }

    /// The measure in millionths.
    pub(crate) fn millionths(self) -> u64 {
        u64::try_from(self.threshold).unwrap_or_default()
    }
}

#[expect(clippy::cast_possible_truncation, reason = "shares are from 0 to 1000")]
fn millionths(share: f64) -> i64 {
    (share * 1e6).round() as i64
}

/// The rules that hold: those of the configuration, and the standard one unless they replace it.
pub(crate) fn rules(
    configured: &BTreeMap<String, AlertRule>,
) -> impl Iterator<Item = (&str, Cow<'_, AlertRule>)> {
    let replaced = configured.contains_key(AlertRule::STANDARD);
    let standard = (!replaced).then(|| (AlertRule::STANDARD, Cow::Owned(AlertRule::default())));
    let own = configured.iter().map(|(name, rule)| (name.as_str(), Cow::Borrowed(rule)));
    standard.into_iter().chain(own)
}

/// What is watched of a mapping that is switched on.
pub(crate) fn watched(configured: &BTreeMap<String, AlertRule>, mapping: &str) -> Watched {
    let mut watched = Watched::new();
    for (_, rule) in rules(configured).filter(|(_, rule)| rule.covers(mapping)) {
        for trouble in &rule.when {
            let channels = watched.entry(Condition::of(&rule, *trouble)).or_default();
            channels.extend(rule.to.iter().cloned());
        }
    }
    watched
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(when: Trouble, to: &str) -> AlertRule {
        AlertRule { when: [when].into(), to: [to.to_owned()].into(), ..AlertRule::default() }
    }

    fn told(configured: &BTreeMap<String, AlertRule>, mapping: &str) -> String {
        let watched = watched(configured, mapping);
        let told = watched.iter().map(|(condition, channels)| {
            let channels: Vec<_> = channels.iter().map(String::as_str).collect();
            let Condition { trouble, threshold } = condition;
            format!("{} {threshold} [{}]", trouble.as_str(), channels.join(" "))
        });
        told.collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn the_standard_rule_holds_until_it_is_replaced() {
        let mut configured = BTreeMap::new();
        let standard = "failed 0 [], held 0 [], late 1800 [], delivery_rate 900000 []";
        assert_eq!(told(&configured, "a"), standard);
        configured.insert("mine".to_owned(), rule(Trouble::Partial, "mail"));
        assert_eq!(
            told(&configured, "a"),
            "failed 0 [], partial 0 [mail], held 0 [], late 1800 [], delivery_rate 900000 []"
        );
        let off = AlertRule { enabled: false, ..AlertRule::default() };
        configured.insert(AlertRule::STANDARD.to_owned(), off);
        assert_eq!(told(&configured, "a"), "partial 0 [mail]");
    }

    #[test]
    fn rules_that_say_the_same_are_one_alert_to_the_channels_of_both() {
        let some =
            AlertRule { mappings: Some(["a".to_owned()].into()), ..rule(Trouble::Failed, "slack") };
        let rate =
            |min, to| AlertRule { min_delivery_rate: min, ..rule(Trouble::DeliveryRate, to) };
        let configured = BTreeMap::from([
            (AlertRule::STANDARD.to_owned(), rule(Trouble::Failed, "mail")),
            ("some".to_owned(), some),
            ("rate".to_owned(), rate(0.95, "slack")),
            ("low".to_owned(), rate(0.5, "mail")),
        ]);
        let rates = "delivery_rate 500000 [mail], delivery_rate 950000 [slack]";
        assert_eq!(told(&configured, "a"), format!("failed 0 [mail slack], {rates}"));
        assert_eq!(told(&configured, "b"), format!("failed 0 [mail], {rates}"));
    }
}
