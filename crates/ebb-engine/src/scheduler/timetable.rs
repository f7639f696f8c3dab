//! Pure: given the mappings and the time, what starts now, what waits, and when to look again.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use ebb_core::Schedule;
use jiff::Timestamp;

use super::{Cause, Outlook, WhyNot, Work};

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
    /// Whether it is due at once if its schedule is an interval: it is new.
    pub at_once: bool,
    /// Why it does not start by itself, whatever the schedule says.
    pub off: Option<WhyNot>,
}

/// A sync that is to start now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    /// The mapping.
    pub mapping: String,
    /// What is to be done.
    pub work: Work,
    /// Why.
    pub cause: Cause,
}

/// What waits for a place, in order.
type Waiting = VecDeque<(Work, Cause)>;

#[derive(Debug)]
struct Line {
    entry: Entry,
    /// The moment in `Timetable::due`.
    due: Option<Timestamp>,
    /// What starts, one after the other, once it does not run and there is a place.
    waiting: Waiting,
}

impl Line {
    /// Whether what waits first sends something.
    fn sends_next(&self) -> bool {
        self.waiting.front().is_some_and(|(work, _)| work.sends())
    }
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
    /// Until then nothing starts that sends.
    paused_until: Option<Timestamp>,
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
        self.lines.insert(mapping.to_owned(), Line { entry, due, waiting: Waiting::new() });
        for (work, cause) in waiting {
            self.enqueue(mapping, work, cause);
        }
    }

    /// Takes over what changed of a mapping; where nothing did, its times stay as they are. One that is
    /// new or was switched on is due at once if its schedule is an interval.
    pub fn update(&mut self, mapping: &str, entry: Entry) {
        let known = self.lines.get(mapping).map(|line| &line.entry);
        let same = |known: &Entry| {
            (&known.schedule, &known.source, known.off)
                == (&entry.schedule, &entry.source, entry.off)
        };
        if known.is_some_and(same) {
            return;
        }
        let was_off = known.is_none_or(|known| known.off.is_some());
        self.set(mapping, Entry { at_once: entry.at_once || was_off, ..entry });
    }

    /// Forgets the mappings that are not to be kept.
    pub fn retain(&mut self, keep: impl Fn(&str) -> bool) {
        let gone: Vec<String> = self.lines.keys().filter(|name| !keep(name)).cloned().collect();
        for mapping in gone {
            self.forget(&mapping);
        }
    }

    /// Forgets a mapping and what waits of it. A sync of it that runs keeps its place until
    /// [`Timetable::ended`].
    pub fn forget(&mut self, mapping: &str) {
        self.remove(mapping);
    }

    fn remove(&mut self, mapping: &str) -> Waiting {
        let Some(line) = self.lines.remove(mapping) else { return Waiting::new() };
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

    /// Asks for work on a mapping. It starts with the next [`Timetable::starts`] that finds a place;
    /// asking again before it does changes nothing. `false` if the mapping is unknown.
    pub fn request(&mut self, mapping: &str, work: Work) -> bool {
        self.enqueue(mapping, work, Cause::Request)
    }

    fn enqueue(&mut self, mapping: &str, work: Work, cause: Cause) -> bool {
        let Some(line) = self.lines.get_mut(mapping) else { return false };
        if line.waiting.iter().any(|(waiting, _)| *waiting == work) {
            return true;
        }
        // What takes checksums over says of what waits that it is not to be sent.
        if work == Work::Rebase {
            line.waiting.push_front((work, cause));
        } else {
            line.waiting.push_back((work, cause));
        }
        self.stand_in_line(mapping);
        true
    }

    /// Puts a mapping in its source's queue, once. One that runs stands in line when it has ended.
    fn stand_in_line(&mut self, mapping: &str) {
        let Some(line) = self.lines.get(mapping) else { return };
        if line.waiting.is_empty() || self.running.contains_key(mapping) {
            return;
        }
        let queue = self.queues.entry(line.entry.source.clone()).or_default();
        if !queue.waiting.iter().any(|waiting| waiting == mapping) {
            queue.waiting.push_back(mapping.to_owned());
        }
    }

    /// Starts nothing that sends before a moment. What is due until then waits, and starts then.
    pub fn pause(&mut self, until: Timestamp) {
        self.paused_until = self.paused_until.max(Some(until));
    }

    /// Work that could not be done, or not to its end, waits again.
    pub(super) fn again(&mut self, mapping: &str, work: Work, cause: Cause) {
        self.enqueue(mapping, work, cause);
    }

    /// What starts at this moment. Each must be followed by [`Timetable::ended`].
    pub fn starts(&mut self, now: Timestamp) -> Vec<Start> {
        while let Some((due, mapping)) = self.due.pop_first() {
            if due > now {
                self.due.insert((due, mapping));
                break;
            }
            self.pass(&mapping, due, now);
            self.enqueue(&mapping, Work::Sync, Cause::Schedule { due });
        }
        self.paused_until = self.paused_until.filter(|until| *until > now);
        let paused = self.paused_until.is_some();
        let mut starts = Vec::new();
        for (source, queue) in &mut self.queues {
            let places = self.places.get(source).copied().unwrap_or(PLACES);
            while queue.running < places {
                let next = queue.waiting.iter().position(|mapping| {
                    !paused || self.lines.get(mapping).is_some_and(|line| !line.sends_next())
                });
                let Some(mapping) = next.and_then(|next| queue.waiting.remove(next)) else { break };
                let line = self.lines.get_mut(&mapping);
                let Some((work, cause)) = line.and_then(|line| line.waiting.pop_front()) else {
                    continue;
                };
                queue.running += 1;
                self.running.insert(mapping.clone(), source.clone());
                starts.push(Start { mapping, work, cause });
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

    /// Work on a mapping has ended; `well` if it was a sync in which everything that it read was sent or
    /// refused.
    pub fn ended(&mut self, mapping: &str, well: bool) {
        let Some(source) = self.running.remove(mapping) else { return };
        if let Some(queue) = self.queues.get_mut(&source) {
            queue.running -= 1;
        }
        self.stand_in_line(mapping);
        if well {
            for follower in self.followers.get(mapping).cloned().unwrap_or_default() {
                if self.lines.get(&follower).is_some_and(|line| line.entry.off.is_none()) {
                    let cause = Cause::After { mapping: mapping.to_owned() };
                    self.enqueue(&follower, Work::Sync, cause);
                }
            }
        }
    }

    /// A run of a job of dbt Cloud ended well: the mappings that follow the job are to sync. Tells which.
    pub fn dbt_cloud_job_ended(&mut self, job: u64, run: u64) -> Vec<String> {
        let follows = |(_, line): &(&String, &Line)| {
            line.entry.off.is_none() && line.entry.schedule.dbt_cloud_job() == Some(job)
        };
        let mappings: Vec<String> =
            self.lines.iter().filter(follows).map(|(mapping, _)| mapping.clone()).collect();
        for mapping in &mappings {
            self.enqueue(mapping, Work::Sync, Cause::DbtCloud { job, run });
        }
        mappings
    }

    /// The moment of the next start by schedule, if nothing else happens before.
    pub fn wakes_at(&self) -> Option<Timestamp> {
        let due = self.due.first().map(|(due, _)| *due);
        due.into_iter().chain(self.paused_until).min()
    }

    /// Mappings of which a sync is due by schedule and has not started, with the moment for which it was due.
    pub fn waiting(&self) -> Vec<(String, Timestamp)> {
        let waits = |(mapping, line): (&String, &Line)| {
            let due = line.waiting.iter().find_map(|(_, cause)| match cause {
                Cause::Schedule { due } => Some(*due),
                Cause::Request | Cause::After { .. } | Cause::DbtCloud { .. } => None,
            });
            Some((mapping.clone(), due?))
        };
        self.lines.iter().filter_map(waits).collect()
    }

    /// What a mapping does next; `None` if it is unknown.
    pub fn outlook(&self, mapping: &str) -> Option<Outlook> {
        let line = self.lines.get(mapping)?;
        let Line { entry, due, waiting } = line;
        if self.running.contains_key(mapping) {
            return Some(Outlook::Running);
        }
        if let Some(until) = self.paused_until
            && (line.sends_next() || waiting.is_empty() && due.is_some_and(|due| due < until))
        {
            return Some(Outlook::Paused { until });
        }
        if !waiting.is_empty() {
            let queue = self.queues.get(&entry.source)?;
            let before = queue.waiting.iter().position(|name| name == mapping)?;
            return Some(Outlook::Queued { running: queue.running, before });
        }
        Some(match (entry.off, due, entry.schedule.after()) {
            (Some(why), ..) => Outlook::Idle { why },
            (None, Some(at), _) => Outlook::Due { at: *at },
            (None, None, Some(leader)) => Outlook::After { mapping: leader.to_owned() },
            (None, None, None) => match entry.schedule.dbt_cloud_job() {
                Some(job) => Outlook::AfterDbtCloudJob { job },
                None if entry.schedule == Schedule::Manual => Outlook::Idle { why: WhyNot::Manual },
                None => Outlook::Idle { why: WhyNot::NeverDue },
            },
        })
    }
}

fn due(entry: &Entry) -> Option<Timestamp> {
    let at_once = entry.at_once && matches!(entry.schedule, Schedule::Every { .. });
    if at_once { Some(entry.since) } else { entry.schedule.next_after(entry.since) }
}
