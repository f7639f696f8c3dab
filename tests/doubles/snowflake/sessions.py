"""The drivers' protocol of sessions, on the same databases and with the same faults as the SQL API beside it.

A session signs in at /session/v1/login-request with a password, a token or a signed token, and has a connection of its own: what it
leaves open stays open until somebody ends it. Its token expires (390112) and is renewed at /session/token-request by the master token.
Rows come as Arrow in Snowflake's own types, the first ones in the answer and the others behind links, which are signed, good for a
while, and opened without a token but with the result's key. `Accept: application/json` asks for rows as text.
"""
import asyncio, base64, gzip, hashlib, hmac, json, secrets, sys, threading, time, uuid
import pyarrow as pa, pyarrow.compute as pc
import fakesnow.server as fs
from fakesnow.expr import normalise_ident
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

D = sys.modules["__main__"]; SESSIONS = []; TOKENS = {}; MASTERS = {}; SIGNING = secrets.token_bytes(32); KEY_HEADER = "x-amz-server-side-encryption-customer-key"
NOPS = [r"^\s*(use\s+(role|warehouse)|grant|alter\s+session)\b"]
done = lambda data, **more: JSONResponse({"data": data, "code": None, "message": None, "success": True, **more})
refuse = lambda code, message, data=None, status=200: JSONResponse({"data": data, "code": code, "message": message, "success": False, "headers": None}, status)


async def body_of(request):
    raw = await request.body()
    return json.loads(gzip.decompress(raw) if request.headers.get("content-encoding") == "gzip" else raw or b"{}")


# ---------------------------------------------------------------- sessions
class Session:
    def __init__(self, database, schema, how, user, query, parameters):
        self.database, self.schema, self.how, self.user, self.query, self.parameters = database, schema, how, user, query, parameters
        self.con = fs.shared_fs.connect(database, schema, nop_regexes=NOPS); self.lock = threading.Lock(); self.ended = False; self.renewed = 0; self.grant()

    def grant(self):
        self.token, self.master = secrets.token_urlsafe(32), secrets.token_urlsafe(32); self.expired = self.master_expired = False; TOKENS[self.token] = MASTERS[self.master] = self

    def end(self):
        with self.lock:
            if not self.ended: self.ended = True; self.con.close()


async def login(request):
    d = (await body_of(request))["data"]; q = request.query_params; ident = lambda name: normalise_ident(q[name]) if q.get(name) else None; database = ident("databaseName")
    if (x := gate(request, database, "")): return x
    how = (d.get("AUTHENTICATOR") or "SNOWFLAKE").upper(); tok = d.get("TOKEN", ""); failed = {"nextAction": "RETRY_LOGIN", "pwdLastSetTime": None}
    bad = D.check_jwt(tok) if how == "SNOWFLAKE_JWT" else D.check(how, tok) if how in ("PROGRAMMATIC_ACCESS_TOKEN", "OAUTH") \
        else None if (d.get("LOGIN_NAME", "").upper(), d.get("PASSWORD")) == (D.A.user.upper(), D.A.password) else "Incorrect username or password was specified."
    if bad: return refuse({"SNOWFLAKE_JWT": "390144", "OAUTH": "390303"}.get(how, "390100"), bad, failed)
    parameters = d.get("SESSION_PARAMETERS") or {}
    if parameters.get("CLIENT_VALIDATE_DEFAULT_PARAMETERS") and database not in D.DATABASES: return refuse("390201", "The requested database does not exist or not authorized.", failed)
    s = await run_in_threadpool(Session, database, ident("schemaName") or (database and "PUBLIC"), how, d.get("LOGIN_NAME"), {k: ident(k) for k in ("warehouse", "roleName")}, parameters); SESSIONS.append(s)
    # the fields that strict clients insist on are all there
    return done({"token": s.token, "masterToken": s.master, "validityInSeconds": 3600, "masterValidityInSeconds": 14400, "displayUserName": D.A.user, "serverVersion": fs.SERVER_VERSION, "firstLogin": False, "remMeToken": None, "remMeValidityInSeconds": 0,
                 "healthCheckInterval": 45, "newClientForUpgrade": None, "sessionId": len(SESSIONS), "mfaToken": None, "mfaTokenValidityInSeconds": 0, "idToken": None, "idTokenValidityInSeconds": 0,
                 "parameters": [{"name": "AUTOCOMMIT", "value": True}, {"name": "CLIENT_SESSION_KEEP_ALIVE_HEARTBEAT_FREQUENCY", "value": 3600}, {"name": "CLIENT_STAGE_ARRAY_BINDING_THRESHOLD", "value": 0}],
                 "sessionInfo": {"databaseName": s.database or "", "schemaName": s.schema or "", "warehouseName": q.get("warehouse", "WH"), "roleName": q.get("roleName", "PUBLIC")}})


