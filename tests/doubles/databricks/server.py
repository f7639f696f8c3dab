#!/usr/bin/env python3
"""Test double for a Databricks SQL warehouse: the Statement Execution API (2.0) in front of Apache Spark.

SQL is parsed, analysed and executed by Spark (PyPI `pyspark`), so the dialect is Spark's own, not a translation. What
Databricks adds to Spark is imitated and kept small:

  * a catalog's name (`main`) is mapped to Spark's session catalog;
  * `information_schema.{schemata,tables}` become the rows they have for the schemas that the statement names, and
    `information_schema.columns` those that it has for the request's own schema;
  * `create or replace table .. as` writes a table beside and puts it in the place of the old one, unless the statement
    was canceled meanwhile.

`update`, `delete` and `merge` need Delta Lake, which is not in the packages: Spark parses them, then refuses them. States,
dispositions, formats, chunks, presigned links, errors and OAuth follow the public reference.

`start.sh` beside it makes the environment and starts it. What the tests use besides the service's own paths:

  POST   /_double/schemas   {"name", "chunk_rows", "link_ttl", "keep_results"}: makes a schema. Requests that name it as theirs have these
                            switches. `keep_results` answers a query whose result lies in several files by the same ones when it
                            comes again, whatever was written meanwhile, for measurements of who reads them
  POST   /_double/run       {"schema", "script"}: runs statements, also `update` and `delete` of one table; literals as standard SQL
                            has them. Gives the last result's rows
  POST   /_double/faults    {"schema", "count", "sql", "path", ..}: the next `count` requests of the schema that match get this fault.
                            `status`, `body`, `headers`: this answer; `lost`: the request is taken and the connection is cut;
                            `cut`: the answer ends in its middle. Of a statement: `pending_s` it waits so long for its warehouse,
                            `delay_s` it runs so much longer, `error` and `sql_state`: it fails
  GET    /_double/log       ?schema=NAME: the statements that came, how they were asked for, and what became of them
  POST   /_double/expire    {}: no OAuth token is good any more

Unlike the service: text in double quotes is a name (the service takes it for a literal); a count by `with recursive` is read as a
range; tables are Parquet, so nothing is told of Delta's own limits; grants mean nothing.
"""
import argparse, base64, datetime as dt, decimal, io, json, os, re, secrets, shutil, tempfile, threading, time
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlparse, parse_qs

import pyarrow as pa
from pyspark.sql import SparkSession
from pyspark.errors import PySparkException

A = None                       # arguments
SPARK = None
STMTS = {}                     # statement_id -> Statement
KEPT = {}                      # (schema, SQL) -> Statement whose result answers it again
LINKS = {}                     # link token -> (statement_id, chunk index, expires epoch)
TOKENS = {}                    # OAuth access token -> expiry epoch
SESSIONS = {}                  # session_id -> the catalog and schema of its statements
FAULTS = []
SCHEMAS = defaultdict(dict)    # name -> switches
LOCK = threading.Lock()
SWAPS = defaultdict(threading.Lock)
INLINE_LIMIT = 25 * 1024 * 1024


# ---------------------------------------------------------------- SQL text
def lex(sql):
    """Yield (kind, text); kind in ident, str, comment, ws, other."""
    pat = re.compile(r"(?P<comment>--[^\n]*|/\*.*?\*/)|(?P<str>'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.)*\")"
                     r"|(?P<ident>`(?:[^`]|``)*`|[A-Za-z_][A-Za-z0-9_]*)|(?P<ws>\s+)|(?P<other>.)", re.S)
    for m in pat.finditer(sql):
        yield m.lastgroup, m.group()


def bare(tok):
    return tok[1:-1].replace("``", "`").lower() if tok.startswith("`") else tok.lower()


def text(value):
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def plain(name):
    """A table's name in Spark's catalog, which takes letters, digits and underscores alone."""
    return re.sub(r"\W", lambda m: f"_x{ord(m.group()):02x}_", name)


