//! A configured destination: its definition, its settings, and what can be done with it.

use std::{collections::BTreeSet, sync::Arc};

use ebb_core::{
    Code, Column, Failure, Object, Record, Redactor, Value,
    config::Settings,
    port::{Action, Clock, Transport},
    suggest,
};
use ebb_mapping::{Input, Mapping, References};
use serde_json::Map;

use crate::{
    catalog::Definition,
    http::{HttpTransport, Network},
    manifest::{ActionManifest, Manifest},
    payload::Payloads,
    planner::{Compiler, PlannedAction, mapping_is_constant},
    settings::{Resolved, resolve},
};

/// The key by which a mapping says how records are written.
const SYNC_MODE: &str = "__segment_internal_sync_mode";
/// The key by which a mapping says what records are matched by.
const MATCHING_KEY: &str = "__segment_internal_matching_key";
/// Keys that are no fields, but say how records are sent together.
const BATCH_SETTINGS: [&str; 3] = ["enable_batching", "batch_size", "batch_keys"];

/// A configured destination.
pub struct Connector {
    definition: Arc<Definition>,
    settings: Resolved,
    transport: Arc<HttpTransport>,
}

/// Shows the kind alone: settings hold secrets.
impl std::fmt::Debug for Connector {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = &self.definition.manifest.slug;
        out.debug_struct("Connector").field("kind", kind).finish_non_exhaustive()
    }
}

