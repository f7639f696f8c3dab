//! What requests bring along.

use ebb_core::{Code, Failure};

/// No request is larger, in bytes.
pub(crate) const LARGEST: usize = 2 * 1024 * 1024;

/// `A618`: there was more than `limit` bytes.
pub(crate) fn too_large(limit: usize) -> Failure {
    Failure::new(Code::RequestTooLarge, format!("the request has more than {} KiB", limit / 1024))
}
