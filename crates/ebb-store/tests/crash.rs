//! What is acknowledged survives `kill -9`.

use ebb_core::port::{Status, Store};

use crate::{
    children,
    given::{delivered, id, sync},
    home::{Home, on_both_engines},
};

#[tokio::test]
#[ignore = "a child of another test"]
async fn journals_until_it_is_killed() {
    let database = children::open();
    database.save(&sync(1, Status::Loading)).await.unwrap();
    for seq in 0.. {
        database.record(id(1), 0, vec![delivered(seq)]).await.unwrap();
        println!("acknowledged {seq}");
    }
}

async fn acknowledged_outcomes_survive_kill_9_and_nothing_is_invented(home: Home) {
    let mut last = 0;
    // Each child passes over what the ones before journaled.
    for wanted in [3, 700, 1500] {
        let mut child = children::start_at(&home, "crash::journals_until_it_is_killed");
        while last < wanted {
            last = child.wait_for("acknowledged ").parse().unwrap();
        }
        child.kill();
        let late = child.lines.map_while(Result::ok).filter_map(|line| {
            line.strip_prefix("acknowledged ").and_then(|seq| seq.parse::<u64>().ok())
        });
        last = late.max().unwrap_or(last).max(last);

        let database = home.open();
        let outcomes = database.outcomes(id(1)).await.unwrap().delivered;
        let count = outcomes.len();
        assert!(outcomes.contains_range(0..=last), "acknowledged up to {last}, has {count}");
        assert_eq!(outcomes.max(), Some(count - 1), "no gaps");
        let counted = database.sync(id(1)).await.unwrap().counts.delivered.added;
        assert_eq!(counted, count);
        last = 0;
    }
}

on_both_engines! {
    acknowledged_outcomes_survive_kill_9_and_nothing_is_invented,
}
