//! Every type arrives exactly, with the server's own text as the oracle.

use ebb_core::{RecordSet, Value, port::Wanted};

use super::server::{Server, described, model, records};

/// One row of every type that matters, and some of the server's odd ones.
const EVERYTHING: &str = r#"select
    1::int8 as id, true as a_bool, (-2)::int2 as a_int2, 3::int4 as a_int4,
    9223372036854775807::int8 as a_int8, 0.1::float4 as a_float4, 0.1::float8 as a_float8,
    12345678901234567890.123400::numeric as a_numeric, 'é'::text as a_text, 'v'::varchar(9) as a_varchar,
    'pad'::bpchar(6) as a_bpchar, 'n'::name as a_name, 'c'::"char" as a_char, 'Mixed'::citext as a_citext,
    '0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0'::uuid as a_uuid, '\xdeadbeef'::bytea as a_bytea,
    '2024-02-29'::date as a_date, '13:45:00.25'::time as a_time, '13:45+02'::timetz as a_timetz,
    '2024-02-29 13:45:00.000001'::timestamp as a_timestamp,
    '2024-02-29 13:45:00+02'::timestamptz as a_timestamptz,
    '{"b": 1,  "a": [null, 2.50]}'::json as a_json, '{"b": 1, "a": [null, 2.50]}'::jsonb as a_jsonb,
    array['x', null, 'y"z'] as a_texts, array[[1,2],[3,4]] as a_matrix, row(1, 'two')::pair as a_pair,
    row(1, null) as a_record, array[row(1, 'two')::pair] as a_pairs,
    int4range(1, 5) as a_range, '1 year 2 months 3 days 4.5 seconds'::interval as a_interval,
    '12.5'::money as a_money, '192.168.0.1'::inet as a_inet, '192.168.0.0/24'::inet as a_net,
    '10.1.0.0/16'::cidr as a_cidr, '08:00:2b:01:02:03'::macaddr as a_macaddr, 'happy'::mood as a_mood,
    42::oid as a_oid, 'pg_class'::regclass as a_regclass, B'101'::bit(3) as a_bit, B'10'::varbit as a_varbit,
    '7'::positive as a_domain, '(1,2)'::point as a_point, 'a b'::tsvector as a_tsvector,
    '<a/>'::xml as a_xml, '16/B374D848'::pg_lsn as a_lsn, null as a_null, '7'::xid as an_xid"#;

async fn with_types(test: &str) -> Option<Server> {
    let server = Server::start(test).await?;
    server
        .run(
            "create extension citext; create type mood as enum ('sad', 'happy');
             create type pair as (number int, word text); create domain positive as int check (value > 0)",
        )
        .await;
    Some(server)
}

#[tokio::test]
async fn every_type_arrives_as_its_kind() {
    let Some(server) = with_types("every_type").await else { return };
    let preview = server.source().0.preview(&model(EVERYTHING), Wanted::First, 10).await.unwrap();
    insta::assert_snapshot!("columns", described(&preview.columns));
    let told = records(&[preview.rows]).join("\n").replace(",\"", ",\n\"");
    insta::assert_snapshot!("values", told);
}

#[tokio::test]
async fn a_sync_gives_the_same_values_as_a_preview_and_its_tables_use_no_type_of_the_user() {
    let Some(server) = with_types("same_values").await else { return };
    let source = server.source();
    let preview = source.0.preview(&model(EVERYTHING), Wanted::First, 10).await.unwrap();
    let mut job = source.job(1, EVERYTHING).await.unwrap();
    job.keep_deleted_values = true;
    let (_, changes) = source.run(&job).await.unwrap();
    assert_eq!(records(&changes), records(&[preview.rows]));
    server.run("drop type mood; drop type pair; drop domain positive; drop extension citext").await;
}

#[tokio::test]
async fn kept_values_come_back_with_a_delete() {
    let Some(server) = with_types("kept_values").await else { return };
    let source = server.source();
    let mut job = source.job(1, EVERYTHING).await.unwrap();
    job.keep_deleted_values = true;
    let (_, added) = source.run(&job).await.unwrap();
    let mut gone = source.job(2, EVERYTHING).await.unwrap();
    gone.keep_deleted_values = true;
    gone.model.sql = format!("select * from ({EVERYTHING}) e where false");
    let (_, deleted) = source.run(&gone).await.unwrap();
    let expected: Vec<String> =
        records(&added).iter().map(|told| told.replacen("added", "deleted", 1)).collect();
    assert_eq!(records(&deleted), expected);
}

