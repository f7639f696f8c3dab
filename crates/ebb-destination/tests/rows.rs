//! Rows of a model, and mappings that fill an action's fields from them.

use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use ebb_core::{Column, ColumnKind, RecordSet, record};
use ebb_destination::ActionManifest;
use ebb_mapping::fields::{Field, FieldKind, Format, Required};
use serde_json::{Map, Value, json};

/// Added records with an `id` and nine further columns.
pub(crate) fn set(rows: i64) -> RecordSet {
    let mut columns = vec![Column::new("id", ColumnKind::Integer, "bigint")];
    let text = |name: &str| Column::new(name, ColumnKind::Text, "text");
    columns.extend(["email", "first_name", "last_name", "city", "plan", "note"].map(text));
    columns.push(Column::new("seats", ColumnKind::Integer, "int"));
    columns.push(Column::new("score", ColumnKind::Integer, "int"));
    columns.push(Column::new("total", ColumnKind::Integer, "int"));
    let numbers = || -> ArrayRef { Arc::new((0..rows).collect::<Int64Array>()) };
    let texts = |start: &str| -> ArrayRef {
        Arc::new((0..rows).map(|row| Some(format!("{start}-{row}"))).collect::<StringArray>())
    };
    let zeros: ArrayRef = Arc::new((0..rows).map(|_| 0).collect::<Int64Array>());
    let mut arrays = vec![numbers(), zeros, texts("id"), texts("sum"), numbers()];
    arrays.extend(["email", "first", "last", "city", "plan", "note"].map(texts));
    arrays.extend([numbers(), numbers(), numbers()]);
    let schema = Arc::new(record::staged_schema(&columns));
    let batch = RecordBatch::try_new(schema, arrays).unwrap();
    RecordSet::new(&batch, "mapping".into(), "2026-11-21T03:00:00Z".into()).unwrap()
}

/// Directives that give every required field a value that it accepts, and some more.
pub(crate) fn filled(action: &ActionManifest) -> Map<String, Value> {
    let mut fields = Map::new();
    for (key, field) in action.fields.iter() {
        let wanted = [
            "recipients",
            "user_id",
            "external_id",
            "email",
            "email_subscription_status",
            "anonymous_id",
            "traits",
        ];
        if matches!(field.required, Required::Always(true) | Required::When(_))
            || wanted.contains(&key)
        {
            fields.insert(key.to_owned(), value(key, field));
        }
    }
    // These two exclude each other.
    if fields.contains_key("email_to_identify") {
        fields.remove("user_alias");
    }
    if !action.hooks.is_empty() {
        fields.insert(
            "onMappingSave".to_owned(),
            json!({ "inputs": {}, "outputs": { "catalog_name": "catalog" } }),
        );
    }
    fields
}

fn value(key: &str, field: &Field) -> Value {
    if let Some(choice) = field.choices.first() {
        return serde_json::to_value(choice.value()).unwrap();
    }
    let formed = match field.format {
        Some(Format::Email) => Some(json!("ann@example.com")),
        Some(Format::Uri) if key != "url" => Some(json!("https://example.com/p")),
        Some(Format::DateTime) => Some(json!("2026-01-15T12:00:00Z")),
        Some(_) | None => None,
    };
    let one = match field.kind {
        FieldKind::String if formed.is_some() => json!(formed),
        FieldKind::String | FieldKind::Text | FieldKind::Password => match key {
            "url" => json!("https://hooks.slack.com/services/T/B/X"),
            "email_subscription_status" => json!("subscribed"),
            "name" => json!("ecommerce.order_placed"),
            "item_id" => json!({ "@template": "id-{{properties.id}}" }),
            _ => json!({ "@template": "text-{{properties.id}}" }),
        },
        FieldKind::Number | FieldKind::Integer => json!(7),
        FieldKind::Boolean => json!(false),
        FieldKind::DateTime => json!({ "@path": "$.timestamp" }),
        FieldKind::Object => match &field.properties {
            None => json!({ "a": 1 }),
            Some(inner) => Value::Object(
                inner.iter().map(|(key, field)| (key.to_owned(), value(key, field))).collect(),
            ),
        },
    };
    if field.multiple { json!([one]) } else { one }
}
