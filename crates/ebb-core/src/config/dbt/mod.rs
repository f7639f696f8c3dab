//! dbt's `manifest.json`: which models a dbt project has, what they are read from, what is known of
//! their columns.
//!
//! dbt resolves `ref()` itself when it makes the manifest: a model that is built in the warehouse is read
//! from its relation, an ephemeral one from its compiled text. Format: <https://schemas.getdbt.com>,
//! `manifest/v7` to `v12`; what is not used here is passed over.

mod compare;

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::{Code, Failure, suggest};

pub use compare::{Break, Uses, breaks};

/// The file's name, in the folder `target` of a dbt project.
pub const MANIFEST: &str = "target/manifest.json";

/// The models of one dbt project.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Manifest {
    /// The dbt project's name, where dbt wrote it.
    pub project: Option<String>,
    /// By dbt's unique id, such as `model.shop.customers`.
    models: BTreeMap<String, DbtModel>,
}

/// A dbt model.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DbtModel {
    /// Its name.
    pub name: String,
    /// The dbt package that it belongs to.
    pub package: String,
    /// What it means, in its author's words; empty if nothing is said.
    pub description: String,
    /// The table or view that dbt builds, quoted for its warehouse; `None` for ephemeral models.
    pub relation: Option<String>,
    /// The compiled text, if dbt compiled the model.
    pub compiled: Option<String>,
    /// The columns that are documented, by name.
    pub columns: BTreeMap<String, DbtColumn>,
    /// The columns that dbt tests as unique: what may identify a record.
    pub unique: Vec<String>,
}

/// A documented column.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DbtColumn {
    /// What it means; empty if nothing is said.
    pub description: String,
    /// The warehouse's type, if it is documented.
    pub data_type: Option<String>,
}

impl Manifest {
    /// Reads a manifest. The error is what is wrong with it, to follow the file's name.
    pub fn parse(text: &str) -> Result<Self, String> {
        let written: Written = serde_json::from_str(text)
            .map_err(|error| format!("is not a manifest that dbt wrote: {error}"))?;
        let mut manifest = Self { project: written.metadata.project_name, ..Self::default() };
        let mut tests = Vec::new();
        for (id, node) in written.nodes {
            match node.resource_type.as_str() {
                "model" => {
                    manifest.models.insert(id, node.model());
                }
                "test" => tests.push(node),
                _ => {}
            }
        }
        for test in tests {
            let unique = test.test_metadata.as_ref().is_some_and(|test| test.name == "unique");
            let model = test.attached_to.and_then(|id| manifest.models.get_mut(&id));
            if let (true, Some(model), Some(column)) = (unique, model, test.column_name) {
                model.unique.push(column);
            }
        }
        Ok(manifest)
    }

    /// The model of a name, which is unique in the project, or `package.name`, or dbt's unique id.
    pub fn model(&self, name: &str) -> Result<&DbtModel, Failure> {
        if let Some(model) = self.models.get(name) {
            return Ok(model);
        }
        let named = |model: &&DbtModel| {
            model.name == name
                || name
                    .split_once('.')
                    .is_some_and(|(package, name)| model.package == package && model.name == name)
        };
        let found: Vec<_> = self.models.values().filter(named).collect();
        match found.as_slice() {
            [model] => Ok(model),
            [] => {
                let names = self.models.values().map(|model| model.name.as_str());
                let help = suggest::nearest(name, names).map_or_else(
                    || "Run `dbt parse` if the model is new, or correct its name".to_owned(),
                    |nearest| format!("Did you mean `{nearest}`?"),
                );
                Err(Failure::new(Code::ConfigName, format!("dbt has no model `{name}`")).help(help))
            }
            several => {
                let full = several.iter().map(|one| format!("`{}.{}`", one.package, one.name));
                let full = full.collect::<Vec<_>>().join(", ");
                Err(Failure::new(
                    Code::ConfigName,
                    format!("several dbt packages have a model `{name}`"),
                )
                .help(format!("Name the package too: {full}")))
            }
        }
    }
}

impl DbtModel {
    /// What a query selects from: the relation, or the compiled text in brackets.
    pub fn origin(&self) -> Result<String, Failure> {
        match (&self.relation, &self.compiled) {
            (Some(relation), _) => Ok(relation.clone()),
            (None, Some(compiled)) => Ok(format!("(\n{}\n) {}", compiled.trim(), self.name)),
            (None, None) => Err(Failure::new(
                Code::ConfigValue,
                format!("the dbt model `{}` is neither built nor compiled", self.name),
            )
            .help(
                "Run `dbt compile`, which writes the text of ephemeral models into the manifest",
            )),
        }
    }

