#!/usr/bin/env python3
"""Test double for Snowflake: PyPI `fakesnow` (Snowflake SQL on DuckDB) with both of Snowflake's HTTP protocols.

  * /session/*, /queries/*         the drivers' protocol of sessions (sessions.py beside this file): a login with a key-pair JWT, PAT,
                                   OAuth token or password, Arrow, links to pieces in a storage, renewal, abort
  * /api/v2/statements             the documented SQL API v2 (jsonv2, gzip partitions, 202 polling, requestId retry,
                                   cancel, 401/422/429 bodies), added here on the same fakesnow databases

`start.sh` beside it makes the environment and starts it. What the tests use besides the service's own paths:

  POST   /_double/databases   {"name", "fold", "partition_rows", "sync_s", "keep_results", "format", "link_s", "qrmk", "packed"}: makes a database. `fold: lower`
                              turns names without quotes to lower case, as PostgreSQL does, for the scenarios that all warehouses share; the
                              service turns them to upper case, which is the default here. `keep_results` answers a
                              query whose result has several pieces by the same bytes when it comes again, whatever was written
                              meanwhile, for measurements of who reads them. For sessions: `format: json` gives no
                              Arrow, links are good for `link_s`, `qrmk` gives the result's key in the older way, `packed` compresses pieces
  POST   /_double/faults      {"database", "status", "count", "after", "path", "sql", "headers", "body", "delay_s"}: the next `count`
                              requests that match, after the first `after` of them, get this answer; one with `delay_s`
                              instead of `status` runs its statement that much later, one with `stop_at` fails a request of
                              several statements before that one, one with `lost` takes the statement and loses the answer
  GET    /_double/log         ?database=NAME: the statements that came, with parameters, role, warehouse, and whether canceled
  POST   /_double/expire      {"database", "what"}: the tokens of its sessions expire; with `what: master` they cannot be renewed
  GET    /_double/sessions    ?database=NAME: the sessions that signed in, how, with which parameters, how often renewed, and whether ended
  GET    /_double/grants      ?scope=SCOPE: the kinds of grants that OAuth tokens were given for, at /oauth/token-request
  GET    /_double/key         the service user's private key: {"plain", "encrypted", "des", "passphrase"}

Unlike the service: a statement that DuckDB takes may be one that Snowflake refuses; names are case-insensitive even in quotes;
roles, warehouses, grants and parameters are taken and mean nothing; a canceled statement runs on unseen.
"""
import argparse, asyncio, contextvars, urllib.parse, base64, datetime as dt, decimal, gzip, hashlib, json, re, subprocess, time, uuid
import jwt, uvicorn
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
import snowflake.connector.errors
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, Mount
import fakesnow.server as fs
import fakesnow.transforms as transforms
import sqlglot
from fakesnow.expr import normalise_ident
from fakesnow.rowtype import describe_as_rowtype

GRANTS = []; A = None; KEY = None; PUB = None; FP = ""; STM = {}; REQ = {}; KEPT = {}; FAULTS = []; DATABASES = {}; LOG = []
PASSPHRASE = "open sesame"
J = lambda body, status=200, **h: JSONResponse(body, status, headers=h or None)


# ---------------------------------------------------------------- credentials
def check_jwt(tok):
    want = f"{A.account}.{A.user}".upper()
    try: c = jwt.decode(tok, PUB, algorithms=["RS256"], options={"require": ["iss", "sub", "exp", "iat"]}, leeway=60)
    except Exception as e: return f"JWT token is invalid. [{type(e).__name__}]"          # noqa: BLE001
    if c["sub"] != want or c["iss"] != f"{want}.{FP}": return "JWT token is invalid. [issuer or subject]"
    if c["exp"] - c["iat"] > 3600: return "JWT token is invalid. [lifetime over one hour]"


def check(kind, tok):
    if kind == "KEYPAIR_JWT": return check_jwt(tok)
    if kind == "PROGRAMMATIC_ACCESS_TOKEN": return None if tok == A.pat else "Programmatic access token is invalid."
    if kind == "OAUTH": return None if tok == A.oauth or tok in [g["token"] for g in GRANTS] else "Invalid OAuth access token."
    return "Missing or unknown X-Snowflake-Authorization-Token-Type."


