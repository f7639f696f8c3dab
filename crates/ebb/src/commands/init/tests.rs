use std::fs;

use super::write;
use ebb_core::config::Problem;
use ebb_workspace::project;

use crate::report::Stop;

#[test]
fn the_starter_is_a_project_and_its_query_finds_rows() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("new/shop");
    let files = write(&folder).unwrap();
    assert_eq!(files, ["ebb.yaml", "ebb.schema.json", "models/users.sql", ".gitignore", "shop.db"]);
    let project = project::load(&folder).unwrap_or_else(|problems| {
        panic!("{}", problems.iter().map(Problem::told).collect::<String>())
    });
    assert_eq!(project.mappings["users-to-hook"].destination, "hook");
    let path = project.sources["shop"].settings["path"].as_str().unwrap();
    let database = rusqlite::Connection::open(path).unwrap();
    let mut query = database.prepare(&project.models["users"].query).unwrap();
    assert!(query.exists([]).unwrap());
    assert!(query.column_names().any(|name| name == project.models["users"].id));
}

#[test]
fn the_starter_names_the_schema_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path()).unwrap();
    let text = fs::read_to_string(folder.path().join("ebb.yaml")).unwrap();
    let schema = text.lines().next().unwrap().split_once("$schema=").unwrap().1;
    let schema = fs::read_to_string(folder.path().join(schema)).unwrap();
    let schema: serde_json::Value = serde_json::from_str(&schema).unwrap();
    assert_eq!(schema, ebb_core::config::schema().to_value());
}

#[test]
fn nothing_is_overwritten() {
    for taken in ["ebb.yaml", "models/users.sql", "shop.db"] {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("models")).unwrap();
        fs::write(folder.path().join(taken), "mine").unwrap();
        let failure = write(folder.path()).unwrap_err();
        let text = Stop::from(failure).text().replace(folder.path().to_str().unwrap(), "DIR");
        assert_eq!(
            text,
            format!(
                "error[C511]: `DIR/{taken}` exists already\n help: Name another folder, or move the file away\n"
            )
        );
        assert_eq!(fs::read_to_string(folder.path().join(taken)).unwrap(), "mine");
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            1 + usize::from(!taken.contains('/'))
        );
    }
}

#[test]
fn a_list_of_ignored_files_that_is_there_stays() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(".gitignore"), "mine\n").unwrap();
    assert!(!write(folder.path()).unwrap().contains(&".gitignore"));
    assert_eq!(fs::read_to_string(folder.path().join(".gitignore")).unwrap(), "mine\n");
}