def gate(request, database, sql):
    for f in D.FAULTS:
        if "status" in f and not f.get("lost") and D.matches(f, database, f"{request.url.path}?{request.url.query}", sql):
            return D.J(f.get("body") or {"code": "390139", "message": "injected"}, f["status"], **(f.get("headers") or {}))


def session_of(request):
    """The session of a request, or why there is none."""
    s = TOKENS.get((request.headers.get("authorization") or "")[17:-1])
    if not s or s.ended: return None, refuse("390104", "User must login again to access the service.", status=401)
    return (None, refuse("390112", "Your session has expired. Please login again.")) if s.expired else (s, None)


async def renew(request):
    s = MASTERS.get((request.headers.get("authorization") or "")[17:-1]); b = await body_of(request)
    if not s or s.ended or b.get("oldSessionToken") != s.token: return refuse("390113", "Master token not found in request.")
    if s.master_expired: return refuse("390114", "Authentication token has expired.  The user must authenticate again.")
    s.grant(); s.renewed += 1
    return done({"sessionToken": s.token, "validityInSecondsST": 3600, "masterToken": s.master, "validityInSecondsMT": 14400, "sessionId": SESSIONS.index(s) + 1})


async def session(request):
    s, x = session_of(request)
    if x: return x
    if request.query_params.get("delete"): await run_in_threadpool(s.end)
    return done(None)


async def expire(request):
    b = await request.json()
    for s in SESSIONS:
        if s.database == b["database"]: s.expired = True; s.master_expired |= b["what"] == "master"
    return D.J({})


async def listed(request):
    return D.J([{"how": s.how, "user": s.user, "ended": s.ended, "renewed": s.renewed, "parameters": s.parameters} for s in SESSIONS if s.database == request.query_params.get("database")])


# ---------------------------------------------------------------- values
def fixed(c, scale):
    """Whole numbers of the least width that the values need, as the service writes them."""
    if not pa.types.is_decimal(c.type): c = c.cast(pa.decimal128(38, 0))
    scale = c.type.scale; c = c.cast(pa.decimal128(38, scale))
    if isinstance(c, pa.ChunkedArray): c = c.combine_chunks()
    n = pa.Array.from_buffers(pa.decimal128(38, 0), len(c), c.buffers(), c.null_count, c.offset); m = pc.min_max(n).as_py(); low, high = m["min"] or 0, m["max"] or 0
    for t, bits in ((pa.int8(), 7), (pa.int16(), 15), (pa.int32(), 31), (pa.int64(), 63)):
        if -2**bits <= low and high < 2**bits: return n.cast(pa.int64()).cast(t)
    return c


def moments(c):
    """Seconds and nanoseconds, and an offset where there is a zone; null where there is no moment."""
    if isinstance(c, pa.ChunkedArray): c = c.combine_chunks()
    whole = c.cast(pa.timestamp("us", c.type.tz)); n = pc.fill_null(whole.cast(pa.int64()), 0); mask = pc.is_null(c)
    epoch = pc.subtract(pc.divide(n, 1_000_000), pc.cast(pc.and_(pc.less(n, 0), pc.not_equal(pc.subtract(n, pc.multiply(pc.divide(n, 1_000_000), 1_000_000)), 0)), pa.int64()))
    parts = [epoch, pc.multiply(pc.subtract(n, pc.multiply(epoch, 1_000_000)), 1000).cast(pa.int32())]; names = ["epoch", "fraction"]
    if c.type.tz: parts.append(pa.repeat(pa.scalar(1440, pa.int32()), len(c))); names.append("timezone")
    return pa.StructArray.from_arrays(parts, fields=[pa.field(n, p.type, nullable=False) for n, p in zip(names, parts)], mask=mask)


