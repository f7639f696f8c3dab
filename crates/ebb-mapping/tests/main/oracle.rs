//! The reference implementation, asked live or read from recorded answers.

use std::{
    env, fs,
    io::{Read, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use serde_json::Value;

/// The folder of a runnable oracle, if the environment names one.
pub(crate) fn folder() -> Option<PathBuf> {
    env::var_os("EBB_ORACLE")
        .map(PathBuf::from)
        .filter(|folder| folder.join("node_modules").is_dir())
}

/// Gives lines to one of the oracle's programs; one answer for each.
pub(crate) fn ask(folder: &Path, program: &str, lines: &str) -> Vec<Value> {
    let mut child = Command::new("node")
        .arg(program)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("node is installed");
    let mut input = child.stdin.take().expect("the child's input is a pipe");
    let lines = lines.to_owned();
    let writer = std::thread::spawn(move || input.write_all(lines.as_bytes()));
    let mut answers = String::new();
    child.stdout.take().expect("a pipe").read_to_string(&mut answers).expect("text");
    writer.join().expect("the writer ends").expect("the oracle reads all");
    child.wait().expect("the oracle ends");
    answers
        .lines()
        .map(|line| serde_json::from_str(&whole_characters(line)).expect("an answer is JSON"))
        .collect()
}

/// Puts the replacement character for halves of surrogate pairs, which Rust's text cannot hold.
fn whole_characters(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("\\ud") {
        let escaped = before.bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 1;
        out.push_str(before);
        out.push_str(if escaped { "\\ud" } else { "\\ufffd" });
        rest = if escaped { after } else { after.get(3..).expect("four digits") };
    }
    out + rest
}

/// The lines of a compressed file beside the tests.
pub(crate) fn recorded(name: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded").join(name);
    let bytes = fs::read(&file).expect("the recorded answers are part of the project");
    let mut text = String::new();
    GzDecoder::new(&*bytes).read_to_string(&mut text).expect("a file of compressed text");
    text
}

/// Writes the lines of a compressed file beside the tests.
pub(crate) fn record(name: &str, text: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded");
    fs::create_dir_all(&folder).expect("the folder can be made");
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text.as_bytes()).expect("memory takes every write");
    let bytes = encoder.finish().expect("memory takes every write");
    fs::write(folder.join(name), bytes).expect("the file can be written");
}
