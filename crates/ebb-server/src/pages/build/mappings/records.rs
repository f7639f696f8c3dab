//! The records that a test may take: the model's first, or what somebody searched for.

use ebb_core::{Code, Failure, Record, port::Wanted};
use ebb_workspace::{Freshness, Preview};

use crate::{app::App, pages::build::field::Choice};

/// Something of a record is told up to here, beside its identifier.
const WIDEST: usize = 40;

/// The records to choose from.
#[derive(Default)]
pub(super) struct Records {
    /// Identifiers, with another value that people may know each record by.
    pub(super) choices: Vec<Choice>,
    /// The text that was searched for; empty for the first records.
    pub(super) search: String,
    /// Why there are none.
    pub(super) failure: Option<Failure>,
}

impl Records {
    /// The first records of a model, with the one that is chosen.
    pub(super) fn first(preview: &Preview, chosen: &str) -> Self {
        let mut choices = choices(preview, chosen);
        // One that was searched for stays chosen.
        if !chosen.is_empty() && choices.iter().all(|choice| !choice.chosen) {
            choices.insert(0, Choice::new(chosen, chosen, chosen));
        }
        Self { choices, ..Self::default() }
    }

    /// The records of a model that have a text in them.
    pub(super) async fn found(app: &App, model: &str, text: &str, chosen: &str) -> Self {
        let search = text.to_owned();
        match app.preview_model(model, Wanted::Containing(text), Freshness::Kept).await {
            Ok(preview) if preview.records.is_empty() => {
                let message = format!("no record has “{text}” in its identifier or a text of it");
                let failure = Failure::new(Code::RecordNotFound, message);
                Self { choices: Vec::new(), search, failure: Some(failure) }
            }
            Ok(preview) => Self { choices: choices(&preview, chosen), search, failure: None },
            Err(failure) => Self { choices: Vec::new(), search, failure: Some(failure) },
        }
    }
}

fn choices(preview: &Preview, chosen: &str) -> Vec<Choice> {
    let set = &preview.records;
    let choice = |record: Record<'_>| {
        let id = record.record_id();
        let mut values = (0..set.columns().len()).map(|place| record.value(place));
        let told =
            values.find_map(|value| value.as_str().filter(|it| *it != id).map(str::to_owned));
        let told: String = told.unwrap_or_default().chars().take(WIDEST).collect();
        let label = if told.is_empty() { id.to_owned() } else { format!("{id} · {told}") };
        Choice::new(id, &label, chosen)
    };
    set.iter().filter(|record| !record.record_id().is_empty()).map(choice).collect()
}
