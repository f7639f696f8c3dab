//! Columns, previews and the stream of changes.

use arrow_array::RecordBatch;
use arrow_select::concat::concat_batches;
use ebb_core::{
    Code, Column, Failure, Operation, SyncId,
    port::{BatchStream, DiffJob, ModelQuery, Preview, Wanted},
    record::staged_schema,
};
use futures_util::{StreamExt, TryStreamExt, stream};

use super::{Tracker, diff::numbers, label};
use crate::{
    columns,
    connection::{Access, Changes, Connection, Session, Within},
    dialect::Dialect,
    layout::{Layout, changes_table},
    named, query, statement,
};

/// So many statements for ranges of changes run at a time.
const AHEAD: usize = 2;

pub(super) async fn columns<D: Dialect, C: Connection>(
    tracker: &Tracker<D, C>,
    session: &mut dyn Session,
    model: &ModelQuery,
) -> Result<Vec<Column>, Failure> {
    let grammar = tracker.dialect.grammar();
    query::check(&*grammar, &model.sql)?;
    drop(grammar);
    let query = query::bare(&*tracker.dialect.grammar(), &model.sql).to_owned();
    tracker.dialect.model(&query)?;
    let mut columns = session.describe(&query).await?;
    if !tracker.dialect.has_json() {
        named::tell_kinds(&mut columns);
    }
    columns::check(&tracker.dialect, &tracker.limits, model, &columns)?;
    Ok(columns)
}

pub(super) async fn preview<D: Dialect, C: Connection>(
    tracker: &Tracker<D, C>,
    model: &ModelQuery,
    wanted: Wanted<'_>,
    limit: usize,
) -> Result<Preview, Failure> {
    let mut session = tracker.connection.open(Access::Read).await?;
    let columns = columns(tracker, &mut *session, model).await?;
    let mut model = model.clone();
    if model.id.is_empty() {
        let identifies = |column: &&Column| tracker.dialect.can_identify(column);
        let column = columns.iter().find(identifies).ok_or_else(|| {
            let message = "the query has no column that could identify a record";
            Failure::new(Code::IdentifierType, message)
        })?;
        model.id.clone_from(&column.name);
    }
    // Nothing of a sync matters to a preview but the model.
    let job = DiffJob {
        sync: SyncId::from_parts(0, 0),
        mapping: String::new(),
        source: String::new(),
        model_name: String::new(),
        model,
        columns,
        generation: 0,
        keep_deleted_values: false,
        limit: 0,
        trust_deletes: false,
    };
    let layout = Layout::new(&tracker.dialect, &tracker.schema, &job, None)?;
    let sql = statement::read::preview(&layout, wanted, limit as u64);
    let batches = session.stream(sql, job.columns.clone()).await?;
    let batches: Vec<RecordBatch> = parsed(tracker, batches, &job.columns).try_collect().await?;
    let schema = staged_schema(&job.columns).into();
    let rows = concat_batches(&schema, &batches).map_err(|error| {
        Failure::new(Code::SourceQuery, "the source gave rows of another form than it promised")
            .caused_by(error)
    })?;
    Ok(Preview { columns: job.columns, rows })
}

pub(super) async fn changes<D: Dialect, C: Connection>(
    tracker: &Tracker<D, C>,
    job: &DiffJob,
    operations: &[Operation],
    after: Option<u64>,
) -> Result<BatchStream, Failure> {
    let mut session = tracker.connection.open(Access::Read).await?;
    session.label(&label(job)).await?;
    if !tracker.has_tables(&mut *session, &[&changes_table(job.sync)]).await? {
        return Err(missing(job));
    }
    let layout = Layout::new(&tracker.dialect, &tracker.schema, job, None)?;
    let mut from = after;
    let ends = ends(tracker, &mut *session, &layout, after).await?;
    let ranges = ends.into_iter().map(|until| {
        let within = Within { after: from, until: Some(until) };
        from = within.until;
        Some((session.again()?, asked(&layout, operations, within)))
    });
    let batches = match ranges.collect::<Option<Vec<_>>>() {
        Some(ranges) if !ranges.is_empty() => {
            let streams = stream::iter(ranges)
                .map(|(session, changes)| async move { session.stream_changes(changes).await });
            streams.buffered(AHEAD).try_flatten().boxed()
        }
        Some(_) | None => {
            let within = Within { after, until: None };
            session.stream_changes(asked(&layout, operations, within)).await?
        }
    };
    Ok(parsed(tracker, batches, &job.columns))
}

/// What a session is asked for.
fn asked<D: Dialect>(layout: &Layout<'_, D>, operations: &[Operation], within: Within) -> Changes {
    Changes {
        sql: statement::read::changes(layout, operations, within),
        columns: layout.job.columns.clone(),
        count: statement::read::count(layout, operations, within),
        table: changes_table(layout.job.sync),
        operations: operations.to_vec(),
        within,
    }
}

/// Batches with the values of columns whose name says that their text is JSON, for engines without it.
fn parsed<D: Dialect, C>(
    tracker: &Tracker<D, C>,
    batches: BatchStream,
    columns: &[Column],
) -> BatchStream {
    if tracker.dialect.has_json() { batches } else { named::parsed(batches, columns) }
}

/// Where the ranges of `seq` end in which changes must be streamed; none if one statement can stream all.
async fn ends<D: Dialect, C: Connection>(
    tracker: &Tracker<D, C>,
    session: &mut dyn Session,
    layout: &Layout<'_, D>,
    after: Option<u64>,
) -> Result<Vec<u64>, Failure> {
    let Some(at_once) = tracker.dialect.rows_in_order() else { return Ok(Vec::new()) };
    let known = session.tables(&[&changes_table(layout.job.sync)]).await?.unwrap_or_default();
    if known.iter().all(|table| table.rows <= at_once) {
        return Ok(Vec::new());
    }
    let [last] = numbers(session, &statement::read::last(layout)).await?.pop().unwrap_or_default();
    let step = usize::try_from(at_once).unwrap_or(usize::MAX);
    let starts = (after.unwrap_or(0)..last).step_by(step);
    Ok(starts.map(|from| from.saturating_add(at_once)).collect())
}

/// The failure of a sync whose changes table is gone.
pub(super) fn missing(job: &DiffJob) -> Failure {
    Failure::new(
        Code::SourceLost,
        format!("the table `{}` of the sync is no longer in the source", changes_table(job.sync)),
    )
    .help("Sync again: what was not delivered is found by the next diff")
}
