//! A file is read whole: 600 lines are the hard limit, 400 deserve a look.

use std::path::Path;

use anyhow::Result;

use crate::{files, report::Report};

const HARD_LIMIT: usize = 600;
const SOFT_LIMIT: usize = 400;

/// Counts the lines, tests included, of every Rust file below `root`.
pub(crate) fn check(root: &Path) -> Result<Report> {
    let paths = files::with_extension(root, "rs")?;
    let mut sizes = Vec::new();
    for path in &paths {
        sizes.push((files::text(path)?.lines().count(), files::shown(path, root)));
    }
    sizes.sort_by(|left, right| right.cmp(left));

    let mut report = Report::new("size", format!("{} files", paths.len()));
    for (lines, path) in sizes {
        let found = format!("`{path}` has {lines} lines");
        if lines > HARD_LIMIT {
            report.violations.push(format!("{found}, {HARD_LIMIT} are allowed; split it"));
        } else if lines > SOFT_LIMIT {
            report.notes.push(found);
        }
    }
    Ok(report)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::check;

    #[test]
    fn a_file_over_the_hard_limit_is_named_and_one_over_the_soft_limit_noted() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("crates/long/src");
        fs::create_dir_all(&folder).unwrap();
        fs::create_dir_all(root.path().join("target")).unwrap();
        fs::write(folder.join("lib.rs"), "//\n".repeat(601)).unwrap();
        fs::write(folder.join("fits.rs"), "//\n".repeat(600)).unwrap();
        fs::write(folder.join("short.rs"), "//\n".repeat(400)).unwrap();
        fs::write(root.path().join("target/built.rs"), "//\n".repeat(900)).unwrap();

        let report = check(root.path()).unwrap();

        assert_eq!(
            report.violations,
            ["`crates/long/src/lib.rs` has 601 lines, 600 are allowed; split it"]
        );
        assert_eq!(report.notes, ["`crates/long/src/fits.rs` has 600 lines"]);
    }
}
