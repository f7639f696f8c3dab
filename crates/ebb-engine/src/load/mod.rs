//! Parts to outcomes: map, batch, send, judge, journal.

mod batcher;
mod consent;
mod courier;
mod feed;
mod gate;
mod judge;
mod prepare;

pub(crate) use batcher::Batcher;
pub(crate) use courier::{Cargo, Courier};
pub(crate) use gate::Gate;
pub(crate) use judge::{SAMPLE_BYTES, cut};

use std::sync::Arc;

use ebb_core::Failure;
use tokio::{
    sync::mpsc,
    task::{JoinError, JoinSet},
};

use crate::{
    stage::Shelf,
    trace::{self, Batches},
};

/// Batches that wait between mapping and sending. When it is full, mapping waits.
const QUEUE: usize = 64;

/// Loads the parts of a shelf as they come, until there are no more or the courier stops.
///
/// `Err` is kept for the control database and damaged parts; what the destination says is in the
/// journal, or in the courier's [`Courier::halted`].
pub(crate) async fn load(courier: &Arc<Courier>, shelf: &Arc<Shelf>) -> Result<(), Failure> {
    trace::within(trace::load(), deliver(courier, shelf)).await
}

async fn deliver(courier: &Arc<Courier>, shelf: &Arc<Shelf>) -> Result<(), Failure> {
    let (sender, mut queue) = mpsc::channel::<Cargo>(QUEUE);
    let mut tasks = JoinSet::new();
    tasks.spawn(feed::feed(Arc::clone(courier), Arc::clone(shelf), sender));
    let mut batches = Batches::default();
    let mut result = Ok(());
    // After an error nothing more is sent, but what is in flight still gets its outcome.
    let mut note = |ended: Result<Result<(), Failure>, JoinError>| {
        if let Err(failure) = ended.unwrap_or_else(|error| Err(panicked(error))) {
            courier.stop.cancel();
            if result.is_ok() {
                result = Err(failure);
            }
        }
    };
    while let Some(cargo) = queue.recv().await {
        while let Some(ended) = tasks.try_join_next() {
            note(ended);
        }
        let Some(permit) = courier.admit().await else { continue };
        let Some(cargo) = courier.afford(cargo) else { continue };
        let span = batches.next(&cargo.batch);
        tasks.spawn(Arc::clone(courier).deliver(cargo, permit, span));
    }
    while let Some(ended) = tasks.join_next().await {
        note(ended);
    }
    batches.tell();
    result
}

fn panicked(error: JoinError) -> Failure {
    Failure::new(ebb_core::Code::Interrupted, "loading ended in an unexpected way").caused_by(error)
}
