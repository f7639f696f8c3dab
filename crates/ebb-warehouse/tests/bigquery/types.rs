//! BigQuery's types, from the engine to a record's JSON.
//!
//! The double keeps `NUMERIC` with three digits after the point and `BIGNUMERIC` not at all, and takes shapes
//! on a map for bytes; what the service writes for those is read by the decoder's own tests, and how statements
//! treat them is in the dialect's snapshots.

use ebb_core::{Code, ColumnKind};

use super::double::source;
use crate::{
    bench::Bench,
    engine::{BigQuery, BigQueryByStorage, Engine},
};

/// A table with values of every type, and with nothing but nulls.
const EVERYTHING: &str = "create table everything (id int64, exact numeric, number float64, yes bool, body string, octets bytes, \
     day date, clock time, local datetime, moment timestamp, document json, \
     nested struct<a int64, b array<string>>, list array<int64>, span interval); \
     insert into everything select 1, numeric '123456789012.125', 0.1, true, 'é😀\\'\"', from_hex('00ff'), \
     date '2026-01-02', time '10:11:12.123456', datetime '2026-01-02 10:11:12.123456', \
     timestamp '2026-01-02 10:11:12.123456+02:00', json '{\"a\": [1, null]}', \
     struct(2 as a, ['x', 'y'] as b), [1, 2], interval 3 day; \
     insert into everything (id, exact, number, yes, body, octets, day, clock, local, moment, document) \
     select 9223372036854775807, numeric '-0.125', cast('nan' as float64), false, '', from_hex(''), \
     date '0001-01-01', time '00:00:00', datetime '1969-12-31 23:59:59.5', \
     timestamp '1900-01-01 00:00:00+00', json 'null'; \
     insert into everything (id) select 3";
/// The double loses structs that a `*` stands for.
const ALL_OF_IT: &str = "select id, exact, number, yes, body, octets, day, clock, local, moment, document, nested, list, span \
     from everything";

#[tokio::test]
async fn every_type_arrives_exactly_by_pages_and_by_the_storage_read_api() {
    let Some(engine) = BigQuery::start().await else { return };
    engine.double().run_own(EVERYTHING).await;
    let by_pages = crate::types::told(&mut Bench::new(engine, ALL_OF_IT), 1).await;
    insta::assert_snapshot!(by_pages);
    let Some(engine) = BigQueryByStorage::start().await else { return };
    engine.double().run_own(EVERYTHING).await;
    assert_eq!(crate::types::told(&mut Bench::new(engine, ALL_OF_IT), 1).await, by_pages);
}

#[tokio::test]
async fn names_are_kept_as_they_are() {
    let Some(engine) = BigQuery::start().await else { return };
    engine.double().run_own("create table users (id int64, Name string)").await;
    let model = ebb_core::port::ModelQuery {
        sql: "select id, Name, Name as `it's` from users".to_owned(),
        id: "id".to_owned(),
        ..Default::default()
    };
    let columns = source(&engine.settings()).columns(&model).await.unwrap();
    let told: Vec<_> = columns.iter().map(|column| (column.name.as_str(), column.kind)).collect();
    let text = ColumnKind::Text;
    assert_eq!(told, [("id", ColumnKind::Integer), ("Name", text), ("it's", text)]);
}

#[tokio::test]
async fn types_that_cannot_identify_are_refused() {
    let Some(engine) = BigQuery::start().await else { return };
    let mut bench = Bench::new(engine, "");
    for id in
        ["cast(1.5 as float64)", "true", "from_hex('00')", "json '1'", "[1]", "interval 1 day"]
    {
        bench.query(&format!("select {id} as id"));
        let failure = bench.warehouse.columns(&bench.model).await.unwrap_err();
        assert_eq!(failure.code, Code::IdentifierType, "{id}");
    }
    for (id, text) in [
        ("date '2026-01-02'", "2026-01-02"),
        ("'a'", "a"),
        ("7", "7"),
        ("timestamp '2026-01-02 10:00:00+02:00'", "2026-01-02 08:00:00+00"),
    ] {
        bench.query(&format!("select {id} as id"));
        let extracted = bench.extract().await;
        assert_eq!(extracted.changes[0].record_id, text);
    }
}

#[tokio::test]
async fn a_checksum_tells_apart_what_prints_alike() {
    let Some(engine) = BigQuery::start().await else { return };
    let mut bench = Bench::new(engine, "");
    for (before, after) in [
        ("'a' as x, cast(null as string) as y", "cast(null as string) as x, 'a' as y"),
        ("'' as x", "cast(null as string) as x"),
        ("'1' as x", "1 as x"),
        ("'null' as x", "cast(null as string) as x"),
        ("'a' as x, 'b' as y", "'a\",\"c1\":\"b' as x, cast(null as string) as y"),
        ("from_hex('00') as x", "from_hex('01') as x"),
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
}
