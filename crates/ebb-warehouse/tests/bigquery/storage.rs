//! Many changes by way of the Storage Read API: their order, what breaks off, and what becomes of a refusal.

use ebb_core::{Code, Operation};
use futures_util::TryStreamExt;
use serde_json::{Value, json};

use super::{
    double::{Double, source},
    failures::told,
};
use crate::{
    assert_lines,
    bench::Bench,
    control::with,
    engine::{BigQuery, BigQueryByStorage, Engine},
};

async fn many(rows: u64, switches: Value) -> Option<Bench<BigQueryByStorage>> {
    let engine = BigQueryByStorage::with(switches).await?;
    let sql = engine.numbers(rows);
    Some(Bench::new(engine, &sql))
}

#[tokio::test]
async fn rows_of_several_streams_come_in_order_and_only_once() {
    let Some(mut bench) = many(2050, json!({ "batch_rows": 100 })).await else { return };
    let extracted = bench.extract().await;
    assert_eq!(extracted.changes.len(), 2050);
    let after = extracted.changes[1999].seq;
    let rest = bench.changes(&extracted.job, &Operation::ALL, Some(after)).await;
    assert_eq!(rest, extracted.changes[2000..]);
    assert!(bench.changes(&extracted.job, &[Operation::Deleted], None).await.is_empty());
    let reads = bench.engine.double().reads().await;
    let asked: Vec<_> =
        reads.iter().map(|read| (read["condition"].as_str().unwrap(), &read["rows"])).collect();
    let rest = format!("op in (0, 1, 2) and seq > {after}");
    let expected = [("op in (0, 1, 2)", json!(2050)), (&*rest, json!(50)), ("op in (2)", json!(0))];
    assert_eq!(asked, expected.each_ref().map(|(condition, rows)| (*condition, rows)));
    let log = bench.engine.double().log().await;
    assert!(log.iter().all(|job| !job["sql"].as_str().unwrap().contains("order by seq")));
}

#[tokio::test]
async fn a_stream_that_breaks_off_goes_on_after_its_last_row() {
    let Some(mut bench) = many(1000, json!({ "batch_rows": 10 })).await else { return };
    let double = bench.engine.double();
    for after in [3, 5] {
        let cut = json!({ "code": "UNAVAILABLE", "message": "the connection was reset" });
        double.fault(json!({ "path": "^ReadRows .*/1$", "grpc": cut, "after": after })).await;
    }
    let lost = json!({ "code": "INTERNAL", "message": "Received RST_STREAM with error code 2" });
    double.fault(json!({ "path": "^ReadRows .*/2$", "grpc": lost, "after": 25 })).await;
    assert_eq!(bench.extract().await.changes.len(), 1000);
}

#[tokio::test]
async fn a_busy_service_is_called_again_when_it_says() {
    let Some(mut bench) = many(10, json!({})).await else { return };
    let busy = json!({ "code": "RESOURCE_EXHAUSTED", "retry_s": 0.6 });
    let double = bench.engine.double();
    double.fault(json!({ "path": "^CreateReadSession", "grpc": busy })).await;
    double.fault(json!({ "path": "^CreateReadSession", "grpc": { "code": "UNAVAILABLE" } })).await;
    double
        .fault(json!({ "path": "^ReadRows", "grpc": { "code": "UNAVAILABLE" }, "count": 2 }))
        .await;
    assert_eq!(bench.extract().await.changes.len(), 10);
}

#[tokio::test]
async fn an_expired_token_is_made_anew_in_the_middle() {
    let Some(mut bench) = many(100, json!({ "batch_rows": 10 })).await else { return };
    let expired = json!({ "code": "UNAUTHENTICATED", "message": "expired credentials" });
    let double = bench.engine.double();
    double.fault(json!({ "path": "^CreateReadSession", "grpc": expired })).await;
    double.fault(json!({ "path": "^ReadRows .*/0$", "grpc": expired, "after": 1 })).await;
    assert_eq!(bench.extract().await.changes.len(), 100);
}

