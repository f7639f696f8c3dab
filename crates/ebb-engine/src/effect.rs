//! What an edit means for the records that were sent before it.

use ebb_core::{
    Subscription,
    config::{Mapping, Model},
};
use serde::Serialize;
use serde_json::{Map, Value};

use super::Work;

/// What becomes of records that were sent before a mapping or its model is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// What is sent stays the same.
    Nothing,
    /// They stay as they were sent; what changes from now on is sent as the edit has it.
    LaterRecords,
    /// They stay at the destination that had them; the other one gets what changes from now on.
    OtherDestination,
    /// The model reads otherwise: the next sync sends those that look different.
    SentAgain,
    /// Records are identified otherwise, or come from elsewhere: those from before may look gone, and all
    /// others new.
    All,
}

impl Effect {
    /// What a change of a mapping and its model means.
    pub fn of(before: (&Mapping, &Model), after: (&Mapping, &Model)) -> Self {
        let ((mapping, model), (new_mapping, new_model)) = (before, after);
        if (&model.source, &model.id) != (&new_model.source, &new_model.id) {
            Self::All
        } else if read(model) != read(new_model) {
            Self::SentAgain
        } else if mapping.destination != new_mapping.destination {
            Self::OtherDestination
        } else if sent(mapping) != sent(new_mapping) {
            Self::LaterRecords
        } else {
            Self::Nothing
        }
    }

    /// What may be done beside the edit: the records are sent again, or they are not.
    pub const fn offers(self) -> Option<Work> {
        match self {
            Self::Nothing => None,
            Self::LaterRecords | Self::OtherDestination => Some(Work::Backfill),
            Self::SentAgain | Self::All => Some(Work::Rebase),
        }
    }
}

/// What decides which rows a model gives, and with which columns.
fn read(model: &Model) -> (&str, Option<&str>) {
    (&model.query, model.timestamp.as_deref())
}

/// What decides what is sent of a row.
fn sent(mapping: &Mapping) -> (&str, Subscription, &Map<String, Value>) {
    (&mapping.action, mapping.records, &mapping.fields)
}

#[cfg(test)]
mod tests {
    use ebb_core::Schedule;
    use serde_json::json;

    use super::*;

    fn mapping() -> Mapping {
        let fields = json!({ "email": { "@path": "$.email" } }).as_object().cloned();
        Mapping {
            model: "users".to_owned(),
            destination: "crm".to_owned(),
            action: "upsert".to_owned(),
            fields: fields.unwrap_or_default(),
            enabled: true,
            ..Mapping::default()
        }
    }

    fn model() -> Model {
        Model {
            source: "shop".to_owned(),
            query: "select id, email from users".to_owned(),
            id: "id".to_owned(),
            ..Model::default()
        }
    }

    fn of_mapping(change: impl FnOnce(&mut Mapping)) -> Effect {
        let mut after = mapping();
        change(&mut after);
        Effect::of((&mapping(), &model()), (&after, &model()))
    }

    fn of_model(change: impl FnOnce(&mut Model)) -> Effect {
        let mut after = model();
        change(&mut after);
        Effect::of((&mapping(), &model()), (&mapping(), &after))
    }

    #[test]
    fn what_decides_when_or_how_fast_is_sent_changes_nothing_of_what_is_sent() {
        assert_eq!(of_mapping(|mapping| mapping.schedule = Schedule::Manual), Effect::Nothing);
        assert_eq!(of_mapping(|mapping| mapping.enable_batching = true), Effect::Nothing);
        assert_eq!(of_mapping(|mapping| mapping.guards.max_deleted = 0.9), Effect::Nothing);
        assert_eq!(of_model(|model| model.lookback = std::time::Duration::ZERO), Effect::Nothing);
    }

    #[test]
    fn fields_action_and_operations_hold_for_later_records() {
        for effect in [
            of_mapping(|mapping| mapping.fields.clear()),
            of_mapping(|mapping| "track".clone_into(&mut mapping.action)),
            of_mapping(|mapping| mapping.records = Subscription::Updated),
        ] {
            assert_eq!((effect, effect.offers()), (Effect::LaterRecords, Some(Work::Backfill)));
        }
        let elsewhere = of_mapping(|mapping| "mail".clone_into(&mut mapping.destination));
        assert_eq!(elsewhere, Effect::OtherDestination);
    }

    #[test]
    fn a_model_that_reads_otherwise_sends_again() {
        for effect in [
            of_model(|model| model.query.push_str(" where email <> ''")),
            of_model(|model| model.timestamp = Some("moved_at".to_owned())),
        ] {
            assert_eq!((effect, effect.offers()), (Effect::SentAgain, Some(Work::Rebase)));
        }
        assert_eq!(of_model(|model| "email".clone_into(&mut model.id)), Effect::All);
        assert_eq!(of_model(|model| "lake".clone_into(&mut model.source)), Effect::All);
    }
}
