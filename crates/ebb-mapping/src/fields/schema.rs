//! The compiled form of an action's fields.
//!
//! It keeps the reference's turns: which rules an object's own fields lose, what a condition with
//! several parts requires, where `null` is allowed. A payload that is accepted there must be here.

use ebb_core::Value;

use super::{Field, FieldKind, Fields, Format, Required, rule::Rule};

/// A type that a value can have, in the reference's sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    String,
    Number,
    Integer,
    Boolean,
    Null,
    Array,
    Object,
}

/// What one value must be.
#[derive(Debug)]
pub(super) struct Shape {
    /// The types that are allowed, in the order in which a value is made to fit.
    pub(super) types: Vec<Type>,
    pub(super) format: Option<Format>,
    /// Fewest and most characters.
    pub(super) length: (Option<f64>, Option<f64>),
    /// Smallest and largest number.
    pub(super) range: (Option<f64>, Option<f64>),
    /// The values that are allowed.
    pub(super) choices: Option<Vec<Value<'static>>>,
    /// What the items of a list must be.
    pub(super) items: Option<Box<Self>>,
    /// What the keys of an object must be.
    pub(super) object: Option<ObjectShape>,
}

/// What the keys of an object must be.
#[derive(Debug)]
pub(super) struct ObjectShape {
    pub(super) properties: Vec<(Box<str>, Shape)>,
    pub(super) required: Vec<Box<str>>,
    pub(super) keep_unknown: bool,
    pub(super) rules: Vec<Rule>,
}

/// What a mapped payload must be, compiled once for an action.
#[derive(Debug)]
pub struct Schema {
    pub(super) root: Shape,
    /// An action without fields takes any payload.
    pub(super) any: bool,
}

impl Schema {
    /// Compiles an action's fields.
    pub fn new(fields: &Fields) -> Self {
        Self { root: Shape::of_object(fields, false, false), any: fields.is_empty() }
    }
}

impl Shape {
    fn of_object(fields: &Fields, keep_unknown: bool, drop_required: bool) -> Self {
        Self {
            types: vec![Type::Object],
            object: Some(ObjectShape::new(fields, keep_unknown, drop_required)),
            ..Self::any()
        }
    }

    const fn any() -> Self {
        Self {
            types: Vec::new(),
            format: None,
            length: (None, None),
            range: (None, None),
            choices: None,
            items: None,
            object: None,
        }
    }

    fn new(field: &Field) -> Self {
        let kinds = match field.kind {
            FieldKind::String | FieldKind::Text | FieldKind::Password => vec![Type::String],
            FieldKind::DateTime => vec![Type::String, Type::Number],
            FieldKind::Number => vec![Type::Number],
            FieldKind::Integer => vec![Type::Integer],
            FieldKind::Boolean => vec![Type::Boolean],
            FieldKind::Object => vec![Type::Object],
        };
        let format = match field.kind {
            FieldKind::DateTime => Some(Format::DateLike),
            FieldKind::Password => Some(Format::Password),
            FieldKind::Text => Some(Format::Text),
            FieldKind::String
            | FieldKind::Number
            | FieldKind::Integer
            | FieldKind::Boolean
            | FieldKind::Object => field.format,
        };
        let bound = |bound: Option<f64>| bound.filter(|bound| *bound != 0.0);
        let bounds = (bound(field.minimum), bound(field.maximum));
        let own = match (&field.properties, field.kind) {
            (Some(properties), FieldKind::Object) => Some(Self::of_object(
                properties,
                field.additional_properties,
                properties.iter().any(|(_, field)| matches!(field.required, Required::When(_))),
            )),
            _ => None,
        };
        let mut choices = (!field.choices.is_empty())
            .then(|| field.choices.iter().map(|choice| choice.value().into_owned()).collect());
        let mut types = kinds.clone();
        if field.allow_null {
            types.push(Type::Null);
            if let Some(choices) = &mut choices {
                Vec::push(choices, Value::Null);
            }
        }
        if field.multiple {
            let items = own.unwrap_or_else(|| Self { types: kinds, choices, ..Self::any() });
            return Self { types: vec![Type::Array], items: Some(Box::new(items)), ..Self::any() };
        }
        let length = if field.kind == FieldKind::String { bounds } else { (None, None) };
        let range = if field.kind == FieldKind::Number { bounds } else { (None, None) };
        let own = own.unwrap_or_else(|| Self { types, ..Self::any() });
        Self { format, length, range, choices, ..own }
    }

    pub(super) fn allows(&self, kind: Type) -> bool {
        self.types.contains(&kind)
    }
}

impl ObjectShape {
    fn new(fields: &Fields, keep_unknown: bool, drop_required: bool) -> Self {
        let mut required = Vec::new();
        let mut rules = Vec::new();
        let mut properties = Vec::with_capacity(fields.len());
        for (key, field) in fields.iter() {
            if let (Some(inner), FieldKind::Object) = (&field.properties, field.kind) {
                for (inner_key, inner) in inner.iter() {
                    if let Required::When(conditions) = &inner.required {
                        rules.push(Rule::new(&format!("{key}.{inner_key}"), conditions));
                    }
                }
            }
            properties.push((key.into(), Shape::new(field)));
            match &field.required {
                Required::Always(true) => required.push(key.into()),
                Required::Always(false) | Required::Never => {}
                Required::When(conditions) => rules.push(Rule::new(key, conditions)),
            }
        }
        if drop_required {
            (required, rules) = (Vec::new(), Vec::new());
        }
        Self { properties, required, keep_unknown, rules }
    }

    pub(super) fn property(&self, key: &str) -> Option<&Shape> {
        self.entry(key).map(|(_, shape)| shape)
    }

    /// The property of a key, with the key as the schema holds it.
    pub(super) fn entry(&self, key: &str) -> Option<(&str, &Shape)> {
        let entry = self.properties.iter().find(|(name, _)| **name == *key)?;
        Some((&entry.0, &entry.1))
    }
}
