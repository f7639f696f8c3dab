//! A mapping gives the same for a row as for the row's event.

use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray};
use ebb_core::{Column, ColumnKind, RecordSet, Value, record::staged_schema};
use ebb_mapping::{Input, Mapping};
use fastrand::Rng;

use crate::generate;

fn columns() -> Vec<Column> {
    [
        ("email", ColumnKind::Text),
        ("a", ColumnKind::Json),
        ("b", ColumnKind::Decimal),
        ("k space", ColumnKind::Float),
        ("x", ColumnKind::Boolean),
        ("n", ColumnKind::Integer),
    ]
    .map(|(name, kind)| Column::new(name, kind, ""))
    .to_vec()
}

fn records() -> RecordSet {
    let integers =
        |values: [Option<i64>; 2]| -> ArrayRef { Arc::new(Int64Array::from_iter(values)) };
    let text = |values: [Option<&str>; 2]| -> ArrayRef { Arc::new(StringArray::from_iter(values)) };
    let arrays: Vec<ArrayRef> = vec![
        integers([Some(0), Some(1)]),
        integers([Some(0), Some(2)]),
        text([Some("7"), Some("8")]),
        text([Some("c"), None]),
        text([Some("Someone@Example.com"), None]),
        text([Some(r#"{"b":[1,{"x":"y"}],"s":"text"}"#), None]),
        text([Some("12.50"), None]),
        Arc::new(Float64Array::from_iter([Some(2.5), None])),
        Arc::new(BooleanArray::from_iter([Some(true), None])),
        integers([Some(42), None]),
    ];
    let batch = RecordBatch::try_new(Arc::new(staged_schema(&columns())), arrays)
        .expect("the arrays are of the schema");
    RecordSet::new(&batch, "m".into(), "2024-05-31T12:00:00Z".into())
        .expect("the batch has all columns")
}

#[test]
fn a_row_gives_what_its_event_gives() {
    let (columns, records) = (columns(), records());
    let mut random = Rng::with_seed(5);
    let mut compared = 0;
    for line in generate::lines(&mut random, 4_000).lines() {
        // Paths of events become paths of columns, so that most of them lead somewhere.
        let line = line.replace("$.a", "$.properties.a").replace("$.n", "$.properties.n");
        let case = Value::from_json(&line).unwrap();
        let mapping = case.as_object().and_then(|case| case.get("mapping")).unwrap();
        let Ok(by_name) = Mapping::compile(mapping, None) else { continue };
        let by_place = Mapping::compile(mapping, Some(&columns)).unwrap();
        for record in records.iter() {
            let event = record.event();
            let expected = by_name.apply(Input::Event(&event));
            assert_eq!(by_place.apply(Input::Record(record)), expected, "{line}");
            assert_eq!(by_place.apply(Input::Event(&event)), expected, "{line}");
            compared += 1;
        }
    }
    assert!(compared > 4_000, "{compared}");
}

fn compile(mapping: &str) -> Mapping {
    let mapping = Value::from_json(mapping).expect("a mapping is JSON");
    Mapping::compile(&mapping, Some(&columns())).expect("the mapping is valid")
}

#[test]
fn references_are_the_columns_that_are_read() {
    let mapping = compile(
        r#"{"to":{"@path":"$.properties.email"},"text":{"@template":"{{properties.b}} {{event}}"},
            "id":{"@path":"$.__segment_id"}}"#,
    );
    assert_eq!(mapping.references().columns.iter().copied().collect::<Vec<_>>(), [0, 2]);
    assert!(!mapping.references().whole);
    assert_eq!(mapping.warnings().count(), 0);
    assert!(compile(r#"{"all":{"@path":"$.properties"}}"#).references().whole);
}

#[test]
fn a_column_that_does_not_exist_is_a_warning_with_the_nearest_name() {
    let mapping = compile(r#"{"to":{"@path":"$.properties.emial"}}"#);
    let warnings: Vec<_> = mapping.warnings().map(|warning| warning.message.clone()).collect();
    assert_eq!(
        warnings,
        [concat!(
            "`/to/@path` reads the column `emial`, which the model lacks. Did you mean `email`? ",
            "Allowed: `email`, `a`, `b`, `k space`, `x`, `n`"
        )]
    );
    let record = records();
    let payload = mapping.apply(Input::Record(record.get(0).unwrap())).unwrap();
    assert_eq!(payload.to_json(), "{}");
}

#[test]
fn a_column_that_does_not_exist_is_found_wherever_it_is_named() {
    let mapping = compile(
        r#"{"path":{"@path":"$.properties.one.deep"},"text":{"@template":"{{properties.two}}"},
            "twice":{"@template":"{{{properties.three}}} {{properties.email}}"},
            "liquid":{"@liquid":"{% if properties.four %}{{ properties.email | append: properties.five }}{% endif %}"},
            "own":{"@liquid":"{% assign properties = 1 %}{{ properties.six }}"}}"#,
    );
    let missing: Vec<_> = mapping.references().missing.iter().map(String::as_str).collect();
    assert_eq!(missing, ["five", "four", "one", "three", "two"]);
}

#[test]
fn a_failing_directive_names_its_field() {
    let mapping = compile(
        r#"{"traits":{"name":{"@case":{"operator":"title","value":{"@path":"$.properties.email"}}}}}"#,
    );
    let records = records();
    let error = mapping.apply(Input::Record(records.get(0).unwrap())).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`traits.name`: `@case` knows the operators `lower` and `upper` alone"
    );
    assert!(mapping.apply(Input::Record(records.get(1).unwrap())).is_ok());
}

#[test]
fn an_invalid_mapping_says_where_and_what_is_expected() {
    let mapping = Value::from_json(
        r#"{"a":{"@pth":"$.x"},"b":{"@replace":{"pattern":"longer than ten"}},"c":{"@path":5}}"#,
    );
    let problems = Mapping::compile(&mapping.unwrap(), None).unwrap_err();
    let messages: Vec<_> = problems.iter().map(|problem| problem.message.as_str()).collect();
    assert_eq!(
        messages[1..],
        [
            "`/b/@replace/pattern` must have 1 to 10 characters",
            "`/b/@replace` must have the option `value`",
            "`/c/@path` must be text or a directive, but is a number",
        ]
    );
    assert!(messages[0].starts_with(
        "`/a` has the unknown directive `@pth`. Did you mean `@path`? Allowed: `@path`, "
    ));
}
