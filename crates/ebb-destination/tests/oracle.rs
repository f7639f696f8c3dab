//! The reference implementation, where it is at hand.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;

/// The folder that `EBB_ORACLE` names, if its packages are installed.
#[expect(clippy::disallowed_methods, reason = "a test is told by a variable where the oracle is")]
pub(crate) fn folder() -> Option<PathBuf> {
    let folder = PathBuf::from(std::env::var("EBB_ORACLE").ok()?);
    folder.join("node_modules").is_dir().then_some(folder)
}

/// The corpus of a destination: one or more lines for each of its actions.
pub(crate) fn corpus(folder: &Path, slug: &str) -> Vec<Value> {
    let out = Command::new("node")
        .arg(folder.join("corpus.mjs"))
        .args(["--only", slug])
        .output()
        .expect("node runs");
    lines(&out.stdout)
}

/// The reference's answers to lines.
pub(crate) fn answers(folder: &Path, questions: &[Value]) -> Vec<Value> {
    let mut child = Command::new("node")
        .arg(folder.join("destination.mjs"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("node runs");
    let lines_in: Vec<String> = questions.iter().map(Value::to_string).collect();
    let text = lines_in.join("\n") + "\n";
    let mut input = child.stdin.take().expect("its input is a pipe");
    let writer = std::thread::spawn(move || input.write_all(text.as_bytes()));
    let out = child.wait_with_output().expect("the oracle ends");
    writer.join().expect("the writer ends").expect("the oracle reads");
    lines(&out.stdout)
}

fn lines(bytes: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(bytes).expect("lines are text");
    text.lines().map(|line| serde_json::from_str(line).expect("lines are JSON")).collect()
}
