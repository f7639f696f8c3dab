//! Columns of a model that would fit the fields of an action.

use ebb_core::{Column, ColumnKind};
use ebb_mapping::fields::{Field, FieldKind};
use serde::Serialize;
use serde_json::{Value, json};

use crate::manifest::ActionManifest;

/// What every record has beside its columns.
const OF_RECORDS: [&str; 6] =
    ["type", "event", "messageId", "timestamp", "properties", "__segment_id"];

/// A column that would fit a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Suggestion<'c> {
    /// The column's name.
    pub column: &'c str,
    /// Why it is suggested.
    pub why: Likeness,
}

/// What a column is called like. Big and small letters are the same, and only letters and digits count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Likeness {
    /// The field's key.
    Key,
    /// What people call the field.
    Label,
}

impl ActionManifest {
    /// The fields that people see.
    pub fn visible(&self) -> impl Iterator<Item = &str> {
        let fields = self.fields.iter();
        fields.filter(|(_, field)| !field.hidden && !field.read_only).map(|(key, _)| key)
    }

    /// The default of a field; `None` where it reads what records of a model never have, such as the traits
    /// of an event.
    pub fn default_of(&self, key: &str, columns: &[Column]) -> Option<Value> {
        let default = self.fields.get(key)?.default.as_ref().map(ebb_core::Value::to_json)?;
        let default: Value = serde_json::from_str(&default).ok()?;
        let Some(path) = default.get("@path").and_then(Value::as_str) else { return Some(default) };
        let path = path.trim_start_matches('$').trim_start_matches('.');
        let has = match path.strip_prefix("properties.") {
            Some(column) => columns.iter().any(|it| it.name == column),
            None => path.is_empty() || OF_RECORDS.contains(&path),
        };
        has.then_some(default)
    }

    /// A column for a field of which a mapping says nothing: one that is called like it and has values that
    /// it may take. `None` also where a default holds.
    pub fn suggestion<'c>(&self, key: &str, columns: &'c [Column]) -> Option<Suggestion<'c>> {
        let field = self.fields.get(key)?;
        if self.default_of(key, columns).is_some() {
            return None;
        }
        let named = [(Likeness::Key, plain(key)), (Likeness::Label, plain(&field.label))];
        columns.iter().filter(|column| takes(field, column.kind)).find_map(|column| {
            let name = plain(&column.name);
            let (why, _) = named.iter().find(|(_, wanted)| *wanted == name)?;
            Some(Suggestion { column: &column.name, why: *why })
        })
    }
}

/// The directive by which a field has the value of a column.
pub fn value_of_column(column: &str) -> Value {
    let plain = column.chars().all(|it| it.is_alphanumeric() || it == '_');
    let path = if plain {
        format!("$.properties.{column}")
    } else {
        format!("$.properties[\"{column}\"]")
    };
    json!({ "@path": path })
}

/// Whether values of a column can be those of a field. Text may hold anything, and so may the values of a
/// source without column types.
const fn takes(field: &Field, column: ColumnKind) -> bool {
    match column {
        ColumnKind::Text | ColumnKind::Json => true,
        ColumnKind::Boolean => !matches!(
            field.kind,
            FieldKind::Number | FieldKind::Integer | FieldKind::DateTime | FieldKind::Object
        ),
        ColumnKind::Integer => !matches!(field.kind, FieldKind::Object),
        ColumnKind::Float | ColumnKind::Decimal => {
            !matches!(field.kind, FieldKind::Boolean | FieldKind::Object)
        }
        ColumnKind::Date | ColumnKind::Timestamp | ColumnKind::LocalTimestamp => matches!(
            field.kind,
            FieldKind::String | FieldKind::Text | FieldKind::Password | FieldKind::DateTime
        ),
        ColumnKind::Time | ColumnKind::Binary => {
            matches!(field.kind, FieldKind::String | FieldKind::Text | FieldKind::Password)
        }
    }
}

/// A name without what people write in different ways.
fn plain(name: &str) -> String {
    name.chars().filter(|it| it.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use ebb_core::{Column, ColumnKind};

    use super::{Likeness, Suggestion};
    use crate::Catalog;

    #[test]
    fn a_column_is_suggested_by_its_name_where_its_type_fits_and_no_default_holds() {
        let webhook = Catalog::built_in().find("webhook").unwrap();
        let action = webhook.manifest.actions.get("send").unwrap();
        let suggested = |field: &str, column: &str, kind| {
            let columns = [Column::new(column, kind, "")];
            let found = action.suggestion(field, &columns);
            found.map(|Suggestion { column, why }| (column.to_owned(), why))
        };
        for (field, column, kind, expected) in [
            ("url", "URL", ColumnKind::Text, Some(Likeness::Key)),
            ("url", "ad-dress", ColumnKind::Text, Some(Likeness::Label)),
            ("url", "website", ColumnKind::Text, None),
            ("headers", "Headers", ColumnKind::Json, Some(Likeness::Key)),
            ("headers", "Headers", ColumnKind::Integer, None),
            ("batch_size", "batch_size", ColumnKind::Integer, None),
            ("nothing", "nothing", ColumnKind::Text, None),
        ] {
            let expected = expected.map(|why| (column.to_owned(), why));
            assert_eq!(suggested(field, column, kind), expected, "{field} {column}");
        }
    }
}
