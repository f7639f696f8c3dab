//! The JSON of what other crates define, for the description alone: their own types write it.

#![expect(dead_code, reason = "these types are schemas; what is answered is written by others")]

use utoipa::ToSchema;

/// Numbers by operation.
#[derive(ToSchema)]
pub(super) struct Tally {
    added: u64,
    updated: u64,
    deleted: u64,
}

/// What became of the changes of a sync.
#[derive(ToSchema)]
pub(super) struct Counts {
    /// Changes that the mapping subscribes to, and rows without a usable identifier.
    extracted: Tally,
    /// Changes that the destination took.
    delivered: Tally,
    /// Changes that the next sync tries again.
    failed: Tally,
    /// Changes that will never work.
    discarded: Tally,
    /// Changes that are tracked and not sent.
    not_subscribed: Tally,
}

/// How long a phase of a sync took.
#[derive(ToSchema)]
pub(super) struct Phase {
    /// `diff`, `stage`, `load` or `commit`.
    name: String,
    /// Staging and loading overlap.
    millis: u64,
}

/// A record that failed; cut at some kilobytes, without secrets.
#[derive(ToSchema)]
pub(super) struct Sample {
    record_id: String,
    /// Where it was sent; null if nothing was.
    #[schema(required, nullable)]
    request: Option<RequestHead>,
    /// What was sent, or the record if nothing could be.
    payload: String,
    /// What was answered.
    #[schema(required, nullable)]
    reply: Option<String>,
}

/// Where a request went. Credentials are not in it.
#[derive(ToSchema)]
pub(super) struct RequestHead {
    method: String,
    url: String,
    /// Names with values.
    headers: Vec<Vec<String>>,
}

/// That somebody asked a sync to end early.
#[derive(ToSchema)]
pub(super) struct Cancellation {
    /// Who: an address, or the command line.
    #[schema(required, nullable)]
    by: Option<String>,
    #[schema(required, nullable)]
    reason: Option<String>,
}

/// Where a sync stands; the last five are ends.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(super) enum SyncStatus {
    Extracting,
    Loading,
    Committing,
    Succeeded,
    Partial,
    Failed,
    Canceled,
    Held,
}

/// What a sync does.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(super) enum SyncKind {
    /// Delivers what changed.
    Sync,
    /// Delivers every record again, whether or not it changed.
    Backfill,
    /// Delivers a past sync's changes again.
    Replay { of: String },
    /// Takes today's checksums over, and sends nothing.
    Rebase,
}

/// What becomes of records that were sent before an edit.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(super) enum Effect {
    /// What is sent stays the same.
    Nothing,
    /// They stay as they were sent; the edit holds for what changes from now on.
    LaterRecords,
    /// They stay at the old destination; the new one gets what changes from now on.
    OtherDestination,
    /// The model reads otherwise: the next sync sends those that look different.
    SentAgain,
    /// Records are identified otherwise or come from elsewhere: the next sync may send all of them.
    All,
}

/// Why a sync began.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(super) enum Cause {
    /// Somebody asked.
    Request,
    /// Its schedule said so; `due` is the moment for which it was due.
    Schedule { due: jiff::Timestamp },
    /// Another mapping's sync ended well.
    After { mapping: String },
    /// A run of a job of dbt Cloud ended well.
    DbtCloud { job: u64, run: u64 },
}

/// What a column is called like. Big and small letters are the same, and only letters and digits count.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(super) enum Likeness {
    /// The field's key.
    Key,
    /// What people call the field.
    Label,
}

/// What is to become of a record that failed.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(super) enum Verdict {
    Delivered,
    Failed,
    Discarded,
}

/// A request without its secrets.
#[derive(ToSchema)]
pub(super) struct ShownRequest {
    method: String,
    url: String,
    /// Names with values.
    headers: Vec<Vec<String>>,
    body: String,
}

/// A column of a model.
#[derive(ToSchema)]
pub(super) struct Column {
    name: String,
    /// What its values are: `boolean`, `integer`, `float`, `decimal`, `text`, `binary`, `date`, `time`,
    /// `timestamp`, `local_timestamp` or `json`.
    kind: String,
    /// The type's name in the warehouse.
    native: String,
}

/// A table or view of a source.
#[derive(ToSchema)]
pub(super) struct Table {
    /// The schema, database or dataset that it lies in.
    schema: String,
    name: String,
    /// How a query names it: with its schema and quoted where that is needed.
    sql: String,
    columns: Vec<TableColumn>,
}

/// A column of a table.
#[derive(ToSchema)]
pub(super) struct TableColumn {
    name: String,
    /// How a query names it.
    sql: String,
    /// The type's name in the source.
    native: String,
}

