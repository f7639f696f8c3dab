//! Arrows between crates point down only, and what decides knows no driver.

use crate::{
    graph::{Graph, Use},
    report::Report,
};

/// Each crate of the product with the crates of the workspace it may use.
const ALLOWED: [(&str, &[&str]); 11] = [
    (
        "ebb",
        &[
            "ebb-server",
            "ebb-workspace",
            "ebb-engine",
            "ebb-store",
            "ebb-warehouse",
            "ebb-destination",
            "ebb-mapping",
            "ebb-core",
        ],
    ),
    (
        "ebb-server",
        &[
            "ebb-workspace",
            "ebb-engine",
            "ebb-store",
            "ebb-warehouse",
            "ebb-destination",
            "ebb-core",
        ],
    ),
    ("ebb-workspace", &["ebb-engine", "ebb-store", "ebb-warehouse", "ebb-destination", "ebb-core"]),
    ("ebb-engine", &["ebb-core"]),
    ("ebb-store", &["ebb-tls", "ebb-core"]),
    ("ebb-warehouse", &["ebb-tls", "ebb-core"]),
    ("ebb-destination", &["ebb-mapping", "ebb-core"]),
    ("ebb-mapping", &["ebb-core"]),
    ("ebb-tls", &["ebb-core"]),
    ("ebb-core", &[]),
    ("ebb-testkit", &["ebb-core"]),
];

/// Programs of the house: they may use any crate, and no crate may use them.
const APART: [&str; 2] = ["ebb-bench", "xtask"];

/// Only tests may use this one.
const FOR_TESTS: &str = "ebb-testkit";

/// Each crate that only decides, with the crates it must not reach, not even through others.
const IGNORANT: [(&str, &[&str]); 3] = [
    (
        "ebb-core",
        &["tokio", "hyper", "reqwest", "rusqlite", "tokio-postgres", "mysql_async", "duckdb"],
    ),
    (
        "ebb-mapping",
        &["tokio", "hyper", "reqwest", "rusqlite", "tokio-postgres", "mysql_async", "duckdb"],
    ),
    ("ebb-engine", &["hyper", "reqwest", "rusqlite", "tokio-postgres", "mysql_async", "duckdb"]),
];

/// Compares the real graph with the allowed one.
pub(crate) fn check(graph: &Graph) -> Report {
    let mut report = Report::new("deps", format!("{} crates", graph.arrows.len()));
    for (from, arrows) in &graph.arrows {
        if APART.contains(&from.as_str()) {
            continue;
        }
        let Some((_, allowed)) = ALLOWED.iter().find(|(name, _)| name == from) else {
            report.violations.push(format!(
                "`{from}` has no place in the house; give it one in `xtask/src/deps.rs`"
            ));
            continue;
        };
        for (to, usage) in arrows {
            let fine = allowed.contains(&to.as_str()) || (*usage == Use::Tests && to == FOR_TESTS);
            if !fine {
                let place = match usage {
                    Use::Product => "dependencies",
                    Use::Tests => "dev-dependencies",
                };
                report.violations.push(format!("`{from}` must not use `{to}` ({place})"));
            }
        }
    }
    for (from, unknown) in IGNORANT {
        let Some(reached) = graph.reaches.get(from) else { continue };
        for driver in unknown.iter().filter(|driver| reached.contains(**driver)) {
            report
                .violations
                .push(format!("`{from}` must not know `{driver}`; see `cargo tree -p {from}`"));
        }
    }
    report
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::graph::{Graph, Use};

    fn graph(arrows: &[(&str, &str, Use)], reaches: &[(&str, &str)]) -> Graph {
        let mut graph = Graph::default();
        for (from, to, usage) in arrows {
            let to = ((*to).to_owned(), *usage);
            graph.arrows.entry((*from).to_owned()).or_default().insert(to);
        }
        for (from, to) in reaches {
            graph.reaches.entry((*from).to_owned()).or_default().insert((*to).to_owned());
        }
        graph
    }

    #[test]
    fn arrows_that_point_down_pass() {
        let graph = graph(
            &[
                ("ebb", "ebb-engine", Use::Product),
                ("ebb-engine", "ebb-core", Use::Product),
                ("ebb-engine", "ebb-testkit", Use::Tests),
                ("ebb-destination", "ebb-mapping", Use::Product),
                ("ebb-bench", "ebb-mapping", Use::Product),
            ],
            &[("ebb-core", "serde"), ("ebb-engine", "tokio"), ("ebb", "rusqlite")],
        );
        assert_eq!(check(&graph).violations, Vec::<String>::new());
    }

    #[test]
    fn an_arrow_up_or_sideways_a_test_crate_in_the_product_and_a_driver_below_are_found() {
        let graph = graph(
            &[
                ("ebb-core", "ebb-mapping", Use::Product),
                ("ebb-engine", "ebb-store", Use::Tests),
                ("ebb-store", "ebb-testkit", Use::Product),
                ("ebb-warehouse", "xtask", Use::Product),
                ("stranger", "ebb-core", Use::Product),
            ],
            &[("ebb-engine", "rusqlite")],
        );
        assert_eq!(
            check(&graph).violations,
            [
                "`ebb-core` must not use `ebb-mapping` (dependencies)",
                "`ebb-engine` must not use `ebb-store` (dev-dependencies)",
                "`ebb-store` must not use `ebb-testkit` (dependencies)",
                "`ebb-warehouse` must not use `xtask` (dependencies)",
                "`stranger` has no place in the house; give it one in `xtask/src/deps.rs`",
                "`ebb-engine` must not know `rusqlite`; see `cargo tree -p ebb-engine`",
            ]
        );
    }
}
