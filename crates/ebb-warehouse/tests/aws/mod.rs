//! Amazon Web Services, as far as Ebb asks them: a server that refuses what is not signed rightly.
//!
//! Signatures are computed here anew, from Amazon's description of version 4. What this cannot show:
//! whether the services take each request, and in which words they refuse.

mod double;
mod s3;
mod signature;

pub(crate) use double::{Answer, Aws};
