//! Mappings: the same output as the reference's, and failure exactly where it fails.

use std::{fs, path::Path};

use ebb_mapping::map_line;
use fastrand::Rng;
use serde_json::Value;

use crate::{compare::same, generate, oracle};

const RECORDED: &str = "mapping.jsonl.gz";
const CASES: usize = 21_000;
const SEED: u64 = 20_240_531;

fn lines(seed: u64, count: usize) -> String {
    generate::lines(&mut Rng::with_seed(seed), count)
}

/// The cases that the oracle brings along, one for each turn of the language.
fn named(folder: &Path) -> String {
    fs::read_to_string(folder.join("examples/mapping.jsonl")).expect("the oracle has examples")
}

/// What differs from the reference's answer, if anything does.
fn difference(case: &str, expected: &Value) -> Option<String> {
    let answer: Value = serde_json::from_str(&map_line(case)).expect("an answer is JSON");
    let null = Value::Null;
    let part = |value: &Value, key: &str| value.get(key).unwrap_or(&null).clone();
    let agrees = part(&answer, "ok") == part(expected, "ok")
        && same(&part(&answer, "output"), &part(expected, "output"));
    (!agrees && !on_purpose(case))
        .then(|| format!("case {case}\n  reference {expected}\n  ebb       {answer}"))
}

/// Where we differ on purpose: what such a case holds, and why.
const ON_PURPOSE: [(&str, &str); 5] = [
    ("constructor", "what a JavaScript object inherits, functions above all, is no data"),
    ("🙂", "half of a surrogate pair is U+FFFD, also where it is escaped and then taken apart"),
    ("😀", "half of a surrogate pair is U+FFFD, also where it is escaped and then taken apart"),
    ("increment ", "the reference writes the count into the event, where later directives find it"),
    ("decrement ", "the reference writes the count into the event, where later directives find it"),
];

fn on_purpose(case: &str) -> bool {
    ON_PURPOSE.iter().any(|(holds, _)| case.contains(holds))
}

fn compare<'c>(cases: impl Iterator<Item = (&'c str, Value)>) -> usize {
    let mut count = 0;
    let mut differences = Vec::new();
    for (case, expected) in cases {
        count += 1;
        differences.extend(difference(case, &expected));
    }
    assert!(
        differences.is_empty(),
        "{} of {count} differ:\n{}",
        differences.len(),
        differences.iter().take(20).cloned().collect::<Vec<_>>().join("\n")
    );
    count
}

#[test]
fn recorded_cases_agree_with_the_reference() {
    let text = oracle::recorded(RECORDED);
    let pairs = text.lines().map(|line| {
        let (case, answer) = line.split_once('\t').expect("a case and its answer");
        (case, serde_json::from_str(answer).expect("an answer is JSON"))
    });
    assert!(compare(pairs) >= 20_000);
}

#[test]
fn fresh_cases_agree_with_the_live_reference() {
    let Some(folder) = oracle::folder() else { return };
    let seed = ebb_testkit::todays_seed().number();
    println!("seed {seed}");
    let lines = named(&folder) + &lines(seed, 3_000);
    let answers = oracle::ask(&folder, "mapping.mjs", &lines);
    assert!(compare(lines.lines().zip(answers)) > 3_000, "seed {seed}");
}

#[test]
#[ignore = "asks the live oracle and writes the recorded answers"]
fn record() {
    let folder = oracle::folder().expect("EBB_ORACLE names a runnable oracle");
    let lines = named(&folder) + &lines(SEED, CASES);
    let answers = oracle::ask(&folder, "mapping.mjs", &lines);
    let text: Vec<_> = lines
        .lines()
        .zip(answers)
        .map(|(case, mut answer)| {
            // The reference's sentences are its own: only where it fails is compared.
            if let Value::Object(answer) = &mut answer {
                answer.remove("error");
            }
            format!("{case}\t{answer}\n")
        })
        .collect();
    oracle::record(RECORDED, &text.concat());
}
