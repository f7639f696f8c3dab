//! Which files make a project.

use std::{
    ffi::OsStr,
    fs, io,
    path::{Path, PathBuf},
};

use ebb_core::{
    Code, Failure,
    config::{Place, Problem},
};

/// The file that makes a folder a project.
pub(super) const MAIN: &str = "ebb.yaml";

/// The folders whose files belong to a project, with all that is under them.
const FOLDERS: [&str; 6] =
    ["sources", "models", "destinations", "mappings", "channels", "alert_rules"];

/// The YAML files of a project, as seen from its folder: `ebb.yaml` first, the rest by name.
///
/// `shown` is the folder as it was typed.
pub(super) fn of(root: &Path, shown: &Path) -> Result<Vec<String>, Failure> {
    if !root.join(MAIN).is_file() {
        let shown = shown.display();
        return Err(Failure::new(Code::ProjectMissing, format!("`{shown}` has no `{MAIN}`")));
    }
    let unreadable = |error: io::Error| {
        Failure::new(Code::FileMissing, format!("`{}` cannot be listed: {error}", shown.display()))
            .help("Let the user of `ebb` read the folder")
    };
    let mut found = Vec::new();
    list(root, false, &mut found).map_err(unreadable)?;
    for folder in FOLDERS.map(|folder| root.join(folder)) {
        if folder.is_dir() {
            list(&folder, true, &mut found).map_err(unreadable)?;
        }
    }
    let mut names: Vec<String> = found
        .iter()
        .filter_map(|path| Some(path.strip_prefix(root).ok()?.to_str()?.replace('\\', "/")))
        .collect();
    names.sort_by_key(|name| (name != MAIN, name.clone()));
    Ok(names)
}

fn list(folder: &Path, deep: bool, found: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        // Not followed where it is a link: links of folders may go in circles.
        if entry.file_type()?.is_dir() {
            if deep {
                list(&path, deep, found)?;
            }
        } else if matches!(path.extension().and_then(OsStr::to_str), Some("yaml" | "yml"))
            && path.is_file()
        {
            found.push(path);
        }
    }
    Ok(())
}

/// The text of one of these files.
pub(super) fn text(root: &Path, name: &str) -> Result<String, Problem> {
    fs::read_to_string(root.join(name)).map_err(|error| {
        let failure = if error.kind() == io::ErrorKind::InvalidData {
            Failure::new(Code::ConfigSyntax, format!("`{name}` is not UTF-8 text"))
                .help("Save the file as UTF-8")
        } else {
            Failure::new(Code::FileMissing, format!("`{name}` cannot be read: {error}"))
                .help("Let the user of `ebb` read the file")
        };
        Problem::at(Place::file(name), failure)
    })
}
