//! JSON lines in, JSON lines out.

use std::io::{self, BufRead, BufWriter, Write};

use ebb_core::{Code, Failure};

use crate::report::{Finish, Stop};

/// Answers every line of standard input with one line, in order. Empty lines are passed over.
pub(super) fn each(answer: impl Fn(&str) -> String) -> Result<Finish, Stop> {
    let mut out = BufWriter::new(io::stdout().lock());
    for line in io::stdin().lock().lines() {
        let line = line.map_err(|error| {
            Failure::new(Code::FileMissing, "standard input cannot be read").caused_by(error)
        })?;
        if line.trim().is_empty() {
            continue;
        }
        // A reader that went away wants no more answers.
        if writeln!(out, "{}", answer(&line)).is_err() {
            return Ok(Finish::Done);
        }
    }
    Ok(if out.flush().is_ok() { Finish::Done } else { Finish::DoneWithFailures })
}
