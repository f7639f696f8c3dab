//! What every record must pass before an action sees it: consent, then the limits.

use std::sync::Arc;

use ebb_core::{
    Code, Failure, Limits, Record,
    port::{Action, Batch, Batching, Exchange, Item, ItemBuffer, Step},
};

use super::consent::Consent;
use crate::Job;

/// An action that gets no record without consent, and none that is too large.
struct Checked {
    action: Arc<dyn Action>,
    consent: Consent,
    limits: Limits,
}

impl Job {
    /// The plan's action for its columns, behind what every record must pass. Fails if the fields do not
    /// compile, or the model has no column that tells of a consent.
    pub fn action(&self, limits: &Limits) -> Result<Arc<dyn Action>, Failure> {
        let action = self.delivery.compile(&self.plan)?;
        let consent = Consent::new(&self.demands, &self.plan.mapping.model, &self.plan.columns)?;
        Ok(Arc::new(Checked { action, consent, limits: limits.clone() }))
    }
}

impl Action for Checked {
    fn batching(&self) -> Batching {
        self.action.batching()
    }

    fn prepare(&self, record: &Record<'_>, buffer: &mut ItemBuffer) -> Result<Item, Failure> {
        self.consent.check(record)?;
        // Escaping makes at most six bytes of one: what is small beyond doubt is not measured.
        let widest = record.text_bytes().saturating_mul(6);
        if widest > self.limits.column_bytes.min(self.limits.record_bytes / 2) {
            measure(record, &self.limits)?;
        }
        self.action.prepare(record, buffer)
    }

    fn next(&self, batch: &Batch, exchanges: &[Exchange]) -> Result<Step, Failure> {
        self.action.next(batch, exchanges)
    }
}

fn measure(record: &Record<'_>, limits: &Limits) -> Result<(), Failure> {
    let mut json = Vec::new();
    for (place, column) in record.columns().iter().enumerate() {
        json.clear();
        record.value(place).write_json(&mut json);
        if json.len() > limits.column_bytes {
            let message = format!(
                "column `{}` has {} bytes as JSON, more than the {} that are allowed",
                column.name,
                json.len(),
                limits.column_bytes,
            );
            return Err(Failure::new(Code::ColumnTooLarge, message));
        }
    }
    json.clear();
    record.properties().write_json(&mut json);
    if json.len() > limits.record_bytes {
        let message = format!(
            "the record has {} bytes as JSON, more than the {} that are allowed",
            json.len(),
            limits.record_bytes,
        );
        return Err(Failure::new(Code::RecordTooLarge, message));
    }
    Ok(())
}
