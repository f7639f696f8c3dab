//! Pure: given the mappings and the time, what starts now, what waits, and when to look again.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use ebb_core::Schedule;
use jiff::Timestamp;

use super::{Cause, Outlook, WhyNot};

/// What the timetable knows of a mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When it is due.
    pub schedule: Schedule,
    /// Its model's source, whose syncs wait for each other.
    pub source: String,
    /// The schedule counts from here: the moment for which the latest sync was due, or at which the
    /// schedule began to hold.
    pub since: Timestamp,
    /// Whether it is due at once, whatever the schedule says: it was just switched on.
    pub at_once: bool,
    /// Why it does not start by itself, whatever the schedule says.
    pub off: Option<WhyNot>,
}

/// A sync that is to start now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    /// The mapping.
    pub mapping: String,
    /// Why.
    pub cause: Cause,
}

#[derive(Debug)]
struct Line {
    entry: Entry,
    /// The moment in `Timetable::due`.
    due: Option<Timestamp>,
    /// Why it is to start, once it does not run and there is a place.
    waiting: Option<Cause>,
}

#[derive(Debug, Default)]
struct Queue {
    running: usize,
    waiting: VecDeque<String>,
}

/// All mappings of a server. Its work grows with what is due, not with what is known.
#[derive(Debug, Default)]
pub struct Timetable {
    lines: BTreeMap<String, Line>,
    due: BTreeSet<(Timestamp, String)>,
    /// By the mapping that others follow.
    followers: BTreeMap<String, BTreeSet<String>>,
    /// The source of each mapping that runs, as it was when it started.
    running: BTreeMap<String, String>,
    queues: BTreeMap<String, Queue>,
    /// Syncs of one source that may run side by side.
    places: BTreeMap<String, usize>,
}

/// Syncs of one source that run side by side, unless the source says otherwise.
pub(crate) const PLACES: usize = 2;

impl Timetable {
    /// Says how many syncs of a source may run side by side; at least one.
    pub fn set_places(&mut self, source: &str, places: usize) {
        self.places.insert(source.to_owned(), places.max(1));
    }

    /// Takes a mapping in, or its new schedule over. What runs or waits goes on.
    pub fn set(&mut self, mapping: &str, entry: Entry) {
        let waiting = self.remove(mapping);
        let due = entry.off.is_none().then(|| due(&entry)).flatten();
        self.due.extend(due.map(|due| (due, mapping.to_owned())));
        if let Some(leader) = entry.schedule.after() {
            self.followers.entry(leader.to_owned()).or_default().insert(mapping.to_owned());
        }
        self.lines.insert(mapping.to_owned(), Line { entry, due, waiting: None });
        if let Some(cause) = waiting {
            self.enqueue(mapping, cause);
        }
    }

    /// Forgets a mapping, and gives why it was to start, if it waited. A sync of it that runs keeps its
    /// place until [`Timetable::ended`].
    pub fn remove(&mut self, mapping: &str) -> Option<Cause> {
        let line = self.lines.remove(mapping)?;
        if let Some(due) = line.due {
            self.due.remove(&(due, mapping.to_owned()));
        }
        let leader = line.entry.schedule.after();
        if let Some(followers) = leader.and_then(|leader| self.followers.get_mut(leader)) {
            followers.remove(mapping);
        }
        if let Some(queue) = self.queues.get_mut(&line.entry.source) {
            queue.waiting.retain(|waiting| waiting != mapping);
        }
        line.waiting
    }

    /// Asks for a sync. It starts with the next [`Timetable::starts`] that finds a place; asking
    /// again before it does changes nothing. `false` if the mapping is unknown.
    pub fn request(&mut self, mapping: &str) -> bool {
        self.enqueue(mapping, Cause::Request)
    }

