//! The server's types, from the engine to a record's JSON.
//!
//! The double keeps moments in microseconds, and shapes, hierarchies and variants as their text; how
//! statements treat those is in the dialect's snapshots.

use ebb_core::{Code, port::Wanted};

use crate::{
    assert_lines,
    bench::Bench,
    engine::{Azure, Engine},
};

#[tokio::test]
async fn every_type_arrives_exactly() {
    let Some(engine) = Azure::start().await else { return };
    engine
        .run(
            "create table everything (id bigint, tiny tinyint, small smallint, whole int, exact decimal(38, 10), \
             number numeric(10, 2), coins money, few smallmoney, half real, full_ float, yes bit, body varchar(20), \
             wide nvarchar(max), padded char(5), long text, bytes varbinary(20), picture image, version rowversion, \
             guid uniqueidentifier, day date, clock time(7), moment datetime2(7), second_ smalldatetime, old datetime, \
             zoned datetimeoffset(7), doc xml, any_ sql_variant, place geography, path hierarchyid); \
             insert into everything values (1, 255, -32768, 2147483647, 1234567890123456789012345678.0123456789, \
             -0.50, 922337203685477.5807, -1.5, 0.1, 0.1, 1, 'it''s', N'é😀\"\\', 'ab   ', 'long', 0x00ff, 0x01, 0x0000000000000001, \
             '6f9619ff-8b86-d011-b42d-00c04fc964ff', '2026-01-02', '10:11:12.123456', '2026-01-02 10:11:12.123456', \
             '2026-01-02 10:11:00', '2026-01-02 10:11:12.123', '2026-01-02 10:11:12.123456+02:00', '<a/>', 'v', \
             'POINT (1 2)', '/1/2/'); \
             insert into everything values (9223372036854775807, 0, 0, 0, -0.5, 0, 0, 0, -1.5, 1e300, 0, '', '', '', '', cast('' as varbinary(20)), cast('' as varbinary(20)), \
             null, null, '0001-01-01', '00:00:00', '0001-01-01 00:00:00', '2079-06-06 23:59:00', '1753-01-01 00:00:00', \
             '9999-12-31 23:59:59+00:00', '', null, null, '/'); \
             insert into everything (id) values (3)",
        )
        .await;
    let mut bench = Bench::new(engine, "select * from everything");
    bench.keep_deleted_values = true;
    insta::assert_snapshot!(crate::types::told(&mut bench, 0).await);
}

#[tokio::test]
async fn types_that_cannot_identify_are_refused() {
    let Some(engine) = Azure::start().await else { return };
    let mut bench = Bench::new(engine, "");
    for id in ["cast(1.5 as float)", "cast(1 as bit)", "0x00"] {
        bench.query(&format!("select {id} as id"));
        let failure = bench.warehouse.columns(&bench.model).await.unwrap_err();
        assert_eq!(failure.code, Code::IdentifierType, "{id}");
    }
    for (id, text) in [
        ("cast('2026-01-02' as date)", "2026-01-02"),
        ("N'a'", "a"),
        ("cast(7 as bigint)", "7"),
        ("cast(1.50 as decimal(10, 2))", "1.50"),
    ] {
        bench.query(&format!("select {id} as id"));
        let extracted = bench.extract().await;
        assert_eq!(extracted.changes[0].record_id, text);
    }
}

#[tokio::test]
async fn identifiers_that_the_database_takes_for_one_stay_apart() {
    let Some(engine) = Azure::start().await else { return };
    engine.run("create table codes (id varchar(2000), name varchar(9))").await;
    assert_eq!(
        engine.double().value("select count(*) where 'a' = 'A'").await,
        "1",
        "as the server does"
    );
    let mut bench = Bench::new(engine, "select id, name from codes");
    let long = "x".repeat(1000);
    for id in ["a", "A", "a ", "ä", &format!("{long}1"), &format!("{long}2"), &format!("{long}X")]
    {
        bench.run(&format!("insert into codes values (N'{id}', 'x')")).await;
    }
    let first = bench.extract().await;
    assert_eq!(first.diff.changes.added, 7, "{:?}", first.diff);
    bench.commit(&first.commit()).await;
    assert_lines!(bench.sync().await, []);
    let record = bench.warehouse.preview(&bench.model, Wanted::Record("A"), 1).await.unwrap();
    assert_eq!(record.rows.num_rows(), 1);
    bench.run("update codes set name = 'y' where cast(id as varbinary(900)) = cast(N'A' as varbinary(900))").await;
    assert_lines!(bench.sync().await, [r#"updated A {"id":"A","name":"y"}"#]);
}

#[tokio::test]
async fn a_value_of_another_case_is_a_change() {
    let Some(engine) = Azure::start().await else { return };
    let mut bench = Bench::users(engine, "(1, 'Ada', 'london')").await;
    bench.sync().await;
    bench.run("update users set city = 'London'").await;
    assert_lines!(bench.sync().await, [r#"updated 1 {"id":1,"name":"Ada","city":"London"}"#]);
    bench.run("update users set city = 'London '").await;
    assert_lines!(bench.sync().await, [r#"updated 1 {"id":1,"name":"Ada","city":"London "}"#]);
}

#[tokio::test]
async fn a_checksum_tells_apart_what_prints_alike() {
    let Some(engine) = Azure::start().await else { return };
    let mut bench = Bench::new(engine, "");
    for (before, after) in [
        ("N'a' as x, cast(null as nvarchar(9)) as y", "cast(null as nvarchar(9)) as x, N'a' as y"),
        ("N'' as x", "cast(null as nvarchar(9)) as x"),
        ("N'1' as x", "1 as x"),
        ("N'-' as x", "cast(null as nvarchar(9)) as x"),
        ("N'a2:b' as x, N'' as y", "N'a' as x, N'b0:' as y"),
        ("0x00 as x", "0x01 as x"),
        ("0x00 as x", "0x0000 as x"),
    ] {
        bench.warehouse.reset("users-to_hook").await.unwrap();
        bench.query(&format!("select 1 as id, {before}"));
        bench.sync().await;
        assert_lines!(bench.sync().await, []);
        bench.query(&format!("select 1 as id, {after}"));
        let lines = bench.sync().await;
        assert!(
            lines.len() == 1 && lines[0].starts_with("updated"),
            "{before} → {after}: {lines:?}"
        );
    }
}

#[tokio::test]
async fn names_tell_json_where_no_type_does() {
    let Some(engine) = Azure::start().await else { return };
    engine
        .run(
            "create table users (id bigint, traits_JSON nvarchar(max), tags_array varchar(99)); \
             insert into users values (1, '{\"a\": 1}', 'x, y'), (2, '{a', '[1]'), (3, null, '')",
        )
        .await;
    let mut bench = Bench::new(engine, "select * from users");
    assert_lines!(
        bench.sync().await,
        [
            r#"added 1 {"id":1,"traits_JSON":{"a":1},"tags_array":["x","y"]}"#,
            r#"added 2 {"id":2,"traits_JSON":"{a","tags_array":[1]}"#,
            r#"added 3 {"id":3,"traits_JSON":null,"tags_array":[]}"#,
        ]
    );
}