async def grant(request):
    """OAuth tokens for the client `ebb`; whose refresh token is used is told by the scope, and it is good once."""
    form = {k: v[0] for k, v in urllib.parse.parse_qs((await request.body()).decode()).items()}; scope = form.get("scope", ""); before = [g for g in GRANTS if g["scope"] == scope]
    if request.headers.get("authorization") != "Basic " + base64.b64encode(b"ebb:of the client").decode(): return J({"error": "invalid_client", "error_description": "The client is not known."}, 401)
    if form["grant_type"] == "refresh_token" and form.get("refresh_token") != f"dev-refresh-{len(before)}": return J({"error": "invalid_grant", "error_description": "The refresh token is not valid."}, 400)
    GRANTS.append({"scope": scope, "type": form["grant_type"], "token": f"granted-{len(GRANTS)}"})
    return J({"access_token": GRANTS[-1]["token"], "token_type": "Bearer", "expires_in": 600, "refresh_token": f"dev-refresh-{len(before) + 1}"})


async def grants(request): return J([g["type"] for g in GRANTS if g["scope"] == request.query_params.get("scope")])


# ---------------------------------------------------------------- how names without quotes are read
FOLD = contextvars.ContextVar("fold", default="upper"); UPPER = transforms.upper_case_unquoted_identifiers


def fold(expression):
    if FOLD.get() == "upper" or not isinstance(expression, sqlglot.exp.Identifier): return UPPER(expression)
    catalog = isinstance(expression.parent, sqlglot.exp.Table) and expression.parent.db.lower() == "information_schema"
    if not expression.quoted: expression.set("this", expression.this.upper() if catalog else expression.this.lower())
    return expression


transforms.upper_case_unquoted_identifiers = fold
transforms.numeric_agg_implicit_cast = lambda expression: expression   # sums of whole numbers stay whole, as in the service


# ---------------------------------------------------------------- values of jsonv2
def cell(v, t, scale):
    if v is None: return None
    if t == "boolean": return "true" if v else "false"
    if t == "date": return str((v - dt.date(1970, 1, 1)).days)
    if t == "time": return f"{(v.hour * 60 + v.minute) * 60 + v.second}.{v.microsecond * 1000:09d}"
    if t.startswith("timestamp"):
        z = v if v.tzinfo else v.replace(tzinfo=dt.timezone.utc); d = z - dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc)
        us = (d.days * 86400 + d.seconds) * 10**6 + d.microseconds; s = f"{'-' if us < 0 else ''}{abs(us) // 10**6}.{abs(us) % 10**6 * 1000:09d}"
        return s + f" {1440 + int((z.utcoffset() or dt.timedelta()).total_seconds() // 60)}" if t == "timestamp_tz" else s
    if isinstance(v, (bytes, bytearray)): return bytes(v).hex().upper()
    if isinstance(v, decimal.Decimal): return format(v, "f")
    return str(v)


DDL = ("create", "drop", "alter", "comment", "truncate")


def statements(text):
    """The statements of a text, split where a semicolon ends one."""
    parts, start = [], 0
    for t in sqlglot.tokenize(text, read="snowflake"):
        if t.text == ";" and t.token_type == sqlglot.tokens.TokenType.SEMICOLON: parts.append(text[start:t.start]); start = t.end + 1
    return [p for p in [*parts, text[start:]] if p.strip()]


# A subquery keeps columns of one name apart here, by a number; the service keeps the names.
LIMIT_0 = re.compile(r"^select \* from \(\n(.*)\n\) m\nlimit 0$", re.S)


