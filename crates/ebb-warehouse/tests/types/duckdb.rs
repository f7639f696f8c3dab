//! DuckDB's types.

use ebb_core::{Code, Limits, config::MANAGED_SCHEMA};
use serde_json::json;

use super::told;
use crate::{
    bench::Bench,
    engine::{DuckDb, Engine},
};

#[tokio::test]
async fn every_type_arrives_exactly() {
    let engine = DuckDb::start().await.unwrap();
    engine
        .run(
            "create type mood as enum ('happy', 'sad'); \
             create table everything (id integer, whole bigint, tiny utinyint, big ubigint, huge hugeint, \
             uhuge uhugeint, exact decimal(38, 10), single float, number double, yes boolean, body varchar, \
             bytes blob, bits bit, day date, clock time, local timestamp, seconds timestamp_s, \
             nanos timestamp_ns, moment timestamptz, span interval, key uuid, feeling mood, list integer[], \
             three integer[3], nested struct(a integer, b varchar), pairs map(varchar, integer), document json); \
             insert into everything values \
             (1, 9223372036854775807, 255, 18446744073709551615, 170141183460469231731687303715884105727, \
             340282366920938463463374607431768211455, 1234567890123456789012345678.0123456789, 0.1, 0.1, true, \
             'é😀' || chr(0) || '''', '\\x00\\xFF'::blob, '0101', '2026-01-02', '10:11:12.123456', \
             '2026-01-02 10:11:12.123456', '2026-01-02 10:11:12', '2026-01-02 10:11:12.123456789', \
             '2026-01-02 10:11:12.123456+02', interval '1 month 2 days 3 seconds', \
             'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', 'happy', [1, null, 3], [1, 2, 3], {'a': 1, 'b': null}, \
             map {'x': 1}, '{\"a\": [1, null]}'), \
             (2, -9223372036854775808, 0, 0, -170141183460469231731687303715884105728, 0, -0.5, 'nan', \
             'infinity', false, '', '', '1', '-infinity', '00:00:00', 'infinity', null, null, '-infinity', \
             null, null, null, [], null, null, map {}, 'null'), \
             (3, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, \
             null, null, null, null, null, null, null, null, null, null, null)",
        )
        .await;
    let mut bench = Bench::new(engine, "select * from everything");
    insta::assert_snapshot!(told(&mut bench, 5).await);
}

#[tokio::test]
async fn types_that_cannot_identify_are_refused() {
    let engine = DuckDb::start().await.unwrap();
    let mut bench = Bench::new(engine, "");
    for id in ["[1]", "1.5::double", "true", "'a'::blob", "{'a': 1}", "'1'::json"] {
        bench.query(&format!("select {id} as id"));
        let failure = bench.warehouse.columns(&bench.model).await.unwrap_err();
        assert_eq!(failure.code, Code::IdentifierType, "{id}");
    }
    for (id, text) in [
        ("uuid 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
        ("18446744073709551615::ubigint", "18446744073709551615"),
        ("date '2026-01-02'", "2026-01-02"),
        ("'a'", "a"),
    ] {
        bench.query(&format!("select {id} as id"));
        let extracted = bench.extract().await;
        assert_eq!(extracted.changes[0].record_id, text);
    }
}

#[tokio::test]
async fn a_file_of_another_kind_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clock.duckdb");
    std::fs::write(&path, "no database, but text ".repeat(1000)).unwrap();
    let settings = json!({ "path": path }).as_object().unwrap().clone().into();
    let warehouse =
        ebb_warehouse::connect("duckdb", &settings, MANAGED_SCHEMA, &Limits::default()).unwrap();
    let findings = warehouse.check().await;
    let failure = findings.last().and_then(|finding| finding.failure.clone()).unwrap();
    assert_eq!((findings.len(), failure.code), (1, Code::SourceUnreachable), "{failure}");
    assert!(failure.message().ends_with("cannot be opened as a DuckDB database"), "{failure}");
}
