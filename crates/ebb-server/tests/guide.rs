//! The guide for people who work with the pages says what the pages say.

use std::{collections::BTreeSet, fs, path::Path};

/// The pieces of text in the files of a folder: what stands between tags, and what is quoted.
fn pieces(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            pieces(&path, found);
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let between = text.split(['<', '>', '{', '}', '%', '"']);
        found.extend(between.map(|piece| piece.trim().to_owned()));
    }
}

#[test]
fn what_the_guide_names_is_called_so_in_the_pages() {
    let server = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut there = BTreeSet::new();
    for folder in ["templates", "src/pages", "src/alerts"] {
        pieces(&server.join(folder), &mut there);
    }
    let guide = include_str!("../../../docs/using.md");
    let names: BTreeSet<_> = guide.split("**").skip(1).step_by(2).collect();
    let unknown: Vec<_> = names.iter().filter(|name| !there.contains(**name)).collect();
    assert!(unknown.is_empty(), "not in the pages: {unknown:?}");
    assert!(names.len() > 80, "{}", names.len());
}
