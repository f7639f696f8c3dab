//! A folder sent to a server by the command line, and what was made there written as files again.

use std::process::Command;

use ebb_testkit::Script;
use serde_json::json;

use crate::{
    server::Server,
    shop::{Ran, Shop, ran},
};

const FOLDER: &str = "project: other\nsources:\n  lake: { kind: sqlite, settings: { path: shop.db } \
    }\nmodels:\n  everybody: { source: lake, id: id, sql: everybody.sql }\ndestinations:\n  crm: { kind: \
    webhook, settings: { sharedSecret: \"${env:CRM_SECRET}\" } }\nmappings:\n  crm-everybody: { model: \
    everybody, destination: crm, action: send, fields: { url: \"https://example.com/$${escaped}\" } }\nchannels:\n  ops: { kind: slack, settings: { url: \"https://hooks.slack.com/services/hunter2\" } }\nalert_rules:\n  told: { when: [failed], to: [ops] }\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_goes_to_a_server_and_comes_back_the_same() {
    let served = Shop::new(3, Script::default()).await;
    let server = Server::start(&served, &[]).await;
    let folder = Shop::new(3, Script::default()).await;
    folder.write("ebb.yaml", FOLDER);
    folder.write("everybody.sql", "select id, name from people");

    let looked = server.ebb(&folder, &["apply", "--plan"]).await;
    assert_eq!(looked.code, Some(0), "{looked:?}");
    let doings = |ran: &Ran| -> Vec<String> {
        assert_eq!(ran.code, Some(0), "{ran:?}");
        let steps = ran.json()["steps"].as_array().unwrap().clone();
        steps.iter().map(|step| step["doing"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(doings(&looked), ["create"; 6]);
    let unasked = server.ebb(&folder, &["apply"]).await;
    assert_eq!(unasked.code, Some(2), "nobody is there to be asked: {unasked:?}");
    let applied = server.ebb(&folder, &["apply", "--yes"]).await;
    assert_eq!((applied.code, &applied.json()["applied"]), (Some(0), &json!(true)), "{applied:?}");
    let again = server.ebb(&folder, &["apply", "--yes"]).await;
    assert_eq!((again.code, doings(&again)), (Some(0), vec!["keep".to_owned(); 6]), "{again:?}");

    let exported = folder.path("exported");
    let export = server.ebb(&folder, &["export", exported.to_str().unwrap()]).await;
    assert_eq!(export.code, Some(0), "{export:?}");
    assert_eq!(
        export.json()["variables"],
        json!(["DESTINATION_CRM_SHARED_SECRET", "CHANNEL_OPS_URL"])
    );
    let text = std::fs::read_to_string(exported.join("mappings.yaml")).unwrap();
    assert!(text.contains("$${escaped}"), "{text}");
    for file in std::fs::read_dir(&exported).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        assert!(!text.contains("hunter2"), "{text}");
    }
    let twice = server.ebb(&folder, &["export", exported.to_str().unwrap()]).await;
    assert_eq!(twice.code, Some(2), "nothing is written over: {twice:?}");

    // The files are a project, and the server finds nothing in them to change but the secret.
    std::fs::copy(folder.path("shop.db"), exported.join("shop.db")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_ebb"));
    command.args(["apply", "--plan", "--json", "--project"]).arg(&exported);
    command.env("EBB_SERVER", &server.address).env("EBB_TOKEN", &server.token);
    command.env("DESTINATION_CRM_SHARED_SECRET", "hunter2-of-the-crm");
    command.env("CHANNEL_OPS_URL", "https://hooks.slack.com/services/hunter2");
    let planned = ran(command).await;
    assert_eq!(
        (planned.code, doings(&planned)),
        (Some(0), vec!["keep".to_owned(); 6]),
        "{planned:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_server_has_from_files_is_named_by_what_is_applied_to_it() {
    let served = Shop::new(3, Script::default()).await;
    let server = Server::start(&served, &[]).await;
    let folder = Shop::new(1, Script::default()).await;
    folder.write(
        "ebb.yaml",
        "project: more\nmappings:\n  more:\n    { model: people, destination: hook, action: send, fields: { \
         url: \"https://example.com\" }, schedule: { after: all } }\n",
    );
    let applied = server.ebb(&folder, &["apply", "--yes"]).await;
    assert_eq!(applied.code, Some(0), "{applied:?}");
    assert_eq!(applied.json()["steps"][0]["doing"], "create");

    let exported = folder.path("exported");
    let export = server.ebb(&folder, &["export", exported.to_str().unwrap()]).await;
    assert_eq!(
        export.json()["needs"],
        json!(["destinations.hook", "mappings.all", "models.people"]),
        "{export:?}"
    );
    let apply = |to: &Server| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ebb"));
        command.args(["apply", "--yes", "--json", "--project"]).arg(&exported);
        command.env("EBB_SERVER", &to.address).env("EBB_TOKEN", &to.token);
        ran(command)
    };
    let back = apply(&server).await;
    assert_eq!((back.code, &back.json()["steps"][0]["doing"]), (Some(0), &json!("keep")));

    let bare = Shop::new(1, Script::default()).await;
    bare.write("ebb.yaml", "project: bare\n");
    let refused = apply(&Server::start(&bare, &[]).await).await;
    assert_eq!(refused.code, Some(2), "{refused:?}");
    let told = refused.json().to_string();
    for needed in ["people", "hook", "`all`"] {
        assert!(told.contains(needed), "{needed}: {told}");
    }
    assert!(told.contains("mappings.yaml"), "where it is named: {told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_sent_is_refused_with_a_remedy() {
    let served = Shop::new(1, Script::default()).await;
    let server = Server::start(&served, &[]).await;
    let folder = Shop::new(1, Script::default()).await;
    folder.write("ebb.yaml", &FOLDER.replace("$${escaped}", "${env:CRM_SECRET}"));
    folder.write("everybody.sql", "select id, name from people");
    let refers = server.ebb(&folder, &["apply", "--yes"]).await;
    assert_eq!(refers.code, Some(2), "{refers:?}");
    assert_eq!(refers.json()["error"]["code"], "C504", "{refers:?}");

    let mut command = folder.command(&["apply", "--yes", "--server", "http://ebb.example.com"]);
    command.env("EBB_TOKEN", "token").env("CRM_SECRET", "s");
    let plain = ran(command).await;
    assert_eq!(plain.code, Some(2), "a token goes over TLS alone: {plain:?}");
}
