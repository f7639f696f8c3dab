//! Many changes by way of S3, of which a double stands there.

use ebb_core::{Failure, Operation, port::Wanted};
use futures_util::TryStreamExt;
use serde_json::{Map, Value, json};

use super::{Double, Names, double::source};
use crate::{
    aws::{Answer, Aws},
    postgres::{Source, records},
};

/// A cluster with a bucket, into which results of more than so many rows go.
async fn start(test: &str, rows: u64) -> Option<(Double, Aws, Source)> {
    let aws = Aws::start().await;
    let double = Double::with_bucket(test, Names::Folded, Some((&aws, (1000, 300)))).await?;
    let source = source(settings(&double, &aws, rows));
    Some((double, aws, source))
}

fn settings(double: &Double, aws: &Aws, rows: u64) -> Map<String, Value> {
    let mut settings = double.settings();
    settings.extend(aws.settings());
    let unload = json!({ "unload": "s3://shop-files/ebb", "unload_rows": rows });
    settings.extend(unload.as_object().unwrap().clone());
    settings
}

#[tokio::test]
async fn many_changes_come_from_files_that_do_not_stay() {
    let Some((double, aws, source)) = start("redshift_unload", 1500).await else { return };
    aws.put("shop-files", "ebb/ebb/users-to-hook/killed/000.parquet", "left behind");
    aws.put("shop-files", "ebb/ebb/another/sync/000.parquet", "of another mapping");
    let job = source
        .job(1, "select i as id, i * 0.5 as half from generate_series(1, 2500) i")
        .await
        .unwrap();
    source.0.diff(&job).await.unwrap();
    for (after, expected) in [(None, 1..=2500), (Some(600), 601..=2500)] {
        let batches: Vec<_> = source
            .0
            .changes(&job, &Operation::ALL, after)
            .await
            .unwrap()
            .try_collect()
            .await
            .unwrap();
        let seqs = batches.iter().flat_map(|batch| {
            let seqs = batch.column_by_name(ebb_core::record::SEQ).unwrap();
            seqs.as_any().downcast_ref::<arrow_array::Int64Array>().unwrap().values().to_vec()
        });
        assert!(seqs.eq(expected));
        assert_eq!(aws.files(), ["shop-files/ebb/ebb/another/sync/000.parquet"]);
    }
    // Half of it is few.
    let few: Vec<_> = source
        .0
        .changes(&job, &Operation::ALL, Some(1250))
        .await
        .unwrap()
        .try_collect()
        .await
        .unwrap();
    assert_eq!(records(&few).len(), 1250);
    let statements = double.statements.all();
    assert_eq!(statements.iter().filter(|sql| sql.starts_with("unload")).count(), 2);
    let label = format!("set query_group to 'ebb:users-to-hook:{}'", job.sync);
    assert!(statements.contains(&label));
}

#[tokio::test]
async fn every_type_is_the_same_from_a_file_as_from_a_cursor() {
    let Some((_double, _aws, source)) = start("redshift_unload_types", 0).await else { return };
    let sql = super::types::EVERYTHING;
    let preview = source.0.preview(&crate::postgres::model(sql), Wanted::First, 10).await.unwrap();
    let (_, changes) = source.sync(1, sql).await.unwrap();
    assert_eq!(records(&changes), records(&[preview.rows]));
}

#[tokio::test]
async fn what_has_no_counterpart_is_null_in_a_file_too() {
    let Some((_double, _aws, source)) = start("redshift_unload_nulls", 0).await else { return };
    let sql =
        "select 1 as id, cast('NaN' as double precision) as a, cast('-Infinity' as real) as b,
        cast('10000-01-01' as date) as c, cast('20000-01-01' as timestamp) as d, '' as e, cast(null as varchar(9)) as f";
    let (_, changes) = source.sync(1, sql).await.unwrap();
    insta::assert_snapshot!(
        records(&changes).join("\n"),
        @r#"added 1 {"id":1,"a":null,"b":null,"c":null,"d":null,"e":"","f":null}"#
    );
}

