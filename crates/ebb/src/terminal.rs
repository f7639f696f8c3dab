//! A running sync on a terminal: a bar with counts and rate; lines elsewhere.

use std::{
    fmt::Write,
    future::Future,
    io::{self, IsTerminal},
    pin::pin,
    time::Duration,
};

use ebb_core::{Code, Failure, port::Status};
use ebb_engine::{Snapshot, Watch};
use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use tokio::time::Instant;

/// How often a bar moves.
const TICK: Duration = Duration::from_millis(100);
/// How often a line is written where there is no terminal.
const LINE: Duration = Duration::from_secs(5);

/// Asks whoever sits there a question; `unasked` is the advice where nobody does.
pub(crate) fn agreed(question: &str, unasked: &'static str) -> Result<bool, Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::new(Code::ConfigValue, "nobody is there to be asked").help(unasked));
    }
    crate::report::print_note(&format!("{question} [y/N]"));
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).map_err(|error| {
        Failure::new(Code::ConfigValue, "the answer cannot be read").caused_by(error)
    })?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// Runs a sync while showing how far it is. Ctrl-C ends it early: batches in flight finish, and
/// what was delivered is committed.
pub(crate) async fn watched<T>(
    run: impl Future<Output = T>,
    mapping: &str,
    watch: &Watch,
    quiet: bool,
) -> T {
    let mut run = pin!(run);
    let display = Display::new(mapping, quiet);
    let mut ticks = tokio::time::interval(display.every());
    ticks.tick().await;
    loop {
        tokio::select! {
            biased;
            result = &mut run => {
                display.end();
                return result;
            }
            interrupt = tokio::signal::ctrl_c(), if !watch.stop.is_cancelled() => {
                if interrupt.is_ok() {
                    display.say("stopping after the batches in flight");
                    watch.stop.cancel();
                }
            }
            _ = ticks.tick() => display.show(watch.progress.snapshot()),
        }
    }
}

enum Display {
    Bar(ProgressBar),
    Lines { mapping: String, began: Instant },
    Quiet,
}

impl Display {
    fn new(mapping: &str, quiet: bool) -> Self {
        if quiet {
            return Self::Quiet;
        }
        if !io::stderr().is_terminal() {
            return Self::Lines { mapping: mapping.to_owned(), began: Instant::now() };
        }
        let style =
            "{prefix} {spinner} {wide_bar:.cyan/dim} {human_pos}/{human_len} {per_sec} {msg}";
        let style = ProgressStyle::with_template(style)
            .expect("the template is a constant that is tested by every sync on a terminal");
        let bar = ProgressBar::new(0).with_style(style).with_prefix(mapping.to_owned());
        Self::Bar(bar)
    }

    fn every(&self) -> Duration {
        match self {
            Self::Bar(_) => TICK,
            Self::Lines { .. } | Self::Quiet => LINE,
        }
    }

    fn show(&self, now: Snapshot) {
        match self {
            Self::Bar(bar) => {
                bar.set_length(now.extracted);
                bar.set_position(now.delivered + now.failed + now.discarded);
                bar.set_message(words(now));
                bar.tick();
            }
            Self::Lines { mapping, began } => {
                let elapsed = began.elapsed().as_secs();
                let Snapshot { extracted, delivered, .. } = now;
                self.say(&format!(
                    "{mapping}: {} after {elapsed} s, {delivered} of {extracted} delivered{}",
                    now.status.as_str(),
                    words(now),
                ));
            }
            Self::Quiet => {}
        }
    }

    fn say(&self, text: &str) {
        match self {
            Self::Bar(bar) => bar.println(text),
            Self::Lines { .. } => crate::report::print_note(text),
            Self::Quiet => {}
        }
    }

    fn end(&self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}

fn words(now: Snapshot) -> String {
    let mut words = match now.status {
        Status::Extracting => ", diffing in the warehouse".to_owned(),
        Status::Committing => ", committing".to_owned(),
        Status::Loading
        | Status::Succeeded
        | Status::Partial
        | Status::Failed
        | Status::Canceled
        | Status::Held => String::new(),
    };
    for (count, what) in [(now.failed, "failed"), (now.discarded, "discarded")] {
        if count > 0 {
            write!(words, ", {} {what}", HumanCount(count)).expect("a String takes all text");
        }
    }
    words
}
