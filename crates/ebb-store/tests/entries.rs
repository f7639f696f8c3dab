//! What people make beside the project's files, its secrets, and the log of changes.

use ebb_core::{
    Code, Failure,
    port::{Status, Store, SyncRecord},
};
use ebb_store::{AuditLine, Database, Edit, Latest, Sealed, SyncFilter};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    given,
    home::{Home, on_both_engines},
};

fn line(id: &str) -> AuditLine {
    AuditLine {
        id: id.to_owned(),
        at: Timestamp::UNIX_EPOCH,
        actor: "ada@example.com".to_owned(),
        action: "source.created".to_owned(),
        subject: "shop".to_owned(),
        before: None,
        after: Some(json!({ "kind": "sqlite" })),
    }
}

async fn make(database: &Database, edit: Edit, line: AuditLine) -> Result<i64, Failure> {
    Ok(database.edit(vec![(edit, line)]).await?[0])
}

fn edit(document: Option<Value>, expected: Option<i64>) -> Edit {
    let (section, name) = ("sources".to_owned(), "shop".to_owned());
    Edit { section, name, document, expected, ..Edit::default() }
}

async fn an_entry_is_changed_only_from_the_version_that_is_expected(home: Home) {
    let database = home.open();
    let first = make(&database, edit(Some(json!({ "kind": "a" })), None), line("1")).await.unwrap();
    let twice = make(&database, edit(Some(json!({})), None), line("2")).await.unwrap_err();
    assert_eq!(twice.code, Code::ConfigDuplicate);
    let second =
        make(&database, edit(Some(json!({ "kind": "b" })), Some(first)), line("3")).await.unwrap();
    let stale = make(&database, edit(None, Some(first)), line("4")).await.unwrap_err();
    assert_eq!(stale.code, Code::EditConflict);
    let [entry] = database.entries().await.unwrap().try_into().unwrap();
    assert_eq!((entry.version, entry.document), (second, json!({ "kind": "b" })));
    make(&database, edit(None, Some(second)), line("5")).await.unwrap();
    let third = make(&database, edit(Some(json!({})), None), line("6")).await.unwrap();
    assert!(first < second && second < third, "no version comes twice");
    let told: Vec<_> =
        database.audit(None, 10).await.unwrap().into_iter().map(|line| line.id).collect();
    assert_eq!(told, ["6", "5", "3", "1"], "what was refused left no line");
    let beside = Edit { name: "beside".to_owned(), ..edit(Some(json!({})), None) };
    let both = vec![(beside, line("7")), (edit(None, Some(first)), line("8"))];
    assert_eq!(database.edit(both).await.unwrap_err().code, Code::EditConflict);
    assert_eq!(database.entries().await.unwrap().len(), 1, "all or none");
    let older = database.audit(Some("5"), 1).await.unwrap();
    assert_eq!(older, [line("3")]);
}

async fn secrets_come_and_go_with_the_edit_that_needs_them(home: Home) {
    let database = home.open();
    let sealed = |bytes: &[u8]| Sealed { name: "sources.shop.url".into(), bytes: bytes.to_vec() };
    let given = Edit { secrets: vec![sealed(b"one")], ..edit(Some(json!({})), None) };
    let version = make(&database, given, line("1")).await.unwrap();
    assert_eq!(database.secrets().await.unwrap(), [sealed(b"one")]);
    let refused = Edit { secrets: vec![sealed(b"two")], ..edit(Some(json!({})), Some(0)) };
    make(&database, refused, line("2")).await.unwrap_err();
    assert_eq!(database.secrets().await.unwrap(), [sealed(b"one")]);
    database.reseal(vec![sealed(b"three")]).await.unwrap();
    assert_eq!(database.secrets().await.unwrap(), [sealed(b"three")]);
    let forgotten = vec!["sources.shop.url".to_owned()];
    make(&database, Edit { forgotten, ..edit(None, Some(version)) }, line("3")).await.unwrap();
    assert_eq!(database.secrets().await.unwrap(), []);
}