def stream(table, meta):
    arrays, fields = [], []
    for c, m in zip(table.columns, meta):
        if isinstance(c.type, pa.BaseExtensionType): c = c.cast(c.type.storage_type)
        if m["type"] == "fixed": c = fixed(c, m["scale"])
        elif pa.types.is_timestamp(c.type): c = moments(c)
        elif pa.types.is_time(c.type): c = pc.multiply(c.cast(pa.time64("us")).cast(pa.int64()), 1000)
        elif pa.types.is_null(c.type): c = c.cast(pa.string())
        said = {"logicalType": m["type"].upper(), "precision": str(m["precision"] or 38), "scale": str(m["scale"] or 0), "charLength": str(m["length"] or 0), "byteLength": str(m["byteLength"] or 16)}
        arrays.append(c); fields.append(pa.field(m["name"], c.type, nullable=True, metadata=said))
    sink = pa.BufferOutputStream(); schema = pa.schema(fields); t = pa.Table.from_arrays(arrays, schema=schema)
    with pa.ipc.new_stream(sink, schema) as writer: writer.write_table(t)
    return sink.getvalue().to_pybytes()


# ---------------------------------------------------------------- statements
class Query(D.Stmt):
    def __init__(self, session, b, rid):
        super().__init__({"statement": b["sqlText"], "database": session.database, "schema": session.schema, "role": session.query["roleName"], "warehouse": session.query["warehouse"], "bindings": b.get("bindings"),
                          "parameters": {**session.parameters, **(b.get("parameters") or {})}, "timeout": session.parameters.get("STATEMENT_TIMEOUT_IN_SECONDS"), "_rid": rid})
        self.session = session; self.table = None; self.children = 0; self.key = base64.b64encode(secrets.token_bytes(32)).decode()

    def work(self):
        with self.session.lock:
            if not self.session.ended: super().work()

    def connection(self): return self.session.con

    def close(self, con):
        # a transaction that failed is undone if the session says so, and stays open if it does not
        if self.err and self.b["parameters"].get("TRANSACTION_ABORT_ON_ERROR"): super().close(con)

    def keep(self, table): self.table = table

    def several(self, con, parts): super().several(con, parts); self.children = len(parts)

    def cells(self, table): return [list(row) for row in zip(*[[D.cell(v, m["type"], m["scale"]) for v in c.to_pylist()] for c, m in zip(table.columns, self.meta)])]

    def bytes_of(self, number, form):
        """One piece; the first one is in the answer and the others are in the storage."""
        k = self.piece_rows(); part = self.table.slice(number * k, k)
        if form == "arrow": return stream(part, self.meta)
        return json.dumps(self.cells(part), separators=(",", ":"))[1:-1].encode()

    def piece_rows(self): return max(1, self.info().get("partition_rows") or D.A.partition_rows)

    def info(self): return D.DATABASES.get(self.b["database"], {})

    async def respond(self, request):
        if self.cancel: return refuse("000604", "SQL execution canceled", {"queryId": self.id, "sqlState": "57014"})
        if not self.done.is_set(): return done({"queryId": self.id, "getResultUrl": f"/queries/{self.id}/result", "queryAbortsAfterSecs": 300, "progressDesc": None}, code="333333", message="Query execution in progress.")
        if self.err: return refuse(self.err[0], self.err[2], {"queryId": self.id, "errorCode": self.err[0], "sqlState": self.err[1]})
        is_query = self.b["statement"].lstrip(" (\n").split(None, 1)[0].lower() in ("select", "with", "show", "values") and not self.children
        form = "arrow" if is_query and "application/json" not in request.headers.get("accept", "") and self.info().get("format") != "json" else "json"
        data = {"parameters": [{"name": "TIMEZONE", "value": "Etc/UTC"}], "rowtype": self.meta, "queryId": self.id, "queryResultFormat": form, "statementTypeId": 4096 if is_query else 12288, "sqlState": None,
                "finalDatabaseName": self.session.con.database, "finalSchemaName": self.session.con.schema, "finalWarehouseName": self.session.query["warehouse"], "finalRoleName": self.session.query["roleName"], "numberOfBinds": 0, "version": 1}
        if self.children: return done({**data, "total": 1, "returned": 1, "rowset": [["Multiple statements executed successfully."]], "resultIds": ",".join(f"{self.id}-{n}" for n in range(self.children)), "resultTypes": ",".join(["12288"] * self.children)})
        if self.table is None: return done({**data, "total": 0, "returned": 0, **({"rowsetBase64": ""} if form == "arrow" else {"rowset": []})})
        total, k = self.table.num_rows, self.piece_rows(); first = await run_in_threadpool(self.bytes_of, 0, form); pieces = range(1, -(-total // k))
        data |= {"total": total, "returned": total, **({"rowsetBase64": base64.b64encode(first).decode()} if form == "arrow" else {"rowset": json.loads(b"[" + first + b"]")})}
        if pieces:
            until = time.time() + self.info().get("link_s", 3600); base = str(request.base_url)
            data |= {"chunks": [{"url": base + link(f"_storage/{self.id}/{form}/{n}", until), "rowCount": min(k, total - n * k), "uncompressedSize": 0, "compressedSize": 0} for n in pieces],
                     **({"qrmk": self.key} if self.info().get("qrmk") else {"chunkHeaders": {"x-amz-server-side-encryption-customer-algorithm": "AES256", KEY_HEADER: self.key}})}
        return done(data)


def link(path, until): return f"{path}?expires={until}&signature={hmac.new(SIGNING, f'{path}{until}'.encode(), hashlib.sha256).hexdigest()}"


async def storage(request):
    """Cloud storage: who has a link that is good, and the key, gets the piece. It must never see a session's token."""
    p = request.path_params; s = D.STM.get(p["h"]); path = request.url.path[1:]; until = float(request.query_params.get("expires", 0))
    if (x := gate(request, s.b["database"] if s else None, "")): return x
    if "authorization" in request.headers: return Response("<Error><Code>InvalidArgument</Code></Error>", 400)
    if not s or f"{path}?{request.url.query}" != link(path, until) or time.time() > until: return Response("<Error><Code>AccessDenied</Code></Error>", 403)
    if request.headers.get(KEY_HEADER) != s.key: return Response("<Error><Code>InvalidRequest</Code></Error>", 400)
    raw = await run_in_threadpool(s.bytes_of, int(p["n"]), p["form"])
    if not s.info().get("packed"): return Response(raw)
    # a storage may or may not say that a file is compressed
    return Response(await run_in_threadpool(gzip.compress, raw, 1), headers={"content-encoding": "gzip"} if int(p["n"]) % 2 else None)


async def query(request):
    b = await body_of(request); s, x = session_of(request)
    if (fault := gate(request, s.database if s else None, b.get("sqlText") or "")): return fault
    if x: return x
    rid = request.query_params.get("requestId") or str(uuid.uuid4())
    if (q := D.REQ.get(rid)) is None:
        q = Query(s, b, rid); D.STM[q.id] = D.REQ[rid] = q; D.LOG.append(q); q.task = asyncio.create_task(q.run())
    for f in D.FAULTS:
        if f.get("lost") and D.matches(f, s.database, request.url.path, b["sqlText"]): return D.J({"message": "injected"}, f["status"])
    return await waited(q, request)


async def waited(q, request):
    try: await asyncio.wait_for(q.done.wait(), q.info().get("sync_s", D.A.sync_s))
    except asyncio.TimeoutError: pass
    return await q.respond(request)


async def result(request):
    s, x = session_of(request); h = request.path_params["h"]; child = h.rsplit("-", 1)[0]; q = D.STM.get(h) or D.STM.get(child)
    if (fault := gate(request, q.b["database"] if q else None, "")): return fault
    if x: return x
    if not isinstance(q, Query): return refuse("000612", "Result not found.")
    if h != q.id: return done({"queryId": h, "queryResultFormat": "json", "rowtype": [], "rowset": [["Statement executed successfully."]], "total": 1, "returned": 1})
    return await waited(q, request)


async def abort(request):
    s, x = session_of(request)
    if x: return x
    q = D.REQ.get((await body_of(request)).get("requestId"))
    if not q or q.done.is_set(): return refuse("000605", "Identified SQL statement is not currently executing.")
    q.cancel = True; return done(None)


ROUTES = [Route("/session/v1/login-request", login, methods=["POST"]), Route("/session/token-request", renew, methods=["POST"]), Route("/session", session, methods=["POST"]), Route("/session/heartbeat", session, methods=["POST"]),
          Route("/queries/v1/query-request", query, methods=["POST"]), Route("/queries/v1/abort-request", abort, methods=["POST"]), Route("/queries/{h}/result", result), Route("/_storage/{h}/{form}/{n}", storage),
          Route("/_double/sessions", listed), Route("/_double/expire", expire, methods=["POST"])]