/// What a diff finds.
#[derive(ToSchema)]
pub(super) struct Diff {
    changes: Tally,
    discarded: DiscardedRows,
    /// Records that are gone while more rows than before have no identifier: they stay tracked.
    withheld: u64,
    /// Records that were tracked before.
    tracked: u64,
    /// Whether nothing was tracked before.
    first: bool,
    /// Whether the model returned no row at all.
    empty: bool,
    /// Values that are NaN or infinite, and become null.
    not_finite: u64,
    /// Bytes that were read in the warehouse, where it counts them.
    #[schema(required = false)]
    scanned: u64,
}

/// Rows without a usable identifier.
#[derive(ToSchema)]
pub(super) struct DiscardedRows {
    null: u64,
    duplicates: Tally,
    duplicate_ids: Vec<String>,
}

/// What a mapping does next; `state` says which of the other values are there.
#[derive(ToSchema)]
pub(super) struct Outlook {
    /// `running`, `queued`, `paused`, `due`, `after`, `after_dbt_cloud_job` or `idle`.
    state: String,
    /// Of what is paused because the month's usage is at its limit: when syncs go on.
    #[schema(required = false)]
    until: jiff::Timestamp,
    /// Of what is due: when.
    #[schema(required = false)]
    at: jiff::Timestamp,
    /// Of what follows another mapping: which.
    #[schema(required = false)]
    mapping: String,
    /// Of what follows a job of dbt Cloud: which.
    #[schema(required = false)]
    job: u64,
    /// Of what is idle: `manual`, `switched_off`, `destination_off` or `never_due`.
    #[schema(required = false)]
    why: String,
    /// Of what is queued: syncs of the source that run.
    #[schema(required = false)]
    running: u64,
    /// Of what is queued: syncs that start before.
    #[schema(required = false)]
    before: u64,
}

/// A kind of source.
#[derive(ToSchema)]
pub(super) struct SourceKind {
    /// As `kind` has it.
    kind: String,
    name: String,
    description: String,
    /// Where the project's documentation tells all about it.
    guide: String,
    /// Whether this build has it.
    available: bool,
    settings: Vec<SourceSetting>,
}

/// A setting of a source.
#[derive(ToSchema)]
pub(super) struct SourceSetting {
    key: String,
    label: String,
    help: String,
    /// `text`, `secret`, `secret_lines`, `number`, `length`, `path` or `choice`.
    kind: String,
    /// Of a choice: what may be chosen.
    #[schema(required = false)]
    choices: Vec<String>,
    #[schema(required, nullable)]
    default: Option<String>,
    required: bool,
    /// `connection`, `sign_in` or `advanced`.
    part: String,
}

/// What a destination is for.
#[derive(ToSchema)]
#[schema(rename_all = "kebab-case")]
pub(super) enum Category {
    Advertising,
    Analytics,
    Crm,
    CustomerData,
    Developer,
    Engagement,
    FilesAndData,
    Messaging,
    Product,
    Support,
}

/// A destination's settings, actions and fields.
#[derive(ToSchema)]
pub(super) struct DestinationKind {
    /// As `kind` has it.
    kind: String,
    name: String,
    description: String,
    /// What it is for, the most important first.
    categories: Vec<Category>,
    /// The vendor's documentation.
    docs: String,
    /// By key.
    #[schema(value_type = Object)]
    settings: String,
    actions: Vec<ActionKind>,
}

/// What a destination can do with a record.
#[derive(ToSchema)]
pub(super) struct ActionKind {
    /// As `action` has it.
    key: String,
    label: String,
    description: String,
    /// Most records of one request.
    max_items: u64,
    fields: Vec<FieldKind>,
}

/// A field of an action.
#[derive(ToSchema)]
pub(super) struct FieldKind {
    /// As `fields` has it.
    key: String,
    label: String,
    /// What its values are.
    #[schema(rename = "type")]
    kind: String,
    /// `always`, `sometimes` or `never`.
    required: String,
}

/// Records that were processed: delivered, failed or refused. A sync counts in the month (UTC) in which it began.
#[derive(ToSchema)]
pub(super) struct UsageReport {
    /// This month.
    #[schema(example = "2026-11")]
    month: String,
    /// When the next one begins.
    ends_at: jiff::Timestamp,
    /// `none`, `free`, `teams`, `records` or `business`.
    plan: String,
    /// Records that may be processed in a month.
    #[schema(required, nullable)]
    limit: Option<u64>,
    /// Records that were processed in this month.
    records: u64,
    /// The same by destination, most first.
    destinations: Vec<UsageShare>,
    /// This month and the twelve before it, the newest first.
    months: Vec<UsageMonth>,
}

/// A month.
#[derive(ToSchema)]
pub(super) struct UsageMonth {
    #[schema(example = "2026-11")]
    month: String,
    records: u64,
    destinations: Vec<UsageShare>,
}

/// A destination's part of a month.
#[derive(ToSchema)]
pub(super) struct UsageShare {
    destination: String,
    records: u64,
}
