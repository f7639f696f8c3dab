//! The one thread that writes. It takes everything that waits and commits it as one transaction.

use std::{
    sync::{
        Arc, Weak,
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    thread::JoinHandle,
    time::Duration,
};

use ebb_core::{Code, Failure, SyncId, port::JournalEntry};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, oneshot},
    time::Instant,
};

use super::{
    fault::Fault,
    journal::{Journal, Journals},
    lease::{self, Tokens},
    place::Connection,
    sql::{Transaction, params},
};

/// Commands that wait for the writer; who brings more waits until there is room.
const QUEUE: usize = 1024;

/// Outcomes are durable against a power loss this long after their commit, and a margin for the
/// disk keeps it within the promised 100 ms.
const DURABLE_AFTER: Duration = Duration::from_millis(50);

/// So often the connection is looked after while nobody writes.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// What the writer knows beside the database.
#[derive(Debug, Default)]
pub(super) struct Memory {
    pub(super) journals: Journals,
    pub(super) tokens: Tokens,
    /// The number of the connection that the journals were read by.
    connection: u64,
}

type Work = Box<dyn FnOnce(&mut State) + Send>;
type Answer = oneshot::Sender<Result<(), Fault>>;

enum Command {
    Record {
        sync: SyncId,
        entries: Vec<JournalEntry>,
        answer: Answer,
    },
    Work(Work),
    /// Only to look after what is done in between.
    Tidy,
}

struct Queued {
    command: Command,
    _room: OwnedSemaphorePermit,
}

/// The way to the writer thread.
#[derive(Debug)]
struct Way {
    queue: SyncSender<Queued>,
    room: Arc<Semaphore>,
}

/// Has the writer thread look after what waits for it, if there still is one.
#[derive(Debug, Clone)]
pub(super) struct Nudge(Weak<Way>);

impl Nudge {
    /// Never waits: where there is no room, the thread comes round by itself.
    pub(super) fn give(&self) {
        let Some(way) = self.0.upgrade() else { return };
        if let Ok(room) = Arc::clone(&way.room).try_acquire_owned() {
            drop(way.queue.try_send(Queued { command: Command::Tidy, _room: room }));
        }
    }
}

/// The writer thread. Dropping this ends it once everything is durable.
#[derive(Debug)]
pub(super) struct Writer {
    way: Option<Arc<Way>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread.
    pub(super) fn start(connection: Connection) -> std::io::Result<Self> {
        let (queue, commands) = sync_channel(QUEUE);
        let state = State { connection, memory: Memory::default(), undurable_since: None };
        let thread = std::thread::Builder::new()
            .name("control-database".to_owned())
            .spawn(move || state.run(&commands))?;
        let way = Arc::new(Way { queue, room: Arc::new(Semaphore::new(QUEUE)) });
        Ok(Self { way: Some(way), thread: Some(thread) })
    }

    /// What nudges this writer.
    pub(super) fn nudge(&self) -> Nudge {
        Nudge(self.way.as_ref().map_or_else(Weak::new, Arc::downgrade))
    }

    /// Journals entries: returns when their transaction is committed.
    pub(super) async fn record(
        &self,
        sync: SyncId,
        entries: Vec<JournalEntry>,
    ) -> Result<(), Fault> {
        let (answer, answered) = oneshot::channel();
        self.send(Command::Record { sync, entries, answer }).await?;
        answered.await.unwrap_or_else(|_| Err(stopped()))
    }

    /// Runs a transaction that is durable when this returns.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>, &mut Memory) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let (answer, answered) = oneshot::channel();
        let work = move |state: &mut State| {
            let done = state.durably(work);
            // Who asked may have gone; the work is done all the same.
            drop(answer.send(done));
        };
        self.send(Command::Work(Box::new(work))).await?;
        answered.await.unwrap_or_else(|_| Err(stopped()))
    }

    async fn send(&self, command: Command) -> Result<(), Fault> {
        let way = self.way.as_ref().ok_or_else(stopped)?;
        let room = Arc::clone(&way.room).acquire_owned().await.map_err(|_| stopped())?;
        // Never blocks: the permits are as many as the places.
        way.queue.send(Queued { command, _room: room }).map_err(|_| stopped())
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.way.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the control database's writer ended abnormally");
        }
    }
}

fn stopped() -> Fault {
    Failure::new(Code::StateUnavailable, "the control database's writer has stopped").into()
}

struct State {
    connection: Connection,
    memory: Memory,
    /// When the oldest commit was made that a power loss could take back.
    undurable_since: Option<Instant>,
}

type Records = Vec<(SyncId, Vec<JournalEntry>, Answer)>;

