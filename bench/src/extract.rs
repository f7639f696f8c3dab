//! The rows of a first sync, read out of a warehouse as fast as Ebb does it.

use anyhow::Context as _;
use arrow_array::{RecordBatch, cast::AsArray as _, types::Int64Type};
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
    /// A text column, whose letters are counted
    #[arg(long, default_value = "email")]
    text: String,
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
    /// The sum of the identifiers, which are whole numbers.
    ids: i64,
    /// The bytes of the text column, less quotes around a text that came as JSON.
    letters: usize,
    /// From before the connection is made to the last row.
    seconds: f64,
}

impl Report {
    fn count(&mut self, batch: &RecordBatch, options: &Options) -> anyhow::Result<()> {
        let column = |name: &str| {
            batch.column_by_name(name).with_context(|| format!("no column `{name}` came"))
        };
        let ids = column(&options.id)?;
        self.ids += if let Some(numbers) = ids.as_primitive_opt::<Int64Type>() {
            numbers.iter().flatten().sum::<i64>()
        } else {
            let texts = ids.as_string_opt::<i32>().context("identifiers are no numbers")?;
            texts.iter().flatten().map(str::parse::<i64>).sum::<Result<_, _>>()?
        };
        let texts = column(&options.text)?.as_string_opt::<i32>();
        let texts = texts.with_context(|| format!("`{}` is no text", options.text))?;
        self.letters +=
            texts.iter().flatten().map(|text| text.trim_matches('"').len()).sum::<usize>();
        self.rows += batch.num_rows();
        Ok(())
    }
}

/// Writes the changes of a first sync, or reads those that were written.
pub(crate) async fn extract(options: Options) -> anyhow::Result<Report> {
    let settings: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(&options.settings).context("--settings is not a JSON object")?;
    let settings = Settings::from(settings);
    let limits = Limits::default();
    let warehouse = ebb_warehouse::connect(&options.kind, &settings, MANAGED_SCHEMA, &limits)?;
    let model =
        ModelQuery { sql: options.query.clone(), id: options.id.clone(), ..ModelQuery::default() };
    let sync = SyncId::from_parts(1, 1);
    let job = DiffJob {
        sync,
        mapping: "extraction".to_owned(),
        source: "bench".to_owned(),
        model_name: "bench".to_owned(),
        columns: warehouse.columns(&model).await?,
        model,
        generation: 0,
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
    let mut batches = warehouse.changes(&job, &Operation::ALL, None).await?;
    while let Some(batch) = batches.try_next().await? {
        report.count(&batch, &options)?;
    }
    report.seconds = began.elapsed().as_secs_f64();
    Ok(report)
}
