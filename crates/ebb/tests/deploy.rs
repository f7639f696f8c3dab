//! What `deploy/` says fits the program, the toolchain and the tree.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// Whether the program takes these arguments. No project is there, so it ends at once.
fn takes(arguments: &[&str]) {
    let output = Command::new(env!("CARGO_BIN_EXE_ebb")).args(arguments).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("C509"), "{arguments:?}: {told}");
}

#[test]
fn the_unit_starts_the_program_with_arguments_that_it_takes() {
    let unit = text("deploy/ebb.service");
    let line = unit.lines().find_map(|line| line.strip_prefix("ExecStart=/usr/local/bin/ebb "));
    let mut arguments: Vec<_> = line.unwrap().split(' ').collect();
    let project = arguments.iter().position(|word| *word == "/srv/ebb").unwrap();
    arguments[project] = "/nowhere/at/all";
    takes(&arguments);
}

#[test]
fn the_image_is_built_by_the_toolchain_from_what_is_there_and_starts_the_program() {
    let file = text("deploy/Containerfile");
    let toolchain = text("rust-toolchain.toml");
    let channel = toolchain.lines().find_map(|line| line.strip_prefix("channel = ")).unwrap();
    let channel = channel.trim_matches('"');
    assert!(file.contains(&format!("library/rust:{channel}-bookworm AS build")));
    let let_in = text(".dockerignore");
    let copied = file.lines().filter_map(|line| line.strip_prefix("COPY "));
    for line in copied.filter(|line| !line.starts_with("--from")) {
        let mut words: Vec<_> = line.split(' ').collect();
        words.pop();
        for source in words {
            assert!(root().join(source).exists(), "{source}");
            assert!(let_in.lines().any(|line| line == format!("!{source}")), "{source}");
        }
    }
    let entry = file.lines().find_map(|line| line.strip_prefix("ENTRYPOINT ")).unwrap();
    let entry: Vec<String> = serde_json::from_str(entry).unwrap();
    let mut arguments: Vec<&str> = entry[1..].iter().map(String::as_str).collect();
    let project = arguments.iter().position(|word| *word == "/srv/ebb").unwrap();
    arguments[project] = "/nowhere/at/all";
    takes(&arguments);
    // As `docker run … ebb --behind-tls` has it.
    takes(&[&arguments[..], &["--behind-tls"]].concat());
}
