//! `ebb export`: writes what was made on a server as project files.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use ebb_core::{Code, Failure, config::Problem};
use serde_json::{Value, json};

use super::{Address, Sections, Server, escaped, yaml};
use crate::{
    cli::Global,
    report::{Finish, Stop, print_json, print_text},
};

/// Write what was made on a server as project files; secrets become references to the environment
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    address: Address,
    /// The folder for the files; one for each section, and none that is there already is touched
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

const SECTIONS: [&str; 6] =
    ["sources", "models", "destinations", "mappings", "channels", "alert_rules"];

/// Writes one file for each section that has something.
pub(crate) async fn run(arguments: &Arguments, global: &Global) -> Result<Finish, Stop> {
    let server = Server::of(&arguments.address)?;
    let mut sections = Sections::new();
    let mut variables = Vec::new();
    for section in SECTIONS {
        let entries = made(&server, section, &mut variables).await?;
        if !entries.is_empty() {
            sections.insert(section.to_owned(), entries);
        }
    }
    let needs = needs(&sections);
    let files = write(&arguments.folder, &sections)?;
    if global.json {
        print_json(&json!({ "files": files, "variables": variables, "needs": needs }));
        return Ok(Finish::Done);
    }
    for file in &files {
        print_text(&format!("{}\n", file.display()));
    }
    if sections.is_empty() {
        print_text("Nothing was made on the server: all of it comes from files.\n");
    }
    if !variables.is_empty() {
        print_text("Secrets never leave a server. Set where the files are used:\n");
    }
    for variable in &variables {
        print_text(&format!("  {variable}\n"));
    }
    if !needs.is_empty() {
        print_text("The server has these from files of its own. Another one needs them, too:\n");
    }
    for entry in &needs {
        print_text(&format!("  {entry}\n"));
    }
    Ok(Finish::Done)
}

/// Where entries name others: their section, the path of the name or list of names, and the section of
/// these.
const NAMES: [(&str, &str, &str); 7] = [
    ("models", "/source", "sources"),
    ("models", "/schedule/after", "mappings"),
    ("mappings", "/model", "models"),
    ("mappings", "/destination", "destinations"),
    ("mappings", "/schedule/after", "mappings"),
    ("alert_rules", "/mappings", "mappings"),
    ("alert_rules", "/to", "channels"),
];

/// What these entries name and is not among them, such as `models.users`: it comes from the server's own
/// files.
fn needs(sections: &Sections) -> BTreeSet<String> {
    let mut needs = BTreeSet::new();
    for (section, path, target) in NAMES {
        let entries = sections.get(section).into_iter().flat_map(BTreeMap::values);
        for value in entries.filter_map(|document| document.pointer(path)) {
            let list = value.as_array().map_or_else(|| std::slice::from_ref(value), Vec::as_slice);
            let there = sections.get(target);
            let missing = list
                .iter()
                .filter_map(Value::as_str)
                .filter(|name| there.is_none_or(|there| !there.contains_key(*name)));
            needs.extend(missing.map(|name| format!("{target}.{name}")));
        }
    }
    needs
}

/// Writes a file for each section, and what makes the folder a project if it is none yet.
fn write(folder: &Path, sections: &Sections) -> Result<Vec<PathBuf>, Failure> {
    let unwritable = |error: io::Error| {
        let message = format!("`{}` cannot be written", folder.display());
        Failure::new(Code::FileMissing, message).caused_by(error)
    };
    fs::create_dir_all(folder).map_err(unwritable)?;
    let mut files = Vec::new();
    let main = folder.join("ebb.yaml");
    if !main.exists() {
        let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or("exported");
        fs::write(&main, yaml(&BTreeMap::from([("project", name)]))?).map_err(unwritable)?;
        files.push(main);
    }
    for (section, entries) in sections {
        let file = folder.join(format!("{section}.yaml"));
        let text = yaml(&BTreeMap::from([(section, entries)]))?;
        let written = fs::OpenOptions::new().write(true).create_new(true).open(&file);
        let written = written.and_then(|mut out| out.write_all(text.as_bytes()));
        written.map_err(|error| {
            if error.kind() == io::ErrorKind::AlreadyExists {
                let message = format!("`{}` is there already", file.display());
                return Failure::new(Code::ProjectExists, message).help("Name a new folder");
            }
            unwritable(error)
        })?;
        files.push(file);
    }
    Ok(files)
}

/// What people made of a section, with a variable for each secret.
async fn made(
    server: &Server,
    section: &str,
    variables: &mut Vec<String>,
) -> Result<BTreeMap<String, Value>, Vec<Problem>> {
    let mut entries = BTreeMap::new();
    let mut path = format!("/{section}?limit=100");
    loop {
        let page = server.get(&path).await?;
        let items = page.get("items").and_then(Value::as_array).into_iter().flatten();
        for item in items.filter(|item| item.get("from_files") == Some(&false.into())) {
            let name = item.get("name").and_then(Value::as_str).unwrap_or_default();
            let mut document = item.get("document").map(escaped).unwrap_or_default();
            for key in item.get("secrets").and_then(Value::as_array).into_iter().flatten() {
                let key = key.as_str().unwrap_or_default();
                let variable = variable_of(section, name, key);
                if let Some(document) = document.as_object_mut() {
                    let settings = document.entry("settings").or_insert_with(|| json!({}));
                    if let Some(settings) = settings.as_object_mut() {
                        settings.insert(key.to_owned(), format!("${{env:{variable}}}").into());
                    }
                }
                variables.push(variable);
            }
            entries.insert(name.to_owned(), document);
        }
        let Some(next) = page.get("next_cursor").and_then(Value::as_str) else {
            return Ok(entries);
        };
        path = format!("/{section}?limit=100&cursor={next}");
    }
}

/// The variable of a secret, such as `DESTINATION_CRM_API_KEY`.
fn variable_of(section: &str, name: &str, key: &str) -> String {
    let noun = section.trim_end_matches('s');
    let mut variable = String::new();
    let mut after_small = false;
    for letter in format!("{noun}_{name}_{key}").chars() {
        if letter.is_ascii_uppercase() && after_small {
            variable.push('_');
        }
        after_small = letter.is_ascii_lowercase() || letter.is_ascii_digit();
        variable.push(if letter.is_ascii_alphanumeric() {
            letter.to_ascii_uppercase()
        } else {
            '_'
        });
    }
    variable
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::{needs, variable_of};

    #[test]
    fn a_secret_has_a_variable_of_its_own() {
        assert_eq!(variable_of("destinations", "crm-eu", "apiKey"), "DESTINATION_CRM_EU_API_KEY");
        assert_eq!(variable_of("sources", "db", "password"), "SOURCE_DB_PASSWORD");
    }

    #[test]
    fn what_is_named_and_not_there_is_needed() {
        let entry = |name: &str, document| BTreeMap::from([(name.to_owned(), document)]);
        let mapping =
            json!({ "model": "mine", "destination": "crm", "schedule": { "after": "first" } });
        let rule = json!({ "when": ["failed"], "to": ["ops", "mail"], "mappings": ["crm-mine"] });
        let sections = BTreeMap::from([
            (
                "models".to_owned(),
                entry("mine", json!({ "source": "shop", "schedule": { "every": "1h" } })),
            ),
            ("mappings".to_owned(), entry("crm-mine", mapping)),
            ("alert_rules".to_owned(), entry("told", rule)),
        ]);
        let expected =
            ["channels.mail", "channels.ops", "destinations.crm", "mappings.first", "sources.shop"];
        assert_eq!(needs(&sections).into_iter().collect::<Vec<_>>(), expected);
    }
}
