//! All destinations there are: those built in, and those of a project's own folder.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    fs,
    path::Path,
    sync::{Arc, OnceLock},
};

use ebb_core::{Code, Failure, suggest};

use crate::{
    connector::action_of,
    manifest::{self, Manifest, SettingKind},
};

include!(concat!(env!("OUT_DIR"), "/built_in.rs"));

/// The files of a destination that is built in.
struct BuiltIn {
    kind: &'static str,
    manifest: &'static str,
    examples: &'static str,
    icon: &'static str,
}

/// A destination's definition.
#[derive(Debug)]
pub struct Definition {
    /// The manifest.
    pub manifest: Manifest,
    /// The examples, which are its test and its documentation; empty if there are none.
    pub examples: Cow<'static, str>,
    /// A drawing as SVG text; empty if there is none.
    pub icon: Cow<'static, str>,
}

impl Definition {
    /// The keys of the settings that hold secrets.
    pub fn secret_settings(&self) -> impl Iterator<Item = &str> {
        let settings = self.manifest.settings.iter();
        settings.filter(|(_, setting)| setting.kind == SettingKind::Secret).map(|(key, _)| key)
    }

    /// Whether credentials can be tried before anything is sent.
    pub const fn has_probe(&self) -> bool {
        self.manifest.probe.is_some()
    }

    /// Fails with `M304` if there is no such action.
    pub fn action_exists(&self, key: &str) -> Result<(), Failure> {
        action_of(&self.manifest, key).map(drop)
    }
}

/// A definition that is read when it is first asked for.
#[derive(Debug)]
struct Entry {
    source: Cow<'static, str>,
    examples: Cow<'static, str>,
    icon: Cow<'static, str>,
    /// Where a user's own manifest lies; its errors name it.
    path: Option<String>,
    read: OnceLock<Result<Arc<Definition>, Failure>>,
}

/// All destinations by kind.
#[derive(Debug)]
pub struct Catalog(BTreeMap<String, Entry>);

impl Catalog {
    /// The destinations that are built in.
    pub fn built_in() -> Self {
        let entry = |files: &BuiltIn| Entry {
            source: files.manifest.into(),
            examples: files.examples.into(),
            icon: files.icon.into(),
            path: None,
            read: OnceLock::new(),
        };
        Self(BUILT_IN.iter().map(|files| (files.kind.to_owned(), entry(files))).collect())
    }

    /// The destinations that are built in, and those in folders of `folder`: `<kind>/manifest.toml`.
    /// A user's own kind takes the place of a built-in one. Files are read here; what is wrong with
    /// a manifest is said when its kind is asked for.
    pub fn load(folder: &Path) -> Result<Self, Failure> {
        let mut catalog = Self::built_in();
        let Ok(entries) = fs::read_dir(folder) else { return Ok(catalog) };
        for entry in entries.filter_map(Result::ok) {
            let path = entry.path().join("manifest.toml");
            if !path.is_file() {
                continue;
            }
            let Ok(kind) = entry.file_name().into_string() else { continue };
            let source = fs::read_to_string(&path).map_err(|error| {
                let message = format!("the manifest `{}` cannot be read", path.display());
                Failure::new(Code::DestinationManifest, message).caused_by(error)
            })?;
            let beside =
                |name: &str| fs::read_to_string(entry.path().join(name)).unwrap_or_default();
            catalog.0.insert(
                kind,
                Entry {
                    source: source.into(),
                    examples: beside("examples.toml").into(),
                    icon: beside("icon.svg").into(),
                    path: Some(path.display().to_string()),
                    read: OnceLock::new(),
                },
            );
        }
        Ok(catalog)
    }

    /// The kinds in alphabetical order.
    pub fn kinds(&self) -> impl Iterator<Item = &str> + Clone {
        self.0.keys().map(String::as_str)
    }

