"""The Storage Read API of the double: bqemulator reads the table, and what it lacks stands in front.

What stands in front asks for credentials, gives rows in no order and in several streams, reads from an offset,
compresses as it is asked to, and lets calls fail on demand. A fault's "path" is matched with the method, a blank, and
what it is called for (a table and the condition, or a stream); beside "path" and "count" it has

    "grpc": {"code", "message"?, "reason"?, "retry_s"?}    the call fails so, by the name of gRPC's code
    ... and "after"                                        ... after so many batches
    "delay_s"                                              the call begins so much later
"""

import asyncio
import urllib.parse

import grpc
import pyarrow
from google.cloud.bigquery_storage_v1 import types
from google.protobuf import any_pb2, duration_pb2
from google.rpc import error_details_pb2, status_pb2

SERVICE = "/google.cloud.bigquery.storage.v1.BigQueryRead/"
BATCH_ROWS = 1000
LZ4_FRAME = 1
KEPT = 16  # streams of a project that can still be read


class Ended(Exception):
    """A call that fails."""

    def __init__(self, code, message, reason="", retry_s=None):
        super().__init__(message)
        self.code, self.message, self.reason, self.retry_s = grpc.StatusCode[code], message, reason, retry_s

    async def end(self, context):
        details = []
        if self.reason:
            details.append(error_details_pb2.ErrorInfo(reason=self.reason, domain="googleapis.com"))
        if self.retry_s is not None:
            delay = duration_pb2.Duration(nanos=int(self.retry_s * 1e9) % 10**9, seconds=int(self.retry_s))
            details.append(error_details_pb2.RetryInfo(retry_delay=delay))
        packed = [any_pb2.Any() for _ in details]
        for anything, detail in zip(packed, details):
            anything.Pack(detail)
        status = status_pb2.Status(code=self.code.value[0], message=self.message, details=packed)
        trailers = (("grpc-status-details-bin", status.SerializeToString()),) if packed else ()
        await context.abort(self.code, self.message, trailers)


class Emulated:
    """What the emulator's handler sees of a call."""

    def __init__(self):
        self.code, self.details = None, ""

    def set_code(self, code):
        self.code = code

    def set_details(self, details):
        self.details = details

    def invocation_metadata(self):
        return ()


def widened(table):
    """Numbers in the sizes that the service has, whatever the emulator made of a literal."""
    wide = {pyarrow.types.is_integer: pyarrow.int64(), pyarrow.types.is_floating: pyarrow.float64()}
    for place, field in enumerate(table.schema):
        for is_such, of_service in wide.items():
            if is_such(field.type) and field.type != of_service:
                table = table.set_column(place, field.name, table.column(place).cast(of_service))
    return table


def serialized(batch, codec):
    """A batch as one IPC message."""
    options = pyarrow.ipc.IpcWriteOptions(compression="lz4" if codec == LZ4_FRAME else None)
    stream = pyarrow.BufferOutputStream()
    with pyarrow.ipc.new_stream(stream, batch.schema, options=options) as writer:
        writer.write_batch(batch)
    _schema, message = pyarrow.ipc.MessageReader.open_stream(pyarrow.BufferReader(stream.getvalue()))
    out = pyarrow.BufferOutputStream()
    message.serialize_to(out)
    return out.getvalue().to_pybytes()