def told(name):
    return re.sub(r"_x([0-9a-f]{2})_", lambda m: chr(int(m[1], 16)), name)


def rewrite(sql, schema=None):
    """<catalog>.schema.table -> spark_catalog.schema.table; information_schema.x -> its rows. Tables in a schema that ends
    in `_ebb` may have any name."""
    toks = list(lex(sql)); out = []; i = 0
    sig = [k for k, (kind, _) in enumerate(toks) if kind not in ("ws", "comment")]
    pos = {k: n for n, k in enumerate(sig)}
    named = {t[1:-1] for kind, t in toks if kind == "str"}

    def nxt(k, d=1):
        n = pos[k] + d
        return toks[sig[n]] if 0 <= n < len(sig) else ("other", "")
    while i < len(toks):
        kind, t = toks[i]
        if kind == "ident":
            prev, after = nxt(i, -1), nxt(i)
            if bare(t) == A.catalog.lower() and after[1] == "." and prev[1] != "." and nxt(i, 2)[0] == "ident":
                if bare(nxt(i, 2)[1]) == "information_schema":
                    i = sig[pos[i] + 2]; continue
                out.append("spark_catalog"); i += 1; continue
            if bare(t) == "information_schema" and after[1] == ".":
                out.append(information(bare(nxt(i, 2)[1]), named, schema))
                i = sig[pos[i] + 2] + 1; continue
        if kind == "ident" and t.startswith("`") and nxt(i, -1)[1] == "." and bare(nxt(i, -2)[1]).endswith("_ebb"):
            t = "`" + plain(bare(t)) + "`"
        out.append(t); i += 1
    sql = RENAME.sub(r"\1", "".join(out))
    return COUNT.sub(r"with \1 (\2) as (select id from range(1, \3 + 1))", sql)


def information(view, named, schema):
    catalog = SPARK._jsparkSession.sharedState().externalCatalog()
    listed = lambda seq: [seq.apply(n) for n in range(seq.length())]
    schemas = [s for s in listed(catalog.listDatabases()) if s in named]
    if view == "schemata":
        rows, names = [(A.catalog, s) for s in schemas], "catalog_name, schema_name"
    elif view == "tables":
        rows = [(A.catalog, s, told(t), "MANAGED") for s in schemas for t in listed(catalog.listTables(s))]
        names = "table_catalog, table_schema, table_name, table_type"
    elif view == "columns":
        fields = [(t, f) for t in listed(catalog.listTables(schema)) for f in enumerate(SPARK.table(f"spark_catalog.`{schema}`.`{t}`").schema.fields)]
        rows = [(A.catalog, schema, told(t), f.name, n + 1, f.dataType.simpleString().upper()) for t, (n, f) in fields]
        names = "table_catalog, table_schema, table_name, column_name, ordinal_position, data_type"
    else:
        raise RuntimeError(f"[TABLE_OR_VIEW_NOT_FOUND] The table or view `information_schema`.`{view}` cannot be found. SQLSTATE: 42P01")
    nothing = "(" + ", ".join("''" for _ in names.split(",")) + ")"
    values = ", ".join("(" + ", ".join(text(v) if isinstance(v, str) else str(v) for v in row) + ")" for row in rows) or nothing
    return f"(select * from values {values} as v({names}) where {'true' if rows else 'false'})"


RENAME = re.compile(r"(\brename\s+to\s+)spark_catalog\s*\.\s*", re.I)   # Spark's session catalog takes two parts here
COUNT = re.compile(r"with\s+recursive\s+(\w+)\s*\((\w+)\)\s+as\s*\(\s*select\s+1\s+union\s+all\s+select\s+\2\s*\+\s*1\s+from\s+\1\s+where\s+\2\s*<\s*(\d+)\s*\)", re.I)
NAME = r"(?:`(?:[^`]|``)+`|\w+)(?:\s*\.\s*(?:`(?:[^`]|``)+`|\w+))*"
REPLACE = re.compile(rf"^\s*create\s+or\s+replace\s+table\s+({NAME})(.*)$", re.I | re.S)
UPDATE = re.compile(rf"^\s*update\s+({NAME})\s+set\s+(.*?)(?:\s+where\s+(.*))?$", re.I | re.S)
DELETE = re.compile(rf"^\s*delete\s+from\s+({NAME})(?:\s+where\s+(.*))?$", re.I | re.S)


