//! Traces by OpenTelemetry: on when the standard's variables name a collector.

use std::time::Duration;

use opentelemetry::{KeyValue, trace::TracerProvider};
use opentelemetry_otlp::{
    ExporterBuildError, OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_TIMEOUT,
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_TIMEOUT, SpanExporter,
    WithHttpConfig,
};
use opentelemetry_sdk::{
    Resource,
    resource::{EnvResourceDetector, TelemetryResourceDetector},
    trace::SdkTracerProvider,
};
use tracing::{Level, Subscriber};
use tracing_subscriber::{Layer, filter::Targets, registry::LookupSpan};

use super::{collector::Collector, variable};

/// How long the end of the process may wait for what is not sent yet.
const LAST_WAIT: Duration = Duration::from_secs(3);
/// How long the collector may take for an answer, unless the environment says otherwise.
const TIMEOUT: Duration = Duration::from_secs(10);

/// What sends traces; by default, nothing does.
#[derive(Default)]
pub(crate) struct Traces {
    provider: Option<SdkTracerProvider>,
}

impl Traces {
    /// Traces as the variables of OpenTelemetry say. Sampling, limits and queues are read by its SDK.
    pub(super) fn from_environment() -> Result<Self, &'static str> {
        let named = [OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, OTEL_EXPORTER_OTLP_ENDPOINT];
        let says =
            |name, word: &str| variable(name).is_some_and(|it| it.eq_ignore_ascii_case(word));
        let off = says("OTEL_SDK_DISABLED", "true") || says("OTEL_TRACES_EXPORTER", "none");
        if off || !named.into_iter().any(|name| variable(name).is_some()) {
            return Ok(Self::default());
        }
        let timeout = [OTEL_EXPORTER_OTLP_TRACES_TIMEOUT, OTEL_EXPORTER_OTLP_TIMEOUT]
            .into_iter()
            .find_map(|name| variable(name)?.parse().ok())
            .map_or(TIMEOUT, Duration::from_millis);
        let collector =
            Collector::new(timeout).map_err(|_| "no thread can be started that sends them")?;
        // What is wrong is not told to the letter: an address may hold a password.
        let exporter = SpanExporter::builder().with_http().with_http_client(collector).build();
        let exporter = exporter.map_err(|error| match error {
            ExporterBuildError::InvalidConfiguration(_) => {
                "a variable `OTEL_EXPORTER_OTLP_…` has a value that cannot be used"
            }
            ExporterBuildError::InternalFailure(_) => "what sends them cannot be set up",
        })?;
        let provider =
            SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource());
        Ok(Self { provider: Some(provider.build()) })
    }

    /// Takes the spans that are made for traces.
    pub(super) fn layer<S>(&self) -> Option<impl Layer<S> + use<S>>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        let tracer = self.provider.as_ref()?.tracer("ebb");
        let layer = tracing_opentelemetry::layer()
            .with_tracer(tracer)
            .with_context_activation(false)
            .with_location(false)
            .with_target(false)
            .with_threads(false)
            .with_tracked_inactivity(false);
        Some(layer.with_filter(Targets::new().with_target(ebb_engine::TRACES, Level::INFO)))
    }

    /// Sends what is not sent yet, as far as that is possible in short time.
    pub(crate) fn end(self) {
        let Some(provider) = self.provider else { return };
        // What the collector refuses was told before: all that is new here is that it takes too long.
        if provider.shutdown_with_timeout(LAST_WAIT).is_err() {
            tracing::error!("the last traces were not sent: the collector takes too long");
        }
    }
}

/// What the traces are of: this program, unless `OTEL_SERVICE_NAME` or `OTEL_RESOURCE_ATTRIBUTES` call it
/// otherwise.
fn resource() -> Resource {
    let resource = Resource::builder_empty()
        .with_attributes([
            KeyValue::new("service.name", "ebb"),
            KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
        ])
        .with_detector(Box::new(TelemetryResourceDetector))
        .with_detector(Box::new(EnvResourceDetector::new()));
    match variable("OTEL_SERVICE_NAME") {
        Some(name) => resource.with_service_name(name),
        None => resource,
    }
    .build()
}