class Storage(grpc.GenericRpcHandler):
    def __init__(self, front, emulator):
        self.front, self.emulator = front, emulator
        self.streams = {}

    def service(self, details):
        if details.method == f"{SERVICE}CreateReadSession":
            return grpc.unary_unary_rpc_method_handler(self.create)
        if details.method == f"{SERVICE}ReadRows":
            return grpc.unary_stream_rpc_method_handler(self.read)
        return None

    async def create(self, body, context):
        try:
            return await self.session(body, dict(context.invocation_metadata()))
        except Ended as ended:
            await ended.end(context)

    async def session(self, body, metadata):
        request = types.CreateReadSessionRequest.deserialize(body)
        wanted = request.read_session
        project = wanted.table.split("/")[1]
        self.authorize(metadata, f"read_session.table={wanted.table}")
        fault = self.front.fault(project, f"CreateReadSession {wanted.table} {wanted.read_options.row_restriction}", None)
        await self.fail(fault)
        if wanted.data_format != types.DataFormat.ARROW or request.parent != f"projects/{project}":
            raise Ended("INVALID_ARGUMENT", "the double reads Arrow for the table's own project")
        from bqemulator.streaming import read_session

        seen = Emulated()
        async with self.front.lock:
            answer = self.emulator._handle_create_read_session(body, seen)
        if seen.code is not None:
            raise Ended(seen.code.name, seen.details)
        session = types.ReadSession.deserialize(answer)
        table = widened(read_session._SESSIONS.pop(session.name).table)
        # the service promises no order: every stream has the rows of its own, the last ones first
        most = max(request.max_stream_count, 1)
        places = range(table.num_rows - 1, -1, -1)
        shares = [list(places[number::most]) for number in range(most)]
        codec = wanted.read_options.arrow_serialization_options.buffer_compression
        session.streams = []
        for number, share in enumerate(share for share in shares if share):
            name = f"{session.name}/streams/{number}"
            self.streams[name] = (project, table.take(share).combine_chunks(), codec)
            session.streams.append(types.ReadStream(name=name))
        for old in [name for name, (owner, *_) in self.streams.items() if owner == project][:-KEPT]:
            del self.streams[old]
        # without the mark of a stream's end, which the emulator puts behind it
        session.arrow_schema = types.ArrowSchema(serialized_schema=table.schema.serialize().to_pybytes())
        self.front.reads[project].append({"table": wanted.table, "condition": wanted.read_options.row_restriction, "rows": table.num_rows})
        return types.ReadSession.serialize(session)

    async def read(self, body, context):
        request = types.ReadRowsRequest.deserialize(body)
        name = request.read_stream
        try:
            self.authorize(dict(context.invocation_metadata()), f"read_stream={name}")
            if name not in self.streams:
                raise Ended("NOT_FOUND", f"Not found: {name}")
            project, table, codec = self.streams[name]
            fault = self.front.fault(project, f"ReadRows {name}", None)
            after = fault.get("after", 0) if "grpc" in fault else None
            if after == 0 or "delay_s" in fault:
                await self.fail(fault)
            rows = self.front.switches[project].get("batch_rows", BATCH_ROWS)
            batches = table.slice(request.offset).to_batches(max_chunksize=rows)
            for number, batch in enumerate(batches):
                if number == after:
                    await self.fail(fault)
                message = types.ArrowRecordBatch(serialized_record_batch=serialized(batch, codec))
                answer = types.ReadRowsResponse(arrow_record_batch=message, row_count=batch.num_rows)
                yield types.ReadRowsResponse.serialize(answer)
            if after is not None and after >= len(batches):
                await self.fail(fault)
        except Ended as ended:
            await ended.end(context)

    async def fail(self, fault):
        await asyncio.sleep(fault.get("delay_s", 0))
        if "grpc" in fault:
            raise Ended(**{"message": "as a test wanted it", **fault["grpc"]})

    def authorize(self, metadata, route):
        if not self.front.is_known(metadata.get("authorization", "")):
            raise Ended("UNAUTHENTICATED", "Request had invalid authentication credentials.")
        told = urllib.parse.unquote(metadata.get("x-goog-request-params", ""))
        if told != route:
            raise Ended("INVALID_ARGUMENT", f"routed by `{told}`, not by `{route}`")


def serve(front, context):
    """The server of the API on a free port."""
    from bqemulator.grpc_api.read_servicer import BigQueryReadHandler

    server = grpc.aio.server(options=[("grpc.max_send_message_length", 64 << 20)])
    server.add_generic_rpc_handlers([Storage(front, BigQueryReadHandler(context))])
    port = server.add_insecure_port("127.0.0.1:0")
    front.storage = f"http://127.0.0.1:{port}"
    return server, port
