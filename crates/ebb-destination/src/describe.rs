//! What a destination is, as data for people and programs: `ebb catalog`, forms, documentation.

use ebb_core::Value;
use ebb_mapping::fields::{Field, FieldKind, Fields, Required};
use serde::Serialize;

use crate::{
    catalog::Definition,
    manifest::{ActionManifest, Category, Indexed, Limits, Setting, SyncModes},
};

/// A destination.
#[derive(Debug, Clone, Serialize)]
pub struct Description<'d> {
    /// The kind, as `kind:` has it.
    pub kind: &'d str,
    /// The name of the same destination in the reference's catalog.
    pub reference: Option<&'d str>,
    /// What people call it.
    pub name: &'d str,
    /// What it is, in a sentence.
    pub description: &'d str,
    /// What it is for, the most important first.
    pub categories: &'d [Category],
    /// The vendor's documentation.
    pub docs: &'d str,
    /// What a connection needs.
    pub settings: &'d Indexed<Setting>,
    /// How fast the service may be called.
    pub limits: Limits,
    /// What it can do.
    pub actions: Vec<ActionDescription<'d>>,
}

/// An action.
#[derive(Debug, Clone, Serialize)]
pub struct ActionDescription<'d> {
    /// The key, as `action:` has it.
    pub key: &'d str,
    /// What people call it.
    pub label: &'d str,
    /// What it does, in a sentence.
    pub description: &'d str,
    /// How records may be written, if the mapping has a say in it.
    pub sync_modes: Option<&'d SyncModes>,
    /// Most records of one request; 1 if each goes alone.
    pub max_items: usize,
    /// What it takes.
    pub fields: Vec<FieldDescription<'d>>,
}

/// A field of an action, or of an object field.
#[derive(Debug, Clone, Serialize)]
pub struct FieldDescription<'d> {
    /// The key, as `fields:` has it.
    pub key: &'d str,
    /// What people call it.
    pub label: &'d str,
    /// What it means, in a sentence.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub description: &'d str,
    /// What its values are.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Whether a payload must have it.
    pub required: Need,
    /// Whether the value is a list.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub multiple: bool,
    /// The only values that are allowed; empty allows all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<Value<'d>>,
    /// The mapping that is used when the user gives none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<&'d Value<'static>>,
    /// Whether people do not see it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub hidden: bool,
    /// The fields of an object.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub properties: Vec<Self>,
}

/// Whether a payload must have a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Need {
    /// Always.
    Always,
    /// When other fields call for it.
    Sometimes,
    /// Never.
    Never,
}

impl<'d> FieldDescription<'d> {
    /// One field of an action.
    pub fn of(action: &'d ActionManifest, key: &'d str) -> Option<Self> {
        action.fields.get(key).map(|field| describe_field(key, field))
    }
}

impl Definition {
    /// The destination as data.
    pub fn describe(&self) -> Description<'_> {
        let manifest = &self.manifest;
        Description {
            kind: &manifest.slug,
            reference: manifest.reference.as_deref(),
            name: &manifest.name,
            description: &manifest.description,
            categories: &manifest.categories,
            docs: &manifest.docs,
            settings: &manifest.settings,
            limits: manifest.limits,
            actions: manifest.actions.iter().map(|(key, action)| describe(key, action)).collect(),
        }
    }
}

fn describe<'d>(key: &'d str, action: &'d ActionManifest) -> ActionDescription<'d> {
    ActionDescription {
        key,
        label: &action.label,
        description: &action.description,
        sync_modes: action.sync_modes.as_ref(),
        max_items: action.request.batch.as_ref().map_or(1, |batch| batch.max_items),
        fields: fields(&action.fields),
    }
}

fn fields(fields: &Fields) -> Vec<FieldDescription<'_>> {
    fields.iter().map(|(key, field)| describe_field(key, field)).collect()
}

fn describe_field<'d>(key: &'d str, field: &'d Field) -> FieldDescription<'d> {
    FieldDescription {
        key,
        label: &field.label,
        description: &field.description,
        kind: match field.kind {
            FieldKind::String => "string",
            FieldKind::Text => "text",
            FieldKind::Password => "password",
            FieldKind::Number => "number",
            FieldKind::Integer => "integer",
            FieldKind::Boolean => "boolean",
            FieldKind::DateTime => "datetime",
            FieldKind::Object => "object",
        },
        required: match field.required {
            Required::Always(true) => Need::Always,
            Required::When(_) => Need::Sometimes,
            Required::Always(false) | Required::Never => Need::Never,
        },
        multiple: field.multiple,
        choices: field.choices.iter().map(ebb_mapping::fields::Choice::value).collect(),
        default: field.default.as_ref(),
        hidden: field.hidden,
        properties: field.properties.as_ref().map(fields).unwrap_or_default(),
    }
}
