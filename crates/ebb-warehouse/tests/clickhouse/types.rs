//! ClickHouse's types, from the engine to a record's JSON.

use ebb_core::{Code, port::Wanted};

use crate::{bench::Bench, engine::ClickHouse};

#[tokio::test]
async fn every_type_arrives_exactly() {
    let Some(engine) = ClickHouse::start().await else { return };
    let types = [
        ("tiny", "Int8", "-128", "127"),
        ("small", "UInt16", "65535", "0"),
        ("whole", "Int32", "-2147483648", "7"),
        ("big", "Int64", "-9223372036854775808", "9223372036854775807"),
        ("bigger", "UInt64", "18446744073709551615", "0"),
        ("huge", "Int128", "'-170141183460469231731687303715884105728'", "1"),
        (
            "vast",
            "UInt256",
            "'115792089237316195423570985008687907853269984665640564039457584007913129639935'",
            "0",
        ),
        ("exact", "Decimal(38, 10)", "'1234567890123456789012345678.0123456789'", "'-0.5'"),
        (
            "exactest",
            "Decimal(76, 30)",
            "'1234567890123456789012345678901234567890123456.012345678901234567890123456789'",
            "'1.50'",
        ),
        ("single", "Float32", "0.1", "'nan'"),
        ("number", "Float64", "0.1", "'-inf'"),
        ("yes", "Bool", "true", "false"),
        ("body", "String", "'é😀\\'\\\\'", "''"),
        ("bytes", "String", "'a\\xff'", "'\\0'"),
        ("padded", "FixedString(5)", "'ab'", "''"),
        ("day", "Date", "'2026-01-02'", "'1970-01-01'"),
        ("wide_day", "Date32", "'1900-01-01'", "'2299-12-31'"),
        ("second", "DateTime", "'2026-01-02 10:11:12'", "0"),
        ("zoned", "DateTime('Asia/Tokyo')", "'2026-01-02 10:11:12'", "0"),
        ("moment", "DateTime64(6)", "'2026-01-02 10:11:12.123456'", "'1900-01-01 00:00:00'"),
        ("nanos", "DateTime64(9, 'Europe/Berlin')", "'2026-01-02 10:11:12.123456789'", "0"),
        ("clock", "Time", "'10:11:12'", "'-30:00:01'"),
        ("fine", "Time64(3)", "'10:11:12.5'", "'00:00:00'"),
        (
            "key",
            "UUID",
            "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'",
            "'00000000-0000-0000-0000-000000000000'",
        ),
        ("feeling", "Enum8('happy' = 1, 'sad' = 2)", "'happy'", "2"),
        ("mood", "LowCardinality(Nullable(String))", "'calm'", "null"),
        ("few", "LowCardinality(UInt8)", "7", "0"),
        ("host", "IPv4", "'1.2.3.4'", "'0.0.0.0'"),
        ("wide_host", "IPv6", "'2001:db8::1'", "'::'"),
        ("largest", "SimpleAggregateFunction(max, Int64)", "7", "0"),
        ("maybe", "Nullable(Int16)", "5", "null"),
        ("list", "Array(Nullable(Int64))", "[1, null, 9007199254740993]", "[]"),
        ("moments", "Array(DateTime('Asia/Tokyo'))", "['2026-01-02 10:11:12']", "[]"),
        ("pair", "Tuple(a Nullable(Int32), b String)", "(null, 'x/y')", "(1, '')"),
        ("row", "Tuple(Float64, Decimal(9, 2))", "('nan', '1.50')", "(0, 0)"),
        ("pairs", "Map(String, UInt64)", "map('k', 18446744073709551615)", "map()"),
        ("document", "JSON", "'{\"b\": 1.25, \"a\": [1, null], \"at\": \"x\"}'", "'{}'"),
        ("either", "Variant(Int64, String)", "'text'", "null"),
        ("anything", "Dynamic", "[1, 2]", "null"),
        ("place", "Point", "(1.5, 2)", "(0, 0)"),
        ("area", "Polygon", "[[(0, 0), (1, 0), (1, 1), (0, 0)]]", "[]"),
        ("way", "LineString", "[(0, 0), (1, 0)]", "[]"),
    ];
    let list = |part: fn(&(&str, &str, &str, &str)) -> String| {
        types.iter().map(part).collect::<Vec<_>>().join(", ")
    };
    let names = list(|(name, native, ..)| format!("{name} {native}"));
    let first = list(|(_, native, one, _)| value(native, one));
    let second = list(|(_, native, _, other)| value(native, other));
    let create =
        format!("create table everything (id Int32, {names}) engine = MergeTree order by id");
    let double = engine.double();
    double.own(&create).await;
    for (id, row) in [(1, first), (2, second)] {
        double.own(&format!("insert into everything select {id}, {row}")).await;
    }
    // What no table holds comes from the model alone.
    let model = "select *, toIntervalDay(id) as lasting, null as nothing from everything";
    let mut bench = Bench::new(engine, model);
    insta::assert_snapshot!(crate::types::told(&mut bench, 2).await);
}

