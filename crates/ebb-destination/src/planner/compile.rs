//! From an action's manifest to a plan.

use std::sync::OnceLock;

use ebb_core::{
    Code, Failure, Object, Redactor, Secret, Value,
    port::{Batching, Header},
};

use super::{
    Body, CompiledRule, Judge, Plan, Signer,
    head::{Credential, HeadPlan},
    header,
};
use crate::{
    manifest::{ActionManifest, Manifest},
    native,
    template::{Names, Node, Payload, Run, Scope},
};

/// What an action is compiled with. No `Debug`: it holds secrets.
pub(crate) struct Compiler<'m> {
    pub(crate) manifest: &'m Manifest,
    pub(crate) key: &'m str,
    pub(crate) action: &'m ActionManifest,
    /// All settings, secrets included, defaults filled in, choices replaced by their values.
    pub(crate) settings: &'m Object<'static>,
    pub(crate) redactor: Redactor,
    pub(crate) sync_mode: Option<String>,
    pub(crate) hooks: Object<'static>,
    /// The mapping's word on batches: whether, and how many records.
    pub(crate) batched: bool,
    pub(crate) batch_size: Option<usize>,
    pub(crate) batch_keys: Vec<String>,
    /// Fields whose value is the same for every record.
    pub(crate) constant_fields: Vec<String>,
}

impl Compiler<'_> {
    /// Compiles the plan. The failure names the place in the manifest.
    pub(crate) fn compile(self) -> Result<Plan, Failure> {
        let slug = &self.manifest.slug;
        let key = self.key;
        self.plan().map_err(|reason| {
            Failure::new(
                Code::DestinationManifest,
                format!("the manifest of `{slug}` is not valid in `actions.{key}`: {reason}"),
            )
        })
    }

    fn plan(self) -> Result<Plan, String> {
        let request = &self.action.request;
        let batch = request.batch.as_ref().filter(|_| self.batched);
        let open = self.names(false);
        let secret = self.names(true);
        let head = HeadPlan {
            method: Node::leaf(&request.method, &open)?,
            url: Node::leaf(
                batch.and_then(|batch| batch.url.as_ref()).unwrap_or(&request.url),
                &open,
            )
            .map_err(|reason| format!("`request.url`: {reason}"))?,
            query: request
                .query
                .iter()
                .map(|(name, leaf)| Ok((name.to_owned(), Node::leaf(leaf, &open)?)))
                .collect::<Result<_, String>>()?,
            headers: request
                .headers
                .as_ref()
                .map(|tree| Node::compile(tree, &open, "request.headers"))
                .transpose()?,
            secret: if request.authenticated {
                credential_plans(self.manifest, &secret)?
            } else {
                Vec::new()
            },
        };
        let mut rules = Vec::new();
        for rule in &self.action.rules {
            rules.push(CompiledRule::compile(rule, &open)?);
        }
        let item = request
            .item
            .as_ref()
            .map(|tree| Node::compile(tree, &open, "request.item"))
            .transpose()?;
        let around = Names { fields: None, items: true, ..self.names(false) };
        let body = Node::compile(
            batch.map_or(&request.body, |batch| &batch.body),
            &around,
            "request.body",
        )?;
        let native = match &self.action.delivery.native {
            None => None,
            Some(name) => Some(native::named(name).ok_or_else(|| {
                let known = native::names();
                format!("`{name}` is not a planner. {}", ebb_core::suggest::allowed(name, known))
            })?),
        };
        // A record that makes several elements has these headers even alone.
        let several = request.batch.as_ref().filter(|it| self.batched || it.headers_from > 1);
        let same_head = head.is_constant() || self.head_is_constant();
        Ok(Plan {
            same_head: same_head
                && self.batch_keys.iter().all(|key| self.constant_fields.contains(key)),
            keys: self.batch_keys.clone(),
            rules,
            item,
            native,
            body: Body::compile(&body, request.encoding)?,
            signer: self.signer(&secret)?,
            batched: batch.is_some(),
            batching: batch.map_or(ALONE, |batch| Batching {
                max_items: self
                    .batch_size
                    .map_or(batch.max_items, |size| size.min(batch.max_items)),
                max_bytes: batch.max_bytes,
            }),
            max_item_bytes: request.batch.as_ref().and_then(|batch| batch.max_item_bytes),
            several: several.map_or((usize::MAX, Vec::new()), |batch| {
                let headers: Vec<Header> =
                    batch.headers.iter().map(|(name, value)| header(name, value)).collect();
                (batch.headers_from, headers)
            }),
            judge: Judge {
                name: self.manifest.name.clone(),
                errors: self
                    .manifest
                    .errors
                    .iter()
                    .map(|(status, class)| {
                        Ok((status.parse().map_err(|_| not_a_status(status))?, *class))
                    })
                    .collect::<Result<_, String>>()?,
                answers: self.manifest.answers.clone(),
                rows: self.action.rows.clone(),
                redactor: self.redactor.clone(),
            },
            head,
            sync_mode: self.sync_mode,
            group: OnceLock::new(),
        })
    }

    /// What leaves may name. With `secrets`, they may name secret settings too.
    fn names(&self, secrets: bool) -> Names {
        let fields = self.action.fields.keys().map(str::to_owned).collect();
        let (sync_mode, hooks) = (self.sync_mode.clone(), self.hooks.clone());
        Names {
            fields: Some(fields),
            sync_mode,
            hooks,
            ..names(self.manifest, self.settings, secrets)
        }
    }

    fn signer(&self, names: &Names) -> Result<Option<Signer>, String> {
        let Some(sign) = &self.action.request.sign else { return Ok(None) };
        let key = Node::leaf(&sign.key, names)
            .map_err(|reason| format!("`request.sign.key`: {reason}"))?;
        let key = key
            .constant_text()
            .filter(|key| !key.is_empty())
            .map(|key| Secret::new(key.into_owned()));
        Ok(key.map(|key| Signer { header: sign.header.clone(), digest: sign.digest, key }))
    }

    /// Whether what the head takes from the record is the same for all.
    fn head_is_constant(&self) -> bool {
        let request = &self.action.request;
        let mut texts = vec![request.url.clone(), request.method.clone()];
        texts.extend(request.query.iter().map(|(_, text)| text.clone()));
        if let Some(headers) = &request.headers {
            texts.extend(headers.texts().map(str::to_owned));
        }
        if request.authenticated {
            let auth = &self.manifest.auth;
            texts.extend(
                auth.basic.iter().flat_map(|it| [it.username.clone(), it.password.clone()]),
            );
            texts.extend(auth.bearer.clone());
            texts.extend(auth.headers.iter().map(|(_, text)| text.to_owned()));
        }
        texts.extend(request.batch.iter().filter_map(|batch| batch.url.clone()));
        let varying = self
            .action
            .fields
            .keys()
            .filter(|key| !self.constant_fields.iter().any(|constant| constant == key));
        let names: Vec<String> = varying.map(|key| format!("field.{key}")).collect();
        !texts.iter().any(|text| names.iter().any(|name| text.contains(name.as_str())))
    }
}

