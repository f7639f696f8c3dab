//! Lists the folders of `destinations/`, so that a new one is built in without naming it anywhere.

use std::{env, fmt::Write, fs, path::Path};

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../destinations");
    println!("cargo::rerun-if-changed={}", root.display());
    let mut folders: Vec<_> = fs::read_dir(&root)
        .map(|entries| entries.filter_map(Result::ok).map(|entry| entry.path()).collect())
        .unwrap_or_default();
    folders.retain(|folder| folder.join("manifest.toml").is_file());
    folders.sort();
    let mut list = String::from("const BUILT_IN: &[BuiltIn] = &[\n");
    for folder in folders {
        let kind = folder.file_name().and_then(|name| name.to_str()).expect("a plain name");
        let file = |name: &str| {
            let path = folder.join(name);
            println!("cargo::rerun-if-changed={}", path.display());
            let path = path.canonicalize().expect("every destination has this file");
            format!("include_str!({:?})", path.to_str().expect("a plain path"))
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
