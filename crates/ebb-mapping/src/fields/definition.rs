//! What an action's field is, as a manifest declares it.

use std::fmt;

use ebb_core::Value;
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};

use super::{Conditions, Format};

/// The fields of an action or of an object field, by key, in the order of their declaration.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Fields(Vec<(String, Field)>);

/// One field of an action.
///
/// Keys are snake case; the camel case names of the reference's catalog are read as well.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// What people call the field.
    pub label: String,
    /// What the field means, in a sentence.
    #[serde(default)]
    pub description: String,
    /// What its values are.
    #[serde(rename = "type")]
    pub kind: FieldKind,
    /// Whether a payload must have it.
    #[serde(default)]
    pub required: Required,
    /// Whether the value is a list of `kind`; a single value becomes a list of one.
    #[serde(default)]
    pub multiple: bool,
    /// The only values that are allowed; empty allows all.
    #[serde(default)]
    pub choices: Vec<Choice>,
    /// The form that text must have.
    #[serde(default)]
    pub format: Option<Format>,
    /// The mapping that is used when the user gives none: a value or a directive.
    #[serde(default)]
    pub default: Option<Value<'static>>,
    /// The fields of an object; without any, an object may hold whatever it likes.
    #[serde(default)]
    pub properties: Option<Fields>,
    /// Whether an object with `properties` may have other keys too; else they are removed.
    #[serde(default, alias = "additionalProperties")]
    pub additional_properties: bool,
    /// The smallest number, or the fewest characters of text; 0 is no bound.
    #[serde(default)]
    pub minimum: Option<f64>,
    /// The largest number, or the most characters of text; 0 is no bound.
    #[serde(default)]
    pub maximum: Option<f64>,
    /// Whether `null` is a value; else a `null` is removed.
    #[serde(default, alias = "allowNull")]
    pub allow_null: bool,
    /// When the field is shown to people.
    #[serde(default)]
    pub depends_on: Option<Conditions>,
    /// Whether its choices are asked of the destination.
    #[serde(default)]
    pub dynamic: bool,
    /// Whether people do not see it.
    #[serde(default, alias = "unsafe_hidden")]
    pub hidden: bool,
    /// Whether people cannot change it.
    #[serde(default, alias = "readOnly")]
    pub read_only: bool,
    /// What kind of data it holds, such as `hashedPII`.
    #[serde(default)]
    pub category: Option<String>,
    /// An example that an empty input shows.
    #[serde(default)]
    pub placeholder: Option<String>,
    /// How an object or list is edited, such as `keyvalue`.
    #[serde(default, alias = "defaultObjectUI")]
    pub editor: Option<String>,
    /// The ways of input that people are not offered.
    #[serde(default, alias = "disabledInputMethods")]
    pub disabled_input_methods: Vec<String>,
}

/// What a field's values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FieldKind {
    /// Text.
    String,
    /// Text of several lines.
    Text,
    /// Text that is not shown.
    Password,
    /// A number.
    Number,
    /// A whole number.
    Integer,
    /// `true` or `false`.
    Boolean,
    /// A moment, as text in almost any form or as a number.
    DateTime,
    /// Keys and values.
    Object,
}

/// Whether a payload must have a field.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(untagged)]
pub enum Required {
    /// `true` or `false`.
    Always(bool),
    /// Only when other fields say so.
    When(Conditions),
    /// Not at all.
    #[default]
    Never,
}

/// A value that is allowed.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Choice {
    /// Text that is its own label.
    Text(String),
    /// A value with a label.
    Labeled {
        /// What people see.
        label: String,
        /// What the payload holds.
        value: Value<'static>,
    },
}

impl Choice {
    /// What the payload holds.
    pub fn value(&self) -> Value<'_> {
        match self {
            Self::Text(text) => text.as_str().into(),
            Self::Labeled { value, .. } => value.borrowed(),
        }
    }
}

impl Fields {
    /// The field of a key.
    pub fn get(&self, key: &str) -> Option<&Field> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, field)| field)
    }

    /// The keys and fields in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&str, &Field)> {
        self.0.iter().map(|(key, field)| (&**key, field))
    }

    /// The keys in order.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &str> + Clone {
        self.0.iter().map(|(key, _)| &**key)
    }

    /// How many fields there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<(String, Field)> for Fields {
    fn from_iter<I: IntoIterator<Item = (String, Field)>>(fields: I) -> Self {
        Self(fields.into_iter().collect())
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Fields;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("fields by key")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Fields, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = access.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}