/// The settings that leaves may name.
fn names(manifest: &Manifest, settings: &Object<'static>, secrets: bool) -> Names {
    let mut names = Names::default();
    for (key, setting) in manifest.settings.iter() {
        let secret = setting.kind == crate::manifest::SettingKind::Secret && !setting.in_url;
        if secret && !secrets {
            names.hidden.push(key.to_owned());
        } else if let Some(value) = settings.get(key) {
            names.settings.insert(key.to_owned(), value.clone());
        } else {
            names.unset.push(key.to_owned());
        }
    }
    names
}

/// The names that `auth` and `probe` may use: every setting.
pub(crate) fn setting_names(manifest: &Manifest, settings: &Object<'static>) -> Names {
    names(manifest, settings, true)
}

/// The headers of credentials that need no record.
pub(crate) fn credentials(manifest: &Manifest, names: &Names) -> Result<Vec<Header>, String> {
    let nothing = Value::Null;
    let run = Run::fixed(jiff::Timestamp::UNIX_EPOCH, 1);
    let scope = Scope { field: Payload::of(&nothing), run: &run };
    let plans = credential_plans(manifest, names)?;
    let headers = plans.into_iter().filter_map(|(name, credential)| {
        Some(Header { name, value: credential.text(scope)?, secret: true })
    });
    Ok(headers.collect())
}

fn credential_plans(
    manifest: &Manifest,
    names: &Names,
) -> Result<Vec<(String, Credential)>, String> {
    let leaf = |text: &str| Node::leaf(text, names).map_err(|reason| format!("`auth`: {reason}"));
    let auth = &manifest.auth;
    let mut credentials = Vec::new();
    if let Some(basic) = &auth.basic {
        let credential = Credential::Basic(leaf(&basic.username)?, leaf(&basic.password)?);
        credentials.push(("authorization".to_owned(), credential));
    }
    if let Some(bearer) = &auth.bearer {
        credentials.push(("authorization".to_owned(), Credential::Bearer(leaf(bearer)?)));
    }
    for (name, value) in auth.headers.iter() {
        credentials.push((name.to_ascii_lowercase(), Credential::Plain(leaf(value)?)));
    }
    Ok(credentials)
}

const ALONE: Batching = Batching { max_items: 1, max_bytes: usize::MAX };

fn not_a_status(text: &str) -> String {
    format!("`errors.{text}`: `{text}` is not an HTTP status")
}

/// Whether a field's directive gives every record the same value.
pub(crate) fn mapping_is_constant(directive: &serde_json::Value) -> bool {
    match directive {
        serde_json::Value::Object(entries) => {
            entries.iter().all(|(key, value)| !key.starts_with('@') && mapping_is_constant(value))
        }
        serde_json::Value::Array(items) => items.iter().all(mapping_is_constant),
        serde_json::Value::Null
        | serde_json::Value::Bool(_)
        | serde_json::Value::Number(_)
        | serde_json::Value::String(_) => true,
    }
}
