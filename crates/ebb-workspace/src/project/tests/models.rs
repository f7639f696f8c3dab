//! Models that are tables or come from a dbt project.

use insta::assert_snapshot;

use super::{complaint, folder, load_without_secrets, project, told};

const MANIFEST: &str = r#"{"metadata": {"project_name": "shop"}, "nodes": {
  "model.shop.customers": {"resource_type": "model", "name": "customers", "package_name": "shop",
    "relation_name": "\"marts\".\"customers\""},
  "model.shop.orders": {"resource_type": "model", "name": "orders", "package_name": "shop",
    "relation_name": "marts.orders"},
  "model.shop.draft": {"resource_type": "model", "name": "draft", "package_name": "shop"},
  "test.shop.a": {"resource_type": "test", "attached_node": "model.shop.customers",
    "column_name": "customer_id", "test_metadata": {"name": "unique"}},
  "test.shop.b": {"resource_type": "test", "attached_node": "model.shop.orders",
    "column_name": "order_id", "test_metadata": {"name": "unique"}},
  "test.shop.c": {"resource_type": "test", "attached_node": "model.shop.orders",
    "column_name": "number", "test_metadata": {"name": "unique"}}
}}"#;

fn shop(models: &str) -> String {
    format!(
        "sources: {{ shop: {{ kind: sqlite, settings: {{ path: shop.db }} }} }}\nmodels:\n{models}"
    )
}

#[test]
fn tables_and_dbt_models_become_queries() {
    let models = shop(
        "  all: { source: shop, table: marts.customers, id: id }
  some: { source: shop, table: customers, columns: [id, '\"order\"'], id: id }
  found: { source: shop, dbt: { project: dbt, model: customers } }
  named: { source: shop, dbt: { project: dbt/target/manifest.json, model: shop.orders }, columns: [number], id: number }
",
    );
    let project = project(&[("ebb.yaml", &models), ("dbt/target/manifest.json", MANIFEST)]);
    let query = |model: &str| project.models[model].query.as_str();
    assert_eq!(query("all"), "select * from marts.customers");
    assert_eq!(query("some"), "select id, \"order\" from customers");
    assert_eq!(query("found"), "select * from \"marts\".\"customers\"");
    assert_eq!(project.models["found"].id, "customer_id", "dbt tests it as unique");
    assert_eq!(query("named"), "select number from marts.orders");
    let source = project.models["named"].dbt.as_ref().unwrap();
    assert_eq!((&*source.manifest, &*source.model), ("dbt/target/manifest.json", "shop.orders"));
}

#[test]
fn what_is_wrong_with_them_is_told() {
    let models = shop(
        "  both: { source: shop, table: a, query: select 1, id: id }
  beside: { source: shop, query: select 1 as id, columns: [id], id: id }
  keyless: { source: shop, table: a }
  choice: { source: shop, dbt: { project: dbt, model: orders } }
  typo: { source: shop, dbt: { project: dbt, model: custmers }, id: id }
  draft: { source: shop, dbt: { project: dbt, model: draft }, id: id }
  away: { source: shop, dbt: { project: other, model: customers }, id: id }
  broken: { source: shop, dbt: { project: broken.json, model: customers }, id: id }
",
    );
    assert_snapshot!(complaint(&[
        ("ebb.yaml", &models),
        ("dbt/target/manifest.json", MANIFEST),
        ("broken.json", "{}"),
    ]), @r"
    error[C504]: the model `both` has both `query` and `table`
       at: ebb.yaml:3:32
     help: Keep one: `sql` names a file, `query` holds the text, `table` and `dbt` name what is read
    error[C504]: the model `beside` has `columns` beside a query
       at: ebb.yaml:4:59
     help: Name the columns in the query; `columns` goes with `table` and `dbt`
    error[C504]: the model `keyless` needs `id`, the column that identifies a record
       at: ebb.yaml:5:3
     help: Add `id: COLUMN`
    error[C504]: the model `choice` needs `id`, the column that identifies a record
       at: ebb.yaml:6:3
     help: Add it; dbt tests as unique: `order_id`, `number`
    error[C506]: dbt has no model `custmers`
       at: ebb.yaml:7:53
     help: Did you mean `customers`?
    error[C504]: the dbt model `draft` is neither built nor compiled
       at: ebb.yaml:8:31
     help: Run `dbt compile`, which writes the text of ephemeral models into the manifest
    error[C501]: the file `other/target/manifest.json` does not exist
       at: ebb.yaml:9:41
     help: Run `dbt parse` in the dbt project, or correct its path
    error[C504]: the file `broken.json` is not a manifest that dbt wrote: missing field `nodes` at line 1 column 2
       at: ebb.yaml:10:43
     help: Run `dbt parse` in the dbt project, or correct its path
    ");
}

#[test]
fn a_dbt_project_behind_a_reference_is_left_as_it_is() {
    let models =
        shop("  a: { source: shop, dbt: { project: '${env:EBB_NO_SUCH}', model: m }, id: id }\n");
    let folder = folder(&[("ebb.yaml", &models)]);
    let project = load_without_secrets(folder.path())
        .unwrap_or_else(|problems| panic!("{}", told(&problems)));
    assert_eq!(project.models["a"].query, "select * from ${env:EBB_NO_SUCH}");
}