#[tokio::test]
async fn a_dropped_stream_leaves_no_files() {
    let Some((double, aws, source)) = start("redshift_unload_dropped", 0).await else { return };
    let job = source.job(1, "select i as id from generate_series(1, 9000) i").await.unwrap();
    source.0.diff(&job).await.unwrap();
    let mut changes = source.0.changes(&job, &Operation::ALL, None).await.unwrap();
    assert!(changes.try_next().await.unwrap().is_some());
    assert!(!aws.files().is_empty());
    drop(changes);
    until_deleted(&double, &aws).await;
}

/// Waits until no file is left; the database does the waiting.
async fn until_deleted(double: &Double, aws: &Aws) {
    for _ in 0..200 {
        if aws.files().is_empty() {
            return;
        }
        double.server.value("select pg_sleep(0.05)").await;
    }
    panic!("files stay: {:?}", aws.files());
}

#[tokio::test]
async fn what_goes_wrong_with_the_bucket_is_told_and_the_sync_goes_on_later() {
    let Some((double, aws, source)) = start("redshift_unload_failures", 0).await else { return };
    let job = source.job(1, "select i as id from generate_series(1, 10) i").await.unwrap();
    source.0.diff(&job).await.unwrap();
    let read = async || -> Result<usize, Failure> {
        let changes = source.0.changes(&job, &Operation::ALL, None).await?;
        Ok(records(&changes.try_collect::<Vec<_>>().await?).len())
    };
    let empty = || Answer::of("<ListBucketResult></ListBucketResult>");
    let denied = || {
        let told = "<Error><Code>AccessDenied</Code><Message>as S3 says it</Message></Error>";
        Answer { status: 403, ..Answer::of(told) }
    };
    let mut told = Vec::new();
    for answers in [
        // Before it looks at the list of files, it looks for what an earlier sync left behind.
        vec![empty(), denied()],
        vec![empty(), Answer::of("{}")],
        vec![
            empty(),
            Answer::of(
                r#"{"entries": [{"url": "s3://shop-files/x", "meta": {"content_length": 9}}]}"#,
            ),
            Answer::of("no file!!"),
        ],
    ] {
        aws.will_answer(answers);
        let failure = read().await.unwrap_err();
        until_deleted(&double, &aws).await;
        told.push(format!("{failure}\n  {}", failure.advice()));
    }
    insta::assert_snapshot!(told.join("\n"), @r"
    S103: AWS did not give the unloaded rows: as S3 says it (AccessDenied)
      Let an administrator allow it in a policy of the user or role whose key is used; the guide has one
    S107: the list of unloaded files cannot be read
      Run the sync again; it goes on where it stopped
    S107: a file that Redshift unloaded cannot be read
      Run the sync again; it goes on where it stopped
    ");
    // That nothing could be deleted, or a busy service, is no reason not to sync.
    let mut busy = Answer::refusal(503, "SlowDown", "later");
    busy.headers.push(("retry-after", "0".to_owned()));
    aws.will_answer([denied(), busy]);
    assert_eq!(read().await.unwrap(), 10);
}

#[tokio::test]
async fn a_bucket_that_the_cluster_may_not_write_to_is_told() {
    let Some((double, aws, _)) = start("redshift_unload_denied", 0).await else { return };
    let mut settings = settings(&double, &aws, 0);
    settings.insert("unload".to_owned(), "s3://denied".into());
    let source = source(settings);
    let findings = source.0.check().await;
    let finding = findings.iter().find(|finding| finding.failure.is_some()).unwrap();
    let failure = source.sync(1, "select 1 as id").await.unwrap_err();
    assert_eq!((finding.step, finding.failure.as_ref()), ("unload", Some(&failure)));
    insta::assert_snapshot!(format!("{failure}\n  {}", failure.advice()), @r"
    S105: the server refused the SQL: S3ServiceException:Access Denied,Status 403
      See that the role that `unload_role` names is attached to the cluster and may write to the bucket, and that the bucket is in the cluster's region; without `unload` the changes come through a cursor
    ");
}
