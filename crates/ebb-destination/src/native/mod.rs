//! Planners in Rust for what a template cannot say. Still pure: no clock, no network.

mod braze;
mod braze_ecommerce;
mod mixpanel;
mod segment_subscription;

use std::fmt;

use ebb_core::{
    Failure, Value,
    port::{Batch, Exchange, Step},
};

use crate::{planner::Plan, template::Run};

/// What a planner knows beside the payload.
#[derive(Debug)]
pub(crate) struct Context<'c> {
    /// How the mapping writes records.
    pub(crate) sync_mode: Option<&'c str>,
    /// Whether records are sent together.
    pub(crate) batched: bool,
    /// Time and chance.
    pub(crate) run: &'c Run<'c>,
}

/// A planner of one action.
pub(crate) trait Native: fmt::Debug + Send + Sync {
    /// What a record becomes; `made` is what the manifest's `item` makes of it.
    fn item<'v>(
        &'v self,
        made: Option<Value<'v>>,
        payload: &'v Value<'v>,
        context: &Context<'v>,
    ) -> Result<Option<Value<'v>>, Failure>;

    /// The most elements of one request, for planners that make a list of each record.
    fn most_elements(&self) -> Option<usize> {
        None
    }

    /// The next step of a batch.
    fn next(&self, plan: &Plan, batch: &Batch, exchanges: &[Exchange]) -> Result<Step, Failure> {
        plan.plain_next(batch, exchanges)
    }
}

/// Makes a planner.
type Make = fn() -> Box<dyn Native>;

/// Every planner by name.
const PLANNERS: &[(&str, Make)] = &[
    ("braze_catalog", || Box::new(braze::Catalog)),
    ("braze_ecommerce", || Box::new(braze_ecommerce::Ecommerce)),
    ("braze_purchase", || Box::new(braze::Purchase)),
    ("braze_trigger", || Box::new(braze::Trigger)),
    ("mixpanel_identify", || Box::new(mixpanel::Identify)),
    ("mixpanel_increment", || Box::new(mixpanel::Increment)),
    ("mixpanel_purchase", || Box::new(mixpanel::Purchase)),
    ("segment_subscription", || Box::new(segment_subscription::SegmentSubscription)),
];

/// The planner of a name.
pub(crate) fn named(name: &str) -> Option<Box<dyn Native>> {
    PLANNERS.iter().find(|(known, _)| *known == name).map(|(_, make)| make())
}

/// The names of all planners.
pub(crate) fn names() -> impl Iterator<Item = &'static str> + Clone {
    PLANNERS.iter().map(|(name, _)| *name)
}
