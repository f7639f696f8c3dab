//! Traces by OpenTelemetry, as a collector gets them.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    sync::{Arc, Mutex},
    time::Duration,
};

use ebb_testkit::Script;
use http_body_util::{BodyExt, Full};
use hyper::{
    HeaderMap, Request, Response, body::Incoming, server::conn::http1, service::service_fn,
};
use hyper_util::rt::TokioIo;
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{KeyValue, any_value::Value as Any},
    trace::v1::{Span, status::StatusCode},
};
use prost::Message;
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinSet, time::Instant};

use crate::{
    server::Server,
    shop::{Ran, Shop, ran},
};

/// A collector of traces on a port of its own.
struct Collector {
    address: String,
    received: Arc<Mutex<Vec<(HeaderMap, ExportTraceServiceRequest)>>>,
    _server: JoinSet<()>,
}

impl Collector {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let received = Arc::new(Mutex::new(Vec::new()));
        let mut server = JoinSet::new();
        let into = Arc::clone(&received);
        server.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let into = Arc::clone(&into);
                connections.spawn(async move {
                    let service = service_fn(|request| take(request, &into));
                    let connection = http1::Builder::new();
                    drop(connection.serve_connection(TokioIo::new(stream), service).await);
                });
            }
        });
        Self { address, received, _server: server }
    }

    fn spans(&self) -> Vec<Span> {
        let received = self.received.lock().unwrap();
        let resources = received.iter().flat_map(|(_, request)| &request.resource_spans);
        let scopes = resources.flat_map(|resource| &resource.scope_spans);
        scopes.flat_map(|scope| scope.spans.clone()).collect()
    }

    /// What the traces are of.
    fn resource(&self) -> BTreeMap<String, Value> {
        let received = self.received.lock().unwrap();
        told(&received[0].1.resource_spans[0].resource.as_ref().unwrap().attributes)
    }

    fn header(&self, name: &str) -> String {
        self.received.lock().unwrap()[0].0[name].to_str().unwrap().to_owned()
    }
}

async fn take(
    request: Request<Incoming>,
    into: &Mutex<Vec<(HeaderMap, ExportTraceServiceRequest)>>,
) -> Result<Response<Full<bytes::Bytes>>, Infallible> {
    assert_eq!(request.uri().path(), "/v1/traces");
    let headers = request.headers().clone();
    let body = request.into_body().collect().await.unwrap().to_bytes();
    into.lock().unwrap().push((headers, ExportTraceServiceRequest::decode(body).unwrap()));
    Ok(Response::new(Full::default()))
}

fn told(attributes: &[KeyValue]) -> BTreeMap<String, Value> {
    let value = |attribute: &KeyValue| {
        let value = attribute.value.clone().unwrap().value.unwrap();
        if let Any::StringValue(text) = value {
            json!(text)
        } else if let Any::IntValue(number) = value {
            json!(number)
        } else {
            panic!("{attribute:?}")
        }
    };
    attributes.iter().map(|attribute| (attribute.key.clone(), value(attribute))).collect()
}

fn is_error(span: &Span) -> bool {
    span.status.as_ref().is_some_and(|status| status.code() == StatusCode::Error)
}

fn named<'s>(spans: &'s [Span], name: &str) -> Vec<&'s Span> {
    spans.iter().filter(|span| span.name == name).collect()
}

