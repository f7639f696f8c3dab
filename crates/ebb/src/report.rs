//! How a command ends and what it prints: exit codes, results, failures.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use ebb_core::{
    Failure,
    config::{Place, Problem},
};
use serde::Serialize;
use serde_json::{Value, json};

/// The exit code of a command that could not run.
pub(crate) const COULD_NOT_RUN: u8 = 2;

/// How a command that ran ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Finish {
    /// All of it was done; exit code 0.
    Done,
    /// Some of it failed; exit code 1.
    DoneWithFailures,
    /// It could not run, and has said why; exit code 2.
    CouldNotRun,
}

impl From<Finish> for ExitCode {
    fn from(finish: Finish) -> Self {
        match finish {
            Finish::Done => Self::SUCCESS,
            Finish::DoneWithFailures => Self::FAILURE,
            Finish::CouldNotRun => COULD_NOT_RUN.into(),
        }
    }
}

/// Why a command could not run: one problem or many, all of them at once.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Stop(pub(crate) Vec<Problem>);

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self(vec![failure.into()])
    }
}

impl From<Vec<Problem>> for Stop {
    fn from(problems: Vec<Problem>) -> Self {
        Self(problems)
    }
}

impl Stop {
    /// Several failures without a place in the configuration.
    pub(crate) fn from_failures(failures: Vec<Failure>) -> Self {
        Self(failures.into_iter().map(Problem::from).collect())
    }

    /// Says why: JSON on standard output for machines, text on standard error for people.
    pub(crate) fn print(&self, json: bool) {
        if json {
            print_json(&self.json());
        } else {
            write(&mut io::stderr().lock(), &self.text());
        }
    }

    /// The problems as people read them: code, sentence, place, remedy.
    pub(crate) fn text(&self) -> String {
        self.0.iter().map(Problem::told).collect()
    }

    /// `error` is the first problem; `errors` are all of them, where there are several.
    fn json(&self) -> Value {
        let mut errors: Vec<Value> = self.0.iter().map(error).collect();
        let first = errors.first().cloned().unwrap_or_default();
        if errors.len() > 1 {
            json!({ "error": first, "errors": errors.split_off(0) })
        } else {
            json!({ "error": first })
        }
    }
}

fn error(Problem { failure, place }: &Problem) -> Value {
    let (code, message, help) = (failure.code, failure.message(), failure.advice());
    match place {
        Some(Place { file, line, column }) => json!({
            "code": code,
            "message": message,
            "help": help,
            "fields": { "file": &**file, "line": line, "column": column },
        }),
        None => json!({ "code": code, "message": message, "help": help }),
    }
}

/// Prints a result as one JSON document.
pub(crate) fn print_json(value: &impl Serialize) {
    let text = serde_json::to_string_pretty(value).expect("results have text keys alone");
    print_text(&format!("{text}\n"));
}

/// Prints a result as text.
pub(crate) fn print_text(text: &str) {
    write(&mut io::stdout().lock(), text);
}

/// A reader that went away, such as `head`, is no failure of the command.
fn write(out: &mut dyn Write, text: &str) {
    if out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_err() {
        tracing::debug!("nobody reads the output");
    }
}

/// Prints a note beside the result.
pub(crate) fn print_note(text: &str) {
    write(&mut io::stderr().lock(), &format!("{text}\n"));
}