async fn syncs_are_listed_by_mapping_and_status_page_by_page(home: Home) {
    let database = home.open();
    let statuses = [Status::Succeeded, Status::Failed, Status::Succeeded, Status::Held];
    for (number, status) in (1..).zip(statuses) {
        let mapping = if number == 4 { "b" } else { "a" }.to_owned();
        let sync = SyncRecord { mapping, ..given::sync(number, status) };
        database.save(&sync).await.unwrap();
    }
    let listed = async |filter: SyncFilter| {
        let syncs = database.list_syncs(filter, 2).await.unwrap();
        syncs.iter().map(|sync| sync.id).collect::<Vec<_>>()
    };
    let ids: Vec<_> = (1..=4).map(given::id).collect();
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(listed(SyncFilter::default()).await, [ids[3], ids[2]]);
    let before = Some(ids[2].to_string());
    assert_eq!(listed(SyncFilter { before, ..SyncFilter::default() }).await, [ids[1], ids[0]]);
    let failed = SyncFilter { status: some("failed"), ..SyncFilter::default() };
    assert_eq!(listed(failed).await, [ids[1]]);
    let of_a = SyncFilter { mapping: some("a"), status: some("succeeded"), before: None };
    assert_eq!(listed(of_a).await, [ids[2], ids[0]]);
    let latest = |mapping: &str, number: usize, status| Latest {
        mapping: mapping.to_owned(),
        sync: ids[number],
        status,
    };
    let newest = [latest("a", 2, Status::Succeeded), latest("b", 3, Status::Held)];
    assert_eq!(database.latest_syncs().await.unwrap(), newest);
    // One that is saved late takes no newer one's place.
    let late = SyncRecord { mapping: "a".to_owned(), ..given::sync(2, Status::Canceled) };
    database.save(&late).await.unwrap();
    assert_eq!(database.latest_syncs().await.unwrap(), newest);
    assert_eq!(database.latest_sync("a").await.unwrap().unwrap().id, ids[2]);
}

async fn a_mapping_that_is_deleted_and_made_again_begins_anew_once(home: Home) {
    let database = home.open();
    let mapping = |document: Option<Value>, expected| Edit {
        section: "mappings".to_owned(),
        name: given::MAPPING.to_owned(),
        ..edit(document, expected)
    };
    let anew = async |database: &Database| database.made_anew(given::MAPPING).await.unwrap();
    let first = make(&database, mapping(Some(json!({})), None), line("1")).await.unwrap();
    assert_eq!(anew(&database).await, None, "what comes from a file may be taken over");
    make(&database, mapping(None, Some(first)), line("2")).await.unwrap();
    assert_eq!(anew(&database).await, None, "there is nothing that could sync");
    let second = make(&database, mapping(Some(json!({})), None), line("3")).await.unwrap();
    make(&database, mapping(None, Some(second)), line("4")).await.unwrap();
    let third = make(&database, mapping(Some(json!({})), None), line("5")).await.unwrap();
    make(&database, mapping(Some(json!({ "enabled": true })), Some(third)), line("6"))
        .await
        .unwrap();
    make(&database, edit(Some(json!({})), None), line("7")).await.unwrap();
    drop(database);
    let database = home.open();
    assert_eq!(anew(&database).await, Some(third));
    assert_eq!(database.made_anew("shop").await.unwrap(), None);
    let _lock = database.lock(given::MAPPING).await.unwrap();
    database.begun_anew(given::MAPPING, second).await.unwrap();
    assert_eq!(anew(&database).await, Some(third), "it was made again meanwhile");
    database.begun_anew(given::MAPPING, third).await.unwrap();
    assert_eq!(anew(&database).await, None);
}

on_both_engines! {
    a_mapping_that_is_deleted_and_made_again_begins_anew_once,
    an_entry_is_changed_only_from_the_version_that_is_expected,
    secrets_come_and_go_with_the_edit_that_needs_them,
    syncs_are_listed_by_mapping_and_status_page_by_page,
}
