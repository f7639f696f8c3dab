//! Sets of `seq` as bytes, in chunks that are small enough to write again and again.

use std::io;

use ebb_core::port::{Outcomes, Verdict};
use roaring::RoaringTreemap;

/// The verdicts in the order of their stored numbers.
pub(super) const VERDICTS: [Verdict; 3] = [Verdict::Delivered, Verdict::Failed, Verdict::Discarded];

/// A chunk has 65,536 seqs: 8 KiB at most.
const CHUNK_BITS: u32 = 16;

/// The stored number of a verdict.
pub(super) const fn number_of(verdict: Verdict) -> i64 {
    match verdict {
        Verdict::Delivered => 0,
        Verdict::Failed => 1,
        Verdict::Discarded => 2,
    }
}

/// The seqs of one verdict.
pub(super) const fn of(outcomes: &mut Outcomes, verdict: Verdict) -> &mut RoaringTreemap {
    match verdict {
        Verdict::Delivered => &mut outcomes.delivered,
        Verdict::Failed => &mut outcomes.failed,
        Verdict::Discarded => &mut outcomes.discarded,
    }
}

/// The chunk in which a seq lies.
pub(super) const fn chunk_of(seq: u64) -> u64 {
    seq >> CHUNK_BITS
}

/// The chunks in which the seqs lie.
pub(super) fn chunks(seqs: &RoaringTreemap) -> impl Iterator<Item = u64> {
    let mut rest = seqs.iter();
    std::iter::from_fn(move || {
        let chunk = chunk_of(rest.next()?);
        if let Some(following) = (chunk + 1).checked_mul(1 << CHUNK_BITS) {
            rest.advance_to(following);
        }
        Some(chunk)
    })
}

/// The seqs of one chunk.
pub(super) fn chunk(all: &RoaringTreemap, chunk: u64) -> RoaringTreemap {
    let first = chunk << CHUNK_BITS;
    let mut mask = RoaringTreemap::new();
    mask.insert_range(first..=first | ((1 << CHUNK_BITS) - 1));
    all & mask
}

/// The bytes of a set: runs where they are shorter.
pub(super) fn to_bytes(mut bits: RoaringTreemap) -> io::Result<Vec<u8>> {
    bits.optimize();
    let mut bytes = Vec::with_capacity(bits.serialized_size());
    bits.serialize_into(&mut bytes)?;
    Ok(bytes)
}

/// Adds the seqs of stored bytes.
pub(super) fn add_bytes(outcomes: &mut Outcomes, number: i64, bytes: &[u8]) -> io::Result<()> {
    let verdict = VERDICTS
        .into_iter()
        .find(|verdict| number_of(*verdict) == number)
        .ok_or_else(|| io::Error::other(format!("verdict {number}")))?;
    *of(outcomes, verdict) |= RoaringTreemap::deserialize_from(bytes)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thirty_million_outcomes_in_order_take_little_room() {
        let mut all = RoaringTreemap::new();
        all.insert_range(0..30_000_000);
        let bytes: usize =
            chunks(&all).map(|number| to_bytes(chunk(&all, number)).unwrap().len()).sum();
        assert!(bytes < 32 * 1024, "{bytes}");
    }

    #[test]
    fn chunks_hold_every_seq_once_up_to_the_last() {
        let mut all: RoaringTreemap = [0, 65_535, 65_536, 1 << 40].into_iter().collect();
        all.insert(u64::from(u32::MAX));
        let mut back = Outcomes::default();
        for number in chunks(&all) {
            add_bytes(&mut back, 0, &to_bytes(chunk(&all, number)).unwrap()).unwrap();
        }
        assert_eq!(back.delivered, all);
    }
}