#[tokio::test]
async fn a_range_of_wide_rows_is_read_in_parts() {
    let Some(engine) = BigQueryByStorage::start().await else { return };
    let sql = format!("select id, repeat('wide', 40000) as text from ({})", engine.numbers(500));
    let mut bench = Bench::new(engine, &sql);
    let job = bench.job().await;
    bench.warehouse.diff(&job).await.unwrap();
    let mut stream = bench.warehouse.changes(&job, &Operation::ALL, None).await.unwrap();
    let (mut rows, mut last) = (0, 0);
    while let Some(batch) = stream.try_next().await.unwrap() {
        for record in ebb_core::RecordSet::new(&batch, "m".into(), "t".into()).unwrap().iter() {
            assert!(record.seq() > last);
            last = record.seq();
            rows += 1;
        }
    }
    assert_eq!(rows, 500);
    let reads = bench.engine.double().reads().await;
    assert!((4..20).contains(&reads.len()), "{reads:?}");
}

/// A source that may choose, with more changes than one statement puts in order.
async fn choosing(
    others: Value,
) -> Option<(BigQuery, std::sync::Arc<dyn ebb_core::port::Warehouse>)> {
    let engine = BigQuery::start().await?;
    let warehouse = source(&with(engine.settings(), &others));
    Some((engine, warehouse))
}

async fn streamed(
    engine: BigQuery,
    warehouse: std::sync::Arc<dyn ebb_core::port::Warehouse>,
) -> (BigQuery, Vec<u64>) {
    let sql = engine.numbers(101_000);
    let mut bench = Bench::new(engine, &sql);
    bench.warehouse = warehouse;
    let job = bench.job().await;
    bench.warehouse.diff(&job).await.unwrap();
    let changes = bench.warehouse.changes(&job, &Operation::ALL, None).await.unwrap();
    let batches: Vec<_> = changes.try_collect().await.unwrap();
    let sets = batches
        .iter()
        .map(|batch| ebb_core::RecordSet::new(batch, "m".into(), "t".into()).unwrap());
    let seqs = sets.flat_map(|set| set.iter().map(ebb_core::Record::seq).collect::<Vec<_>>());
    let seqs = seqs.collect();
    (bench.engine, seqs)
}

#[tokio::test]
async fn many_changes_take_this_way_and_few_do_not() {
    let Some((engine, warehouse)) = choosing(json!({})).await else { return };
    let (engine, seqs) = streamed(engine, warehouse).await;
    assert_eq!(seqs.len(), 101_000);
    assert!(seqs.is_sorted_by(|one, next| one < next));
    assert_eq!(engine.double().reads().await.len(), 2, "one for each range");
    let mut few = Bench::users(engine, "(1, 'Ada', 'London')").await;
    few.sync().await;
    assert_eq!(few.engine.double().reads().await.len(), 2);
}

#[tokio::test]
async fn what_is_refused_is_read_by_statements() {
    let Some((engine, warehouse)) = choosing(json!({})).await else { return };
    let denied = json!({ "path": "^CreateReadSession", "grpc": { "code": "PERMISSION_DENIED" } });
    engine.double().fault(denied).await;
    let (engine, seqs) = streamed(engine, warehouse).await;
    assert_eq!(seqs.len(), 101_000);
    assert!(seqs.is_sorted_by(|one, next| one < next));
    let reads = engine.double().reads().await;
    assert!(reads.len() < 2, "{reads:?}");
    let log = engine.double().log().await;
    assert!(log.iter().any(|job| job["sql"].as_str().unwrap().contains("order by seq")));
}

#[tokio::test]
async fn where_it_is_not_wanted_or_not_there_statements_do() {
    for others in [json!({ "storage_read": "never" }), json!({ "storage_endpoint": "" })] {
        let Some((engine, warehouse)) = choosing(others).await else { return };
        let (engine, seqs) = streamed(engine, warehouse).await;
        assert_eq!(seqs.len(), 101_000);
        assert!(engine.double().reads().await.is_empty());
    }
}

