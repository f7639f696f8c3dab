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
         cast('' as char(5)), '' collate utf8_lcase, x'', date'0001-01-01', time'00:00:00', timestamp_ntz'1969-12-31 23:59:59.5', \
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
    // Each record changes one column alone, but for the first, where a value moves to the next column.
    let columns = [
        ("'a'", "null"),
        ("cast(null as string)", "'a'"),
        ("''", "null"),
        ("'null'", "null"),
        ("array(1, null, 2)", "array(1, 2, null)"),
        ("named_struct('a', null, 'b', 1)", "named_struct('a', 1, 'b', null)"),
        ("map('a', 1)", "map('a', cast(null as int))"),
        ("parse_json('null')", "cast(null as variant)"),
        ("'a' collate utf8_lcase", "'A' collate utf8_lcase"),
        ("x'00'", "x'01'"),
        ("cast('NaN' as double)", "null"),
        ("cast('NaN' as double)", "cast('Infinity' as double)"),
        ("timestamp'2026-01-02 10:11:12.123456'", "timestamp'2026-01-02 10:11:12.123457'"),
        ("interval '1' day", "interval '2' day"),
    ];
    let before: Vec<_> = columns
        .iter()
        .enumerate()
        .map(|(place, (before, _))| format!("{before} as c{place}"))
        .collect();
    let after = columns.iter().enumerate().map(|(place, (before, after))| {
        let record = place.max(1);
        format!("case when id = {record} then {after} else {before} end as c{place}")
    });
    let after: Vec<_> = after.collect();
    // To the engine the two zeros are equal, and so they are no change.
    let query = |columns: &[String], zero: &str| {
        format!("select id, double('{zero}') as zero, {} from range(14)", columns.join(", "))
    };
    let mut bench = Bench::new(engine, &query(&before, "0.0"));
    assert_eq!(bench.sync().await.len(), 14);
    bench.query(&query(&before, "-0.0"));
    assert_eq!(bench.sync().await, Vec::<String>::new());
    bench.query(&query(&after, "-0.0"));
    let lines = bench.sync().await;
    let updated = lines.iter().filter(|line| line.starts_with("updated "));
    assert_eq!((updated.count(), lines.len()), (13, 13), "{lines:?}");
}