class Stmt:
    def __init__(self, b): self.id = str(uuid.uuid4()); self.b = b; self.done = asyncio.Event(); self.err = None; self.rows = []; self.meta = []; self.t0 = time.time(); self.cancel = False; self.parts = []; self.sent = {}

    async def run(self):
        try:
            wait = A.latency_ms / 1000 + sum(f["delay_s"] for f in FAULTS if "delay_s" in f and matches(f, self.b["database"], self.url(), self.b["statement"]))
            if wait: await asyncio.sleep(wait)
            if not self.cancel: await run_in_threadpool(self.work)
            if len(self.parts) > 1 and DATABASES.get(self.b.get("database"), {}).get("keep_results"): KEPT[self.b["database"], self.b["statement"]] = self
        finally: self.done.set()

    def work(self):
        b = self.b; info = DATABASES.get(b.get("database"), {}); FOLD.set(info.get("fold", "upper")); con = None
        try:
            if b.get("database") and b["database"] not in DATABASES: self.err = ("390201", "08004", "The requested database does not exist or not authorized."); return
            con = self.connection(); cur = con.cursor()
            want = int((b.get("parameters") or {}).get("MULTI_STATEMENT_COUNT", 1)); parts = statements(b["statement"])
            if want != 0 and want != len(parts): self.err = ("000008", "0A000", f"Actual statement count {len(parts)} did not match the desired statement count {want}."); return
            if len(parts) > 1: self.several(con, parts); return
            inner = LIMIT_0.match(b["statement"])
            if inner: self.meta = self.describe(con, inner[1]); self.parts = [[]]; return
            bind = b.get("bindings"); params = tuple(fs.from_binding(bind[str(i)]) for i in range(1, len(bind) + 1)) if bind else None
            cur.execute(b["statement"], binding_params=params, server=True)
            t = cur._arrow_table; self.meta = self.row_type(cur)          # noqa: SLF001
            if t is not None: self.keep(t)
            k = max(1, info.get("partition_rows") or A.partition_rows); self.parts = [self.rows[o:o + k] for o in range(0, max(1, len(self.rows)), k)]
        except (snowflake.connector.errors.ProgrammingError, snowflake.connector.errors.OperationalError) as e:
            self.err = (f"{e.errno:06d}", e.sqlstate or "42000", f"SQL compilation error:\n{e.msg}" if e.errno in (1003, 2003, 904) else e.msg)
        except Exception as e: self.err = ("000603", "XX000", f"SQL execution internal error: {type(e).__name__} {e}")          # noqa: BLE001
        finally:
            if con: self.close(con)

    def connection(self): return fs.shared_fs.connect(self.b.get("database"), self.b.get("schema") or "PUBLIC", nop_regexes=[r"^\s*(use\s+(role|warehouse)|grant|alter\s+session)\b"])

    def close(self, con):
        """A session ends with its request."""
        try: con.cursor().execute("rollback")
        except Exception: pass                               # noqa: BLE001

    def keep(self, table):
        cols = [[cell(v, m["type"], m["scale"]) for v in c.to_pylist()] for c, m in zip(table.columns, self.meta)]
        self.rows = list(zip(*cols)) if cols else []

    def several(self, con, parts):
        """All statements of one request; what makes tables commits, as in the service."""
        inside = False; stop = next((f["stop_at"] for f in FAULTS if "stop_at" in f and matches(f, self.b["database"], self.url(), self.b["statement"])), None)
        for number, p in enumerate(parts):
            if number == stop: raise RuntimeError("injected")
            word = p.strip().split(None, 1)[0].lower().rstrip(";")
            if word in DDL and inside: con.cursor().execute("commit", server=True); inside = False
            if word == "commit" and not inside: continue
            con.cursor().execute(p, server=True)
            inside = True if word == "begin" else False if word in ("commit", "rollback") else inside
        self.meta = [dict(name="multiple statement execution", type="text", nullable=True, scale=None, precision=None, length=None)]
        self.rows = [("Multiple statements executed successfully.",)]; self.parts = [self.rows]

    def describe(self, con, query):
        cur = con.cursor(); cur.execute(f"select * from (\n{query}\n) m limit 0", server=True); inside = self.row_type(cur)
        names = [re.sub(r"_\d+$", "", m["name"]) for m in inside]
        for m, n in zip(inside, names):
            if m["name"] != n and n in [x["name"] for x in inside] and not re.search(rf'(?i)\b{re.escape(m["name"])}\b', query): m["name"] = n
        return inside

    def row_type(self, cur):
        rt = describe_as_rowtype(cur._describe_last_sql())          # noqa: SLF001
        return [{"name": c["name"], "database": c.get("database") or "", "schema": c.get("schema") or "", "table": c.get("table") or "", "type": c["type"].lower(), "nullable": c["nullable"],
                          "precision": c["precision"], "scale": c["scale"], "length": c["length"], "byteLength": c["byteLength"], "collation": None} for c in rt]

    def url(self): return f"/api/v2/statements/{self.id}?requestId={self.b.get('_rid', '')}"

    def respond(self, part=0):
        if self.cancel: return J({"code": "000604", "sqlState": "57014", "message": "SQL execution canceled", "statementHandle": self.id}, 422)
        if not self.done.is_set():
            return J({"code": "333334", "message": "Asynchronous execution in progress. Use provided query id to perform query monitoring and management.", "statementHandle": self.id, "statementStatusUrl": self.url()}, 202)
        if self.err: return J({"code": self.err[0], "sqlState": self.err[1], "message": self.err[2], "statementHandle": self.id}, 422)
        if part >= len(self.parts): return J({"code": "391918", "message": f"Partition {part} does not exist.", "statementHandle": self.id}, 400)
        if part in self.sent: raw, h = self.sent[part]; return Response(raw, 200, headers=h, media_type="application/json")
        if part: body = {"data": self.parts[part]}
        else:
            info = [{"rowCount": len(p), "uncompressedSize": sum(len(x or "") + 3 for r in p for x in r)} for p in self.parts]
            body = {"resultSetMetaData": {"numRows": len(self.rows), "format": "jsonv2", "partitionInfo": info, "rowType": self.meta}, "data": self.parts[0], "code": "090001",
                    "statementStatusUrl": self.url(), "requestId": self.b.get("_rid", ""), "sqlState": "00000", "statementHandle": self.id, "message": "Statement executed successfully.", "createdOn": int(self.t0 * 1000)}
        raw = json.dumps(body, separators=(",", ":")).encode(); h = {}
        if part or len(raw) > 8192: raw = gzip.compress(raw, 1); h["content-encoding"] = "gzip"
        if len(self.parts) > 1: h["link"] = ",".join(f'</api/v2/statements/{self.id}?partition={i}>;rel="{r}"' for i, r in [(0, "first"), (len(self.parts) - 1, "last")] + ([(part + 1, "next")] if part + 1 < len(self.parts) else []))
        if (self.b.get("database"), self.b["statement"]) in KEPT: self.sent[part] = raw, h; self.rows = self.parts[part] = ()   # what is told of all rows is in the first answer
        return Response(raw, 200, headers=h, media_type="application/json")


