//! Every built-in destination against what the reference makes of the same lines.

use std::{
    fs::File,
    io::{Read, Write},
    path::{Path, PathBuf},
};

use ebb_destination::{Catalog, render_line};
use fastrand::Rng;
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use serde_json::{Value, json};

use crate::{
    compare::{essence, same},
    oracle,
    variants::variant,
};

/// How many cases an action has in the recording.
const RECORDED: usize = 120;
/// How many fresh cases an action is given when the oracle is at hand.
const FRESH: usize = 40;

fn recording(kind: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/recorded/{kind}.jsonl.gz"))
}

/// The built-in destinations with the reference's names of them.
fn references(catalog: &Catalog) -> Vec<(String, String)> {
    let definitions = catalog.definitions().filter_map(|(kind, definition)| {
        let reference = definition.unwrap().manifest.reference.clone()?;
        Some((kind.to_owned(), reference))
    });
    definitions.collect()
}

/// The corpus, and variants of its lines: so many for each action.
fn cases(corpus: &[Value], each: usize, rng: &mut Rng) -> Vec<Value> {
    let mut cases = corpus.to_vec();
    for line in corpus {
        let lines = corpus.iter().filter(|other| other["action"] == line["action"]).count();
        cases.extend((0..each.div_ceil(lines)).map(|number| variant(line, number, rng)));
    }
    cases
}

/// Compares, and says for each action how many cases are equal.
fn judge(catalog: &Catalog, kind: &str, cases: impl Iterator<Item = (Value, Value)>) {
    let mut different = Vec::new();
    let mut count = 0;
    for (line, expected) in cases {
        let answer: Value = serde_json::from_str(&render_line(&line.to_string(), catalog)).unwrap();
        let ours = essence(&line, &answer);
        count += 1;
        if !same(&expected, &ours) {
            different.push(format!(
                "{}\n  line      {line}\n  reference {expected}\n  ours      {ours}",
                line["id"]
            ));
        }
    }
    assert!(count > 0, "{kind} has no cases");
    assert!(
        different.is_empty(),
        "{} of {count} cases of {kind} differ:\n{}",
        different.len(),
        different.iter().take(5).cloned().collect::<Vec<_>>().join("\n")
    );
}

#[test]
fn every_destination_makes_the_recorded_requests() {
    let catalog = Catalog::built_in();
    for (kind, _) in references(&catalog) {
        let mut text = String::new();
        let file = File::open(recording(&kind)).expect("every destination is recorded");
        GzDecoder::new(file).read_to_string(&mut text).unwrap();
        let cases = text.lines().map(|line| {
            let case: Value = serde_json::from_str(line).unwrap();
            (case["line"].clone(), case["essence"].clone())
        });
        judge(&catalog, &kind, cases);
    }
}

#[test]
fn fresh_variants_are_answered_as_the_reference_answers_them() {
    let Some(folder) = oracle::folder() else { return };
    let catalog = Catalog::built_in();
    let seed = ebb_testkit::todays_seed();
    let mut rng = seed.random();
    for (kind, reference) in references(&catalog) {
        let lines = cases(&oracle::corpus(&folder, &reference), FRESH, &mut rng);
        let answers = oracle::answers(&folder, &lines);
        let cases = lines.into_iter().zip(answers).map(|(line, answer)| {
            let expected = essence(&line, &answer);
            (line, expected)
        });
        judge(&catalog, &kind, cases);
    }
}

/// `EBB_ORACLE=… cargo test -p ebb-destination --test main record -- --ignored`.
#[test]
#[ignore = "writes the recordings anew, from the oracle"]
fn record_the_references_answers() {
    let folder = oracle::folder().expect("`EBB_ORACLE` names the oracle's folder");
    let catalog = Catalog::built_in();
    let mut rng = Rng::with_seed(20_261_121);
    for (kind, reference) in references(&catalog) {
        let lines = cases(&oracle::corpus(&folder, &reference), RECORDED, &mut rng);
        let answers = oracle::answers(&folder, &lines);
        let mut out = GzEncoder::new(File::create(recording(&kind)).unwrap(), Compression::best());
        for (line, answer) in lines.iter().zip(&answers) {
            let case = json!({ "line": line, "essence": essence(line, answer) });
            writeln!(out, "{case}").unwrap();
        }
        out.finish().unwrap();
    }
}
