//! Every type arrives exactly, through the double's imitations where Redshift has types of its own.

use ebb_core::port::Wanted;

use super::Double;
use crate::postgres::{described, model, records};

/// One row of every type of the service.
pub(super) const EVERYTHING: &str = "select
    cast(1 as bigint) as id, true as a_boolean, cast(-2 as smallint) as a_smallint, 3 as an_integer,
    9223372036854775807 as a_bigint, cast(0.1 as real) as a_real, cast(0.1 as double precision) as a_double,
    cast('1234567890123456789012345678.0123456789' as numeric(38,10)) as a_numeric,
    cast('é' as varchar(20)) as a_varchar, cast('pad' as char(6)) as a_char, 'plain' as a_literal,
    cast('2024-02-29' as date) as a_date, cast('0044-03-15 BC' as date) as an_old_date,
    cast('13:45:00.25' as time) as a_time, cast('13:45:00+02' as timetz) as a_timetz,
    cast('2024-02-29 13:45:00.000001' as timestamp) as a_timestamp,
    cast('2024-02-29 13:45:00+02' as timestamptz) as a_timestamptz,
    json_parse('{\"a\": [null, 2.50], \"b\": \"x\"}') as a_super,
    from_hex('deadbeef') as a_varbyte, st_geomfromtext('POINT (1 2)') as a_geometry,
    hll_create_sketch('abc') as a_sketch, months('1 year 2 months') as some_months,
    duration('3 days 4.5 seconds') as some_time, null as a_null";

#[tokio::test]
async fn every_type_arrives_as_its_kind() {
    let Some(double) = Double::start("redshift_every_type").await else { return };
    let preview = double.source().0.preview(&model(EVERYTHING), Wanted::First, 10).await.unwrap();
    insta::assert_snapshot!("columns", described(&preview.columns));
    let told = records(&[preview.rows]).join("\n").replace(",\"", ",\n\"");
    insta::assert_snapshot!("values", told);
}

#[tokio::test]
async fn a_sync_gives_the_same_values_as_a_preview_and_kept_ones_come_back() {
    let Some(double) = Double::start("redshift_same_values").await else { return };
    let source = double.source();
    let preview = source.0.preview(&model(EVERYTHING), Wanted::First, 10).await.unwrap();
    let mut job = source.job(1, EVERYTHING).await.unwrap();
    job.keep_deleted_values = true;
    let (_, added) = source.run(&job).await.unwrap();
    assert_eq!(records(&added), records(&[preview.rows]));

    let mut same = source.job(2, EVERYTHING).await.unwrap();
    same.keep_deleted_values = true;
    assert_eq!(source.run(&same).await.unwrap().0.changes.total(), 0);

    let mut gone = source.job(3, EVERYTHING).await.unwrap();
    gone.keep_deleted_values = true;
    gone.model.sql = format!("select * from ({EVERYTHING}) e where 1 = 0");
    let (_, deleted) = source.run(&gone).await.unwrap();
    let expected: Vec<String> =
        records(&added).iter().map(|told| told.replacen("added", "deleted", 1)).collect();
    assert_eq!(records(&deleted), expected);
}

#[tokio::test]
async fn what_has_no_counterpart_becomes_null_and_is_counted() {
    let Some(double) = Double::start("redshift_no_counterpart").await else { return };
    let sql =
        "select 1 as id, cast('NaN' as double precision) as a, cast('-Infinity' as real) as b,
        cast('10000-01-01' as date) as c, cast('20000-01-01' as timestamp) as d, 1.5 as e";
    let (diff, changes) = double.source().sync(1, sql).await.unwrap();
    assert_eq!(diff.not_finite, 4);
    insta::assert_snapshot!(
        records(&changes).join("\n"),
        @r#"added 1 {"id":1,"a":null,"b":null,"c":null,"d":null,"e":1.5}"#
    );
}

#[tokio::test]
async fn a_checksum_tells_apart_what_prints_differently() {
    let Some(double) = Double::start("redshift_tells_apart").await else { return };
    let text = |value: &str| format!("cast({value} as varchar(20))");
    let pairs = [
        ([text("'a'"), text("null")], [text("null"), text("'a'")]),
        ([text("''"), text("'a'")], [text("null"), text("'a'")]),
        // The plain chain of the manual takes these for the same.
        ([text("'ab'"), text("'cd'")], [text("'abc'"), text("'d'")]),
        ([text("'ab'"), text("'cd'")], [text("''"), text("'abcd'")]),
        (
            [text("'a'"), "json_parse('null')".to_owned()],
            [text("'a'"), "json_parse('0')".to_owned()],
        ),
        (
            ["json_parse('[1,2]')".to_owned(), text("'x'")],
            ["json_parse('[2,1]')".to_owned(), text("'x'")],
        ),
        (
            ["months('1 year')".to_owned(), text("'x'")],
            ["months('1 year 1 month')".to_owned(), text("'x'")],
        ),
        (
            ["duration('1 day')".to_owned(), text("'x'")],
            ["duration('1 day 1 second')".to_owned(), text("'x'")],
        ),
    ];
    let source = double.source();
    for (number, (before, after)) in pairs.into_iter().enumerate() {
        let number = u64::try_from(number).unwrap() * 3;
        let query = |values: &[String; 2]| {
            format!("select 1 as id, {} as a, {} as b", values[0], values[1])
        };
        source.0.reset("users-to-hook").await.unwrap();
        source.sync(number, &query(&before)).await.unwrap();
        let (same, _) = source.sync(number + 1, &query(&before)).await.unwrap();
        assert_eq!(same.changes.total(), 0, "{before:?}");
        let (other, _) = source.sync(number + 2, &query(&after)).await.unwrap();
        assert_eq!(other.changes.updated, 1, "{before:?} → {after:?}");
    }
}

#[tokio::test]
async fn a_checksum_does_not_depend_on_the_users_settings() {
    let Some(double) = Double::start("redshift_users_settings").await else { return };
    let sql = "select 1 as id, cast('2024-01-01 00:00+00' as timestamptz) as a, cast(0.1 as double precision) as b,
        cast('2024-02-01' as date) as c, duration('1 day') as d";
    let source = double.source();
    source.sync(1, sql).await.unwrap();
    for (setting, value) in [
        ("timezone", "'Asia/Tokyo'"),
        ("datestyle", "'German, DMY'"),
        ("intervalstyle", "'postgres_verbose'"),
        ("extra_float_digits", "0"),
    ] {
        let database = &double.server.database;
        double.server.run(&format!("alter database {database} set {setting} = {value}")).await;
    }
    let (diff, _) = source.sync(2, sql).await.unwrap();
    assert_eq!(diff.changes.total(), 0);
}
