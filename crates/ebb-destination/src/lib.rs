//! Destinations: manifests, the requests they plan, and the way those are sent.
//!
//! A destination is data: `destinations/<kind>/manifest.toml` says what it needs and what it can
//! do. A [`Connector`] is a destination that somebody configured; its actions plan requests without
//! touching the network, and its transport sends them. `docs/adding-a-destination.md` shows how to
//! write one.

mod browser;
mod catalog;
mod connector;
mod describe;
mod http;
mod manifest;
mod moment;
mod native;
mod payload;
mod planner;
mod render;
mod settings;
mod suggestion;
mod template;

pub use catalog::{Catalog, Definition};
pub use connector::{Connector, check_mapping, lacking, payload, references};
pub use describe::{ActionDescription, Description, FieldDescription, Need};
pub use ebb_mapping::References;
pub use http::{Network, Outlet, Reach, no_answer, transport};
pub use manifest::{
    ActionManifest, Category, Class, Delivery, Encoding, Indexed, Limits, Manifest, Rows, Rule,
    Setting, SettingKind, SyncModes,
};
pub use render::render_line;
pub use settings::check_settings;
pub use suggestion::{Likeness, Suggestion, value_of_column};
