//! Reading the files, one row group while the next is on its way.

use std::{collections::VecDeque, sync::Arc};

use arrow_array::{Array, RecordBatch, cast::AsArray, types::Int64Type};
use ebb_core::{Code, Column, Failure, port::BatchStream, record::staged_schema};
use futures_util::{
    StreamExt, TryStreamExt,
    stream::{self, BoxStream},
};
use tokio::task::spawn_blocking;

use super::{
    super::rows::{Malformed, Rows},
    files::{Files, Unload},
    manifest::{self, File},
    parquet::{End, Footer, Piece},
};
use crate::{
    aws::Bucket,
    pgwire::{Link, tell_losses},
};

/// Bytes of a file's end that are read first: most footers fit in.
const END: u64 = 256 * 1024;
/// Row groups on their way or waiting. One has 32 MB of values.
const AHEAD: usize = 2;

/// A row group that is here.
struct Group {
    piece: Piece,
    footer: Footer,
    number: usize,
}

/// What is left to read.
struct Reading {
    groups: BoxStream<'static, Result<Group, Failure>>,
    rows: Rows,
    ready: VecDeque<RecordBatch>,
    /// The `seq` of the last row so far.
    last: i64,
    files: Files,
}

/// Has the server write the rows of a query to files, and reads them in the order of their `seq`.
pub(in super::super) async fn stream(
    unload: &Arc<Unload>,
    mut link: Link,
    label: &str,
    sql: &str,
    columns: &[Column],
) -> Result<BatchStream, Failure> {
    let files = unload.files(label);
    link.execute(&files.statement(sql, columns)).await.map_err(not_written)?;
    drop(link);
    let manifest = files.bucket().get(&format!("{}manifest", files.prefix), None).await?;
    let listed = manifest::files(&manifest, files.bucket().name())?;
    let groups = groups(&files.unload(), listed);
    let rows = Rows::new(Arc::new(staged_schema(columns)), columns);
    let reading = Reading { groups, rows, ready: VecDeque::new(), last: i64::MIN, files };
    Ok(stream::try_unfold(Some(reading), next).boxed())
}

/// The failure of the statement that writes files. The statement is Ebb's, so that what the server
/// refuses is where it should write, or the role by which.
fn not_written(failure: Failure) -> Failure {
    if failure.code != Code::SourceQuery {
        return failure;
    }
    failure.help(
        "See that the role that `unload_role` names is attached to the cluster and may write to the bucket, and that the \
         bucket is in the cluster's region; without `unload` the changes come through a cursor",
    )
}

/// The row groups of all files, in order.
fn groups(unload: &Arc<Unload>, files: Vec<File>) -> BoxStream<'static, Result<Group, Failure>> {
    let unload = Arc::clone(unload);
    stream::iter(files)
        .then(move |file| {
            let unload = Arc::clone(&unload);
            async move {
                let footer = footer(&unload.bucket, &file).await?;
                let ranges = footer.groups().into_iter().enumerate();
                let group = move |(number, range)| {
                    let (unload, file) = (Arc::clone(&unload), file.clone());
                    let footer = footer.clone();
                    Ok(async move {
                        let piece = piece(&unload.bucket, &file, range).await?;
                        Ok(Group { piece, footer, number })
                    })
                };
                Ok::<_, Failure>(stream::iter(ranges.map(group)))
            }
        })
        .try_flatten()
        .try_buffered(AHEAD)
        .boxed()
}

async fn footer(bucket: &Bucket, file: &File) -> Result<Footer, Failure> {
    let mut from = file.length.saturating_sub(END);
    loop {
        let end = piece(bucket, file, from..file.length).await?;
        match end.end().map_err(damaged)? {
            End::Footer(footer) => return Ok(footer),
            End::From(earlier) => from = earlier,
        }
    }
}

async fn piece(
    bucket: &Bucket,
    file: &File,
    range: std::ops::Range<u64>,
) -> Result<Piece, Failure> {
    let start = range.start;
    Ok(Piece::new(start, bucket.get(&file.key, Some(range)).await?, file.length))
}

/// The next batch, and what is left. At the end the files are deleted.
async fn next(reading: Option<Reading>) -> Result<Option<(RecordBatch, Option<Reading>)>, Failure> {
    let Some(mut reading) = reading else { return Ok(None) };
    loop {
        if let Some(batch) = reading.ready.pop_front() {
            reading.last = in_order(&batch, reading.last)?;
            return Ok(Some((batch, Some(reading))));
        }
        let Some(group) = reading.groups.try_next().await? else { break };
        let rows = reading.rows;
        let decoded = spawn_blocking(move || decode(rows, group)).await;
        let stopped = |error| {
            Failure::new(Code::SourceLost, "the reading of rows was stopped").caused_by(error)
        };
        let (rows, ready) = decoded.map_err(stopped)?.map_err(damaged)?;
        reading.rows = rows;
        reading.ready = ready;
    }
    let Reading { mut rows, last, files, .. } = reading;
    files.remove().await;
    tell_losses(rows.losses());
    let batch = rows.last_batch().map_err(damaged)?;
    batch.map(|batch| in_order(&batch, last).map(|_| (batch, None))).transpose()
}

/// The batches that a row group fills.
fn decode(mut rows: Rows, group: Group) -> Result<(Rows, VecDeque<RecordBatch>), Malformed> {
    let Group { piece, footer, number } = group;
    let mut ready = VecDeque::new();
    for some in piece.rows(&footer, number)? {
        rows.push_all(&some?)?;
        if rows.is_full() {
            ready.push_back(rows.batch()?);
        }
    }
    Ok((rows, ready))
}

/// The last `seq` of a batch whose rows follow one another and the ones before.
fn in_order(batch: &RecordBatch, mut last: i64) -> Result<i64, Failure> {
    let seqs = batch.columns().first().and_then(|seqs| seqs.as_primitive_opt::<Int64Type>());
    for seq in seqs.filter(|seqs| seqs.null_count() == 0).map_or(&[][..], |seqs| seqs.values()) {
        if *seq <= last {
            return Err(Failure::new(
                Code::SourceQuery,
                "Redshift unloaded the changes in another order than it was asked for",
            )
            .help("Take `unload` out of the source's settings, and report this"));
        }
        last = *seq;
    }
    Ok(last)
}

fn damaged(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Failure {
    Failure::new(Code::SourceLost, "a file that Redshift unloaded cannot be read").caused_by(error)
}
