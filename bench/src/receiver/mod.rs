//! The receiver: an HTTP/1.1 server on loopback that parses every body, counts, and can misbehave on purpose.
//!
//! - `POST` or `PUT` to any path: the body must be JSON, an array of records or one record.
//! - `GET /stats`: what was counted, as JSON.
//! - `GET /ids`: with `--record-ids`, how often each record was accepted, as JSON.
//! - `POST /reset`: forget all of it.
//!
//! One thread, so that it takes at most one core from what it measures.

mod body;
mod fault;
mod saved;
mod service;
mod stats;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use anyhow::Context as _;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use self::fault::FaultMix;
use self::service::Receiver;

pub(crate) use self::saved::read_saved;

/// Where the receiver listens and how it behaves.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Port on 127.0.0.1; 0 takes a free one, which is printed
    #[arg(long, default_value_t = 9000)]
    port: u16,
    /// Answer after this many milliseconds; requests wait side by side
    #[arg(long, default_value_t = 0)]
    delay_ms: u64,
    /// Percentages of answers other than 200, e.g. `500:2,429:1,400:1,cut:1,lost:1`.
    /// `cut` closes the connection and counts nothing, `lost` counts the records and closes without an answer
    #[arg(long, default_value = "")]
    status_mix: FaultMix,
    /// Seconds that a 429 asks to wait
    #[arg(long, default_value_t = 1)]
    retry_after: u64,
    /// Seed of the choice among the status mix
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Remember how often each record was accepted, by its `messageId`, `id` or `__segment_id`
    #[arg(long)]
    record_ids: bool,
    /// Append every accepted body to this file, for `replay --bodies`
    #[arg(long)]
    save: Option<PathBuf>,
}

/// Serves until it is killed. Prints one line, `listening on ADDRESS`, when ready.
pub(crate) async fn serve(options: Options) -> anyhow::Result<()> {
    use std::io::Write as _;

    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, options.port));
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on `{address}`"))?;
    let mut out = std::io::stdout();
    writeln!(out, "listening on {}", listener.local_addr()?)?;
    out.flush()?;
    let receiver = Rc::new(Receiver::new(service::Behaviour {
        delay: Duration::from_millis(options.delay_ms),
        faults: options.status_mix,
        retry_after: options.retry_after,
        seed: options.seed,
        record_ids: options.record_ids,
        save: options.save,
    })?);
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        while connections.try_join_next().is_some() {}
        let receiver = Rc::clone(&receiver);
        connections.spawn_local(async move {
            let answer = service_fn(move |request| {
                let receiver = Rc::clone(&receiver);
                async move { receiver.answer(request).await }
            });
            // a connection ends by the client's will or by a cut we chose: neither is news
            hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), answer)
                .await
                .is_ok()
        });
    }
}