impl State {
    fn run(mut self, commands: &Receiver<Queued>) {
        while let Some(first) = self.next(commands) {
            let mut records = Records::new();
            for queued in std::iter::once(first).chain(commands.try_iter().take(QUEUE)) {
                match queued.command {
                    Command::Record { sync, entries, answer } => {
                        records.push((sync, entries, answer));
                    }
                    Command::Work(work) => {
                        self.record(std::mem::take(&mut records));
                        work(&mut self);
                    }
                    Command::Tidy => {}
                }
            }
            self.record(records);
            self.connection.tidy();
        }
        self.make_durable();
        self.connection.tidy();
    }

    /// Waits for a command, and meanwhile makes durable what waits for that, and looks after the connection.
    /// `None` at the end.
    fn next(&mut self, commands: &Receiver<Queued>) -> Option<Queued> {
        loop {
            let wait = self
                .undurable_since
                .map_or(LOOK_EVERY, |since| DURABLE_AFTER.saturating_sub(since.elapsed()));
            match commands.recv_timeout(wait) {
                Ok(queued) => return Some(queued),
                Err(RecvTimeoutError::Timeout) => {
                    self.make_durable();
                    self.connection.tidy();
                }
                Err(RecvTimeoutError::Disconnected) => return None,
            }
        }
    }

    /// Commits records together, and answers each.
    fn record(&mut self, records: Records) {
        if records.is_empty() {
            return;
        }
        let mut answers = Vec::with_capacity(records.len());
        let durable = self.connection.is_always_durable()
            || self.undurable_since.is_some_and(|since| since.elapsed() >= DURABLE_AFTER);
        let committed = self.transaction(durable, |transaction, memory| {
            let mut touched = Vec::new();
            for (sync, entries, answer) in records {
                let journal = match current(transaction, memory, sync) {
                    Ok(journal) => journal,
                    Err(fault) => {
                        answers.push((answer, Err(fault)));
                        continue;
                    }
                };
                journal.take(entries);
                touched.push(sync);
                answers.push((answer, Ok(())));
            }
            touched.sort_unstable();
            touched.dedup();
            for sync in touched {
                if let Some(journal) = memory.journals.get_mut(&sync) {
                    journal.write(transaction)?;
                }
            }
            Ok(())
        });
        if committed.is_ok() && !durable && self.undurable_since.is_none() {
            self.undurable_since = Some(Instant::now());
        }
        let failed = committed.err();
        for (answer, outcome) in answers {
            let outcome = match (&failed, outcome) {
                (Some(fault), Ok(())) => Err(fault.again()),
                (_, outcome) => outcome,
            };
            drop(answer.send(outcome));
        }
    }

    fn durably<T>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>, &mut Memory) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        self.transaction(true, work)
    }

    /// Runs a transaction. When it fails, what memory took over is forgotten.
    fn transaction<T>(
        &mut self,
        durable: bool,
        work: impl FnOnce(&Transaction<'_>, &mut Memory) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let Self { connection, memory, undurable_since } = self;
        let done = connection.write(durable, |transaction| {
            if memory.connection != transaction.connection() {
                // What the one before committed may have been lost with its server.
                memory.journals.clear();
                memory.connection = transaction.connection();
            }
            let value = work(transaction, memory)?;
            if durable && undurable_since.is_some() {
                // A transaction that writes nothing does not sync the log.
                transaction.execute("update pulse set number = number + 1", params![])?;
            }
            Ok(value)
        });
        match &done {
            Err(_) => self.memory.journals.clear(),
            // A full sync of the log makes everything before durable too.
            Ok(_) if durable => self.undurable_since = None,
            Ok(_) => {}
        }
        done
    }

    fn make_durable(&mut self) {
        if self.undurable_since.is_none() {
            return;
        }
        if let Err(fault) = self.durably(|_, _| Ok(())) {
            tracing::warn!(?fault, "outcomes could not be made durable yet");
            self.undurable_since = Some(Instant::now());
        }
    }
}

/// The journal of a sync, read again if somebody else may have written since.
fn current<'a>(
    transaction: &Transaction<'_>,
    memory: &'a mut Memory,
    sync: SyncId,
) -> Result<&'a mut Journal, Fault> {
    if let Some(journal) = memory.journals.get(&sync) {
        let token = lease::check(transaction, &memory.tokens, &journal.mapping)?;
        if token != journal.token {
            memory.journals.remove(&sync);
        }
    }
    match memory.journals.entry(sync) {
        std::collections::hash_map::Entry::Occupied(entry) => Ok(entry.into_mut()),
        std::collections::hash_map::Entry::Vacant(entry) => {
            let journal = Journal::load(transaction, sync)?;
            lease::check(transaction, &memory.tokens, &journal.mapping)?;
            Ok(entry.insert(journal))
        }
    }
}
