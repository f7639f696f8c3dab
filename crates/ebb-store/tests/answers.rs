//! Requests that are meant once.

use ebb_core::Code;
use ebb_store::Once;
use jiff::Timestamp;
use serde_json::json;

use crate::home::{Home, on_both_engines};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

async fn a_request_is_answered_once_until_its_answer_is_old_or_taken_back(home: Home) {
    let database = home.open();
    let once = Once { key: "k".to_owned(), request: "sync all".to_owned() };
    let ask = |answer: i32, now, oldest| {
        let (database, once) = (&database, &once);
        async move { database.answer_once(once, &json!(answer), at(now), at(oldest)).await.unwrap() }
    };
    assert_eq!(ask(1, 0, -100).await, None);
    assert_eq!(ask(2, 50, -50).await, Some(json!(1)));
    assert_eq!(ask(3, 101, 1).await, None, "the first is forgotten");
    database.forget_answer(&once).await.unwrap();
    assert_eq!(ask(4, 102, 2).await, None, "nothing was done");
    let other = Once { request: "rebase all".to_owned(), ..once.clone() };
    let refused = database.answer_once(&other, &json!(5), at(103), at(3)).await;
    assert_eq!(refused.unwrap_err().code, Code::RequestInvalid);
    drop(database);
    let database = home.open();
    let kept = database.answer_once(&once, &json!(6), at(104), at(4)).await.unwrap();
    assert_eq!(kept, Some(json!(4)), "a restart changes nothing");
    database.keep_answer(&once, &json!("all of it")).await.unwrap();
    let kept = database.answer_once(&once, &json!(7), at(105), at(5)).await.unwrap();
    assert_eq!(kept, Some(json!("all of it")), "what is known now");
}

on_both_engines! {
    a_request_is_answered_once_until_its_answer_is_old_or_taken_back,
}