/// A literal of a type; the literals here are as ClickHouse itself writes them.
fn value(native: &str, literal: &str) -> String {
    if literal == "null" { literal.to_owned() } else { format!("cast({literal} as {native})") }
}

#[tokio::test]
async fn types_that_cannot_identify_are_refused() {
    let Some(engine) = ClickHouse::start().await else { return };
    let mut bench = Bench::new(engine, "");
    for id in ["1.5", "true", "[1]", "map(1, 2)", "'{}'::JSON"] {
        bench.query(&format!("select {id} as id"));
        let failure = bench.warehouse.columns(&bench.model).await.unwrap_err();
        assert_eq!(failure.code, Code::IdentifierType, "{id}");
    }
    for (id, text) in [
        ("toDate('2026-01-02')", "2026-01-02"),
        ("'a'", "a"),
        ("'a\\xff'", "a\u{fffd}"),
        ("toFixedString('ab', 5)", "ab"),
        ("toInt8(-7)", "-7"),
        ("18446744073709551615", "18446744073709551615"),
        (
            "toInt128('-170141183460469231731687303715884105728')",
            "-170141183460469231731687303715884105728",
        ),
        ("toDecimal64('1.50', 2)", "1.5"),
        ("toUUID('A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11')", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
        ("toDateTime64('2026-01-02 10:11:12.5', 3, 'Asia/Tokyo')", "2026-01-02 01:11:12.500"),
        ("toIPv4('1.2.3.4')", "1.2.3.4"),
        ("'b'::Enum8('b' = 1)", "b"),
    ] {
        bench.query(&format!("select {id} as id"));
        let extracted = bench.extract().await;
        assert_eq!(extracted.changes[0].record_id, text);
        assert_eq!(
            bench
                .warehouse
                .preview(&bench.model, Wanted::Record(text), 1)
                .await
                .unwrap()
                .rows
                .num_rows(),
            1
        );
    }
}

#[tokio::test]
async fn a_checksum_tells_apart_what_prints_alike() {
    let Some(engine) = ClickHouse::start().await else { return };
    // Each record changes one column alone, but for the first, where a value moves to the next column.
    let columns = [
        ("'a'", "null"),
        ("cast(null as Nullable(String))", "'a'"),
        ("''", "null"),
        ("'-'", "null"),
        ("[1, null, 2]", "[1, 2, null]"),
        ("(null::Nullable(Int8), 1)", "(1, null::Nullable(Int8))"),
        ("map('a', 1::Nullable(Int8))", "map('a', null::Nullable(Int8))"),
        ("'null'::Dynamic", "null::Dynamic"),
        ("'x'::Variant(Int64, String)", "1::Variant(Int64, String)"),
        ("'\\xfe'", "'\\xff'"),
        ("nan", "null"),
        ("nan", "inf"),
        (
            "toDateTime('2026-10-25 00:30:00', 'UTC')::DateTime('Europe/Berlin')",
            "toDateTime('2026-10-25 01:30:00', 'UTC')::DateTime('Europe/Berlin')",
        ),
        (
            "toDateTime64('2026-01-02 10:11:12.123456789', 9)",
            "toDateTime64('2026-01-02 10:11:12.123456788', 9)",
        ),
        ("(0.1, 0.1)::Point", "(0.1, 0.10000000000000002)::Point"),
    ];
    let before: Vec<_> = columns
        .iter()
        .enumerate()
        .map(|(place, (before, _))| format!("{before} as c{place}"))
        .collect();
    // Without a supertype in `if`, a row of its own for each record says what it has.
    let row = |record: usize| {
        let values = columns.iter().enumerate().map(|(place, (before, after))| {
            let value = if record == place.max(1) { after } else { before };
            format!("{value} as c{place}")
        });
        format!("select toInt64({record}) as id, {}", values.collect::<Vec<_>>().join(", "))
    };
    let records = 1..columns.len();
    let unchanged: Vec<_> = records
        .clone()
        .map(|record| format!("select toInt64({record}) as id, {}", before.join(", ")))
        .collect();
    let changed: Vec<_> = records.map(row).collect();
    // Both have the types of both.
    let query = |flag: &str| {
        format!(
            "select * except (new) from (select *, 0 as new from ({}) union all select *, 1 as new from ({})) where new = {flag}",
            unchanged.join(" union all "),
            changed.join(" union all ")
        )
    };
    let mut bench = Bench::new(engine, &query("0"));
    assert_eq!(bench.sync().await.len(), columns.len() - 1);
    assert_eq!(bench.sync().await, Vec::<String>::new());
    bench.query(&query("1"));
    let lines = bench.sync().await;
    let updated = lines.iter().filter(|line| line.starts_with("updated "));
    assert_eq!((updated.count(), lines.len()), (columns.len() - 1, columns.len() - 1), "{lines:?}");
}
