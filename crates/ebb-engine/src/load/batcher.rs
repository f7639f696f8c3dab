//! Items to batches, within an action's limits.

use std::collections::HashMap;

use bytes::Bytes;
use ebb_core::port::{Batch, Batching, Item};

/// So many groups may be open at once; more than that and the oldest batches go out unfilled.
const OPEN_GROUPS: usize = 256;

/// Gathers items into batches: no item is lost, order within a group is kept, and no batch passes
/// the limits (an item that passes them alone still goes out, alone).
pub(crate) struct Batcher {
    limits: Batching,
    /// The group of the last item: most items follow one of their own group.
    group: Bytes,
    current: Open,
    others: HashMap<Bytes, Open>,
}

#[derive(Default)]
struct Open {
    items: Vec<Item>,
    bytes: usize,
}

impl Batcher {
    /// A batcher of an action's limits.
    pub(crate) fn new(limits: Batching) -> Self {
        Self { limits, group: Bytes::new(), current: Open::default(), others: HashMap::new() }
    }

    /// Adds an item; gives the batches that it completes.
    pub(crate) fn add(&mut self, item: Item, ready: &mut Vec<Batch>) {
        let Batching { max_items, max_bytes } = self.limits;
        let size = item.bytes.len() + 1;
        if max_items <= 1 {
            ready.push(Batch { items: vec![item] });
            return;
        }
        if item.group != self.group {
            if self.others.len() >= OPEN_GROUPS && !self.others.contains_key(&item.group) {
                ready.extend(self.flush());
            }
            let next = self.others.remove(&item.group).unwrap_or_default();
            let group = std::mem::replace(&mut self.group, item.group.clone());
            let last = std::mem::replace(&mut self.current, next);
            if !last.items.is_empty() {
                self.others.insert(group, last);
            }
        }
        let open = &mut self.current;
        if !open.items.is_empty() && open.bytes + size > max_bytes {
            ready.push(open.take());
        }
        if open.items.is_empty() {
            open.items.reserve(max_items.min(1024));
        }
        open.items.push(item);
        open.bytes += size;
        if open.items.len() >= max_items {
            ready.push(open.take());
        }
    }

    /// What is gathered so far, in the order of the first items.
    pub(crate) fn flush(&mut self) -> Vec<Batch> {
        let open = self.others.drain().map(|(_, open)| open);
        let mut batches: Vec<_> = open
            .chain([std::mem::take(&mut self.current)])
            .filter(|open| !open.items.is_empty())
            .map(|open| Batch { items: open.items })
            .collect();
        batches.sort_unstable_by_key(|batch| batch.items.first().map(|item| item.seq));
        batches
    }
}

impl Open {
    fn take(&mut self) -> Batch {
        self.bytes = 0;
        Batch { items: std::mem::take(&mut self.items) }
    }
}

#[cfg(test)]
mod tests {
    use ebb_core::Operation;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn nothing_is_lost_order_is_kept_and_limits_hold(
            items in prop::collection::vec((0_u8..4, 0_usize..40), 0..200),
            max_items in 1_usize..10,
            max_bytes in 10_usize..100,
        ) {
            let mut batcher = Batcher::new(Batching { max_items, max_bytes });
            let mut batches = Vec::new();
            for (seq, (group, size)) in items.iter().enumerate() {
                let group = Bytes::from(vec![*group]);
                let bytes = Bytes::from(vec![0; *size]);
                let operation = Operation::Added;
                batcher.add(Item { seq: seq as u64, operation, group, bytes }, &mut batches);
            }
            batches.extend(batcher.flush());
            let mut seen: Vec<_> = batches.iter().flat_map(|b| &b.items).map(|i| i.seq).collect();
            seen.sort_unstable();
            prop_assert_eq!(seen, (0..items.len() as u64).collect::<Vec<_>>());
            for batch in &batches {
                prop_assert!(!batch.items.is_empty() && batch.items.len() <= max_items);
                let bytes: usize = batch.items.iter().map(|item| item.bytes.len() + 1).sum();
                prop_assert!(bytes <= max_bytes || batch.items.len() == 1);
                prop_assert!(batch.items.windows(2).all(|pair| pair[0].seq < pair[1].seq));
                prop_assert!(batch.items.windows(2).all(|pair| pair[0].group == pair[1].group));
            }
        }
    }
}
