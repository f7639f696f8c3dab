//! The messages of `google.cloud.bigquery.storage.v1.BigQueryRead`, and those by which `google.rpc` tells why a
//! call failed: of each the fields that are used. Tags are those of the published specification.

use bytes::Bytes;
use prost::Message;

/// Asks for a table's rows.
#[derive(Clone, PartialEq, Message)]
pub(super) struct CreateReadSessionRequest {
    /// The project that is billed, as `projects/<project>`.
    #[prost(string, tag = "1")]
    pub(super) parent: String,
    #[prost(message, optional, tag = "2")]
    pub(super) read_session: Option<ReadSession>,
    #[prost(int32, tag = "3")]
    pub(super) max_stream_count: i32,
}

/// A table's rows as they are at one moment, in streams.
#[derive(Clone, PartialEq, Message)]
pub(super) struct ReadSession {
    #[prost(int32, tag = "3")]
    pub(super) data_format: i32,
    #[prost(message, optional, tag = "5")]
    pub(super) arrow_schema: Option<ArrowSchema>,
    /// As `projects/<project>/datasets/<dataset>/tables/<table>`.
    #[prost(string, tag = "6")]
    pub(super) table: String,
    #[prost(message, optional, tag = "8")]
    pub(super) read_options: Option<TableReadOptions>,
    #[prost(message, repeated, tag = "10")]
    pub(super) streams: Vec<ReadStream>,
}

/// The [`ReadSession::data_format`] of Arrow.
pub(super) const ARROW: i32 = 2;

#[derive(Clone, PartialEq, Message)]
pub(super) struct TableReadOptions {
    /// A condition as a statement's `where` has it.
    #[prost(string, tag = "2")]
    pub(super) row_restriction: String,
    #[prost(message, optional, tag = "3")]
    pub(super) arrow_serialization_options: Option<ArrowSerializationOptions>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ArrowSerializationOptions {
    #[prost(int32, tag = "2")]
    pub(super) buffer_compression: i32,
}

/// The [`ArrowSerializationOptions::buffer_compression`] by LZ4 frames.
pub(super) const LZ4_FRAME: i32 = 1;

#[derive(Clone, PartialEq, Message)]
pub(super) struct ReadStream {
    #[prost(string, tag = "1")]
    pub(super) name: String,
}

/// The schema as one IPC message.
#[derive(Clone, PartialEq, Message)]
pub(super) struct ArrowSchema {
    #[prost(bytes = "bytes", tag = "1")]
    pub(super) serialized_schema: Bytes,
}

/// Asks for a stream's rows from one on.
#[derive(Clone, PartialEq, Message)]
pub(super) struct ReadRowsRequest {
    #[prost(string, tag = "1")]
    pub(super) read_stream: String,
    #[prost(int64, tag = "2")]
    pub(super) offset: i64,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ReadRowsResponse {
    #[prost(message, optional, tag = "4")]
    pub(super) arrow_record_batch: Option<ArrowRecordBatch>,
}

/// Rows as one IPC message.
#[derive(Clone, PartialEq, Message)]
pub(super) struct ArrowRecordBatch {
    #[prost(bytes = "bytes", tag = "1")]
    pub(super) serialized_record_batch: Bytes,
}

/// `google.rpc.Status`: why a call failed, with details.
#[derive(Clone, PartialEq, Message)]
pub(super) struct RichStatus {
    #[prost(message, repeated, tag = "3")]
    pub(super) details: Vec<Detail>,
}

/// `google.protobuf.Any`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Detail {
    #[prost(string, tag = "1")]
    pub(super) type_url: String,
    #[prost(bytes = "bytes", tag = "2")]
    pub(super) value: Bytes,
}

/// `google.rpc.RetryInfo`: when a call may come again.
#[derive(Clone, PartialEq, Message)]
pub(super) struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    pub(super) retry_delay: Option<Span>,
}

/// `google.protobuf.Duration`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Span {
    #[prost(int64, tag = "1")]
    pub(super) seconds: i64,
    #[prost(int32, tag = "2")]
    pub(super) nanos: i32,
}

/// `google.rpc.ErrorInfo`: the reason in one word.
#[derive(Clone, PartialEq, Message)]
pub(super) struct ErrorInfo {
    #[prost(string, tag = "1")]
    pub(super) reason: String,
}
