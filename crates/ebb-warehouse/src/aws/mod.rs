//! Amazon Web Services, as far as a warehouse there needs them: keys found where Amazon's own tools
//! find them, signed requests, and what refusals mean.

mod client;
mod keys;
mod refused;
mod s3;
mod settings;
mod surroundings;

pub(crate) use client::{Ask, Aws};
pub(crate) use s3::Bucket;
pub(crate) use settings::AwsSettings;