    /// The names of the documented columns.
    pub fn column_names(&self) -> impl Iterator<Item = &str> {
        self.columns.keys().map(String::as_str)
    }

    /// A documented column, whatever its case: warehouses fold it, each in its own way.
    fn column(&self, name: &str) -> Option<(&str, &DbtColumn)> {
        let mut columns = self.columns.iter();
        let (name, column) = columns.find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        Some((name, column))
    }
}

#[derive(Deserialize)]
struct Written {
    #[serde(default)]
    metadata: Metadata,
    nodes: BTreeMap<String, Node>,
}

#[derive(Default, Deserialize)]
struct Metadata {
    project_name: Option<String>,
}

/// A node of dbt's graph, of any type.
#[derive(Deserialize)]
struct Node {
    resource_type: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    package_name: String,
    #[serde(default)]
    description: Option<String>,
    relation_name: Option<String>,
    compiled_code: Option<String>,
    #[serde(default)]
    columns: BTreeMap<String, Documented>,
    #[serde(rename = "attached_node")]
    attached_to: Option<String>,
    column_name: Option<String>,
    test_metadata: Option<TestMetadata>,
}

#[derive(Deserialize)]
struct Documented {
    #[serde(default)]
    description: Option<String>,
    data_type: Option<String>,
}

#[derive(Deserialize)]
struct TestMetadata {
    name: String,
}

impl Node {
    fn model(self) -> DbtModel {
        let columns = self.columns.into_iter().map(|(name, column)| {
            let Documented { description, data_type } = column;
            (name, DbtColumn { description: description.unwrap_or_default(), data_type })
        });
        DbtModel {
            name: self.name,
            package: self.package_name,
            description: self.description.unwrap_or_default(),
            relation: self.relation_name,
            compiled: self.compiled_code,
            columns: columns.collect(),
            unique: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHOP: &str = r#"{"metadata": {"dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json"},
      "nodes": {
        "model.shop.customers": {"resource_type": "model", "name": "customers", "package_name": "shop",
          "description": "One row per customer", "relation_name": "\"wh\".\"marts\".\"customers\"",
          "columns": {"customer_id": {"name": "customer_id", "description": "Key", "data_type": "bigint", "tags": []}}},
        "model.shop.recent": {"resource_type": "model", "name": "recent", "package_name": "shop",
          "relation_name": null, "compiled_code": "select * from \"wh\".\"marts\".\"customers\"\n", "columns": {}},
        "model.shop.raw": {"resource_type": "model", "name": "raw", "package_name": "shop", "relation_name": null},
        "model.fivetran.customers": {"resource_type": "model", "name": "customers", "package_name": "fivetran",
          "relation_name": "x"},
        "test.shop.unique_customers.1": {"resource_type": "test", "name": "unique_customers", "package_name": "shop",
          "attached_node": "model.shop.customers", "column_name": "customer_id",
          "test_metadata": {"name": "unique", "kwargs": {}}},
        "test.shop.not_null.1": {"resource_type": "test", "attached_node": "model.shop.customers",
          "column_name": "email", "test_metadata": {"name": "not_null"}},
        "seed.shop.countries": {"resource_type": "seed", "name": "countries"}
      }}"#;

    #[test]
    fn models_are_found_by_name_package_or_id() {
        let manifest = Manifest::parse(SHOP).unwrap();
        let customers = manifest.model("shop.customers").unwrap();
        assert_eq!(customers, manifest.model("model.shop.customers").unwrap());
        assert_eq!(customers.origin().unwrap(), r#""wh"."marts"."customers""#);
        assert_eq!(customers.unique, ["customer_id"]);
        assert_eq!(customers.column("CUSTOMER_ID").unwrap().1.description, "Key");
        let several = manifest.model("customers").unwrap_err();
        assert!(several.advice().contains("`fivetran.customers`, `shop.customers`"), "{several}");
        let typo = manifest.model("recnt").unwrap_err();
        assert_eq!((typo.code, typo.advice()), (Code::ConfigName, "Did you mean `recent`?"));
        manifest.model("countries").unwrap_err();
    }

    #[test]
    fn ephemeral_models_are_read_from_their_compiled_text() {
        let manifest = Manifest::parse(SHOP).unwrap();
        let recent = manifest.model("recent").unwrap().origin().unwrap();
        assert_eq!(recent, "(\nselect * from \"wh\".\"marts\".\"customers\"\n) recent");
        assert_eq!(manifest.model("raw").unwrap().origin().unwrap_err().code, Code::ConfigValue);
    }

    #[test]
    fn what_is_no_manifest_is_told() {
        assert!(Manifest::parse("{}").unwrap_err().contains("nodes"));
        assert!(Manifest::parse("[").is_err());
    }
}