def matches(f, database, url, sql):
    """Whether a fault strikes now; it is used up by that."""
    if f["count"] <= 0 or f["database"] != database or not re.search(f.get("path", "."), url) or not re.search(f.get("sql", ""), sql, re.S): return False
    if f.get("after", 0) > 0: f["after"] -= 1; return False
    f["count"] -= 1; return True


def gate(request, body):
    for f in FAULTS:
        if "status" in f and not f.get("lost") and matches(f, body.get("database"), f"{request.url.path}?{request.url.query}", body.get("statement") or ""):
            return J(f.get("body") or {"code": "390139", "message": "injected"}, f["status"], **(f.get("headers") or {}))
    if not request.headers.get("user-agent"): return J({"code": "391902", "message": "Missing User-Agent header."}, 400)
    if "application/json" not in request.headers.get("accept", "*/*") and "*/*" not in request.headers.get("accept", "*/*"): return J({"code": "391903", "message": "Not acceptable."}, 406)
    h = request.headers.get("authorization", "")
    bad = check(request.headers.get("x-snowflake-authorization-token-type", "").upper(), h[7:]) if h.lower().startswith("bearer ") else "Authorization header is missing."
    return J({"code": "390144" if "JWT" in bad else "390303", "message": bad}, 401) if bad else None