impl Connector {
    /// Connects a definition with settings. Nothing is sent; the failure is a `D209`.
    pub fn new(
        definition: Arc<Definition>,
        settings: &Settings,
        network: &Network,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Failure> {
        let resolved = resolve(&definition.manifest, settings)?;
        let transport = HttpTransport::new(&definition.manifest, &resolved, network, clock)?;
        Ok(Self { definition, settings: resolved, transport: Arc::new(transport) })
    }

    /// The definition.
    pub fn definition(&self) -> &Arc<Definition> {
        &self.definition
    }

    /// Takes the connection's secrets out of text.
    pub const fn redactor(&self) -> &Redactor {
        &self.settings.redactor
    }

    /// Sends requests with the connection's credentials.
    pub fn transport(&self) -> Arc<dyn Transport> {
        let transport: Arc<HttpTransport> = Arc::clone(&self.transport);
        transport
    }

    /// Sends the probe request; `None` if the destination takes the credentials, or has no probe.
    pub async fn probe(&self) -> Option<Failure> {
        self.transport.probe().await.err()
    }

    /// Compiles an action for a model's columns. `fields` are the directives that the mapping
    /// gives; what is absent takes the action's default. `M301`, `M304` and `M305` say what is
    /// wrong with a mapping.
    pub fn action(
        &self,
        key: &str,
        fields: &Map<String, serde_json::Value>,
        columns: &[Column],
        enable_batching: bool,
    ) -> Result<Arc<dyn Action>, Failure> {
        if let Some(failure) =
            check_mapping(&self.definition.manifest, key, fields).into_iter().next()
        {
            return Err(failure);
        }
        let action = action_of(&self.definition.manifest, key)?;
        let directives = with_defaults(action, fields);
        let enable_batching =
            enable_batching && directives.get("enable_batching") != Some(&false.into());
        Ok(Arc::new(self.plan(key, &directives, Some(columns), enable_batching)?))
    }

    /// Compiles an action with exactly these directives.
    pub(crate) fn plan(
        &self,
        key: &str,
        directives: &Map<String, serde_json::Value>,
        columns: Option<&[Column]>,
        enable_batching: bool,
    ) -> Result<PlannedAction, Failure> {
        let manifest = &self.definition.manifest;
        let action = action_of(manifest, key)?;
        let mut fields = Map::new();
        let mut hooks = Object::new();
        for (name, directive) in directives {
            if action.hooks.get(name).is_some() {
                hooks.push(name.clone(), value(directive));
            } else if name != SYNC_MODE && name != MATCHING_KEY {
                fields.insert(name.clone(), directive.clone());
            }
        }
        let plan = Compiler {
            manifest,
            key,
            action,
            settings: &self.settings.values,
            redactor: self.settings.redactor.clone(),
            sync_mode: sync_mode(key, action, directives)?,
            hooks,
            batched: enable_batching && action.request.batch.is_some(),
            batch_size: fields.get("batch_size").and_then(batch_size),
            batch_keys: batch_keys(action, &fields),
            constant_fields: constant_fields(action, &fields),
        }
        .compile()?;
        // Without columns every record may look different, and shows the whole of what it lacks.
        let payloads = match columns {
            Some(_) => Payloads::split(&action.fields, &mut fields, plan.batched),
            None => Payloads::new(&action.fields),
        };
        let mapping = compiled(key, fields, columns)?;
        Ok(PlannedAction { mapping, payloads, plan })
    }
}

/// All problems of a mapping that can be seen without its model: `M304`, `M305`, `M301`.
pub fn check_mapping(
    manifest: &Manifest,
    key: &str,
    fields: &Map<String, serde_json::Value>,
) -> Vec<Failure> {
    let action = match action_of(manifest, key) {
        Ok(action) => action,
        Err(failure) => return vec![failure],
    };
    let mut failures = Vec::new();
    for name in fields.keys() {
        let own = [SYNC_MODE, MATCHING_KEY].contains(&name.as_str())
            || BATCH_SETTINGS.contains(&name.as_str())
            || action.hooks.get(name).is_some();
        if !own && action.fields.get(name).is_none() {
            failures.push(
                Failure::new(
                    Code::UnknownField,
                    format!("the action `{key}` has no field `{name}`"),
                )
                .help(suggest::allowed(name, action.fields.keys())),
            );
        }
    }
    if let Err(problems) =
        Mapping::compile(&value(&serde_json::Value::Object(fields.clone())), None)
    {
        failures.extend(problems.iter().map(|problem| {
            Failure::new(
                Code::MappingInvalid,
                format!("the mapping of `{key}` is not valid: {problem}"),
            )
        }));
    }
    if let Err(failure) = sync_mode(key, action, fields) {
        failures.push(failure);
    }
    failures
}

/// What a mapping reads of a model with these columns, the action's defaults included.
pub fn references(
    manifest: &Manifest,
    key: &str,
    fields: &Map<String, serde_json::Value>,
    columns: &[Column],
) -> Result<References, Failure> {
    let action = action_of(manifest, key)?;
    let mut directives = with_defaults(action, fields);
    directives.retain(|name, _| action.fields.get(name).is_some());
    let mapping = compiled(key, directives, Some(columns))?;
    Ok(mapping.references().clone())
}

/// The columns that a mapping reads and a model with these columns lacks: those that it names itself, and
/// of those that the action's defaults name the ones that the model `had`. Defaults name what a record may
/// or may not have, so the others say nothing.
pub fn lacking(
    manifest: &Manifest,
    key: &str,
    fields: &Map<String, serde_json::Value>,
    columns: &[Column],
    had: &dyn Fn(&str) -> bool,
) -> Result<BTreeSet<String>, Failure> {
    let action = action_of(manifest, key)?;
    let mut own = fields.clone();
    own.retain(|name, _| action.fields.get(name).is_some());
    let own = compiled(key, own, Some(columns))?;
    let mut lacking = references(manifest, key, fields, columns)?.missing;
    lacking.retain(|column| own.references().missing.contains(column) || had(column));
    Ok(lacking)
}

/// What a mapping makes of a record, the action's defaults included, as a JSON object. The action's fields
/// are not held against it yet. Fails with `M303` if a directive fails on the record.
pub fn payload(
    manifest: &Manifest,
    key: &str,
    fields: &Map<String, serde_json::Value>,
    record: Record<'_>,
) -> Result<String, Failure> {
    let action = action_of(manifest, key)?;
    let mut directives = with_defaults(action, fields);
    directives.retain(|name, _| action.fields.get(name).is_some());
    let mapping = compiled(key, directives, Some(record.columns()))?;
    let payload = mapping.apply(Input::Record(record));
    let payload = payload.map_err(|error| Failure::new(Code::MappingFailed, error.to_string()))?;
    Ok(payload.to_json())
}

fn compiled(
    key: &str,
    directives: Map<String, serde_json::Value>,
    columns: Option<&[Column]>,
) -> Result<Mapping, Failure> {
    let mapping = value(&serde_json::Value::Object(directives));
    Mapping::compile(&mapping, columns).map_err(|problems| {
        let problem = problems.first().map(ToString::to_string).unwrap_or_default();
        let message = format!("the mapping of `{key}` is not valid: {problem}");
        Failure::new(Code::MappingInvalid, message)
    })
}

pub(crate) fn action_of<'m>(
    manifest: &'m Manifest,
    key: &str,
) -> Result<&'m ActionManifest, Failure> {
    manifest.actions.get(key).ok_or_else(|| {
        Failure::new(Code::UnknownAction, format!("{} has no action `{key}`", manifest.name))
            .help(suggest::allowed(key, manifest.actions.keys()))
    })
}

