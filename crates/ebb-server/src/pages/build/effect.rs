//! What an edit means for records that were sent, asked before it is made.

use std::time::Duration;

use askama::Template;
use ebb_core::{Failure, Operation, config::Problem};
use ebb_engine::{Effect, Work};
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::typed::{Asked, Typed};
use crate::{
    access::Actor,
    app::{App, Draft, Extent, Section, Touched},
    pages::{Frame, words::count},
};

/// A page without a script waits so long for numbers, and one with a script asks for them by itself.
const AT_ONCE: Duration = Duration::from_secs(10);
const BESIDE: Duration = Duration::from_mins(1);

/// The edit of one entry.
pub(super) struct Edited<'e> {
    pub(super) section: Section,
    pub(super) name: &'e str,
    pub(super) document: &'e Map<String, Value>,
    /// Where its numbers are asked for.
    pub(super) counts_at: &'static str,
}

/// What an edit means, in words, with what may be done about it.
#[derive(Template)]
#[template(path = "build/effect.html")]
pub(super) struct EffectPart {
    frame: Frame,
    lines: Vec<Line>,
    offer: Option<Offer>,
    /// Where the numbers are asked for that are not known yet.
    counts_at: Option<&'static str>,
}

/// What an edit means for one mapping.
struct Line {
    mapping: String,
    text: String,
    /// The columns that it reads and that the model does not have any more.
    lacking: Vec<String>,
    /// Why there are no numbers.
    unknown: Option<Failure>,
}

/// What may be done beside an edit.
struct Offer {
    /// What the form says for it.
    then: &'static str,
    label: &'static str,
    help: &'static str,
}

impl Offer {
    const BACKFILL: Self = Self {
        then: "backfill",
        label: "Save and send all again",
        help: "Sending all again delivers each of them once more, as an update.",
    };
    const REBASE: Self = Self {
        then: "rebase",
        label: "Save without sending again",
        help: "Without sending again, what looks different counts as sent. That holds for changes in the \
               data, too, that no sync has seen yet.",
    };

    fn of(touched: &[Touched]) -> Option<Self> {
        let offered: Vec<_> = touched.iter().filter_map(Touched::offers).collect();
        if offered.contains(&Work::Rebase) {
            Some(Self::REBASE)
        } else {
            offered.contains(&Work::Backfill).then_some(Self::BACKFILL)
        }
    }
}

/// What a form says is to be done beside the edit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    /// Nobody was asked yet.
    Ask,
    /// Nothing.
    Save,
    /// This, once it is saved.
    Run(Work),
}

impl Then {
    fn of(typed: &Typed) -> Self {
        match typed.get("then") {
            "save" => Self::Save,
            "backfill" => Self::Run(Work::Backfill),
            "rebase" => Self::Run(Work::Rebase),
            _ => Self::Ask,
        }
    }
}

/// What is to be asked before an edit is made; `None` if it touches nothing that was sent, or if the form
/// says what is to be done.
pub(super) async fn question(
    app: &App,
    actor: &Actor,
    asked: Asked,
    typed: &Typed,
    edited: Edited<'_>,
) -> Result<Option<EffectPart>, Vec<Problem>> {
    if Then::of(typed) != Then::Ask {
        return Ok(None);
    }
    let (draft, touched) = touched(app, &edited).await?;
    if touched.is_empty() {
        return Ok(None);
    }
    Ok(Some(match asked {
        Asked::Part => EffectPart {
            frame: Frame::new(app, actor, edited.section.as_str()),
            offer: Offer::of(&touched),
            lines: touched.iter().map(|touched| Line::new(touched, None)).collect(),
            counts_at: Some(edited.counts_at),
        },
        Asked::Whole => counted(app, actor, &edited, (&draft, &touched), AT_ONCE).await,
    }))
}

/// The same with numbers, for a page that shows it already.
pub(super) async fn numbers(
    app: &App,
    actor: &Actor,
    edited: Edited<'_>,
) -> Result<EffectPart, Vec<Problem>> {
    let (draft, touched) = touched(app, &edited).await?;
    Ok(counted(app, actor, &edited, (&draft, &touched), BESIDE).await)
}

/// What is left of it where even the words are not known.
pub(super) fn unknown(app: &App, actor: &Actor, problems: Vec<Problem>) -> EffectPart {
    let unknown = problems.into_iter().next().map(|problem| problem.failure);
    let line = Line { mapping: String::new(), text: String::new(), lacking: Vec::new(), unknown };
    let frame = Frame::new(app, actor, "");
    EffectPart { frame, lines: vec![line], offer: None, counts_at: None }
}

async fn touched(app: &App, edited: &Edited<'_>) -> Result<(Draft, Vec<Touched>), Vec<Problem>> {
    let draft = app.edited(edited.section, edited.name, edited.document.clone())?;
    let touched = app.touched(&draft, edited.section).await.map_err(Problem::from);
    Ok((draft, touched.map_err(|problem| vec![problem])?))
}

