//! Parts to batches: reads, maps and gathers, ahead of sending by a bounded queue.

use std::sync::Arc;

use ebb_core::{
    Code, Failure, PartNumber, Record, RecordSet, Remedy,
    port::{ItemBuffer, JournalEntry, Sample, Verdict},
};
use tokio::sync::mpsc;

use super::{
    Batcher,
    courier::{Cargo, Courier, LoadedPart},
    judge::{SAMPLE_BYTES, cut},
};
use crate::stage::Shelf;

/// Records mapped between two chances for other tasks.
const CHUNK: usize = 128;

/// Feeds the batches of all parts into the queue. Ends early, without an error, when the courier
/// stops or nobody listens any more.
pub(super) async fn feed(
    courier: Arc<Courier>,
    shelf: Arc<Shelf>,
    queue: mpsc::Sender<Cargo>,
) -> Result<(), Failure> {
    let mut buffer = ItemBuffer::default();
    for number in 0.. {
        let part = tokio::select! {
            part = shelf.part(number) => part,
            () = courier.stop.cancelled() => None,
        };
        let Some((part, held)) = part else { return Ok(()) };
        let batches = match held {
            Some(batches) => batches,
            None => courier.parts.get(courier.parts_of, &part).await?,
        };
        let sets = batches.iter().map(|batch| {
            RecordSet::new(batch, Arc::clone(&courier.mapping), Arc::clone(&courier.synced_at))
        });
        let part = LoadedPart { number: part.number, sets: sets.collect::<Result<_, _>>()? };
        if !feed_part(&courier, Arc::new(part), &queue, &mut buffer).await? {
            return Ok(());
        }
    }
    Ok(())
}

async fn feed_part(
    courier: &Arc<Courier>,
    part: Arc<LoadedPart>,
    queue: &mpsc::Sender<Cargo>,
    buffer: &mut ItemBuffer,
) -> Result<bool, Failure> {
    let mut batcher = Batcher::new(courier.action.batching());
    let mut ready = Vec::new();
    for set in &part.sets {
        let mut row = 0;
        while row < set.len() {
            if courier.stop.is_cancelled() {
                return Ok(false);
            }
            let mut rejected = Vec::new();
            for record in (row..set.len().min(row + CHUNK)).filter_map(|row| set.get(row)) {
                if courier.done.contains(record.seq()) {
                    continue;
                }
                match courier.action.prepare(&record, buffer) {
                    Ok(item) => batcher.add(item, &mut ready),
                    Err(failure) if failure.remedy() == Remedy::RejectRow => {
                        rejected.push(rejection(courier, record, failure));
                    }
                    Err(failure) => {
                        courier.halt(failure);
                        return Ok(false);
                    }
                }
            }
            row += CHUNK;
            journal(courier, part.number, rejected).await?;
            if !send(&part, ready.drain(..), queue).await {
                return Ok(false);
            }
            tokio::task::yield_now().await;
        }
    }
    Ok(send(&part, batcher.flush().into_iter(), queue).await)
}

async fn send(
    part: &Arc<LoadedPart>,
    batches: impl Iterator<Item = ebb_core::port::Batch>,
    queue: &mpsc::Sender<Cargo>,
) -> bool {
    for batch in batches {
        if queue.send(Cargo { part: Arc::clone(part), batch }).await.is_err() {
            return false;
        }
    }
    true
}

async fn journal(
    courier: &Courier,
    part: PartNumber,
    entries: Vec<JournalEntry>,
) -> Result<(), Failure> {
    if entries.is_empty() {
        return Ok(());
    }
    courier.record(part, entries).await
}

fn rejection(courier: &Courier, record: Record<'_>, failure: Failure) -> JournalEntry {
    // Who does not consent is named, and no more of them kept.
    let payload = if failure.code == Code::ConsentMissing {
        String::new()
    } else {
        cut(courier.redactor.redact(&record.properties().to_json()), SAMPLE_BYTES)
    };
    let record_id = record.record_id().to_owned();
    let sample = Sample { record_id, request: None, payload, reply: None };
    let failure = failure.map_message(|message| courier.redactor.redact(&message));
    JournalEntry {
        seq: record.seq(),
        operation: record.operation(),
        verdict: Verdict::Discarded,
        failure: Some(Box::new((failure, sample))),
    }
}