/// The directives laid over the action's defaults.
pub(crate) fn with_defaults(
    action: &ActionManifest,
    fields: &Map<String, serde_json::Value>,
) -> Map<String, serde_json::Value> {
    let mut directives = Map::new();
    for (name, field) in action.fields.iter() {
        if let Some(default) = &field.default {
            let default = serde_json::to_value(default).unwrap_or_default();
            directives.insert(name.to_owned(), default);
        }
    }
    if let Some(modes) = &action.sync_modes {
        directives.insert(SYNC_MODE.to_owned(), modes.default.clone().into());
    }
    directives.extend(fields.iter().map(|(name, directive)| (name.clone(), directive.clone())));
    directives
}

fn sync_mode(
    key: &str,
    action: &ActionManifest,
    directives: &Map<String, serde_json::Value>,
) -> Result<Option<String>, Failure> {
    let Some(modes) = &action.sync_modes else { return Ok(None) };
    let given = directives.get(SYNC_MODE);
    let mode = given.map_or(Some(modes.default.as_str()), serde_json::Value::as_str);
    let mode = mode.filter(|mode| modes.choices.iter().any(|choice| choice == mode));
    mode.map(|mode| Some(mode.to_owned())).ok_or_else(|| {
        let given = given.map(ToString::to_string).unwrap_or_default();
        Failure::new(
            Code::MappingInvalid,
            format!("`{key}` cannot write records in the mode `{given}`"),
        )
        .help(suggest::allowed(&given, modes.choices.iter().map(String::as_str)))
    })
}

fn batch_size(directive: &serde_json::Value) -> Option<usize> {
    let size = match directive {
        serde_json::Value::Number(number) => number.as_u64(),
        serde_json::Value::String(text) => text.parse().ok(),
        serde_json::Value::Null
        | serde_json::Value::Bool(_)
        | serde_json::Value::Array(_)
        | serde_json::Value::Object(_) => None,
    };
    size.and_then(|size| usize::try_from(size).ok()).filter(|size| *size > 0)
}

/// The fields beyond the request's own that tell batches apart.
fn batch_keys(action: &ActionManifest, fields: &Map<String, serde_json::Value>) -> Vec<String> {
    let keys = fields.get("batch_keys").and_then(serde_json::Value::as_array);
    let keys = keys.into_iter().flatten().filter_map(serde_json::Value::as_str);
    let known = keys.filter(|key| action.fields.get(key).is_some());
    known.filter(|key| !["url", "method", "headers"].contains(key)).map(str::to_owned).collect()
}

fn constant_fields(
    action: &ActionManifest,
    fields: &Map<String, serde_json::Value>,
) -> Vec<String> {
    let constant =
        action.fields.keys().filter(|key| fields.get(*key).is_none_or(mapping_is_constant));
    constant.map(str::to_owned).collect()
}

pub(crate) fn value(json: &serde_json::Value) -> Value<'static> {
    Value::from_json(&json.to_string()).unwrap_or_default()
}
