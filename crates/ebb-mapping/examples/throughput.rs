//! How many records a second one core maps: twelve fields, one nested object, one template.
//!
//! `cargo run --release -p ebb-mapping --example throughput -- [SECONDS]`

#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "a measurement"
)]

use std::{sync::Arc, time::Instant};

use arrow_array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use ebb_core::{Column, ColumnKind, RecordSet, Value, record::staged_schema};
use ebb_mapping::{Input, Mapping};

const ROWS: i64 = 8192;

const MAPPING: &str = r#"{
    "user_id": {"@path": "$.properties.id"},
    "email": {"@path": "$.properties.email"},
    "name": {"@template": "{{properties.first_name}} {{properties.last_name}}"},
    "event": {"@path": "$.event"},
    "record": {"@path": "$.__segment_id"},
    "at": {"@path": "$.timestamp"},
    "plan": "pro",
    "traits": {
        "age": {"@path": "$.properties.age"},
        "balance": {"@path": "$.properties.balance"},
        "orders": {"@path": "$.properties.orders"},
        "active": {"@path": "$.properties.active"}
    },
    "first": {"@path": "$.properties.first_name"},
    "last": {"@path": "$.properties.last_name"},
    "country": {"@path": "$.properties.country"},
    "score": {"@path": "$.properties.age"}
}"#;

fn columns() -> Vec<Column> {
    [
        ("id", ColumnKind::Integer),
        ("email", ColumnKind::Text),
        ("first_name", ColumnKind::Text),
        ("last_name", ColumnKind::Text),
        ("balance", ColumnKind::Decimal),
        ("age", ColumnKind::Integer),
        ("orders", ColumnKind::Float),
        ("active", ColumnKind::Boolean),
        ("country", ColumnKind::Text),
        ("created_at", ColumnKind::Timestamp),
    ]
    .map(|(name, kind)| Column::new(name, kind, ""))
    .to_vec()
}

fn records(columns: &[Column]) -> RecordSet {
    let numbers = || 0..ROWS;
    let integers = |start: i64| -> ArrayRef {
        Arc::new(Int64Array::from_iter_values(numbers().map(move |number| number + start)))
    };
    let text = |prefix: &str| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(numbers().map(|number| format!("{prefix}{number}"))))
    };
    let doubles = Float64Array::from_iter_values(numbers().map(|number| number as f64 / 4.0));
    let flags = numbers().map(|number| Some(number % 3 == 0)).collect::<BooleanArray>();
    let moments = TimestampMicrosecondArray::from_iter_values(numbers()).with_timezone("UTC");
    let arrays: Vec<ArrayRef> = vec![
        integers(0),
        Arc::new(Int64Array::from_iter_values(numbers().map(|_| 0))),
        text(""),
        text("c"),
        integers(1000),
        text("someone@example.com"),
        text("First"),
        text("Last"),
        Arc::new(StringArray::from_iter_values(numbers().map(|number| format!("{number}.25")))),
        integers(18),
        Arc::new(doubles),
        Arc::new(flags),
        text("Country"),
        Arc::new(moments),
    ];
    let batch = RecordBatch::try_new(Arc::new(staged_schema(columns)), arrays)
        .expect("the arrays are of the schema");
    RecordSet::new(&batch, "bench".into(), "2024-05-31T12:00:00Z".into())
        .expect("the batch has all columns")
}

fn main() {
    let seconds: f64 = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(3.0);
    let columns = columns();
    let records = records(&columns);
    let mapping = Value::from_json(MAPPING).expect("the mapping is JSON");
    let mapping = Mapping::compile(&mapping, Some(&columns)).expect("the mapping is valid");
    let start = Instant::now();
    let mut count = 0_u64;
    while start.elapsed().as_secs_f64() < seconds {
        for record in records.iter() {
            let payload = mapping.apply(Input::Record(record)).expect("no directive fails");
            std::hint::black_box(payload);
            count += 1;
        }
    }
    let rate = count as f64 / start.elapsed().as_secs_f64();
    println!("{rate:.0} records/s");
}
