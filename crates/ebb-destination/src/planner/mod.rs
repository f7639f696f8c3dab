//! From records to requests to outcomes, without I/O.
//!
//! A [`Plan`] is an action compiled for one configured destination and one mapping. What a
//! template cannot say, a [`crate::native::Native`] adds; the rest is the same for all.

mod action;
mod body;
mod compile;
mod head;
mod judge;
mod plan;
mod rule;
mod sign;

pub(crate) use action::PlannedAction;
pub(crate) use body::Body;
pub(crate) use compile::{Compiler, credentials, mapping_is_constant, setting_names};
pub(crate) use head::{Head, header};
pub(crate) use judge::{Judge, Judged};
pub(crate) use plan::{Plan, Prepared};
pub(crate) use rule::CompiledRule;
pub(crate) use sign::Signer;
