//! What a process tells of itself while it works: log lines, and traces if somebody collects them.

mod collector;
mod traces;

use tracing_subscriber::{
    EnvFilter, Layer, filter::LevelFilter, layer::SubscriberExt, util::SubscriberInitExt,
};

use traces::Traces;

/// Begins with it. Log lines go to standard error; `EBB_LOG` says which, such as `info` or
/// `ebb_engine=debug`, and `EBB_LOG_FORMAT=json` writes each as a JSON object.
pub(crate) fn begin() -> Traces {
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::ERROR.into());
    let mut filter = filter.with_env_var("EBB_LOG").from_env_lossy();
    // Spans are for traces alone. Without them nobody takes them, and they cost nothing.
    if let Ok(no_spans) = format!("{}=off", ebb_engine::TRACES).parse() {
        filter = filter.add_directive(no_spans);
    }
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = if variable("EBB_LOG_FORMAT").is_some_and(|format| format == "json") {
        lines.json().flatten_event(true).boxed()
    } else {
        lines.boxed()
    };
    let (traces, failure) = match Traces::from_environment() {
        Ok(traces) => (traces, None),
        Err(failure) => (Traces::default(), Some(failure)),
    };
    tracing_subscriber::registry().with(traces.layer()).with(lines.with_filter(filter)).init();
    if let Some(failure) = failure {
        tracing::error!("traces are not sent: {failure}");
    }
    traces
}

/// A variable of the environment that counts before any project is read; `None` if it is empty.
#[expect(clippy::disallowed_methods, reason = "it counts before any project is read")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