    /// The definition of a kind; the reference's name of it will do as well.
    pub fn find(&self, kind: &str) -> Result<Arc<Definition>, Failure> {
        if let Some(entry) = self.0.get(kind) {
            return entry.read(kind);
        }
        let same = self.0.iter().find_map(|(kind_here, entry)| {
            let definition = entry.read(kind_here).ok()?;
            (definition.manifest.reference.as_deref() == Some(kind)).then_some(definition)
        });
        same.ok_or_else(|| {
            Failure::new(
                Code::DestinationSettings,
                format!("there is no kind of destination named `{kind}`"),
            )
            .help(suggest::allowed(kind, self.kinds()))
        })
    }

    /// All definitions, each with its kind; what cannot be read is its failure.
    pub fn definitions(&self) -> impl Iterator<Item = (&str, Result<Arc<Definition>, Failure>)> {
        self.0.iter().map(|(kind, entry)| (kind.as_str(), entry.read(kind)))
    }
}

impl Entry {
    fn read(&self, kind: &str) -> Result<Arc<Definition>, Failure> {
        let read = self.read.get_or_init(|| {
            let manifest = self.parse(kind)?;
            // What is built in is checked by tests, not at every start.
            if self.path.is_some() {
                manifest::check(&manifest)?;
            }
            let (examples, icon) = (self.examples.clone(), self.icon.clone());
            Ok(Arc::new(Definition { manifest, examples, icon }))
        });
        read.clone()
    }

    fn parse(&self, kind: &str) -> Result<Manifest, Failure> {
        let place = self.path.as_deref().unwrap_or(kind);
        let wrong = |reason: String| {
            Failure::new(
                Code::DestinationManifest,
                format!("the manifest `{place}` is not valid: {reason}"),
            )
        };
        let mut manifest: Manifest = toml::from_str(&self.source).map_err(|error| {
            let line = error.span().map(|span| {
                1 + self.source.bytes().take(span.start).filter(|byte| *byte == b'\n').count()
            });
            let line = line.map(|line| format!("line {line}: ")).unwrap_or_default();
            wrong(format!("{line}{}", error.message()))
        })?;
        manifest.share_fields().map_err(wrong)?;
        if manifest.slug != kind {
            return Err(wrong(format!(
                "`slug` is `{}`, but the folder is named `{kind}`",
                manifest.slug
            )));
        }
        Ok(manifest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_manifest_is_valid() {
        for (kind, definition) in Catalog::built_in().definitions() {
            let definition = definition.unwrap_or_else(|failure| panic!("{kind}: {failure}"));
            manifest::check(&definition.manifest).unwrap_or_else(|failure| panic!("{failure}"));
        }
    }

    #[test]
    fn a_kind_is_found_by_the_reference_s_name_and_a_typo_is_helped() {
        let catalog = Catalog::built_in();
        assert_eq!(catalog.find("actions-webhook").unwrap().manifest.slug, "webhook");
        let failure = catalog.find("webhok").unwrap_err();
        assert!(failure.advice().contains("Did you mean `webhook`?"), "{}", failure.advice());
    }

    #[test]
    fn a_project_s_own_destination_needs_no_rebuild_and_its_errors_name_the_line() {
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().join("own-tool");
        fs::create_dir(&own).unwrap();
        let text = r#"
slug = "own-tool"
name = "Own tool"
docs = "https://example.com"
[actions.put]
label = "Put"
[actions.put.fields.id]
label = "Id"
type = "string"
required = true
[actions.put.request]
method = "PUT"
url = "https://example.com/{{ field.id }}"
item = { id = "{{ field.id }}" }
"#;
        fs::write(own.join("manifest.toml"), text).unwrap();
        let catalog = Catalog::load(folder.path()).unwrap();
        assert_eq!(catalog.find("own-tool").unwrap().manifest.actions.keys().next(), Some("put"));

        fs::write(own.join("manifest.toml"), text.replace("docs =", "dcos =")).unwrap();
        let failure = Catalog::load(folder.path()).unwrap().find("own-tool").unwrap_err();
        assert!(failure.message().contains("line 4"), "{failure}");
        assert!(failure.message().contains("dcos"), "{failure}");

        fs::write(own.join("manifest.toml"), text.replace("id }}\" }", "idd }}\" }")).unwrap();
        let failure = Catalog::load(folder.path()).unwrap().find("own-tool").unwrap_err();
        assert!(failure.message().contains("Did you mean `id`?"), "{failure}");
    }
}
