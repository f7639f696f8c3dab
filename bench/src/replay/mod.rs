//! The bare loop: the same bodies to the same receiver by the cheapest client there is.
//!
//! Requests are put together beforehand; each connection writes one, reads the answer, takes the next.

mod connection;
mod generated;

use std::cell::Cell;
use std::path::PathBuf;
use std::rc::Rc;

use anyhow::Context as _;
use bytes::Bytes;
use serde::Serialize;
use tokio::time::Instant;

use self::connection::Connection;
use crate::receiver::read_saved;

/// What to post, where, and how wide.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Port of the receiver on 127.0.0.1
    #[arg(long, default_value_t = 9000)]
    port: u16,
    /// Connections, each with one request in flight
    #[arg(long, default_value_t = 8)]
    connections: usize,
    /// Bodies that `receiver --save` wrote; without it they are generated
    #[arg(long)]
    bodies: Option<PathBuf>,
    /// Records to generate
    #[arg(long, default_value_t = 1_000_000)]
    records: u64,
    /// Generated records per request; 1 posts bare objects
    #[arg(long, default_value_t = 100)]
    batch: u64,
}

/// What the loop did. `seconds` leaves out reading or generating the bodies.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    seconds: f64,
    requests: usize,
    bytes: usize,
    requests_per_second: f64,
}

/// Posts every body once. Fails at the first answer that is not 200.
#[expect(clippy::cast_precision_loss, reason = "a rate for people; counts stay far below 2^52")]
pub(crate) async fn replay(options: Options) -> anyhow::Result<Report> {
    let bodies = match &options.bodies {
        Some(path) => read_saved(path)?,
        None => generated::bodies(options.records, options.batch)?,
    };
    let bytes = bodies.iter().map(Bytes::len).sum();
    let requests: Rc<[Bytes]> = bodies.iter().map(|body| connection::request(body)).collect();
    drop(bodies);
    let next = Rc::new(Cell::new(0));
    let mut connections = Vec::new();
    for _ in 0..options.connections {
        connections.push(Connection::open(options.port).await?);
    }
    let start = Instant::now();
    let mut loops = tokio::task::JoinSet::new();
    for mut connection in connections {
        let (requests, next) = (Rc::clone(&requests), Rc::clone(&next));
        loops.spawn_local(async move {
            while let Some(request) = requests.get(next.replace(next.get() + 1)) {
                connection.exchange(request).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(ended) = loops.join_next().await {
        ended.context("a connection's loop broke down")??;
    }
    let seconds = start.elapsed().as_secs_f64();
    Ok(Report {
        seconds,
        requests: requests.len(),
        bytes,
        requests_per_second: requests.len() as f64 / seconds,
    })
}
