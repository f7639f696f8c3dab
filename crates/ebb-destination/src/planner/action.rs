//! The engine's port: mapping and schema in front of a plan.

use ebb_core::{
    Code, Failure, Record, Value,
    port::{Action, Batch, Batching, Exchange, Item, ItemBuffer, Step},
};
use ebb_mapping::{Input, Mapping};

use super::{Plan, Prepared};
use crate::{payload::Payloads, template::Run};

/// An action as the engine sees it.
pub(crate) struct PlannedAction {
    pub(crate) mapping: Mapping,
    pub(crate) payloads: Payloads,
    pub(crate) plan: Plan,
}

impl PlannedAction {
    /// The validated payload of an event or a row, without what all rows share.
    pub(crate) fn payload<'a>(&'a self, input: Input<'a>) -> Result<Value<'a>, Failure> {
        let mapped = self
            .mapping
            .apply(input)
            .map_err(|error| Failure::new(Code::MappingFailed, error.to_string()))?;
        self.payloads.validate(mapped, self.plan.batched)
    }
}

impl Action for PlannedAction {
    fn batching(&self) -> Batching {
        self.plan.batching
    }

    fn prepare(&self, record: &Record<'_>, buffer: &mut ItemBuffer) -> Result<Item, Failure> {
        let payload = self.payload(Input::Record(*record))?;
        let whole = self.payloads.whole(&payload);
        let Prepared { group, bytes } = self.plan.prepare(whole, &Run::of(*record), buffer)?;
        Ok(Item { seq: record.seq(), operation: record.operation(), group, bytes })
    }

    fn next(&self, batch: &Batch, exchanges: &[Exchange]) -> Result<Step, Failure> {
        self.plan.next(batch, exchanges)
    }
}