async fn counted(
    app: &App,
    actor: &Actor,
    edited: &Edited<'_>,
    (draft, touched): (&Draft, &[Touched]),
    longest: Duration,
) -> EffectPart {
    let until = Instant::now() + longest;
    let mut lines = Vec::new();
    for one in touched {
        let line = Line::new(one, Some(app.extent(draft, one, until).await));
        let lacking = app.lacking(draft, one, until).await;
        lines.push(Line { lacking: lacking.into_iter().collect(), ..line });
    }
    let frame = Frame::new(app, actor, edited.section.as_str());
    EffectPart { frame, lines, offer: Offer::of(touched), counts_at: None }
}

/// Does what a form says is to be done beside an edit that was made, for each of its mappings that has
/// sent something.
pub(super) async fn follow_up(
    app: &App,
    actor: &Actor,
    typed: &Typed,
    mappings: impl IntoIterator<Item = String>,
) -> Result<(), Failure> {
    let Then::Run(work) = Then::of(typed) else { return Ok(()) };
    let configuration = app.configuration();
    for mapping in mappings {
        let on = configuration.workspace.enabled(&mapping).is_ok();
        if on && app.store.latest_sync(&mapping).await?.is_some() {
            app.request(actor, &mapping, work).await?;
        }
    }
    Ok(())
}

impl Line {
    fn new(touched: &Touched, extent: Option<Result<Extent, Failure>>) -> Self {
        let (extent, unknown) = match extent {
            Some(Ok(extent)) => (Some(extent), None),
            Some(Err(failure)) => (None, Some(failure)),
            None => (None, None),
        };
        let (mapping, text) = (touched.mapping.clone(), words(touched, extent));
        Self { mapping, text, lacking: Vec::new(), unknown }
    }
}

/// What an edit means for one mapping.
fn words(touched: &Touched, extent: Option<Extent>) -> String {
    let sent = match extent {
        Some(Extent::Stay(1)) => "1 record was sent before and stays".to_owned(),
        Some(Extent::Stay(records)) => {
            format!("{} were sent before and stay", records_in_words(records))
        }
        Some(Extent::Change(_)) | None => "Records that were sent before stay".to_owned(),
    };
    match touched.effect {
        Effect::Nothing => "What is sent stays the same.".to_owned(),
        Effect::LaterRecords => {
            format!("{sent} at the destination, unchanged. The edit holds for what changes from now on.")
        }
        Effect::OtherDestination => format!(
            "{sent} at the old destination. The new one gets what changes from now on."
        ),
        Effect::SentAgain | Effect::All => match extent {
            Some(Extent::Change(changes)) => next_sync(touched, &changes),
            Some(Extent::Stay(_)) | None if touched.effect == Effect::All => {
                "Records are told apart otherwise now: the next sync may send all of them as new, and \
                 those that were sent before as deleted."
                    .to_owned()
            }
            Some(Extent::Stay(_)) | None => {
                "The model reads otherwise now: the next sync sends the records that look different."
                    .to_owned()
            }
        },
    }
}

/// What the next sync sends.
fn next_sync(touched: &Touched, changes: &ebb_core::Tally) -> String {
    let sent = Operation::ALL.into_iter().filter(|operation| touched.records.takes(*operation));
    let sent: Vec<_> = sent
        .map(|operation| (operation, changes.get(operation)))
        .filter(|(_, records)| *records > 0)
        .collect();
    if sent.is_empty() {
        return "The next sync sends nothing because of it.".to_owned();
    }
    let all = records_in_words(sent.iter().map(|(_, records)| records).sum());
    let each = sent.iter().map(|(operation, records)| format!("{} {operation}", count(*records)));
    format!("The next sync sends {all}: {}.", each.collect::<Vec<_>>().join(", "))
}

fn records_in_words(records: u64) -> String {
    let noun = if records == 1 { "record" } else { "records" };
    format!("{} {noun}", count(records))
}

#[cfg(test)]
mod tests {
    use ebb_core::{Subscription, Tally};

    use super::*;

    fn told(effect: Effect, extent: Option<Extent>) -> String {
        let records = Subscription::AddedOrUpdated;
        words(&Touched { mapping: "m".to_owned(), effect, records }, extent)
    }

    #[test]
    fn an_edit_is_told_with_the_numbers_that_are_known() {
        let changes = Tally { added: 2, updated: 1204, deleted: 9 };
        for (effect, extent, expected) in [
            (
                Effect::LaterRecords,
                Some(Extent::Stay(1204)),
                "1,204 records were sent before and stay at the destination, unchanged. The edit holds for \
                 what changes from now on.",
            ),
            (
                Effect::OtherDestination,
                Some(Extent::Stay(1)),
                "1 record was sent before and stays at the old destination. The new one gets what \
                 changes from now on.",
            ),
            (
                Effect::SentAgain,
                Some(Extent::Change(changes)),
                "The next sync sends 1,206 records: 2 added, 1,204 updated.",
            ),
            (
                Effect::SentAgain,
                Some(Extent::Change(Tally { deleted: 4, ..Tally::default() })),
                "The next sync sends nothing because of it.",
            ),
        ] {
            assert_eq!(told(effect, extent), expected);
        }
        assert!(told(Effect::All, None).contains("all of them as new"));
    }
}
