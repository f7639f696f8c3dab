//! Values arrive exactly: what the server's types become.

use ebb_core::{Code, port::Wanted};

use crate::{
    assert_lines,
    bench::Bench,
    engine::{Engine, Mysql},
    types::told,
};

#[tokio::test]
async fn every_type_arrives_exactly() {
    let Some(engine) = Mysql::start().await else { return };
    engine
        .run(
            "create table everything (id int, yes boolean, tiny tinyint, tinyu tinyint unsigned, small smallint, \
             mediumu mediumint unsigned, intu int unsigned, whole bigint, huge bigint unsigned, \
             exact decimal(38, 10), round decimal(20), single float, number double, one bit(1), bits bit(12), \
             allbits bit(64), fixed char(5), body varchar(300), latin varchar(20) character set latin1, \
             long_text longtext, short_text tinytext, bytes varbinary(10), same binary(3), blobs longblob, \
             feeling enum('happy', 'sad'), tags set('a', 'b'), day date, clock time(6), plain time, \
             local datetime(6), seconds datetime, moment timestamp(6) null, y year, document json, \
             place geometry, address inet6, k uuid); \
             insert into everything values \
             (1, true, -128, 255, -32768, 16777215, 4294967295, 9223372036854775807, 18446744073709551615, \
             1234567890123456789012345678.0123456789, 12345678901234567890, 0.1, 0.1, b'1', b'101', \
             18446744073709551615, 'ab ', 'é😀''\\\"', 'é', 'long', 'short', x'00ff', x'0102', x'00ff', 'sad', \
             'a,b', '2026-01-02', '-838:59:58.5', '10:11:12', '2026-01-02 10:11:12.123456', \
             '2026-01-02 10:11:12', '2026-01-02 10:11:12.123456', 2026, '{\"a\": [1, null]}', \
             st_geomfromtext('POINT(1 2)'), '2001:db8::1', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'), \
             (2, 2, 0, 0, 0, 0, 0, -9223372036854775808, 0, -0.5, -1, -1.5e38, 5e-324, b'0', b'0', 0, '', '', '', \
             '', '', '', '', '', 'happy', '', '0000-00-00', '00:00:00', '00:00:00', '0000-00-00 00:00:00', \
             '2026-00-00 00:00:00', '1970-01-01 00:00:01', 1901, '[]', null, null, null), \
             (3, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, \
             null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, \
             null, null, null, null)",
        )
        .await;
    let mut bench = Bench::new(engine, "select * from everything");
    insta::assert_snapshot!(told(&mut bench, 3).await);
}

#[tokio::test]
async fn types_that_cannot_identify_are_refused() {
    let Some(engine) = Mysql::start().await else { return };
    engine.run("create table t (yes boolean, bytes blob, huge bigint unsigned)").await;
    engine.run("insert into t values (1, 'x', 18446744073709551615)").await;
    let mut bench = Bench::new(engine, "");
    for id in ["yes", "bytes", "1.5e0"] {
        bench.query(&format!("select {id} as id from t"));
        let failure = bench.warehouse.columns(&bench.model).await.unwrap_err();
        assert_eq!(failure.code, Code::IdentifierType, "{id}");
    }
    for (id, text) in [
        ("huge", "18446744073709551615"),
        ("cast('2026-01-02' as date)", "2026-01-02"),
        ("cast(1.50 as decimal(5, 2))", "1.50"),
        ("'a'", "a"),
    ] {
        bench.query(&format!("select {id} as id from t"));
        let extracted = bench.extract().await;
        assert_eq!(extracted.changes[0].record_id, text);
    }
}

#[tokio::test]
async fn identifiers_differ_by_case_accent_and_blanks() {
    let Some(engine) = Mysql::start().await else { return };
    engine
        .run(
            "create table t (id varchar(2000) character set utf8mb4 collate utf8mb4_general_ci, n int); \
             insert into t values ('a', 1), ('A', 2), ('á', 3), ('a ', 4), ('', 5), (' ', 6), \
             (repeat('é', 1500), 7), (concat(repeat('é', 1499), 'e'), 8)",
        )
        .await;
    let mut bench = Bench::new(engine, "select id, n from t");
    let extracted = bench.extract().await;
    assert_eq!(extracted.changes.len(), 8);
    bench.commit(&extracted.commit()).await;
    assert_lines!(bench.sync().await, []);
    let record = bench.warehouse.preview(&bench.model, Wanted::Record("A"), 1).await.unwrap();
    assert_eq!(record.rows.num_rows(), 1, "`A` alone");
    bench.run("update t set n = 9 where binary id = 'A'").await;
    assert_lines!(bench.sync().await, [r#"updated A {"id":"A","n":9}"#]);
    bench.run("update t set id = 'B' where binary id = 'A'").await;
    bench.trust_deletes = true;
    let lines = bench.sync().await;
    assert_lines!(lines, [r#"deleted A {"id":null,"n":null}"#, r#"added B {"id":"B","n":9}"#]);
    // A change of case or accent alone is a change.
    bench.query("select n as id, id as name from t");
    bench.sync().await;
    bench.run("update t set id = 'b' where n = 9").await;
    assert_lines!(bench.sync().await, [r#"updated 9 {"id":9,"name":"b"}"#]);
}

#[tokio::test]
async fn wide_tables_of_text_are_kept() {
    let Some(engine) = Mysql::start().await else { return };
    let columns: Vec<_> = (0..90).map(|place| format!("c{place} varchar(180)")).collect();
    engine.run(&format!("create table wide (id int, {})", columns.join(", "))).await;
    let values = vec!["'short'"; 90].join(", ");
    engine.run(&format!("insert into wide values (1, {values})")).await;
    let mut bench = Bench::new(
        engine,
        "select w.*, v.c0 as d0, v.c1 as d1, v.c2 as d2 from wide w join wide v on 1 = 1",
    );
    bench.keep_deleted_values = true;
    assert_eq!(bench.sync().await.len(), 1);
    bench.run("update wide set c5 = repeat('x', 180)").await;
    assert_eq!(bench.sync().await.len(), 1);
    assert_lines!(bench.sync().await, []);
}

#[tokio::test]
async fn conversions_of_a_model_give_what_they_give_in_a_plain_query() {
    let Some(engine) = Mysql::start().await else { return };
    let mut bench = Bench::new(
        engine,
        "select 1 as id, cast('12abc' as signed) as n, 1 / 0 as q, cast('long' as char(2)) as s",
    );
    assert_lines!(bench.sync().await, [r#"added 1 {"id":1,"n":12,"q":null,"s":"lo"}"#]);
    assert_lines!(bench.sync().await, []);
}

#[tokio::test]
async fn names_tell_json_where_no_type_does() {
    let Some(engine) = Mysql::start().await else { return };
    engine
        .run(
            "create table users (id int, traits_json longtext, tags_ARRAY varchar(99)); \
             insert into users values (1, '{\"a\": 1}', 'x, y'), (2, '{a', '[1]'), (3, null, '')",
        )
        .await;
    let mut bench = Bench::new(engine, "select * from users");
    assert_lines!(
        bench.sync().await,
        [
            r#"added 1 {"id":1,"traits_json":{"a":1},"tags_ARRAY":["x","y"]}"#,
            r#"added 2 {"id":2,"traits_json":"{a","tags_ARRAY":[1]}"#,
            r#"added 3 {"id":3,"traits_json":null,"tags_ARRAY":[]}"#,
        ]
    );
    assert_lines!(bench.sync().await, []);
}
