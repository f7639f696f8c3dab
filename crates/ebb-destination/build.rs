//! Lists the folders of `destinations/`, so that a new one is built in without naming it anywhere.

use std::{env, fmt::Write, fs, path::Path};

/// Seen from this package, which is where cargo runs the script and looks for what changed.
const ROOT: &str = "../../destinations";

fn main() {
    println!("cargo::rerun-if-changed={ROOT}");
    let mut kinds: Vec<String> = fs::read_dir(ROOT)
        .map(|entries| {
            let entries = entries.filter_map(Result::ok);
            let kinds = entries.filter(|entry| entry.path().join("manifest.toml").is_file());
            kinds.filter_map(|entry| entry.file_name().into_string().ok()).collect()
        })
        .unwrap_or_default();
    kinds.sort();
    let mut list = String::from("const BUILT_IN: &[BuiltIn] = &[\n");
    for kind in kinds {
        let file = |name: &str| {
            let path = format!("/{ROOT}/{kind}/{name}");
            format!("include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), {path:?}))")
        };
        let (manifest, examples, icon) =
            (file("manifest.toml"), file("examples.toml"), file("icon.svg"));
        writeln!(
            list,
            "    BuiltIn {{ kind: {kind:?}, manifest: {manifest}, examples: {examples}, icon: {icon} }},"
        )
        .expect("a text takes every write");
    }
    list.push_str("];\n");
    #[expect(clippy::disallowed_methods, reason = "cargo tells a build script by variables")]
    let out = env::var("OUT_DIR").expect("cargo says where");
    fs::write(Path::new(&out).join("built_in.rs"), list).expect("cargo's folder can be written");
}
