//! From what a destination said of some items to journal entries.

use ebb_core::{
    Code, Failure, Redactor, Remedy,
    port::{Attempts, Exchange, Item, JournalEntry, Request, RequestHead, Sample, Verdict},
};
use jiff::Timestamp;

use super::courier::LoadedPart;

/// A sample's payload and answer are cut here.
pub(crate) const SAMPLE_BYTES: usize = 8 * 1024;

/// The text up to a bound, at a character's border. Secrets must be taken out before: half of one is
/// not found any more.
pub(crate) fn cut(mut text: String, bytes: usize) -> String {
    if text.len() > bytes {
        let border = (0..=bytes).rev().find(|place| text.is_char_boundary(*place)).unwrap_or(0);
        text.truncate(border);
        text.push('…');
    }
    text
}

/// Makes journal entries of one batch's items.
pub(super) struct Judge<'a> {
    pub(super) part: &'a LoadedPart,
    pub(super) redactor: &'a Redactor,
    pub(super) exchanges: &'a [Exchange],
    /// The request behind those that got no answer.
    pub(super) unanswered: Option<&'a Request>,
}

impl Judge<'_> {
    /// The destination took the item.
    pub(super) const fn delivered(item: &Item) -> JournalEntry {
        JournalEntry {
            seq: item.seq,
            operation: item.operation,
            verdict: Verdict::Delivered,
            failure: None,
        }
    }

    /// The destination did not take the item: discarded if it never will, failed otherwise.
    pub(super) fn refused(&self, item: &Item, failure: Failure) -> Option<JournalEntry> {
        let record = self.part.record(item.seq)?;
        let verdict = match failure.remedy() {
            Remedy::RejectRow => Verdict::Discarded,
            Remedy::Retry | Remedy::PauseSync | Remedy::StopRun => Verdict::Failed,
        };
        let shown = |text: &str| cut(self.redactor.redact(text), SAMPLE_BYTES);
        let answered = self.exchanges.last().filter(|_| self.unanswered.is_none());
        let request = self.unanswered.or_else(|| answered.map(|exchange| &exchange.request));
        let reply = answered.map(|exchange| {
            let body = String::from_utf8_lossy(&exchange.reply.body).into_owned();
            shown(&format!("{} {body}", exchange.reply.status))
        });
        let sample = Sample {
            record_id: record.record_id().to_owned(),
            request: request.map(|request| self.head(request)),
            payload: shown(&String::from_utf8_lossy(&item.bytes)),
            reply,
        };
        let failure = failure.map_message(|message| self.redactor.redact(&message));
        Some(JournalEntry {
            seq: item.seq,
            operation: item.operation,
            verdict,
            failure: Some(Box::new((failure, sample))),
        })
    }

    fn head(&self, request: &Request) -> RequestHead {
        let RequestHead { method, url, headers } = request.head(self.redactor);
        let headers = headers.into_iter().map(|(name, value)| (name, cut(value, SAMPLE_BYTES)));
        RequestHead { method, url: cut(url, SAMPLE_BYTES), headers: headers.collect() }
    }
}

/// When a failed record is given up.
#[derive(Debug, Clone, Copy)]
pub(super) struct Endurance {
    pub(super) attempts: u32,
    pub(super) oldest: Timestamp,
}

impl Endurance {
    /// Turns a failed entry into a discarded one if the record failed too often or for too long.
    pub(super) fn apply(self, entry: &mut JournalEntry, before: Option<Attempts>) {
        let Some(before) = before else { return };
        if before.count + 1 < self.attempts && before.since > self.oldest {
            return;
        }
        let Some(told) = &mut entry.failure else { return };
        let message =
            format!("given up after {} syncs; the last failure was {}", before.count + 1, told.0);
        told.0 = Failure::new(Code::GivenUp, message);
        entry.verdict = Verdict::Discarded;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_never_splits_a_character() {
        assert_eq!(cut("añb".to_owned(), 2), "a…");
        assert_eq!(cut("añb".to_owned(), 4), "añb");
    }
}
