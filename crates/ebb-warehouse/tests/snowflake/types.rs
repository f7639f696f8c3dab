//! Snowflake's types, from the engine to a record's JSON.
//!
//! The double keeps whole numbers in 64 bits and moments in microseconds, and knows neither maps of
//! shapes (`GEOGRAPHY`) nor mixed arrays; what the service writes for those is read by the decoder's own
//! tests, and how statements treat them is in the dialect's snapshots.

use ebb_core::{Code, ColumnKind};
use serde_json::{Value, json};

use super::double::{Double, source};
use crate::{
    bench::Bench,
    engine::{Engine, Snowflake, SnowflakeBySession},
};

#[tokio::test]
async fn every_type_arrives_exactly() {
    let Some(engine) = Snowflake::start().await else { return };
    let as_json = told_of_everything(engine).await;
    for format in ["arrow", "json"] {
        let switches = json!({ "fold": "lower", "partition_rows": 1, "format": format });
        let engine = SnowflakeBySession::with(switches).await.unwrap();
        assert_eq!(told_of_everything(engine).await, as_json, "{format}");
    }
    insta::assert_snapshot!(as_json);
}

/// Columns and changes of a table with all types.
async fn told_of_everything(engine: impl Engine) -> String {
    engine
        .run(
            "create table everything (id number(38,0), small number(9,0), exact number(38,10), number float, \
             yes boolean, body varchar, bytes binary, day date, clock time, local timestamp_ntz, \
             moment timestamp_tz, here timestamp_ltz, document variant, nested object, list array); \
             insert into everything select 1, 999999999, 1234567890123456789012345678.0123456789, 0.1, true, \
             'é😀''\"', to_binary('00ff', 'HEX'), '2026-01-02', '10:11:12.123456', '2026-01-02 10:11:12.123456', \
             '2026-01-02 10:11:12.123456+02:00', '2026-01-02 10:11:12+00:00', parse_json('{\"a\": [1, null]}'), \
             parse_json('{\"b\": 1.50}'), parse_json('[1, \"x\", null]'); \
             insert into everything select 9223372036854775807, -1, -0.5, 'NaN', false, '', to_binary('', 'HEX'), \
             '0001-01-01', '00:00:00', '1969-12-31 23:59:59.5', '1900-01-01 00:00:00+00:00', null, \
             parse_json('null'), parse_json('{}'), parse_json('[]'); \
             insert into everything (id) select 3",
        )
        .await;
    let mut bench = Bench::new(engine, "select * from everything");
    crate::types::told(&mut bench, 1).await
}

#[tokio::test]
async fn names_without_quotes_are_upper_case() {
    let Some(double) = Double::start(json!({})).await else { return };
    double.run("create table users (id number(38,0), \"Name\" varchar)").await;
    let columns = source(&double.settings());
    let model = ebb_core::port::ModelQuery {
        sql: "select id, \"Name\" from users".to_owned(),
        id: "ID".to_owned(),
        ..Default::default()
    };
    let columns = columns.columns(&model).await.unwrap();
    let told: Vec<_> = columns.iter().map(|column| (column.name.as_str(), column.kind)).collect();
    assert_eq!(told, [("ID", ColumnKind::Decimal), ("Name", ColumnKind::Text)]);
}

#[tokio::test]
async fn types_that_cannot_identify_are_refused() {
    let Some(engine) = Snowflake::start().await else { return };
    let mut bench = Bench::new(engine, "");
    for id in ["1.5::float", "true", "to_binary('00', 'HEX')", "parse_json('1')"] {
        bench.query(&format!("select {id} as id"));
        let failure = bench.warehouse.columns(&bench.model).await.unwrap_err();
        assert_eq!(failure.code, Code::IdentifierType, "{id}");
    }
    for (id, text) in [("date '2026-01-02'", "2026-01-02"), ("'a'", "a"), ("7::number(38,0)", "7")]
    {
        bench.query(&format!("select {id} as id"));
        let extracted = bench.extract().await;
        assert_eq!(extracted.changes[0].record_id, text);
    }
}

#[tokio::test]
async fn a_checksum_tells_apart_what_prints_alike() {
    let Some(engine) = Snowflake::start().await else { return };
    let mut bench = Bench::new(engine, "");
    for (before, after) in [
        ("'a' as x, null as y", "null as x, 'a' as y"),
        ("'' as x", "cast(null as varchar) as x"),
        ("'1' as x", "1 as x"),
        ("'null' as x", "cast(null as varchar) as x"),
        ("parse_json('null') as x", "cast(null as variant) as x"),
        ("to_binary('00', 'HEX') as x", "to_binary('01', 'HEX') as x"),
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

#[tokio::test]
async fn requests_name_their_place_and_what_they_work_for() {
    let Some(engine) = Snowflake::start().await else { return };
    let settings = engine.settings();
    let mut bench = Bench::users(engine, "(1, 'Ada', 'London')").await;
    bench.sync().await;
    let double = Double::again(&settings);
    let log = double.log().await;
    let ours: Vec<&Value> = log.iter().filter(|entry| entry["role"] == "EBB").collect();
    assert!(
        ours.iter()
            .all(|entry| entry["parameters"]["TIMEZONE"] == "UTC" && entry["timeout"] == 3600)
    );
    let tags: Vec<_> =
        ours.iter().filter_map(|entry| entry["parameters"]["QUERY_TAG"].as_str()).collect();
    assert!(
        tags.iter().all(|tag| *tag == "ebb" || tag.starts_with("ebb:users-to_hook:")),
        "{tags:?}"
    );
    let commit =
        ours.iter().find(|entry| entry["statement"].as_str().unwrap().starts_with("begin;"));
    assert_eq!(commit.unwrap()["parameters"]["MULTI_STATEMENT_COUNT"], "7");
}