/// Syncs all people with these variables set.
async fn sync(shop: &Shop, variables: &[(&str, &str)]) -> Ran {
    let mut command = shop.command(&["sync", "all"]);
    command.envs(variables.iter().copied());
    ran(command).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sync_is_a_tree_of_its_phases_and_batches() {
    let shop = Shop::new(300, Script::default()).await;
    shop.receiver.refuse(["3"]);
    let collector = Collector::start().await;
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &*collector.address),
        ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20of-the-collector"),
        ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=tests"),
        // What is logged is not changed by it.
        ("EBB_LOG", "info"),
    ];
    let ran = sync(&shop, &variables).await;
    let id = ran.syncs()[0]["id"].clone();
    assert_eq!(collector.header("authorization"), "Bearer of-the-collector");
    assert_eq!(collector.header("content-type"), "application/x-protobuf");
    let resource = collector.resource();
    assert_eq!(
        (&resource["service.name"], &resource["deployment.environment"]),
        (&json!("ebb"), &json!("tests"))
    );

    let spans = collector.spans();
    let of_root = |span: &&Span| span.parent_span_id.is_empty();
    let roots: Vec<_> = spans.iter().filter(of_root).collect();
    assert_eq!((roots.len(), &*roots[0].name), (1, "sync"), "{spans:?}");
    let root = told(&roots[0].attributes);
    let expected = json!({
        "ebb.sync.id": id, "ebb.sync.kind": "sync", "ebb.sync.status": "partial",
        "ebb.mapping": "all", "ebb.model": "people", "ebb.source": "db", "ebb.destination": "hook",
        "ebb.action": "send", "ebb.records.extracted": 300, "ebb.records.delivered": 299,
        "ebb.records.failed": 0, "ebb.records.discarded": 1,
    });
    assert_eq!(json!(root), expected);
    assert!(!is_error(roots[0]), "a sync that goes through is no error");

    let below = |parent: &Span| {
        let children = spans.iter().filter(|span| span.parent_span_id == parent.span_id);
        let mut names: Vec<_> = children.map(|span| &*span.name).collect();
        names.sort_unstable();
        names.join(" ")
    };
    assert_eq!(below(roots[0]), "commit diff load stage");
    let (diff, stage) = (named(&spans, "diff")[0], named(&spans, "stage")[0]);
    assert_eq!(told(&diff.attributes)["ebb.records.added"], 300);
    assert_eq!(told(&stage.attributes)["ebb.records.staged"], 300);
    let load = named(&spans, "load")[0];
    assert_eq!(told(&load.attributes)["ebb.batches"], 3);
    assert_eq!(below(load), "batch batch batch");
    let (bad, good): (Vec<_>, Vec<_>) =
        named(&spans, "batch").into_iter().partition(|span| is_error(span));
    assert_eq!((bad.len(), good.len()), (1, 2));
    let bad_one = told(&bad[0].attributes);
    assert_eq!(bad_one["error.type"], "D205");
    assert_eq!(
        (&bad_one["ebb.records"], &bad_one["ebb.records.discarded"]),
        (&json!(100), &json!(1))
    );
    assert!(bad_one["ebb.tries"].as_i64() > Some(2), "halved: {bad_one:?}");
    assert!(bad[0].events.iter().all(|event| event.name == "halved"), "{bad:?}");
    let good_one = told(&good[0].attributes);
    assert_eq!(
        (&good_one["ebb.tries"], &good_one["http.response.status_code"]),
        (&json!(1), &json!(200))
    );

    let all = format!("{spans:?}");
    assert!(!all.contains("person") && !all.contains("127.0.0.1"), "no values, no addresses");
    assert!(ran.err.contains("sync ended") && !ran.err.contains("ebb.mapping"), "{}", ran.err);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_sync_and_its_phase_bear_the_code() {
    let shop = Shop::new(10, Script::default()).await;
    shop.sql("drop table people");
    let collector = Collector::start().await;
    let endpoint = format!("{}/v1/traces", collector.address);
    let variables =
        [("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", &*endpoint), ("OTEL_SERVICE_NAME", "ebb-of-tests")];
    let failed = sync(&shop, &variables).await;
    let code = failed.syncs()[0]["failure"]["code"].clone();
    assert_eq!(collector.resource()["service.name"], "ebb-of-tests");
    let spans = collector.spans();
    for name in ["sync", "diff"] {
        let span = named(&spans, name)[0];
        assert!(is_error(span), "{span:?}");
        assert_eq!(told(&span.attributes)["error.type"], code);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_sent_that_was_not_asked_for() {
    let shop = Shop::new(10, Script::default()).await;
    let collector = Collector::start().await;
    let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", &*collector.address);
    for off in [("OTEL_SDK_DISABLED", "true"), ("OTEL_TRACES_SAMPLER", "always_off")] {
        assert_eq!(sync(&shop, &[endpoint, off]).await.code, Some(0));
    }
    assert!(collector.spans().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_is_away_or_hangs_hurts_no_sync() {
    let shop = Shop::new(10, Script::default()).await;
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = format!("http://{}", silent.local_addr().unwrap());
    let away = ("http://127.0.0.1:9", "traces are not taken: `127.0.0.1` cannot be reached");
    let hangs = (&*silent, "the last traces were not sent: the collector takes too long");
    for (endpoint, words) in [away, hangs] {
        let began = Instant::now();
        let ran = sync(&shop, &[("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)]).await;
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
        assert!(ran.err.contains(words), "{}", ran.err);
        assert_eq!(ran.err.lines().count(), 1, "told once: {}", ran.err);
    }
    let odd = sync(&shop, &[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://me:hunter2@[odd")]).await;
    assert_eq!(odd.code, Some(0));
    assert!(odd.err.contains("traces are not sent") && !odd.err.contains("hunter2"), "{}", odd.err);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_tells_of_requests_and_of_syncs() {
    let shop = Shop::new(10, Script::default()).await;
    let collector = Collector::start().await;
    let variables =
        [("OTEL_EXPORTER_OTLP_ENDPOINT", &*collector.address), ("OTEL_BSP_SCHEDULE_DELAY", "100")];
    let server = Server::start(&shop, &variables).await;
    server.page("/mappings/all?of=nobody").await;
    let (status, answer) =
        server.api("POST", "/mappings/all/syncs", Some(&json!({ "kind": "sync" }))).await;
    assert!(status < 300, "{status} {answer}");
    let asked = |spans: &[Span], name: &str| !named(spans, name).is_empty();
    for _ in 0..200 {
        let spans = collector.spans();
        if asked(&spans, "GET /mappings/{name}") && asked(&spans, "sync") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let spans = collector.spans();
    let page = told(&named(&spans, "GET /mappings/{name}")[0].attributes);
    assert_eq!(page["http.response.status_code"], 200);
    let sync = named(&spans, "sync")[0];
    assert!(sync.parent_span_id.is_empty(), "a sync is a trace of its own");
    assert!(!format!("{spans:?}").contains("nobody"), "no queries of addresses");
}
