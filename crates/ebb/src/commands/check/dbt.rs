//! `ebb check --dbt-manifest`: what a change of a dbt project breaks. Connects to nothing, so that it
//! runs in the checks of the dbt project's own repository.

use std::{borrow::Cow, fs, path::Path};

use ebb_core::{
    Code, Column, ColumnKind, Failure,
    config::{
        DbtSource, Mapping, Model, Project,
        dbt::{Break, DbtModel, Manifest, Uses, breaks},
    },
};
use ebb_destination::{Catalog, References, references};
use serde_json::json;

use ebb_workspace::project::{load_with_manifest, load_without_secrets};

use crate::{
    cli::Global,
    report::{Finish, Stop, print_json, print_text},
};

/// What breaks for one mapping.
struct Finding<'a> {
    mapping: &'a str,
    model: &'a str,
    dbt: &'a str,
    broken: Break,
}

pub(super) fn run(new: &Path, old: Option<&Path>, global: &Global) -> Result<Finish, Stop> {
    let new = manifest(new)?.0;
    let old = old.map(manifest).transpose()?;
    let project = match &old {
        Some((manifest, text)) => load_with_manifest(&global.project, manifest, text)?,
        None => load_without_secrets(&global.project)?,
    };
    let catalog = Catalog::load(&project.root.join("destinations"))?;
    let mut findings = Vec::new();
    let mut compared = 0;
    for (name, mapping) in enabled(&project) {
        let Some(model) = project.models.get(&mapping.model) else { continue };
        let Some(source) = &model.dbt else { continue };
        let before = match &old {
            Some((old, _)) => Cow::Borrowed(old),
            None => Cow::Owned(manifest(&project.root.join(&source.manifest))?.0),
        };
        if before.project.is_some() && new.project.is_some() && before.project != new.project {
            continue;
        }
        compared += 1;
        let uses = uses(&catalog, &project, mapping, model, source, &[&before, &new])?;
        findings.extend(breaks(&before, &new, &uses).into_iter().map(|broken| Finding {
            mapping: name,
            model: &mapping.model,
            dbt: &source.model,
            broken,
        }));
    }
    tell(&findings, compared, global.json);
    Ok(if findings.is_empty() { Finish::Done } else { Finish::DoneWithFailures })
}

/// The mappings that sync: switched on, to a destination that is.
fn enabled(project: &Project) -> impl Iterator<Item = (&str, &Mapping)> {
    let on = |mapping: &Mapping| {
        let destination = project.destinations.get(&mapping.destination);
        mapping.enabled && destination.is_some_and(|destination| destination.enabled)
    };
    let mappings = project.mappings.iter().filter(move |(_, mapping)| on(mapping));
    mappings.map(|(name, mapping)| (name.as_str(), mapping))
}

/// The columns that a mapping needs of its dbt model.
fn uses(
    catalog: &Catalog,
    project: &Project,
    mapping: &Mapping,
    model: &Model,
    source: &DbtSource,
    manifests: &[&Manifest],
) -> Result<Uses, Failure> {
    let mut columns: Vec<String> = manifests
        .iter()
        .filter_map(|manifest| manifest.model(&source.model).ok())
        .flat_map(DbtModel::column_names)
        // Warehouses fold names, and a mapping names a column as its warehouse does.
        .flat_map(|name| [name.to_owned(), name.to_lowercase(), name.to_uppercase()])
        .collect();
    columns.sort_unstable();
    columns.dedup();
    let known: Vec<Column> =
        columns.iter().map(|name| Column::new(name, ColumnKind::Text, "text")).collect();
    let destination = project.destinations.get(&mapping.destination);
    let kind = destination.map(|destination| destination.kind.as_str()).unwrap_or_default();
    let manifest = &catalog.find(kind)?.manifest;
    let References { columns: read, whole, .. } =
        references(manifest, &mapping.action, &mapping.fields, &known)?;
    let named = read.iter().filter_map(|place| columns.get(*place).cloned());
    let keys = [Some(&model.id), model.timestamp.as_ref()];
    Ok(Uses {
        model: source.model.clone(),
        columns: named.chain(keys.into_iter().flatten().cloned()).collect(),
        whole,
    })
}

fn manifest(path: &Path) -> Result<(Manifest, String), Failure> {
    let shown = path.display();
    let text = fs::read_to_string(path).map_err(|error| {
        Failure::new(Code::FileMissing, format!("the manifest `{shown}` cannot be read: {error}"))
            .help("Run `dbt parse`; it writes `target/manifest.json`")
    })?;
    let manifest = Manifest::parse(&text).map_err(|reason| {
        Failure::new(Code::ConfigValue, format!("the file `{shown}` {reason}"))
            .help("Run `dbt parse`; it writes `target/manifest.json`")
    })?;
    Ok((manifest, text))
}

fn tell(findings: &[Finding<'_>], compared: usize, json: bool) {
    if json {
        let breaks: Vec<_> = findings.iter().map(Finding::json).collect();
        print_json(&json!({ "ok": findings.is_empty(), "compared": compared, "breaks": breaks }));
        return;
    }
    for Finding { mapping, model, dbt, broken } in findings {
        print_text(&format!(
            "BREAKS mapping {mapping} (model {model}, dbt model {dbt}): {broken}\n"
        ));
    }
    print_text(&match findings.len() {
        0 => format!("nothing breaks; enabled mappings of dbt models: {compared}\n"),
        _ => "\nKeep what is read, or change the mappings first and sync them\n".to_owned(),
    });
}

impl Finding<'_> {
    fn json(&self) -> serde_json::Value {
        let (kind, column, nearest) = match &self.broken {
            Break::ModelGone { nearest } => ("model_gone", None, nearest.as_deref()),
            Break::ModelUnreadable => ("model_unreadable", None, None),
            Break::ColumnGone { column, nearest } => {
                ("column_gone", Some(column), nearest.as_deref())
            }
            Break::ColumnRetyped { column, .. } => ("column_retyped", Some(column), None),
        };
        json!({
            "mapping": self.mapping, "model": self.model, "dbt_model": self.dbt, "kind": kind,
            "column": column, "nearest": nearest, "message": self.broken.to_string(),
        })
    }
}
