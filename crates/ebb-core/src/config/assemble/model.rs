//! What a model reads: a query, a table, or a dbt model.

use std::{sync::Arc, time::Duration};

use super::{Aim, Assembly, Code, Failure};
use crate::config::{
    DbtSource, Entry, Model,
    dbt::{DbtModel, MANIFEST, Manifest},
    duration::Length,
    form::{DbtForm, ModelForm},
};

/// The keys of a model that say what it reads; one of them is there.
const ORIGINS: [&str; 4] = ["sql", "query", "table", "dbt"];

/// Longer than most transactions take: what they write may be older than what was read meanwhile.
const LOOKBACK: Duration = Duration::from_mins(10);

impl Assembly<'_> {
    /// A model from its form; what is wrong with it is reported.
    pub(super) fn model(&mut self, entry: &Entry, form: ModelForm) -> Option<Model> {
        let name = &entry.key;
        let given: Vec<_> =
            ORIGINS.into_iter().filter(|key| entry.value.entry(key).is_some()).collect();
        if let [one, other, ..] = given.as_slice() {
            let message = format!("the model `{name}` has both `{one}` and `{other}`");
            let help = "Keep one: `sql` names a file, `query` holds the text, `table` and `dbt` name what \
                        is read";
            return self.refuse_model(
                entry,
                other,
                Code::ConfigValue,
                message,
                Some(help.to_owned()),
            );
        }
        let ModelForm {
            source,
            sql,
            query,
            table,
            dbt,
            columns,
            id,
            timestamp,
            lookback,
            schedule,
        } = form;
        if columns.is_some() && (sql.is_some() || query.is_some()) {
            let message = format!("the model `{name}` has `columns` beside a query");
            let help = "Name the columns in the query; `columns` goes with `table` and `dbt`";
            return self.refuse_model(
                entry,
                "columns",
                Code::ConfigValue,
                message,
                Some(help.to_owned()),
            );
        }
        let mut suggested = Vec::new();
        let (key, query, dbt) = match (sql, query, table, dbt) {
            (Some(path), ..) => ("sql", self.query_file(entry, path)?, None),
            (_, Some(query), ..) => ("query", query, None),
            (_, _, Some(table), _) => ("table", select(&table, columns), None),
            (_, _, _, Some(form)) => {
                let (model, source) = self.dbt_model(entry, form)?;
                suggested.clone_from(&model.unique);
                let origin = match model.origin() {
                    Ok(origin) => origin,
                    Err(_) if self.aim == Aim::Review => model.name,
                    Err(failure) => {
                        self.report(&entry.value.place_of("dbt"), failure);
                        return None;
                    }
                };
                ("dbt", select(&origin, columns), Some(source))
            }
            (None, None, None, None) => {
                let message = format!("the model `{name}` does not say what it reads");
                let help =
                    "Add `sql: models/NAME.sql`, the text as `query`, a `table`, or a `dbt` model";
                let failure = Failure::new(Code::ConfigValue, message).help(help);
                self.report(&entry.place, failure);
                return None;
            }
        };
        self.check_query(entry, key, &query)?;
        let id = id.or_else(|| match suggested.as_slice() {
            [only] => Some(only.clone()),
            _ => None,
        });
        let Some(id) = id else {
            let message =
                format!("the model `{name}` needs `id`, the column that identifies a record");
            let help = if suggested.is_empty() {
                "Add `id: COLUMN`".to_owned()
            } else {
                let suggested: Vec<_> = suggested.iter().map(|id| format!("`{id}`")).collect();
                format!("Add it; dbt tests as unique: {}", suggested.join(", "))
            };
            let failure = Failure::new(Code::ConfigValue, message).help(help);
            self.report(&entry.place, failure);
            return None;
        };
        let lookback = lookback.map_or(LOOKBACK, |Length(lookback)| lookback);
        Some(Model { source, query, id, timestamp, lookback, dbt, schedule })
    }

    /// The text of a query's file; its path where that is not known.
    fn query_file(&mut self, entry: &Entry, path: String) -> Option<String> {
        let text = entry.value.text("sql")?;
        if text.value().is_none() {
            return Some(path);
        }
        self.world.read(&path).map_or_else(
            |unreadable| {
                let written = text.written();
                let message =
                    format!("the file `{written}` of the model `{}` {}", entry.key, unreadable.why);
                let help = unreadable.help(Code::FileMissing.help()).into_owned();
                self.refuse_model(entry, "sql", Code::FileMissing, message, Some(help))
            },
            Some,
        )
    }

    fn dbt_model(&mut self, entry: &Entry, form: DbtForm) -> Option<(DbtModel, DbtSource)> {
        let DbtForm { project, model } = form;
        let written = entry.value.entry("dbt")?.value.text("project")?;
        if written.value().is_none() {
            // Not known without the project's secrets: stands for itself.
            let known = DbtModel {
                name: model.clone(),
                relation: Some(project.clone()),
                ..DbtModel::default()
            };
            return Some((known, DbtSource { manifest: project, model }));
        }
        let manifest = manifest_of(&project);
        let parsed = match self.manifest(&manifest) {
            Ok(parsed) => parsed,
            Err(failure) => {
                self.report(&entry.value.entry("dbt")?.value.place_of("project"), failure);
                return None;
            }
        };
        match parsed.model(&model) {
            Ok(found) => Some((found.clone(), DbtSource { manifest, model })),
            Err(failure) => {
                self.report(&entry.value.entry("dbt")?.value.place_of("model"), failure);
                None
            }
        }
    }

    fn manifest(&mut self, path: &str) -> Result<Arc<Manifest>, Failure> {
        if let Some(known) = self.manifests.get(path) {
            return Ok(Arc::clone(known));
        }
        let help = "Run `dbt parse` in the dbt project, or correct its path";
        let text = self.world.read(path).map_err(|unreadable| {
            let message = format!("the file `{path}` {}", unreadable.why);
            Failure::new(Code::FileMissing, message).help(help)
        })?;
        let parsed = Manifest::parse(&text).map_err(|reason| {
            Failure::new(Code::ConfigValue, format!("the file `{path}` {reason}")).help(help)
        })?;
        let parsed = Arc::new(parsed);
        self.manifests.insert(path.to_owned(), Arc::clone(&parsed));
        Ok(parsed)
    }

    fn check_query(&mut self, entry: &Entry, key: &str, query: &str) -> Option<()> {
        let model = &entry.key;
        let (length, most) = (query.chars().count(), self.limits.query_length);
        if length > most {
            let message = format!(
                "the query of the model `{model}` has {length} characters, {most} are allowed"
            );
            return self.refuse_model(entry, key, Code::ConfigLimit, message, None);
        }
        if query.trim().is_empty() {
            let message = format!("the query of the model `{model}` is empty");
            let help = "Write a SELECT".to_owned();
            return self.refuse_model(entry, key, Code::ConfigValue, message, Some(help));
        }
        Some(())
    }

    fn refuse_model<T>(
        &mut self,
        entry: &Entry,
        key: &str,
        code: Code,
        message: String,
        help: Option<String>,
    ) -> Option<T> {
        let failure = Failure::new(code, message);
        let failure = help.into_iter().fold(failure, Failure::help);
        self.report(&entry.value.place_of(key), failure);
        None
    }
}

/// The manifest of a dbt project, which is named by its folder or by the manifest itself.
pub(super) fn manifest_of(project: &str) -> String {
    let file =
        std::path::Path::new(project).extension().is_some_and(|extension| extension == "json");
    if file { project.to_owned() } else { format!("{}/{MANIFEST}", project.trim_end_matches('/')) }
}

fn select(origin: &str, columns: Option<Vec<String>>) -> String {
    let columns = columns.map_or_else(|| "*".to_owned(), |columns| columns.join(", "));
    format!("select {columns} from {origin}")
}
