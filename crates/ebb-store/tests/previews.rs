//! Previews are kept for a while.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, StringArray};
use jiff::{SignedDuration, Timestamp};

use crate::home::{Home, on_both_engines};

fn rows(text: &str) -> RecordBatch {
    let column: ArrayRef = Arc::new(StringArray::from(vec![Some(text), None]));
    RecordBatch::try_from_iter([("name", column)]).unwrap()
}

async fn a_preview_is_found_again_until_it_is_too_old(home: Home) {
    let store = home.open();
    let now: Timestamp = "2026-01-01T12:00:00Z".parse().unwrap();
    let ago = |minutes| now - SignedDuration::from_mins(minutes);
    store.keep_preview("a", ago(9), &rows("Ada"), ago(20)).await.unwrap();
    let (read_at, found) = store.preview("a", ago(10)).await.unwrap().unwrap();
    assert_eq!((read_at, found), (ago(9), rows("Ada")));
    assert!(store.preview("a", ago(8)).await.unwrap().is_none(), "too old");
    assert!(store.preview("b", ago(10)).await.unwrap().is_none(), "another query");
    store.keep_preview("a", now, &rows("Bo"), ago(10)).await.unwrap();
    assert_eq!(store.preview("a", ago(10)).await.unwrap().unwrap(), (now, rows("Bo")));
    store.keep_preview("b", now, &rows("Cy"), now).await.unwrap();
    store
        .keep_preview("c", now, &rows("Di").slice(0, 0), now + SignedDuration::from_secs(1))
        .await
        .unwrap();
    assert!(store.preview("b", ago(10)).await.unwrap().is_none(), "forgotten");
    assert_eq!(store.preview("c", ago(10)).await.unwrap().unwrap().1.num_rows(), 0);
}

on_both_engines! {
    a_preview_is_found_again_until_it_is_too_old,
}
