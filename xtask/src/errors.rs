//! A user who meets a failure code finds its page: `docs/errors/<CODE>.md`.

use std::{collections::BTreeMap, path::Path};

use anyhow::Result;
use ebb_core::Code;

use crate::{files, report::Report};

/// Compares the pages of a folder with the codes of the core.
pub(crate) fn check(folder: &Path) -> Result<Report> {
    let mut pages = BTreeMap::new();
    for path in files::with_extension(folder, "md")? {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        pages.insert(name, files::text(&path)?);
    }

    let mut report = Report::new("errors", format!("{} codes", Code::ALL.len()));
    for &code in Code::ALL {
        match pages.remove(code.as_str()) {
            None => report.violations.push(format!("`{code}` has no page `docs/errors/{code}.md`")),
            Some(text) => {
                let title = format!("# {code}: {}", code.title());
                if text.lines().next() != Some(title.as_str()) {
                    report
                        .violations
                        .push(format!("`docs/errors/{code}.md` does not begin with `{title}`"));
                }
            }
        }
    }
    for page in pages.keys() {
        report.violations.push(format!("`docs/errors/{page}.md` explains a code that is gone"));
    }
    Ok(report)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use ebb_core::Code;

    use super::check;

    fn folder_with_all_pages() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for code in Code::ALL {
            let text = format!("# {code}: {}\n\nWords.\n", code.title());
            fs::write(folder.path().join(format!("{code}.md")), text).unwrap();
        }
        folder
    }

    #[test]
    fn a_page_for_every_code_and_no_other_passes() {
        let folder = folder_with_all_pages();
        assert_eq!(check(folder.path()).unwrap().violations, Vec::<String>::new());
    }

    #[test]
    fn a_missing_page_a_page_too_many_and_a_wrong_title_are_found() {
        let folder = folder_with_all_pages();
        fs::remove_file(folder.path().join("S101.md")).unwrap();
        fs::write(folder.path().join("X999.md"), "# X999\n").unwrap();
        fs::write(folder.path().join("D202.md"), "# D202: something else\n").unwrap();

        assert_eq!(
            check(folder.path()).unwrap().violations,
            [
                "`S101` has no page `docs/errors/S101.md`",
                "`docs/errors/D202.md` does not begin with \
                 `# D202: the destination asked to slow down`",
                "`docs/errors/X999.md` explains a code that is gone",
            ]
        );
    }
}
