//! What went wrong is told without anybody looking: once when it begins, once when it is over.
//!
//! [`condition`] and [`judge`] decide, from what is known of a mapping; [`watch`] gathers that whenever
//! a sync ends and twice a minute; [`courier`] sends what the control database keeps for each channel.

mod channel;
mod condition;
mod courier;
mod judge;
mod letter;
mod turn;
mod volume;
mod watch;

pub use channel::check_channel;
pub(crate) use channel::{ChannelSetting, Takes, secrets, settings, settings_of};
pub(crate) use condition::rules;
pub(crate) use letter::words;
pub(crate) use watch::Alerts;
