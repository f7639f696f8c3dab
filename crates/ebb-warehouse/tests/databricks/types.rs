//! Databricks' types, from the engine to a record's JSON.
//!
//! The double knows no shapes on a map (`GEOGRAPHY`); how statements treat them is in the dialect's
//! snapshots.

use ebb_core::Code;

use crate::{bench::Bench, engine::Databricks};

#[tokio::test]
async fn every_type_arrives_exactly() {
    let Some(engine) = Databricks::start().await else { return };
    let first = "1 as id, cast(7 as tinyint) as tiny, cast(9999 as smallint) as small, 999999999 as whole, \
         cast(9223372036854775807 as bigint) as big, \
         cast(1234567890123456789012345678.0123456789 as decimal(38,10)) as exact, \
         cast(12345678901234567890123456789012345678 as decimal(38,0)) as wide, cast(0.1 as float) as single, \
         cast(0.1 as double) as number, true as yes, 'é😀''\\\\' as body, cast('abc' as char(5)) as padded, \
         'Ab' collate utf8_lcase as folded, x'00ff' as bytes, date'2026-01-02' as day, \
         time'10:11:12.123456' as clock, timestamp_ntz'2026-01-02 10:11:12.123456' as local, \
         timestamp'2026-01-02 10:11:12.123456+02:00' as moment, parse_json('{\"b\": 1.25, \"a\": [1, null]}') as document, \
         named_struct('x', null, 'at', timestamp'2026-01-02 10:11:12.123456') as nested, \
         array(1, null, 3) as list, map('k', 1.50) as pairs, interval '3 4' day to hour as lasting, \
         interval '1-2' year to month as aging, null as nothing"
        .replace("''", "\\'");
    let second = "2, cast(-7 as tinyint), cast(-1 as smallint), -1, cast(-9223372036854775808 as bigint), \
         cast(-0.5 as decimal(38,10)), cast(0 as decimal(38,0)), cast('NaN' as float), cast('-Infinity' as double), false, '', \
         cast('' as char(5)), '', x'', date'0001-01-01', time'00:00:00', timestamp_ntz'1969-12-31 23:59:59.5', \
         timestamp'1900-01-01 00:00:00', parse_json('null'), null, array(), map(), interval '-1 0' day to hour, \
         interval '0-0' year to month, null";
    let nulls = vec!["null"; 24].join(", ");
    let sql = format!("select {first} union all select {second} union all select 3, {nulls}");
    let mut bench = Bench::new(engine, &sql);
    insta::assert_snapshot!(crate::types::told(&mut bench, 2).await);
}

#[tokio::test]
async fn types_that_cannot_identify_are_refused() {
    let Some(engine) = Databricks::start().await else { return };
    let mut bench = Bench::new(engine, "");
    for id in ["double(1.5)", "true", "x'00'", "parse_json('1')", "array(1)"] {
        bench.query(&format!("select {id} as id"));
        let failure = bench.warehouse.columns(&bench.model).await.unwrap_err();
        assert_eq!(failure.code, Code::IdentifierType, "{id}");
    }
    for (id, text) in [
        ("date'2026-01-02'", "2026-01-02"),
        ("'a'", "a"),
        ("'A' collate utf8_lcase", "A"),
        ("cast(7 as tinyint)", "7"),
        ("cast(12345678901234567890 as decimal(38,0))", "12345678901234567890"),
        ("cast(1.50 as decimal(10,2))", "1.50"),
        ("timestamp'2026-01-02 10:11:12.5+02:00'", "2026-01-02T08:11:12.500000Z"),
        ("timestamp_ntz'2026-01-02 10:11:12'", "2026-01-02 10:11:12"),
    ] {
        bench.query(&format!("select {id} as id"));
        let extracted = bench.extract().await;
        assert_eq!(extracted.changes[0].record_id, text);
    }
}

#[tokio::test]
async fn a_checksum_tells_apart_what_prints_alike() {
    let Some(engine) = Databricks::start().await else { return };
    let mut bench = Bench::new(engine, "");
    for (before, after) in [
        ("'a' as x, cast(null as string) as y", "cast(null as string) as x, 'a' as y"),
        ("'' as x", "cast(null as string) as x"),
        ("'1' as x", "1 as x"),
        ("'null' as x", "cast(null as string) as x"),
        ("array(1, null, 2) as x", "array(1, 2, null) as x"),
        ("named_struct('a', null, 'b', 1) as x", "named_struct('a', 1, 'b', null) as x"),
        ("map('a', 1) as x", "map('a', cast(null as int)) as x"),
        ("parse_json('null') as x", "cast(null as variant) as x"),
        ("'a' collate utf8_lcase as x", "'A' collate utf8_lcase as x"),
        ("x'00' as x", "x'01' as x"),
        ("cast('NaN' as double) as x", "cast(null as double) as x"),
        ("cast('NaN' as double) as x", "cast('Infinity' as double) as x"),
        (
            "timestamp'2026-01-02 10:11:12.123456' as x",
            "timestamp'2026-01-02 10:11:12.123457' as x",
        ),
    ] {
        bench.warehouse.reset("users-to_hook").await.unwrap();
        bench.query(&format!("select 1 as id, {before}"));
        bench.sync().await;
        assert_eq!(bench.sync().await, Vec::<String>::new(), "{before}");
        bench.query(&format!("select 1 as id, {after}"));
        let lines = bench.sync().await;
        assert!(
            lines.len() == 1 && lines[0].starts_with("updated"),
            "{before} → {after}: {lines:?}"
        );
    }
    // What is equal to the engine is no change.
    bench.query("select 1 as id, double('0.0') as x");
    bench.sync().await;
    bench.query("select 1 as id, double('-0.0') as x");
    assert_eq!(bench.sync().await, Vec::<String>::new());
}
