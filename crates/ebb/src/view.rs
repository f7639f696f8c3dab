//! Syncs and failures as people and machines see them.

use std::{fmt::Write, time::Duration};

use ebb_core::{
    Failure, Operation,
    port::{Diff, FailureGroup, ShownRequest, Status, Store, SyncKind, SyncRecord},
};
use ebb_engine::{Cause, Plan};
use serde_json::{Value, json};

/// A sync for machines.
pub(crate) fn sync(sync: &SyncRecord, groups: &[FailureGroup]) -> Value {
    json!({
        "id": sync.id,
        "mapping": sync.mapping,
        "kind": sync.kind,
        "cause": cause(sync),
        "status": sync.status,
        "started_at": sync.started_at,
        "finished_at": sync.finished_at,
        "phases": sync.phases,
        "counts": sync.counts,
        "failure": sync.failure.as_ref().map(failure),
        "cancellation": sync.cancellation,
        "failures": groups.iter().map(|group| json!({
            "failure": failure(&group.failure),
            "verdict": group.verdict,
            "count": group.count,
            "samples": group.samples,
        })).collect::<Vec<_>>(),
        "warnings": sync.warnings,
    })
}

/// Why a sync began.
fn cause(sync: &SyncRecord) -> Cause {
    Plan::of(sync).map(|plan| plan.cause).unwrap_or_default()
}

/// A failure for machines.
pub(crate) fn failure(failure: &Failure) -> Value {
    json!({
        "code": failure.code,
        "reason": failure.code.reason(),
        "message": failure.message(),
        "help": failure.advice(),
    })
}

/// All failures of a sync: the rows that the diff discarded, then the records that failed later.
pub(crate) async fn groups(
    sync: &SyncRecord,
    store: &impl Store,
) -> Result<Vec<FailureGroup>, Failure> {
    let mut groups = sync.diff.as_ref().map(Diff::failure_groups).unwrap_or_default();
    groups.extend(store.failure_groups(sync.id).await?);
    Ok(groups)
}

/// A sync's status in words.
pub(crate) fn status(sync: &SyncRecord) -> String {
    let status = sync.status.as_str();
    match sync.kind {
        SyncKind::Sync => status.to_owned(),
        SyncKind::Backfill => format!("{status} (backfill)"),
        SyncKind::Replay { .. } => format!("{status} (replay)"),
        SyncKind::Rebase => format!("{status} (rebase)"),
    }
}

/// Seconds with the digits that matter.
pub(crate) fn seconds(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    if seconds < 10.0 { format!("{seconds:.2} s") } else { format!("{seconds:.0} s") }
}

/// A sync for people.
pub(crate) fn sync_text(sync: &SyncRecord, groups: &[FailureGroup]) -> String {
    let mut text = format!("{}: {} (sync {})\n", sync.mapping, status(sync), sync.id);
    let mut line = |line: String| writeln!(text, "{line}").expect("a String takes all text");
    match cause(sync) {
        Cause::Request => {}
        Cause::DbtCloud { job, run } => {
            line(format!("  after      dbt Cloud job {job}, run {run}"));
        }
        Cause::After { mapping } => line(format!("  after      `{mapping}`")),
        by @ Cause::Schedule { due } => line(match by.late(sync.started_at) {
            None => format!("  due        {due:.0}"),
            Some(late) => format!("  due        {due:.0}, began {} min late", late.as_secs() / 60),
        }),
    }
    if let Some(cancellation) = &sync.cancellation {
        line(format!("  {}", cancellation.told()));
    }
    let counts = sync.counts;
    let each = |what: &str, tally: &ebb_core::Tally| {
        let parts = Operation::ALL.into_iter().filter(|operation| tally.get(*operation) > 0);
        let parts: Vec<_> =
            parts.map(|operation| format!("{} {operation}", tally.get(operation))).collect();
        let parts =
            if parts.is_empty() { String::new() } else { format!("  ({})", parts.join(", ")) };
        format!("  {what:<10} {:>10}{parts}", tally.total())
    };
    if sync.diff.is_some() || counts.extracted.total() > 0 {
        line(each("extracted", &counts.extracted));
        line(each("delivered", &counts.delivered));
        line(each("failed", &counts.failed));
        line(each("discarded", &counts.discarded));
        if counts.not_subscribed.total() > 0 {
            line(each("not sent", &counts.not_subscribed));
        }
    }
    if !sync.phases.is_empty() {
        let phases = sync.phases.iter().map(|phase| {
            format!("{} {}", phase.name, seconds(Duration::from_millis(phase.millis)))
        });
        line(format!("  {}", phases.collect::<Vec<_>>().join(", ")));
    }
    for (warning, count) in &sync.warnings {
        line(format!("warning: {warning}: {count}"));
    }
    for failures in groups {
        line(group(failures));
    }
    if let Some(failure) = &sync.failure {
        let label = if sync.status == Status::Held { "held" } else { "error" };
        line(format!("{label}[{}]: {}", failure.code, failure.message()));
        line(format!(" help: {}", failure.advice()));
    }
    text
}

/// A group of failures for people, with its first sample.
pub(crate) fn group(group: &FailureGroup) -> String {
    let verdict = match group.verdict {
        ebb_core::port::Verdict::Delivered => "delivered",
        ebb_core::port::Verdict::Failed => "failed, tried again by the next sync",
        ebb_core::port::Verdict::Discarded => "discarded",
    };
    let failure = &group.failure;
    let reason = failure.code.reason().map(|reason| format!(" {reason}")).unwrap_or_default();
    let noun = if group.count == 1 { "record" } else { "records" };
    let mut text = format!(
        "{} {noun} {verdict} [{}{reason}]: {}\n help: {}",
        group.count,
        failure.code,
        failure.message(),
        failure.advice(),
    );
    if let Some(sample) = group.samples.first() {
        write!(text, "\n  record `{}`", sample.record_id).expect("a String takes all text");
        if !sample.payload.is_empty() {
            write!(text, "\n  sent   {}", sample.payload).expect("a String takes all text");
        }
        if let Some(reply) = &sample.reply {
            write!(text, "\n  answer {reply}").expect("a String takes all text");
        }
    }
    text
}

/// A request for people.
pub(crate) fn request(request: &ShownRequest) -> String {
    let mut text = format!("{} {}\n", request.method, request.url);
    for (name, value) in &request.headers {
        writeln!(text, "{name}: {value}").expect("a String takes all text");
    }
    text + &request.body
}