def parts(name):
    return re.findall(r"`(?:[^`]|``)+`|\w+", name)


def replace(session, name, rest, canceled=lambda: False):
    """Puts a table in the place of another of the name, at once for whoever looks."""
    names = parts(name); beside = "`" + bare(names[-1]) + "__new_" + secrets.token_hex(4) + "`"
    beside = ".".join(names[:-1] + [beside])
    out = session.sql(f"create table {beside} {rest}")
    with SWAPS[bare(names[-2]) if len(names) > 1 else session.catalog.currentDatabase()]:
        if canceled():
            session.sql(f"drop table {beside}"); return out
        session.sql(f"drop table if exists {name}"); session.sql(f"alter table {beside} rename to {'.'.join(names[-2:])}")
    return out


def public(msg):
    return told(msg).replace("`spark_catalog`", f"`{A.catalog}`").replace("spark_catalog", A.catalog)


# ---------------------------------------------------------------- what the tests do to their own tables
def split(script, at):
    piece = []
    for kind, t in lex(script):
        if kind == "other" and t == at: yield "".join(piece); piece = []
        else: piece.append(t)
    yield "".join(piece)


def standard(sql):
    """Literals of standard SQL, in which a backslash is a backslash."""
    pat = re.compile(r"'((?:[^']|'')*)'|`[^`]*`|\"[^\"]*\"", re.S)
    return pat.sub(lambda m: m.group() if m.group(1) is None else text(m.group(1).replace("''", "'")), sql)


def script(schema, source):
    session = SPARK.newSession(); session.sql(f"use spark_catalog.`{schema}`"); df = None
    session.conf.set("spark.sql.storeAssignmentPolicy", "LEGACY")          # moments as text
    for sql in split(standard(source), ";"):
        if not sql.strip(): continue
        update, delete = UPDATE.match(sql), DELETE.match(sql)
        if delete and not delete[2]:
            session.sql(f"truncate table {delete[1]}")
        elif delete:
            replace(session, delete[1], f"as select * from {delete[1]} where not coalesce({delete[2]}, false)")
        elif update:
            new = {bare(parts(one)[0]): one.split("=", 1)[1] for one in split(update[2], ",")}
            column = lambda c: f"case when {update[3] or 'true'} then {new[c.lower()]} else `{c}` end as `{c}`" if c.lower() in new else f"`{c}`"
            columns = ", ".join(column(c) for c in session.table(update[1]).columns)
            replace(session, update[1], f"as select {columns} from {update[1]}")
        elif REPLACE.match(sql):
            replace(session, *REPLACE.match(sql).groups())
        else:
            df = session.sql(rewrite(sql))
    return [[js(v) for v in row] for row in df.collect()] if df is not None and df.schema.fields else []


# ---------------------------------------------------------------- statements
def type_info(field):
    s = field.dataType.simpleString(); base = re.split(r"[(< ]", s.upper())[0]
    name = {"BIGINT": "LONG", "TINYINT": "BYTE", "SMALLINT": "SHORT", "VOID": "NULL"}.get(base, base)
    s = re.sub(r"^[a-z_]+", lambda m: m.group().upper(), s) if "<" in s else s.upper()
    d = {"name": field.name, "type_text": s, "type_name": name}
    if base == "DECIMAL": d["type_precision"], d["type_scale"] = field.dataType.precision, field.dataType.scale
    return d


