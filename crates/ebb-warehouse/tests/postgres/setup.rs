//! The set-up that the guide gives, run on a real server.

use std::collections::BTreeMap;

use super::server::{Server, Source, records};

fn setup(names: &[(&str, &[&str])]) -> String {
    let owned = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
    let names: BTreeMap<_, _> =
        names.iter().map(|(name, values)| ((*name).to_owned(), owned(values))).collect();
    ebb_warehouse::setup("postgres", &names).unwrap().unwrap()
}

#[tokio::test]
async fn the_user_of_the_set_up_syncs_and_writes_nowhere_else() {
    let Some(server) = Server::start("setup").await else { return };
    server
        .run(
            "drop role if exists \"Ebb-setup\";
             create schema sales;
             create schema \"Other\";
             create table sales.people as select 1::bigint as id, 'Ada' as name;
             revoke temporary on database ebb_setup from public",
        )
        .await;
    let reads: &[&str] = &["sales", "Other"];
    server
        .run(&setup(&[
            ("user", &["Ebb-setup"]),
            ("database", &[&server.database]),
            ("reads", reads),
        ]))
        .await;
    // Made after the set-up: the default privileges let it be read.
    server.run("create table \"Other\".later as select 2::bigint as id, 'Bo' as name").await;
    let mut settings = server.settings_of("Ebb-setup");
    settings.insert("password".to_owned(), "choose one".into());
    let source = Source::of(settings);
    let findings = source.0.check().await;
    assert!(findings.iter().all(|finding| finding.failure.is_none()), "{findings:?}");
    let query = "select * from sales.people union all select * from \"Other\".later";
    let (_, changes) = source.sync(1, query).await.unwrap();
    assert_eq!(records(&changes).len(), 2);
    for (privilege, object) in [("create", "sales"), ("create", "public"), ("create", "Other")] {
        let may = format!("select has_schema_privilege('Ebb-setup', '{object}', '{privilege}')");
        assert_eq!(server.value(&may).await, "f", "{privilege} in {object}");
    }
    let may = "select has_table_privilege('Ebb-setup', 'sales.people', 'insert, update, delete, truncate')";
    assert_eq!(server.value(may).await, "f");
    let may = "select has_database_privilege('Ebb-setup', current_database(), 'create')";
    assert_eq!(server.value(may).await, "f");
    server.run("drop owned by \"Ebb-setup\"; drop role \"Ebb-setup\"").await;
}
