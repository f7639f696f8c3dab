//! Long lists, piece by piece.

use ebb_core::{Code, Failure};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Which piece of a list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Paging {
    /// The `next_cursor` of the piece before; the beginning if absent.
    cursor: Option<String>,
    /// How many at most, 1 to 200; 50 if absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u16>,
}

impl Paging {
    pub(super) fn cursor(&self) -> Option<&str> {
        self.cursor.as_deref()
    }

    pub(super) fn limit(&self) -> Result<usize, Failure> {
        limit(self.limit)
    }
}

/// How many items of a list are wanted; `A610` for a number that is not allowed.
pub(super) fn limit(given: Option<u16>) -> Result<usize, Failure> {
    match given.unwrap_or(50) {
        limit @ 1..=200 => Ok(limit.into()),
        limit => Err(Failure::new(Code::RequestInvalid, format!("`limit` is `{limit}`"))
            .help("Give a number from 1 to 200")),
    }
}

/// A piece of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Page<T> {
    /// What was found.
    items: Vec<T>,
    /// What to send as `cursor` for the next piece; absent at the end of the list.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// The first `limit` of items, of which there is one more if the list goes on.
    pub(super) fn new(mut items: Vec<T>, limit: usize, cursor: impl FnOnce(&T) -> String) -> Self {
        let more = items.len() > limit;
        items.truncate(limit);
        let next_cursor = items.last().filter(|_| more).map(cursor);
        Self { items, next_cursor }
    }
    /// The same piece with every item told in another way.
    pub(super) fn map<U>(self, tell: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(tell).collect(), next_cursor: self.next_cursor }
    }
}