async def submit(request):
    b = json.loads(await request.body())
    if (x := gate(request, b)): return x
    rid = request.query_params.get("requestId") or str(uuid.uuid4())
    if not (b.get("statement") or "").strip(): return J({"code": "391901", "message": "The request body has no statement."}, 400)
    if request.query_params.get("retry") == "true" and rid in REQ: s = REQ[rid]
    elif (b.get("database"), b["statement"]) in KEPT: return KEPT[b["database"], b["statement"]].respond()
    else:
        s = Stmt(dict(b, _rid=rid)); STM[s.id] = REQ[rid] = s; LOG.append(s); s.task = asyncio.create_task(s.run())
    for f in FAULTS:
        if f.get("lost") and matches(f, b.get("database"), request.url.path, b["statement"]): return J({"message": "injected"}, f["status"])
    if request.query_params.get("async") != "true":
        try: await asyncio.wait_for(s.done.wait(), DATABASES.get(b.get("database"), {}).get("sync_s", A.sync_s))
        except asyncio.TimeoutError: pass
    return s.respond()


async def status(request):
    s = STM.get(request.path_params["h"])
    if (x := gate(request, s.b if s else {})): return x
    if not s: return J({"code": "390142", "message": "Statement handle not found."}, 404)
    return s.respond(int(request.query_params.get("partition", 0)))


async def cancel(request):
    s = STM.get(request.path_params["h"])
    if (x := gate(request, s.b if s else {})): return x
    if not s: return J({"code": "390142", "message": "Statement handle not found."}, 404)
    if not s.done.is_set(): s.cancel = True
    return J({"code": "000604" if s.cancel else "090001", "sqlState": "57014" if s.cancel else "00000", "message": "SQL execution canceled" if s.cancel else "Statement executed successfully.", "statementHandle": s.id, "statementStatusUrl": s.url()})


async def faults(request): FAULTS.append(json.loads(await request.body())); return J({})


async def databases(request):
    b = json.loads(await request.body()); DATABASES[b["name"]] = b; con = fs.shared_fs.connect(None, None)
    await run_in_threadpool(con.cursor().execute, f'create or replace database "{b["name"]}"')
    return J({})


async def log(request):
    return J([{"statement": s.b["statement"], "canceled": s.cancel, "done": s.done.is_set(), **{k: s.b.get(k) for k in ("parameters", "role", "warehouse", "database", "schema", "timeout")}} for s in LOG if s.b.get("database") == request.query_params.get("database")])


async def key(request):
    pem = lambda how: KEY.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, how).decode()
    plain = pem(serialization.NoEncryption())               # triple DES is what Snowflake's own guide makes keys with
    des = subprocess.run(["openssl", "pkcs8", "-topk8", "-v2", "des3", "-passout", f"pass:{PASSPHRASE}"], input=plain, capture_output=True, text=True, check=True).stdout
    return J({"plain": plain, "des": des, "encrypted": pem(serialization.BestAvailableEncryption(PASSPHRASE.encode())), "passphrase": PASSPHRASE})


def main():
    global A, KEY, PUB, FP
    import sessions                                          # it needs what stands above
    ap = argparse.ArgumentParser(); ap.add_argument("--port", type=int, default=8099); ap.add_argument("--host", default="127.0.0.1")
    ap.add_argument("--account", default="ACME-TEST"); ap.add_argument("--user", default="SVC"); ap.add_argument("--password", default="snow")
    ap.add_argument("--pat", default="dev-pat"); ap.add_argument("--oauth", default="dev-oauth"); ap.add_argument("--partition-rows", type=int, default=10000)
    ap.add_argument("--sync-s", type=float, default=45); ap.add_argument("--latency-ms", type=int, default=0); A = ap.parse_args()
    KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048); PUB = KEY.public_key()
    FP = "SHA256:" + base64.b64encode(hashlib.sha256(PUB.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)).digest()).decode()
    app = Starlette(routes=[Route("/api/v2/statements", submit, methods=["POST"]), Route("/api/v2/statements/", submit, methods=["POST"]), Route("/api/v2/statements/{h}", status), Route("/api/v2/statements/{h}/cancel", cancel, methods=["POST"]),
                            Route("/_double/faults", faults, methods=["POST"]), Route("/_double/databases", databases, methods=["POST"]), Route("/_double/log", log), Route("/_double/key", key), Route("/_double/grants", grants), Route("/oauth/token-request", grant, methods=["POST"]), *sessions.ROUTES, Mount("/", app=fs.app)])
    print(f"snowflake double: http://{A.host}:{A.port} account {A.account} user {A.user}", flush=True)
    uvicorn.run(app, host=A.host, port=A.port, log_level="warning")


if __name__ == "__main__":
    main()
