//! The rows of a first sync, read out of a warehouse as fast as Ebb does it.

use anyhow::Context as _;
use clap::Args;
use ebb_core::{
    Limits, Operation, SyncId,
    config::{MANAGED_SCHEMA, Settings},
    port::{DiffJob, ModelQuery},
};
use futures_util::TryStreamExt as _;
use serde::Serialize;
use tokio::time::Instant;

/// A source and a model of it.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The kind of source
    #[arg(long)]
    kind: String,
    /// The source's settings, as a JSON object
    #[arg(long)]
    settings: String,
    /// The model
    #[arg(long)]
    query: String,
    /// The model's identifier column
    #[arg(long, default_value = "id")]
    id: String,
    /// Only write the changes, which a later run without this reads
    #[arg(long)]
    prepare: bool,
}

/// What was read.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    /// The table that was read: the changes of a first sync.
    table: String,
    rows: usize,
    /// From before the connection is made to the last row.
    seconds: f64,
}

/// Writes the changes of a first sync, or reads those that were written.
pub(crate) async fn extract(options: Options) -> anyhow::Result<Report> {
    let settings: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(&options.settings).context("--settings is not a JSON object")?;
    let settings = Settings::from(settings);
    let limits = Limits::default();
    let warehouse = ebb_warehouse::connect(&options.kind, &settings, MANAGED_SCHEMA, &limits)?;
    let model = ModelQuery { sql: options.query, id: options.id, ..ModelQuery::default() };
    let sync = SyncId::from_parts(1, 1);
    let mut job = DiffJob {
        sync,
        mapping: "extraction".to_owned(),
        source: "bench".to_owned(),
        model_name: "bench".to_owned(),
        columns: warehouse.columns(&model).await?,
        model,
        keep_deleted_values: false,
        limit: limits.records,
        trust_deletes: false,
    };
    let mut report = Report { table: format!("changes_{sync}"), ..Report::default() };
    if options.prepare {
        let diff = warehouse.diff(&job).await?;
        report.rows = usize::try_from(diff.changes.total())?;
        return Ok(report);
    }
    let began = Instant::now();
    let warehouse = ebb_warehouse::connect(&options.kind, &settings, MANAGED_SCHEMA, &limits)?;
    job.columns = warehouse.columns(&job.model).await?;
    let mut batches = warehouse.changes(&job, &Operation::ALL, None).await?;
    while let Some(batch) = batches.try_next().await? {
        report.rows += batch.num_rows();
    }
    report.seconds = began.elapsed().as_secs_f64();
    Ok(report)
}
