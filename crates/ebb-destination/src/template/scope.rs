//! What expressions may name, and where its values come from.

use std::cell::Cell;

use ebb_core::{Object, Record, Value};
use jiff::Timestamp;

use super::expression::Found;

/// The names an expression may use, checked when it is compiled.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names {
    /// Keys of the action's fields; `None` where no record is at hand.
    pub(crate) fields: Option<Vec<String>>,
    /// Values of the settings that may be used here, defaults filled in.
    pub(crate) settings: Object<'static>,
    /// Settings that exist but may not be used here, because they are secret.
    pub(crate) hidden: Vec<String>,
    /// Settings that exist but have no value; they are undefined.
    pub(crate) unset: Vec<String>,
    /// The mapping's sync mode, if the action has one.
    pub(crate) sync_mode: Option<String>,
    /// What the mapping keeps of its hooks.
    pub(crate) hooks: Object<'static>,
    /// Whether `item` and `items` may be used.
    pub(crate) items: bool,
}

/// What a record's delivery has beside the record: the time, and chance that repeats.
#[derive(Debug)]
pub(crate) struct Run<'a> {
    source: Source<'a>,
    random: Cell<Option<u32>>,
}

#[derive(Debug)]
enum Source<'a> {
    Record(Record<'a>),
    Fixed(Timestamp),
}

impl<'a> Run<'a> {
    /// The run of a record: its sync's time, and chance that is the same at every repetition.
    pub(crate) const fn of(record: Record<'a>) -> Self {
        Self { source: Source::Record(record), random: Cell::new(None) }
    }

    /// A run at a given time, with a given seed.
    pub(crate) const fn fixed(now: Timestamp, seed: u32) -> Self {
        Self { source: Source::Fixed(now), random: Cell::new(Some(seed)) }
    }

    /// The time, in milliseconds since 1970.
    pub(crate) fn now(&self) -> i64 {
        match &self.source {
            Source::Record(record) => {
                record.timestamp().parse::<Timestamp>().map_or(0, Timestamp::as_millisecond)
            }
            Source::Fixed(now) => now.as_millisecond(),
        }
    }

    /// Where the chance stands, to go on from it with the next record.
    pub(crate) fn seed(&self) -> u32 {
        self.random.get().unwrap_or_else(|| match &self.source {
            Source::Record(record) => {
                let id = record.message_id();
                u32::from_str_radix(id.get(..8).unwrap_or("1"), 16).unwrap_or(1).max(1)
            }
            Source::Fixed(_) => 1,
        })
    }

    /// Sixteen characters of chance, which identify a delivery that has no identifier of its own.
    pub(crate) fn random_id(&self) -> String {
        let mut text = self.random_text();
        text.push_str(&self.random_text());
        text
    }

    /// Up to eight digits of base 36 of a random fraction.
    fn random_text(&self) -> String {
        let mut state = self.seed();
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        self.random.set(Some(state));
        let mut rest = u64::from(state);
        let mut text = String::with_capacity(8);
        while rest != 0 && text.len() < 8 {
            rest *= 36;
            let digit = u32::try_from(rest >> 32).unwrap_or(0);
            text.push(char::from_digit(digit, 36).unwrap_or('0'));
            rest &= 0xffff_ffff;
        }
        text
    }
}

/// A validated payload: what the record gave, and beside it what is the same for every record.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Payload<'v> {
    own: &'v Value<'v>,
    shared: &'v Object<'static>,
}

/// What payloads share that share nothing.
static NOTHING: Object<'static> = Object::new();

impl<'v> Payload<'v> {
    /// A payload with what it shares with all others; their keys differ.
    pub(crate) const fn new(own: &'v Value<'v>, shared: &'v Object<'static>) -> Self {
        Self { own, shared }
    }

    /// A payload that shares nothing.
    pub(crate) const fn of(own: &'v Value<'v>) -> Self {
        Self { own, shared: &NOTHING }
    }

    /// The value of a field.
    pub(crate) fn get(self, key: &str) -> Option<&'v Value<'v>> {
        self.own.as_object().and_then(|own| own.get(key)).or_else(|| self.shared.get(key))
    }

    /// The value at a path of keys, whole for an empty path; `None` where anything on the way is
    /// missing.
    pub(crate) fn at(self, path: &[String]) -> Option<Found<'v>> {
        let [field, rest @ ..] = path else { return Some(self.whole()) };
        let inner = |value: &'v Value<'v>, key: &String| value.as_object()?.get(key);
        rest.iter().try_fold(self.get(field)?, inner).map(Found::There)
    }

    /// The payload as one value.
    pub(crate) fn whole(self) -> Found<'v> {
        let Some(own) = self.own.as_object().filter(|_| !self.shared.is_empty()) else {
            return Found::There(self.own);
        };
        let entries = own.iter().chain(self.shared.iter());
        Found::Made(Value::Object(
            entries.map(|(key, value)| (key.into(), value.borrowed())).collect(),
        ))
    }
}

/// Where an expression's values come from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scope<'v> {
    /// The validated payload.
    pub(crate) field: Payload<'v>,
    /// Time and chance.
    pub(crate) run: &'v Run<'v>,
}
