//! Sessions: a table's rows at one moment, in streams.

use ebb_core::Failure;

use super::{
    attempts::Attempts,
    call::{Broken, Method},
    failure::{failed, unlike},
    messages::{
        ARROW, ArrowSerializationOptions, CreateReadSessionRequest, LZ4_FRAME, ReadRowsRequest,
        ReadRowsResponse, ReadSession, TableReadOptions,
    },
    rows::READ_ROWS,
};
use crate::bigquery::client::Client;

const CREATE_READ_SESSION: Method =
    Method { name: "CreateReadSession", routed_by: "read_session.table" };

/// A session of those rows of a table of the managed dataset that meet a condition.
pub(super) async fn create(
    client: &Client,
    table: &str,
    condition: &str,
    streams: u16,
) -> Result<ReadSession, Failure> {
    let project = format!("projects/{}", client.settings.project);
    let table = format!("{project}/datasets/{}/tables/{table}", client.settings.managed);
    let compressed = ArrowSerializationOptions { buffer_compression: LZ4_FRAME };
    let request = CreateReadSessionRequest {
        parent: project,
        max_stream_count: i32::from(streams),
        read_session: Some(ReadSession {
            data_format: ARROW,
            table: table.clone(),
            read_options: Some(TableReadOptions {
                row_restriction: condition.to_owned(),
                arrow_serialization_options: Some(compressed),
            }),
            ..ReadSession::default()
        }),
    };
    let mut attempts = Attempts::default();
    loop {
        match once(client, &table, &request).await {
            Ok(Some(session)) => return Ok(session),
            Ok(None) => return Err(unlike("it made no session")),
            Err(broken) => client.wait_after(broken, &mut attempts).await?,
        }
    }
}

async fn once(
    client: &Client,
    table: &str,
    request: &CreateReadSessionRequest,
) -> Result<Option<ReadSession>, Broken> {
    client.call(CREATE_READ_SESSION, table, request).await?.next().await
}

/// Reads a small table of the managed dataset, whatever its columns are, to see whether that may be done.
pub(in crate::bigquery) async fn try_out(client: &Client, table: &str) -> Result<(), Failure> {
    let session = create(client, table, "seq > 0", 1).await?;
    for stream in session.streams {
        let all = drain(client, stream.name).await;
        all.map_err(|broken| failed(broken, &client.storage.service, &client.settings))?;
    }
    Ok(())
}

async fn drain(client: &Client, read_stream: String) -> Result<(), Broken> {
    let request = ReadRowsRequest { read_stream, offset: 0 };
    let route = &request.read_stream;
    let mut answers = client.call::<ReadRowsResponse>(READ_ROWS, route, &request).await?;
    while answers.next().await?.is_some() {}
    Ok(())
}
