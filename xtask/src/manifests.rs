//! Every built-in destination is a folder of three files, and its TOML is of version 1.0, so that
//! editors and other languages read it too.

use std::path::Path;

use anyhow::Result;

use crate::{files, report::Report, toml_version};

const TABLES: [&str; 2] = ["manifest.toml", "examples.toml"];
const ICON: &str = "icon.svg";

/// Looks at every folder below `destinations`.
pub(crate) fn check(destinations: &Path) -> Result<Report> {
    let folders: Vec<_> =
        files::entries(destinations)?.into_iter().filter(|path| path.is_dir()).collect();
    let mut report = Report::new("manifests", format!("{} destinations", folders.len()));
    for folder in &folders {
        for name in TABLES.into_iter().chain([ICON]) {
            let path = folder.join(name);
            let shown = files::shown(&path, destinations.parent().unwrap_or(destinations));
            if !path.is_file() {
                report.violations.push(format!("`{shown}` is missing"));
            } else if TABLES.contains(&name) {
                let text = files::text(&path)?;
                if let Err(error) = text.parse::<toml::Table>() {
                    let error = error.to_string();
                    report.violations.push(format!("`{shown}` is not TOML: {}", error.trim_end()));
                }
                for (line, what) in toml_version::newer_than_1_0(&text) {
                    report
                        .violations
                        .push(format!("`{shown}` line {line} is not TOML 1.0: {what}"));
                }
            }
        }
    }
    Ok(report)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::check;

    #[test]
    fn a_missing_file_and_a_table_of_a_newer_toml_are_found() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("destinations/hook");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("manifest.toml"), "retry = {\n  after = 1 }\n").unwrap();
        fs::write(folder.join("examples.toml"), "[[send]]\nrow = { id = 1\n").unwrap();

        let violations = check(&root.path().join("destinations")).unwrap().violations;

        assert_eq!(
            violations[0],
            "`destinations/hook/manifest.toml` line 1 is not TOML 1.0: \
             a line break in an inline table"
        );
        assert!(
            violations[1].starts_with("`destinations/hook/examples.toml` is not TOML: "),
            "{violations:?}"
        );
        assert_eq!(
            violations.last().map(String::as_str),
            Some("`destinations/hook/icon.svg` is missing")
        );
    }
}
