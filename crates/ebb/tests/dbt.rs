//! Models of a dbt project: synced, and guarded against changes of the project.

use ebb_testkit::Script;
use serde_json::{Value, json};

use crate::shop::Shop;

/// A manifest of the project `shop` with one model that is the table of people.
fn manifest(name: &str, columns: &Value) -> String {
    let model = json!({
        "resource_type": "model", "name": name, "package_name": "shop", "relation_name": "people",
        "columns": columns,
    });
    let test = json!({
        "resource_type": "test", "attached_node": format!("model.shop.{name}"), "column_name": "id",
        "test_metadata": { "name": "unique" },
    });
    let nodes = json!({ format!("model.shop.{name}"): model, "test.shop.unique": test });
    json!({ "metadata": { "project_name": "shop" }, "nodes": nodes }).to_string()
}

async fn shop() -> Shop {
    let shop = Shop::new(3, Script::default()).await;
    let text = std::fs::read_to_string(shop.path("ebb.yaml")).unwrap();
    let query = "    id: id\n    query: select id, name, version from people\n";
    let named = "batch_size: 100, data: { name: { '@path': $.properties.name } } }";
    let text = text.replace(query, "    dbt: { project: warehouse.json, model: people }\n");
    shop.write("ebb.yaml", &text.replace("batch_size: 100 }", named));
    let columns = json!({ "id": {}, "name": { "data_type": "text" }, "version": {} });
    shop.write("warehouse.json", &manifest("people", &columns));
    shop
}

/// The kinds of what breaks, with the mappings.
fn broken(answer: &Value) -> Vec<(&str, &str)> {
    let breaks = answer["breaks"].as_array().unwrap().iter();
    breaks.map(|one| (one["mapping"].as_str().unwrap(), one["kind"].as_str().unwrap())).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dbt_model_is_synced_by_the_column_that_dbt_tests_as_unique() {
    let shop = shop().await;
    assert_eq!(shop.run(&["sync", "all"]).await.count("delivered"), 3);
    shop.sql("update people set name = 'Ada' where id = 2");
    assert_eq!(shop.run(&["sync", "all"]).await.count("delivered"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_of_the_dbt_project_that_breaks_a_mapping_is_told_before_it_lands() {
    let shop = shop().await;
    let check = async |manifest: &str| {
        shop.write("new.json", manifest);
        let path = shop.path("new.json");
        let ran = shop.run(&["check", "--dbt-manifest", path.to_str().unwrap()]).await;
        (ran.code, ran.json())
    };
    let harmless = json!({ "id": {}, "name": { "data_type": "text" } });
    let (code, answer) = check(&manifest("people", &harmless)).await;
    assert_eq!((code, broken(&answer), &answer["compared"]), (Some(0), vec![], &json!(3)));

    let retyped = json!({ "id": {}, "name": { "data_type": "json" }, "version": {} });
    let (code, answer) = check(&manifest("people", &retyped)).await;
    let all = |kind| vec![("all", kind), ("changed", kind), ("gone", kind)];
    assert_eq!((code, broken(&answer)), (Some(1), all("column_retyped")));

    let renamed = json!({ "id": {}, "full_name": {}, "names": {} });
    let (code, answer) = check(&manifest("people", &renamed)).await;
    assert_eq!((code, broken(&answer)), (Some(1), all("column_gone")));
    assert_eq!(answer["breaks"][0]["nearest"], "names");

    let (code, answer) = check(&manifest("persons", &harmless)).await;
    assert_eq!((code, broken(&answer)), (Some(1), all("model_gone")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_check_needs_neither_the_dbt_project_nor_a_warehouse_when_it_is_told_both_manifests() {
    let shop = shop().await;
    std::fs::rename(shop.path("warehouse.json"), shop.path("old.json")).unwrap();
    std::fs::remove_file(shop.path("shop.db")).unwrap();
    shop.write("new.json", &manifest("people", &json!({ "id": {} })));
    let [new, old] = ["new.json", "old.json"].map(|name| shop.path(name));
    let (new, old) = (new.to_str().unwrap(), old.to_str().unwrap());
    let ran = shop.run(&["check", "--dbt-manifest", new]).await;
    assert_eq!((ran.code, &ran.json()["error"]["code"]), (Some(2), &json!("C501")));
    let ran = shop.run(&["check", "--dbt-manifest", new, "--against", old]).await;
    assert_eq!((ran.code, broken(&ran.json()).len()), (Some(1), 3));
    shop.write("other.json", &manifest("people", &json!({})).replace("shop\"}", "finance\"}"));
    let other = shop.path("other.json");
    let other = other.to_str().unwrap();
    let ran = shop.run(&["check", "--dbt-manifest", other, "--against", old]).await;
    assert_eq!((ran.code, &ran.json()["compared"]), (Some(0), &json!(0)), "another dbt project");
}
