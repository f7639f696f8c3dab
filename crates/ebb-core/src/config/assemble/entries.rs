//! Sources, models, destinations and mappings from their forms.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{
    Assembly, Code, Failure, MANAGED_SCHEMA,
    merge::{Merged, noun},
};
use crate::{
    config::{
        Destination, Entry, Mapping, Model, Settings, Source,
        form::{ConsentColumn, DestinationForm, MappingForm, ModelForm, SourceForm},
    },
    suggest,
};

/// Settings of sources that are paths of files, whatever the kind.
const PATHS: [&str; 6] =
    ["credentials_path", "path", "private_key_path", "sslcert", "sslkey", "sslrootcert"];

impl Assembly<'_> {
    pub(super) fn sources(&mut self, entries: &Merged<'_>) -> BTreeMap<String, Source> {
        self.each("sources", entries, |assembly, entry, form: SourceForm| {
            let mut settings = form.settings.unwrap_or_default();
            for key in PATHS {
                assembly.start_path_at_root(entry, &mut settings, key);
            }
            Some(Source {
                kind: form.kind,
                settings: Settings::from(settings),
                max_concurrent_syncs: form.max_concurrent_syncs.unwrap_or(2),
                schema: form.schema.unwrap_or_else(|| MANAGED_SCHEMA.to_owned()),
                consent: form
                    .consent
                    .into_iter()
                    .flatten()
                    .map(|(category, ConsentColumn(column))| (category, column))
                    .collect(),
            })
        })
    }

    pub(super) fn destinations(&mut self, entries: &Merged<'_>) -> BTreeMap<String, Destination> {
        self.each("destinations", entries, |_, _, form: DestinationForm| {
            Some(Destination {
                kind: form.kind,
                settings: Settings::from(form.settings.unwrap_or_default()),
                enabled: form.enabled.unwrap_or(true),
                consent: form.consent.unwrap_or_default(),
            })
        })
    }

    pub(super) fn models(
        &mut self,
        entries: &Merged<'_>,
        sources: &Merged<'_>,
        mappings: &Merged<'_>,
    ) -> BTreeMap<String, Model> {
        self.each("models", entries, |assembly, entry, form: ModelForm| {
            assembly.defined("models", entry, "source", sources);
            if let Some(schedule) = &form.schedule {
                assembly.schedule("models", entry, schedule, mappings);
            }
            for key in ["id", "timestamp"] {
                assembly.column(entry, key);
            }
            assembly.model(entry, form)
        })
    }

    pub(super) fn mappings(
        &mut self,
        entries: &Merged<'_>,
        models: &Merged<'_>,
        models_read: &BTreeMap<String, Model>,
        destinations: &Merged<'_>,
    ) -> BTreeMap<String, Mapping> {
        let mut per_destination = BTreeMap::<String, usize>::new();
        let mappings = self.each("mappings", entries, |assembly, entry, form: MappingForm| {
            assembly.defined("mappings", entry, "model", models);
            assembly.defined("mappings", entry, "destination", destinations);
            if let Some(schedule) = &form.schedule {
                assembly.schedule("mappings", entry, schedule, entries);
            }
            let inherits_schedule = form.schedule.is_none();
            let models = || models_read.get(&form.model)?.schedule.clone();
            let schedule = form.schedule.or_else(models).unwrap_or_default();
            let number = per_destination.entry(form.destination.clone()).or_default();
            *number += 1;
            let most = assembly.limits.mappings_per_destination;
            if *number == most + 1 {
                let message =
                    format!("the destination `{}` has more than {most} mappings", form.destination);
                let failure = Failure::new(Code::ConfigLimit, message)
                    .help("Remove some, or raise `limits.mappings_per_destination`");
                assembly.report(&entry.place, failure);
            }
            Some(Mapping {
                model: form.model,
                destination: form.destination,
                action: form.action,
                records: form.records.unwrap_or_default(),
                fields: form.fields.unwrap_or_default(),
                schedule,
                inherits_schedule,
                enabled: form.enabled.unwrap_or(true),
                enable_batching: form.enable_batching.unwrap_or(true),
                keep_deleted_values: form.keep_deleted_values.unwrap_or(false),
                guards: form.guards.unwrap_or_default().over(assembly.guards),
            })
        });
        self.circles(&mappings, entries);
        mappings
    }

    pub(super) fn each<F: serde::de::DeserializeOwned, T>(
        &mut self,
        section: &str,
        entries: &Merged<'_>,
        mut build: impl FnMut(&mut Self, &Entry, F) -> Option<T>,
    ) -> BTreeMap<String, T> {
        let mut built = BTreeMap::new();
        for (name, entry) in entries {
            let form = self.read(&[section, name], &entry.value);
            if let Some(value) = form.and_then(|form| build(self, entry, form)) {
                built.insert((*name).to_owned(), value);
            }
        }
        built
    }

    /// Reports a name that refers to nothing.
    fn defined(&mut self, section: &str, entry: &Entry, key: &str, targets: &Merged<'_>) {
        let Some(text) = entry.value.text(key) else { return };
        if text.value().is_some_and(|name| !targets.contains_key(name)) {
            let written = text.written();
            let message = format!(
                "the {} `{}` names the {key} `{written}`, which is not defined",
                noun(section),
                entry.key
            );
            let failure = Failure::new(Code::ConfigName, message)
                .help(suggest::allowed(written, targets.keys().copied()));
            self.report(&entry.value.place_of(key), failure);
        }
    }

    fn column(&mut self, entry: &Entry, key: &str) {
        let most = self.limits.key_column_name;
        let Some(text) = entry.value.text(key) else { return };
        let length = text.value().map_or(0, |name| name.chars().count());
        if length > most {
            let message = format!(
                "`{key}` of the model `{}` has {length} characters, {most} are allowed",
                entry.key
            );
            let failure = Failure::new(Code::ConfigLimit, message)
                .help("Give the column a shorter name with `as` in the query");
            self.report(&entry.value.place_of(key), failure);
        }
    }

    /// Makes a path start from the project folder.
    fn start_path_at_root(&self, entry: &Entry, settings: &mut Map<String, Value>, key: &str) {
        let known = entry
            .value
            .entry("settings")
            .and_then(|settings| settings.value.text(key))
            .is_some_and(|text| text.value().is_some());
        if let Some(Value::String(path)) = settings.get_mut(key)
            && known
            && path != ":memory:"
            && let Some(absolute) = self.root.join(&*path).to_str()
        {
            absolute.clone_into(path);
        }
    }
}