    fn enqueue(&mut self, mapping: &str, cause: Cause) -> bool {
        let Some(line) = self.lines.get_mut(mapping) else { return false };
        if line.waiting.is_none() {
            line.waiting = Some(cause);
            // One that runs stands in line again when it has ended.
            if !self.running.contains_key(mapping) {
                let queue = self.queues.entry(line.entry.source.clone()).or_default();
                queue.waiting.push_back(mapping.to_owned());
            }
        }
        true
    }

    /// What starts at this moment. Each must be followed by [`Timetable::ended`].
    pub fn starts(&mut self, now: Timestamp) -> Vec<Start> {
        while let Some((due, mapping)) = self.due.pop_first() {
            if due > now {
                self.due.insert((due, mapping));
                break;
            }
            self.pass(&mapping, due, now);
            self.enqueue(&mapping, Cause::Schedule { due });
        }
        let mut starts = Vec::new();
        for (source, queue) in &mut self.queues {
            let places = self.places.get(source).copied().unwrap_or(PLACES);
            while queue.running < places {
                let Some(mapping) = queue.waiting.pop_front() else { break };
                let line = self.lines.get_mut(&mapping);
                let Some(cause) = line.and_then(|line| line.waiting.take()) else { continue };
                queue.running += 1;
                self.running.insert(mapping.clone(), source.clone());
                starts.push(Start { mapping, cause });
            }
        }
        self.queues.retain(|_, queue| queue.running > 0 || !queue.waiting.is_empty());
        starts
    }

    /// A due moment has come: the next one is looked for behind it, and behind what was missed.
    fn pass(&mut self, mapping: &str, due: Timestamp, now: Timestamp) {
        let Some(line) = self.lines.get_mut(mapping) else { return };
        line.entry.at_once = false;
        line.entry.since = due.max(now);
        line.due = line.entry.schedule.next_after(line.entry.since);
        self.due.extend(line.due.map(|due| (due, mapping.to_owned())));
    }

    /// A sync has ended, `well` if everything that it read was sent or refused.
    pub fn ended(&mut self, mapping: &str, well: bool) {
        let Some(source) = self.running.remove(mapping) else { return };
        if let Some(queue) = self.queues.get_mut(&source) {
            queue.running -= 1;
        }
        if let Some(cause) = self.lines.get_mut(mapping).and_then(|line| line.waiting.take()) {
            self.enqueue(mapping, cause);
        }
        if well {
            for follower in self.followers.get(mapping).cloned().unwrap_or_default() {
                if self.lines.get(&follower).is_some_and(|line| line.entry.off.is_none()) {
                    self.enqueue(&follower, Cause::After { mapping: mapping.to_owned() });
                }
            }
        }
    }

    /// The moment of the next start by schedule, if nothing else happens before.
    pub fn wakes_at(&self) -> Option<Timestamp> {
        self.due.first().map(|(due, _)| *due)
    }

    /// What a mapping does next; `None` if it is unknown.
    pub fn outlook(&self, mapping: &str) -> Option<Outlook> {
        let Line { entry, due, waiting } = self.lines.get(mapping)?;
        if self.running.contains_key(mapping) {
            return Some(Outlook::Running);
        }
        if waiting.is_some() {
            let queue = self.queues.get(&entry.source)?;
            let before = queue.waiting.iter().position(|name| name == mapping)?;
            return Some(Outlook::Queued { running: queue.running, before });
        }
        Some(match (entry.off, due, entry.schedule.after()) {
            (Some(why), ..) => Outlook::Idle { why },
            (None, Some(at), _) => Outlook::Due { at: *at },
            (None, None, Some(leader)) => Outlook::After { mapping: leader.to_owned() },
            (None, None, None) if entry.schedule == Schedule::Manual => {
                Outlook::Idle { why: WhyNot::Manual }
            }
            (None, None, None) => Outlook::Idle { why: WhyNot::NeverDue },
        })
    }
}

fn due(entry: &Entry) -> Option<Timestamp> {
    if entry.at_once { Some(entry.since) } else { entry.schedule.next_after(entry.since) }
}