#[tokio::test]
async fn a_check_tells_what_is_missing_and_goes_on() {
    let Some(double) = Double::start(json!({})).await else { return };
    let mut all = Vec::new();
    for grpc in [
        json!({
            "code": "PERMISSION_DENIED",
            "message": "request failed: the user does not have 'bigquery.readsessions.create' permission for 'projects/shop'",
        }),
        json!({
            "code": "PERMISSION_DENIED", "reason": "SERVICE_DISABLED",
            "message": "BigQuery Storage API has not been used in project 1 before or it is disabled.",
        }),
        json!({ "code": "UNIMPLEMENTED", "message": "Method not found." }),
        json!({ "code": "INVALID_ARGUMENT", "message": "request failed: Only external tables may be read" }),
    ] {
        double.fault(json!({ "path": "^CreateReadSession", "grpc": grpc })).await;
        let findings = source(&double.settings()).check().await;
        let steps: Vec<_> = findings.iter().map(|finding| finding.step).collect();
        assert_eq!(
            steps,
            ["reach", "sign in", "read", "create schema", "write", "storage read", "drop"]
        );
        let wrong: Vec<_> =
            findings.iter().filter_map(|finding| finding.failure.as_ref()).map(told).collect();
        all.push(wrong.join("\n").replace(&double.project, "shop"));
    }
    let mut settings = double.settings();
    settings["storage_endpoint"] = "http://127.0.0.1:9".into();
    let findings = source(&settings).check().await;
    all.extend(findings.iter().filter_map(|finding| finding.failure.as_ref()).map(told));
    settings["storage_read"] = "never".into();
    assert!(source(&settings).check().await.iter().all(|finding| finding.failure.is_none()));
    insta::assert_snapshot!(all.join("\n"));
}

#[tokio::test]
async fn who_wants_all_changes_this_way_is_told_why_not() {
    let Some(mut bench) = many(10, json!({})).await else { return };
    let job = bench.job().await;
    bench.warehouse.diff(&job).await.unwrap();
    let denied = json!({ "path": "^CreateReadSession", "grpc": { "code": "PERMISSION_DENIED" } });
    bench.engine.double().fault(denied).await;
    let refused = bench.warehouse.changes(&job, &Operation::ALL, None).await.err().unwrap();
    assert_eq!(refused.code, Code::SourcePermission);
    assert_eq!(bench.changes(&job, &Operation::ALL, None).await.len(), 10);
}

#[tokio::test]
async fn a_slow_read_ends_at_the_time_out_of_statements() {
    let Some((engine, _)) = choosing(json!({})).await else { return };
    let others = json!({ "storage_read": "always", "statement_timeout": "2" });
    let warehouse = source(&with(engine.settings(), &others));
    let mut bench = Bench::new(engine, "select 1 as id");
    bench.warehouse = warehouse;
    let job = bench.job().await;
    bench.warehouse.diff(&job).await.unwrap();
    bench.engine.double().fault(json!({ "path": "^ReadRows", "delay_s": 60 })).await;
    let slow = bench.warehouse.changes(&job, &Operation::ALL, None).await.err().unwrap();
    assert_eq!(slow.code, Code::SourceTimeout);
}

#[tokio::test]
async fn values_kept_for_deletes_come_this_way_too() {
    let Some(engine) = BigQueryByStorage::start().await else { return };
    engine.run("create table users (id bigint)").await;
    engine.run("insert into users values (1), (2)").await;
    let mut bench =
        Bench::new(engine, "select id, [id, 7] as list, struct(id as a) as nested from users");
    bench.keep_deleted_values = true;
    bench.sync().await;
    bench.run("delete from users where id = 2").await;
    assert_lines!(bench.sync().await, [r#"deleted 2 {"id":2,"list":[2,7],"nested":{"a":2}}"#]);
}