#[tokio::test]
async fn values_agree_with_the_servers_own_text() {
    let Some(server) = Server::start("own_text").await else { return };
    let sql = "select i as id,
        case when i % 50 = 0 then 0 else round(((random() - 0.5) * 10 ^ (i % 30 - 8))::numeric, i % 25) end as a,
        ((random() - 0.5) * 10 ^ (i % 30))::float8 as b, ((random() - 0.5) * 10 ^ (i % 30))::float4 as c,
        date '0001-01-01' + (random() * 3000000)::int as d,
        timestamptz '0001-01-01 00:00+00' + random() * interval '9000 years' as e,
        time '00:00' + random() * interval '1 day' as f, gen_random_uuid() as g,
        decode(md5(random()::text), 'hex') as h, chr(1 + (random() * 50000)::int) || i as j
        from generate_series(1, 3000) i";
    server.run(&format!("create table random_values as {sql}")).await;
    let sql = r#"select *, a::text as a2, b::text as b2, c::text as c2, d::text as d2,
        to_char(e, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as e2, f::text as f2, g::text as g2,
        encode(h, 'base64') as h2, j::text as j2 from random_values"#;
    let preview = server.source().0.preview(&model(sql), Wanted::First, 10_000).await.unwrap();
    let set = RecordSet::new(&preview.rows, "m".into(), "t".into()).unwrap();
    assert_eq!(set.len(), 3000);
    for record in set.iter() {
        for column in 1..10 {
            let (got, text) = (record.value(column), record.value(column + 9));
            let (Value::String(text), name) = (&text, &record.columns()[column].name) else {
                panic!("no text beside {got:?}")
            };
            match (&**name, &got) {
                ("b", Value::Number(number)) => {
                    let number: f64 = number.to_string().parse().unwrap();
                    assert_eq!(number.to_bits(), text.parse::<f64>().unwrap().to_bits(), "{text}");
                }
                ("c", Value::Number(number)) => {
                    let number: f32 = number.to_string().parse().unwrap();
                    assert_eq!(number.to_bits(), text.parse::<f32>().unwrap().to_bits(), "{text}");
                }
                ("a", Value::Number(number)) => assert_eq!(number.to_string(), **text),
                ("e", Value::String(moment)) => {
                    let short = text.trim_end_matches('Z').trim_end_matches('0');
                    assert_eq!(**moment, format!("{}Z", short.trim_end_matches('.')));
                }
                (_, Value::String(got)) => assert_eq!(got, text, "{name}"),
                (name, got) => panic!("{name}: {got:?}"),
            }
        }
    }
}

#[tokio::test]
async fn what_has_no_counterpart_becomes_null_and_is_counted() {
    let Some(server) = Server::start("no_counterpart").await else { return };
    let sql = "select 1 as id, 'NaN'::float8 as a, '-Infinity'::float4 as b, 'NaN'::numeric as c,
        'Infinity'::numeric as d, 'infinity'::date as e, '-infinity'::timestamp as f,
        'infinity'::timestamptz as g, date '10000-01-01' as h, timestamp '20000-01-01' as i, 1.5::float8 as j";
    let (diff, changes) = server.source().sync(1, sql).await.unwrap();
    assert_eq!(diff.not_finite, 9);
    insta::assert_snapshot!(
        records(&changes).join("\n"),
        @r#"added 1 {"id":1,"a":null,"b":null,"c":null,"d":null,"e":null,"f":null,"g":null,"h":null,"i":null,"j":1.5}"#
    );
}

#[tokio::test]
async fn a_checksum_tells_apart_what_prints_differently() {
    let Some(server) = with_types("tells_apart").await else { return };
    let pairs = [
        ("'a'::text, null::text", "null::text, 'a'::text"),
        ("interval '1 month'", "interval '30 days'"),
        ("'Mixed'::citext", "'mixed'::citext"),
        ("'sad'::mood", "'happy'::mood"),
        ("array[1, null]", "array[null, 1]"),
        ("array['a,b']", "array['a', 'b']"),
        ("'{\"a\":1}'::json", "'{\"a\":2}'::json"),
        ("row(1, null)::pair", "row(null, '1')::pair"),
        ("''::text", "null::text"),
        ("1::numeric", "1.5::numeric"),
    ];
    let source = server.source();
    for (number, (before, after)) in pairs.into_iter().enumerate() {
        let number = u64::try_from(number).unwrap() * 2;
        let query = |values: &str| {
            let places = values.matches("::text").count().max(1);
            let names = if places == 2 { "(id, a, b)" } else { "(id, a)" };
            format!("select * from (values (1, {values})) v {names}")
        };
        source.0.reset("users-to-hook").await.unwrap();
        source.sync(number, &query(before)).await.unwrap();
        let (same, _) = source.sync(number, &query(before)).await.unwrap();
        assert_eq!(same.changes.total(), 0, "{before}");
        let (other, _) = source.sync(number + 1, &query(after)).await.unwrap();
        assert_eq!(other.changes.updated, 1, "{before} → {after}");
    }
}

#[tokio::test]
async fn a_checksum_does_not_depend_on_the_users_settings() {
    let Some(server) = Server::start("users_settings").await else { return };
    let sql = "select 1 as id, timestamptz '2024-01-01 00:00+00' as a, 0.1::float8 as b, 1e-7::float4 as c,
        date '2024-02-01' as d, interval '1 day' as e, '\\xab'::bytea as f, array[0.1::float8] as g,
        array[timestamptz '2024-01-01 00:00+00'] as h, '1.5'::money as i";
    let source = server.source();
    source.sync(1, sql).await.unwrap();
    for (setting, value) in [
        ("timezone", "'Asia/Tokyo'"),
        ("datestyle", "'German, DMY'"),
        ("intervalstyle", "'postgres_verbose'"),
        ("extra_float_digits", "0"),
        ("bytea_output", "'escape'"),
        ("standard_conforming_strings", "off"),
    ] {
        server.run(&format!("alter database {} set {setting} = {value}", server.database)).await;
    }
    let (diff, _) = source.sync(2, sql).await.unwrap();
    assert_eq!(diff.changes.total(), 0);
}
