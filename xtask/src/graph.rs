//! The workspace as cargo sees it.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

/// How a crate uses another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Use {
    /// Linked into the product (or run to build it).
    Product,
    /// Linked into tests alone.
    Tests,
}

/// The workspace's crates and what each of them uses.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    /// The workspace's folder.
    pub(crate) root: PathBuf,
    /// Each crate of the workspace with the crates of the workspace that it names.
    pub(crate) arrows: BTreeMap<String, BTreeSet<(String, Use)>>,
    /// Each crate of the workspace with every crate that ends up in it, tests aside.
    pub(crate) reaches: BTreeMap<String, BTreeSet<String>>,
}

#[derive(Deserialize)]
struct Metadata {
    workspace_root: PathBuf,
    workspace_members: Vec<String>,
    packages: Vec<Package>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    pkg: String,
    dep_kinds: Vec<Kind>,
}

#[derive(Deserialize)]
struct Kind {
    kind: Option<String>,
}

impl Dependency {
    fn is(&self, wanted: Use) -> bool {
        self.dep_kinds.iter().any(|kind| match kind.kind.as_deref() {
            Some("dev") => wanted == Use::Tests,
            Some(_) | None => wanted == Use::Product,
        })
    }
}

impl Graph {
    /// Asks cargo about the workspace of the current folder.
    pub(crate) fn of_this_workspace() -> Result<Self> {
        let output = Command::new("cargo")
            .args(["metadata", "--format-version", "1", "--locked"])
            .stderr(Stdio::inherit())
            .output()
            .context("cannot start `cargo`")?;
        ensure!(output.status.success(), "`cargo metadata` failed");
        let metadata: Metadata = serde_json::from_slice(&output.stdout)
            .context("cannot read the answer of `cargo metadata`")?;
        Ok(Self::from_metadata(&metadata))
    }

    fn from_metadata(metadata: &Metadata) -> Self {
        let names: BTreeMap<&str, &str> = metadata
            .packages
            .iter()
            .map(|package| (package.id.as_str(), package.name.as_str()))
            .collect();
        let uses: BTreeMap<&str, &[Dependency]> = metadata
            .resolve
            .nodes
            .iter()
            .map(|node| (node.id.as_str(), node.deps.as_slice()))
            .collect();
        let name = |id: &str| names.get(id).copied().unwrap_or(id).to_owned();
        let of = |id: &str| uses.get(id).copied().unwrap_or_default();

        let mut graph = Self { root: metadata.workspace_root.clone(), ..Self::default() };
        for member in &metadata.workspace_members {
            let arrows = of(member)
                .iter()
                .filter(|dependency| metadata.workspace_members.contains(&dependency.pkg))
                .flat_map(|dependency| {
                    [Use::Product, Use::Tests]
                        .into_iter()
                        .filter(|wanted| dependency.is(*wanted))
                        .map(|wanted| (name(&dependency.pkg), wanted))
                });
            graph.arrows.insert(name(member), arrows.collect());

            let mut reached = BTreeSet::new();
            let mut open = vec![member.as_str()];
            while let Some(id) = open.pop() {
                for dependency in of(id).iter().filter(|dependency| dependency.is(Use::Product)) {
                    if reached.insert(dependency.pkg.as_str()) {
                        open.push(&dependency.pkg);
                    }
                }
            }
            graph.reaches.insert(name(member), reached.into_iter().map(name).collect());
        }
        graph
    }
}

#[cfg(test)]
mod tests {
    use super::{Graph, Metadata, Use};

    #[test]
    fn what_a_crate_reaches_goes_through_others_but_not_through_their_tests() {
        let metadata: Metadata = serde_json::from_str(
            r#"{
                "workspace_root": "here",
                "workspace_members": ["a#1", "b#1"],
                "packages": [
                    {"id": "a#1", "name": "a"}, {"id": "b#1", "name": "b"},
                    {"id": "c#1", "name": "c"}, {"id": "d#1", "name": "d"}
                ],
                "resolve": {"nodes": [
                    {"id": "a#1", "deps": [{"pkg": "b#1", "dep_kinds": [{"kind": null}, {"kind": "dev"}]}]},
                    {"id": "b#1", "deps": [
                        {"pkg": "c#1", "dep_kinds": [{"kind": "build"}]},
                        {"pkg": "d#1", "dep_kinds": [{"kind": "dev"}]}
                    ]},
                    {"id": "c#1", "deps": []}, {"id": "d#1", "deps": []}
                ]}
            }"#,
        )
        .unwrap();

        let graph = Graph::from_metadata(&metadata);

        let arrows: Vec<_> = graph.arrows["a"].iter().cloned().collect();
        assert_eq!(arrows, [("b".to_owned(), Use::Product), ("b".to_owned(), Use::Tests)]);
        let reached: Vec<_> = graph.reaches["a"].iter().collect();
        assert_eq!(reached, ["b", "c"]);
    }
}