def js(v, top=True):
    """Value as JSON_ARRAY shows it: every scalar a string, complex values as JSON text."""
    if v is None: return None
    if isinstance(v, bool): r = "true" if v else "false"; return r if top else v
    if isinstance(v, (int, float)): return (repr(v) if isinstance(v, float) else str(v)) if top else v
    if isinstance(v, decimal.Decimal): return format(v, "f") if top else float(v)
    if isinstance(v, dt.datetime): return v.strftime("%Y-%m-%dT%H:%M:%S.") + f"{v.microsecond // 1000:03d}" + ("Z" if v.tzinfo else "")
    if isinstance(v, dt.date): return v.isoformat()
    if isinstance(v, (bytes, bytearray)): return base64.b64encode(bytes(v)).decode()
    if isinstance(v, dict): r = {k: js(x, False) for k, x in v.items()}; return json.dumps(r, separators=(",", ":")) if top else r
    if isinstance(v, list): r = [js(x, False) for x in v]; return json.dumps(r, separators=(",", ":")) if top else r
    return str(v)


class Statement:
    def __init__(self, req, fault):
        self.id = "01f0" + secrets.token_hex(2) + "-" + "-".join(secrets.token_hex(n) for n in (2, 2, 2, 6))
        self.req = req; self.state = "PENDING"; self.error = None; self.sql_state = None; self.fault = fault or {}
        self.table = None; self.columns = []; self.chunks = []; self.truncated = False; self.files = {}
        self.done = threading.Event(); self.created = time.time(); self.canceled = False; self.told = False
        self.format = req.get("format", "JSON_ARRAY"); self.disposition = req.get("disposition", "INLINE")
        self.switches = SCHEMAS[req.get("schema")]

    def log(self):
        keys = ("statement", "catalog", "schema", "warehouse_id", "query_tags", "disposition", "format", "wait_timeout")
        return dict({k: self.req.get(k) for k in keys}, state=self.state, canceled=self.canceled, done=self.done.is_set())

    def wait(self, seconds):
        until = time.time() + seconds
        while time.time() < until and not self.canceled: time.sleep(0.02)

    def run(self):
        sc = SPARK.sparkContext
        try:
            self.wait(self.fault.get("pending_s", 0))
            if self.canceled: return
            self.state = "RUNNING"
            self.wait(self.fault.get("delay_s", 0))
            if self.canceled: return
            if self.fault.get("error"):
                self.state, self.error, self.sql_state = "FAILED", self.fault["error"], self.fault.get("sql_state"); return
            sc.setJobGroup(self.id, "statement", interruptOnCancel=True)
            df = self.execute()
            fields = df.schema.fields
            self.columns = [dict(type_info(f), position=n) for n, f in enumerate(fields)]
            if fields and not self.planned(df):
                t = df.toArrow()
                if self.disposition == "INLINE" and t.nbytes > INLINE_LIMIT:
                    raise RuntimeError("Inline byte limit exceeded. Statements executed with disposition=INLINE can have a result size of at most 26214400 bytes. Please execute the statement with disposition=EXTERNAL_LINKS if you want to download the full result.")
                self.table = t
                n = max(1, self.switches.get("chunk_rows", A.chunk_rows))
                self.chunks = [(o, min(n, t.num_rows - o)) for o in range(0, t.num_rows, n)]
                if self.switches.get("keep_results") and len(self.chunks) > 1 and self.format == "ARROW_STREAM": KEPT[self.req["schema"], self.req["statement"]] = self
            self.state = "CANCELED" if self.canceled else "SUCCEEDED"
        except PySparkException as e:
            self.fail(str(e).split("\n\nJVM stacktrace")[0], e.getSqlState())
        except Exception as e:                                   # noqa: BLE001
            self.fail(str(e), None)
        finally:
            if self.canceled: self.state = "CANCELED"
            self.done.set()

    def planned(self, df):
        """Whether the query can have no row, so that its types matter alone (Arrow lacks some of them)."""
        return re.search(r"\blimit\s+0\s*$", self.req["statement"], re.I) is not None

    def fail(self, msg, state):
        self.state = "FAILED"; self.error = {"error_code": "BAD_REQUEST", "message": public(msg)}; self.sql_state = state

    def execute(self):
        s = SPARK.newSession(); r = self.req
        if r.get("catalog") and r["catalog"].lower() != A.catalog.lower():
            raise RuntimeError(f"[NO_SUCH_CATALOG_EXCEPTION] Catalog '{r['catalog']}' was not found. Please verify the catalog name and then retry the query or command again. SQLSTATE: 42704")
        if r.get("schema"): s.sql(f"use `spark_catalog`.`{r['schema']}`")
        sql = rewrite(r["statement"].strip().rstrip(";"), r.get("schema"))
        m = REPLACE.match(sql)
        return replace(s, m[1], m[2], lambda: self.canceled) if m else s.sql(sql)

    def status(self):
        d = {"state": self.state}
        if self.error: d["error"] = self.error
        if self.sql_state: d["sql_state"] = self.sql_state
        return d

    def chunk_meta(self, i):
        o, n = self.chunks[i]
        d = {"chunk_index": i, "row_offset": o, "row_count": n}
        if self.disposition != "INLINE": d["byte_count"] = self.table.slice(o, n).nbytes
        if i + 1 < len(self.chunks):
            d["next_chunk_index"] = i + 1
            d["next_chunk_internal_link"] = f"/api/2.0/sql/statements/{self.id}/result/chunks/{i + 1}?row_offset={o + n}"
        return d

    def chunk(self, i, host):
        d = self.chunk_meta(i); o, n = self.chunks[i]
        if self.disposition == "INLINE":
            rows = self.table.slice(o, n)
            d["data_array"] = [[js(v) for v in row] for row in zip(*[c.to_pylist() for c in rows.columns])]
            return d
        tok = secrets.token_urlsafe(24); exp = time.time() + self.switches.get("link_ttl", A.link_ttl)
        LINKS[tok] = (self.id, i, exp)
        d["external_link"] = f"http://{host}/presigned/{tok}"
        d["expiration"] = dt.datetime.fromtimestamp(exp, dt.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return {"external_links": [d]}

    def response(self, host):
        d = {"statement_id": self.id, "status": self.status()}
        if self.state == "SUCCEEDED":
            t = self.table
            d["manifest"] = {"format": self.format, "schema": {"column_count": len(self.columns), "columns": self.columns},
                             "total_chunk_count": len(self.chunks), "total_row_count": t.num_rows if t is not None else 0,
                             "truncated": self.truncated, "chunks": [{k: v for k, v in self.chunk_meta(i).items() if not k.startswith("next_")} for i in range(len(self.chunks))]}
            if self.disposition != "INLINE" and t is not None: d["manifest"]["total_byte_count"] = t.nbytes
            d["result"] = self.chunk(0, host) if self.chunks else {}
        return d

    def file(self, i):
        """A chunk as it lies in the storage."""
        if i not in self.files:
            o, n = self.chunks[i]; b = io.BytesIO()
            with pa.ipc.new_stream(b, self.table.schema) as w:
                for rb in self.table.slice(o, n).to_batches(max_chunksize=10000): w.write_batch(rb)
            self.files[i] = b.getvalue()
        return self.files[i]

    def cancel(self):
        self.canceled = True
        if not self.done.is_set(): SPARK.sparkContext.cancelJobGroup(self.id)


# ---------------------------------------------------------------- HTTP
class H(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "databricks-double"

    def log_message(self, *a): pass

    def send(self, code, body, ctype="application/json", headers=None, cut=False):
        b = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(code); self.send_header("Content-Type", ctype); self.send_header("Content-Length", str(len(b)))
        for k, v in (headers or {}).items(): self.send_header(k, v)
        self.end_headers(); self.wfile.write(b[:len(b) // 2] if cut else b)
        if cut: self.close_connection = True

    def err(self, code, ec, msg, headers=None): self.send(code, {"error_code": ec, "message": msg}, headers=headers)

    def body(self):
        n = int(self.headers.get("Content-Length") or 0); return self.rfile.read(n)

    def authed(self):
        h = self.headers.get("Authorization") or ""
        if not h.startswith("Bearer "):
            self.err(401, "401", "Credential was not sent or was of an unsupported type for this API."); return False
        if h[7:] == A.token or TOKENS.get(h[7:], 0) > time.time(): return True
        self.err(403, "403", "Invalid access token."); return False

    def fault(self, schema, sql, path, kinds):
        """The fault that strikes a request now, if one does; it is used up by that."""
        with LOCK:
            for f in FAULTS:
                if f.get("count", 1) > 0 and f.get("schema") == schema and any(k in f for k in kinds) \
                        and re.search(f.get("path", ""), path) and re.search(f.get("sql", ""), sql, re.S):
                    f["count"] = f.get("count", 1) - 1
                    return f
        return None

    def struck(self, schema, sql, path):
        """Answers a request by a fault; whether it did."""
        f = self.fault(schema, sql, path, ("status", "lost"))
        if not f: return False
        if f.get("lost"): self.close_connection = True; return True
        named = {429: "REQUEST_LIMIT_EXCEEDED", 503: "TEMPORARILY_UNAVAILABLE"}.get(f["status"], "INTERNAL_ERROR")
        self.send(f["status"], f.get("body") or {"error_code": named, "message": "not now"}, headers=f.get("headers")); return True

    def do_POST(self):
        u = urlparse(self.path); p = u.path.rstrip("/"); raw = self.body()
        if p.startswith("/_double/"): return self.double(p, json.loads(raw))
        if p == "/oidc/v1/token": return self.oauth(raw)
        if p == "/api/2.0/sql/statements": return self.execute(raw)
        if p == "/api/2.0/sql/sessions": return self.session(raw)
        m = re.fullmatch(r"/api/2.0/sql/statements/([^/]+)/cancel", p)
        if m and (s := STMTS.get(m[1])):
            if self.struck(s.req.get("schema"), s.req["statement"], p) or not self.authed(): return
            s.cancel(); return self.send(200, {})
        self.err(404, "NOT_FOUND", f"The statement {m[1]} was not found." if m else f"No API found for 'POST {p}'")

    def double(self, p, r):
        try:
            if p == "/_double/schemas":
                SCHEMAS[r["name"]].update(r); SPARK.newSession().sql(f"create schema `{r['name']}`"); out = {}
            elif p == "/_double/run": out = script(r["schema"], r["script"])
            elif p == "/_double/faults": FAULTS.append(r); out = {}
            elif p == "/_double/expire": TOKENS.clear(); out = {}
            else: return self.err(404, "NOT_FOUND", p)
            self.send(200, out)
        except Exception as e:                                   # noqa: BLE001
            self.err(400, "BAD_REQUEST", str(e).split("\n\nJVM stacktrace")[0])

    def oauth(self, raw):
        q = {k: v[0] for k, v in parse_qs(raw.decode()).items()}
        h = self.headers.get("Authorization") or ""
        cid, sec = q.get("client_id"), q.get("client_secret")
        if h.startswith("Basic "): cid, sec = base64.b64decode(h[6:]).decode().split(":", 1)
        if q.get("grant_type") != "client_credentials" or q.get("scope") != "all-apis": return self.send(400, {"error": "unsupported_grant_type"})
        if sec != A.client_secret or not (cid or "").startswith(A.client_id): return self.send(401, {"error": "invalid_client", "error_description": "Client authentication failed"})
        t = secrets.token_urlsafe(32); TOKENS[t] = time.time() + A.token_ttl
        self.send(200, {"access_token": t, "scope": "all-apis", "token_type": "Bearer", "expires_in": A.token_ttl})

    def session(self, raw):
        """What the vendor's own connector begins with: its statements name the session, and Ebb's name none."""
        if not self.authed(): return
        r = json.loads(raw); sid = secrets.token_hex(16); SESSIONS[sid] = {k: r[k] for k in ("catalog", "schema") if k in r}
        self.send(200, {"session_id": sid})

    def do_DELETE(self):
        self.body()
        if not self.authed(): return
        SESSIONS.pop(urlparse(self.path).path.rsplit("/", 1)[1], None); self.send(200, {})

    def execute(self, raw):
        try: r = json.loads(raw)
        except ValueError: return self.err(400, "MALFORMED_REQUEST", "Invalid JSON given in the body of the request - failed to parse given JSON")
        r = {**SESSIONS.get(r.get("session_id"), {}), **r}
        schema, sql = r.get("schema"), r.get("statement") or ""
        lost = self.fault(schema, sql, self.path, ("lost",))
        if (not lost and self.struck(schema, sql, self.path)) or not self.authed(): return
        if not r.get("warehouse_id"): return self.err(400, "INVALID_PARAMETER_VALUE", "warehouse_id is required")
        if r["warehouse_id"] != A.warehouse_id: return self.err(404, "RESOURCE_DOES_NOT_EXIST", f"SQL warehouse {r['warehouse_id']} does not exist.")
        if not sql.strip(): return self.err(400, "INVALID_PARAMETER_VALUE", "statement is required")
        disp, fmt = r.get("disposition", "INLINE"), r.get("format", "JSON_ARRAY")
        if disp not in ("INLINE", "EXTERNAL_LINKS") or fmt not in ("JSON_ARRAY", "ARROW_STREAM"):
            return self.err(400, "INVALID_PARAMETER_VALUE", "unknown disposition or format")
        if disp == "INLINE" and fmt != "JSON_ARRAY":
            return self.err(400, "INVALID_PARAMETER_VALUE", f"The format field must be JSON_ARRAY when the disposition field is INLINE. Got {fmt}.")
        m = re.fullmatch(r"(\d+)s", r.get("wait_timeout", "10s"))
        wait = int(m[1]) if m else -1
        if wait != 0 and not 5 <= wait <= 50: return self.err(400, "INVALID_PARAMETER_VALUE", "wait_timeout must be 0s or between 5s and 50s")
        if (schema, sql) in KEPT and fmt == "ARROW_STREAM": return self.send(200, KEPT[schema, sql].response(self.headers["Host"]))
        s = Statement(r, self.fault(schema, sql, self.path, ("pending_s", "delay_s", "error"))); STMTS[s.id] = s
        threading.Thread(target=s.run, daemon=True).start()
        if lost: self.close_connection = True; return
        if wait: s.done.wait(wait)
        self.send(200, s.response(self.headers["Host"]))

    def do_GET(self):
        self.body()                                          # the vendor's connector sends one
        u = urlparse(self.path); p = u.path.rstrip("/"); q = {k: v[0] for k, v in parse_qs(u.query).items()}
        if p == "/_double/health": return self.send(200, {"spark": SPARK.version})
        if p == "/_double/log": return self.send(200, [s.log() for s in list(STMTS.values()) if s.req.get("schema") == q.get("schema")])
        m = re.fullmatch(r"/presigned/([\w-]+)", p)
        if m: return self.presigned(m[1], p)
        m = re.fullmatch(r"/api/2.0/sql/statements/([^/]+)(?:/result/chunks/(\d+))?", p)
        s = STMTS.get(m[1]) if m else None
        if s and self.struck(s.req.get("schema"), s.req["statement"], p) or not self.authed(): return
        if not s: return self.err(404, "NOT_FOUND", f"The statement {m[1]} was not found." if m else f"No API found for 'GET {p}'")
        if m[2] is None: return self.send(200, s.response(self.headers["Host"]))
        if s.state != "SUCCEEDED": return self.err(400, "BAD_REQUEST", f"Statement {s.id} is in state {s.state}; no result is available.")
        if int(m[2]) >= len(s.chunks): return self.err(404, "NOT_FOUND", f"Chunk {m[2]} does not exist.")
        self.send(200, s.chunk(int(m[2]), self.headers["Host"]))

    def presigned(self, tok, path):
        xml = lambda code, name, msg: self.send(code, f"<Error><Code>{name}</Code><Message>{msg}</Message></Error>".encode(), "application/xml")
        if self.headers.get("Authorization"):                # storage rejects a second credential next to the signature
            return xml(400, "InvalidArgument", "Only one auth mechanism allowed")
        l = LINKS.get(tok)
        if not l: return xml(403, "SignatureDoesNotMatch", "")
        s = STMTS[l[0]]; path = f"{path}/chunk/{l[1]}"
        if self.struck(s.req.get("schema"), s.req["statement"], path): return
        if l[2] < time.time(): return xml(403, "AccessDenied", "Request has expired")
        if s.format == "ARROW_STREAM":
            cut = self.fault(s.req.get("schema"), s.req["statement"], path, ("cut",)) is not None
            return self.send(200, s.file(l[1]), "application/vnd.apache.arrow.stream", cut=cut)
        o, n = s.chunks[l[1]]
        self.send(200, [[js(v) for v in row] for row in zip(*[c.to_pylist() for c in s.table.slice(o, n).columns])])


def main():
    global A, SPARK
    ap = argparse.ArgumentParser()
    ap.add_argument("--port", type=int, default=8095); ap.add_argument("--host", default="127.0.0.1")
    ap.add_argument("--token", default="dev-token"); ap.add_argument("--warehouse-id", default="wh1"); ap.add_argument("--catalog", default="main")
    ap.add_argument("--client-id", default="client"); ap.add_argument("--client-secret", default="secret"); ap.add_argument("--token-ttl", type=int, default=3600)
    ap.add_argument("--chunk-rows", type=int, default=100000); ap.add_argument("--link-ttl", type=float, default=900)
    ap.add_argument("--data-dir", required=True, help="where tables lie; a folder in memory is quickest")
    A = ap.parse_args()
    os.environ["SPARK_LOCAL_HOSTNAME"] = "localhost"
    # small tables: one task for each step, nothing compiled, nothing planned twice
    settings = {
        "spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false", "spark.sql.warehouse.dir": A.data_dir, "spark.sql.shuffle.partitions": "1", "spark.default.parallelism": "1",
        "spark.driver.memory": "1g", "spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1", "spark.driver.maxResultSize": "0",
        "spark.sql.session.timeZone": "UTC", "spark.sql.sources.default": "parquet", "spark.sql.legacy.createHiveTableByDefault": "false",
        "spark.sql.ansi.enabled": "true", "spark.sql.ansi.doubleQuotedIdentifiers": "true", "spark.sql.ansi.enforceReservedKeywords": "true", "spark.sql.timeType.enabled": "true",
        "spark.sql.adaptive.enabled": "false", "spark.sql.codegen.wholeStage": "false", "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        "spark.sql.parquet.compression.codec": "uncompressed", "spark.hadoop.mapreduce.fileoutputcommitter.algorithm.version": "2",
        "spark.hadoop.mapreduce.fileoutputcommitter.marksuccessfuljobs": "false", "spark.sql.statistics.size.autoUpdate.enabled": "false",
        "spark.shuffle.compress": "false", "spark.broadcast.compress": "false", "spark.driver.extraJavaOptions": "-XX:+UseSerialGC -XX:TieredStopAtLevel=1",
        "spark.sql.execution.arrow.maxRecordsPerBatch": "100000", "spark.sql.ui.retainedExecutions": "0", "spark.ui.retainedJobs": "1", "spark.ui.retainedStages": "1",
    }
    builder = SparkSession.builder.master("local[2]").appName("databricks-double")
    for key, value in settings.items(): builder = builder.config(key, value)
    SPARK = builder.getOrCreate()
    SPARK.sparkContext.setLogLevel("OFF")
    SPARK.sql("select 1").collect()
    srv = ThreadingHTTPServer((A.host, A.port), H); srv.daemon_threads = True
    print(f"databricks double: http://{A.host}:{A.port} spark {SPARK.version}", flush=True)
    try: srv.serve_forever()
    except KeyboardInterrupt: pass
    finally: SPARK.stop()


if __name__ == "__main__":
    main()
