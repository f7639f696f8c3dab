#!/usr/bin/env python3
"""Test double for a ClickHouse server: its HTTP interface in front of chDB, which is ClickHouse's own engine in this process.

Every statement is run by the engine as it comes, with the settings that come with it, on a connection of its own. What the engine
lacks in this form is imitated and kept small: users and their passwords, names of statements (`query_id`; the engine knows them as
`log_comment`, by which it kills them), and what becomes of an exception in the middle of a result.

`start.sh` beside it makes the environment and starts it. What the tests use besides the interface itself:

  POST   /_double/schemas   {"name"}: makes a database. Requests that name it as theirs belong to its test
  POST   /_double/run       {"schema", "script"}: runs statements, also `update` and `delete`; literals as standard SQL has them,
                            columns may be null. Gives the last result's rows
  POST   /_double/own       {"schema", "sql"}: runs one statement in ClickHouse's own words
  POST   /_double/faults    {"schema", "count", "sql", ..}: the next `count` statements of the schema that match get this fault.
                            `status`, `body`, `headers`: this answer; `error`: this exception ({"code", "name", "message"}) in place of an answer;
                            `late`: the same after half of a good one; `cut`: the connection ends there; `short`: the answer ends there as if
                            it were whole; `lost`: the statement is run and the connection is cut; `delay_s`: it takes so much longer
  GET    /_double/log       ?schema=NAME: the statements that came, how they were asked for, and what became of them

Unlike a server: there is no other user than `ebb` (password `secret`) and no other token than `dev-token`; grants mean nothing;
a stream's batches are put together here, since the engine gives each as a stream of its own.
"""
import argparse, base64, io, json, re, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlparse

import chdb
import pyarrow as pa

A = None                       # arguments
RUNS = []                      # every statement that came
FAULTS = []
LOCK = threading.Lock()
VERSION = "26.9.2.1"
FRONT = {"database", "query", "query_id", "default_format", "wait_end_of_query", "log_comment"}   # the server's own, not the engine's


def text(value):
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def name(value):
    return "`" + value.replace("\\", "\\\\").replace("`", "\\`") + "`"


class Refused(Exception):
    def __init__(self, code, label, message, status=500):
        super().__init__(f"Code: {code}. DB::Exception: {message} ({label}) (version {VERSION})\n")
        self.code, self.status = code, status

    @staticmethod
    def of(error):
        """What the engine says, in the server's words and with its status."""
        m = re.search(r"Code: (\d+)\. DB::Exception: (.*) \((\w+)\)\s*$", str(error).strip(), re.S)
        if not m: return Refused(1002, "UNKNOWN_EXCEPTION", str(error))
        status = {"60": 404, "81": 404, "47": 404, "46": 404, "62": 400, "497": 403, "159": 408}.get(m[1], 500)
        return Refused(int(m[1]), m[3], m[2], status)


class Run:
    """A statement that came."""
    def __init__(self, sql, params, user, fault):
        self.sql, self.params, self.user, self.fault = sql, params, user, fault or {}
        self.id = params.get("query_id", ""); self.canceled = threading.Event(); self.done = threading.Event()

    def log(self):
        keys = ("database", "query_id", "log_comment", "readonly", "default_format", "max_execution_time")
        told = {key: self.params.get(key) for key in keys}
        return dict(told, statement=self.sql[:2000], user=self.user, canceled=self.canceled.is_set(), done=self.done.is_set())

    def wait(self):
        """What a fault lets it take longer."""
        limit = float(self.params.get("max_execution_time") or 0)
        delay = self.fault.get("delay_s", 0)
        self.canceled.wait(min(delay, limit) if limit else delay)
        if self.canceled.is_set(): raise Refused(394, "QUERY_WAS_CANCELLED", "Query was cancelled.")
        if limit and delay > limit: raise Refused(159, "TIMEOUT_EXCEEDED", f"Timeout exceeded: elapsed {limit * 1000} ms, maximum: {limit * 1000} ms.", 408)

    def engine(self):
        """A connection of the engine as the statement wants it."""
        engine = chdb.connect(A.data_dir)
        if self.params.get("database"): engine.query(f"use {name(self.params['database'])}")
        settings = {key: value for key, value in self.params.items() if key not in FRONT}
        settings["log_comment"] = self.id
        last = settings.pop("readonly", None)
        try:
            engine.query("set " + ", ".join(f"{key} = {text(value)}" for key, value in settings.items()))
            if last: engine.query(f"set readonly = {last}")
        except Exception:
            engine.close(); raise
        return engine

    def rows(self):
        self.wait()
        engine = self.engine()
        try: return engine.query(self.sql, self.params.get("default_format", "TabSeparated")).bytes()
        finally: engine.close()

    def batches(self):
        """The pieces of one stream of Arrow."""
        self.wait()
        engine = self.engine(); writer = None; out = io.BytesIO()
        try:
            for piece in engine.send_query(self.sql, "ArrowStream"):
                with pa.ipc.open_stream(piece.bytes()) as reader:
                    if writer is None:
                        writer = pa.ipc.new_stream(out, reader.schema, options=pa.ipc.IpcWriteOptions(compression="lz4"))
                    for batch in reader: writer.write_batch(batch)
                if self.canceled.is_set(): raise Refused(394, "QUERY_WAS_CANCELLED", "Query was cancelled.")
                yield out.getvalue(); out.seek(0); out.truncate()
            if writer is None:                              # the engine gives nothing for no row
                yield engine.query(self.sql, "ArrowStream").bytes()
            else:
                writer.close(); yield out.getvalue()
        finally:
            engine.close()


def kill(run):
    """Ends other statements, in the engine and where they wait for it."""
    one = re.search(r"query_id = '((?:[^'\\]|\\.)*)'", run.sql); many = re.search(r"startsWith\(query_id, '((?:[^'\\]|\\.)*)'\)", run.sql)
    plain = lambda m: re.sub(r"\\(.)", r"\1", m[1])
    with LOCK:
        hit = [r for r in RUNS if not r.done.is_set() and r is not run
               and (one and r.id == plain(one) or many and r.id.startswith(plain(many)))]
    for r in hit: r.canceled.set()
    sql = run.sql.replace("query_id", "Settings['log_comment']")
    until = time.time() + 30
    while True:
        engine = run.engine()
        try: engine.query(sql)
        finally: engine.close()
        if not sql.rstrip().endswith("sync") or all(r.done.wait(0.02) for r in hit) or time.time() > until: break
    return b"".join(json.dumps(["finished", r.id, r.user]).encode() + b"\n" for r in hit)


# ---------------------------------------------------------------- what the tests do to their own tables
TOKEN = re.compile(r"(?P<text>'(?:[^']|'')*')|(?P<name>\"(?:[^\"]|\"\")*\"|`[^`]*`)|(?P<other>.)", re.S)


def statements(script):
    """Single statements, with literals as the engine reads them."""
    piece = ""
    for m in TOKEN.finditer(script):
        if m["text"]: piece += text(m["text"][1:-1].replace("''", "'"))
        elif m["name"]: piece += name(m["name"][1:-1].replace('""', '"'))
        elif m["other"] == ";": yield piece; piece = ""
        else: piece += m["other"]
    yield piece


def script(schema, source):
    engine = chdb.connect(A.data_dir); rows = b""
    try:
        engine.query(f"use {name(schema)}")
        engine.query("set data_type_default_nullable = 1, create_table_empty_primary_key_by_default = 1, mutations_sync = 1, session_timezone = 'UTC'")
        for sql in statements(source):
            sql = sql.strip()
            if not sql: continue
            update = re.match(r"update\s+(\S+)\s+set\s+(.*?)(?:\s+where\s+(.*))?$", sql, re.I | re.S)
            delete = re.match(r"delete\s+from\s+(\S+)$", sql, re.I)
            if update: sql = f"alter table {update[1]} update {update[2]} where {update[3] or '1'}"
            if delete: sql = f"truncate table {delete[1]}"
            is_query = re.match(r"(select|with|show)\b", sql, re.I)
            rows = engine.query(sql, "JSONCompactStringsEachRow").bytes() if is_query else (engine.query(sql), b"")[1]
    finally:
        engine.close()
    return [json.loads(line) for line in rows.splitlines()]


def own(schema, sql):
    engine = chdb.connect(A.data_dir)
    try:
        engine.query(f"use {name(schema)}"); engine.query("set allow_suspicious_low_cardinality_types = 1"); engine.query(sql)
    finally:
        engine.close()
    return {}


# ---------------------------------------------------------------- HTTP
class H(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "clickhouse-double"

    def log_message(self, *a): pass

    def send(self, code, body, ctype="application/json", headers=None):
        b = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(code); self.send_header("Content-Type", ctype); self.send_header("Content-Length", str(len(b)))
        for k, v in (headers or {}).items(): self.send_header(k, v)
        self.end_headers(); self.wfile.write(b)

    def refuse(self, error):
        self.send(error.status, str(error).encode(), "text/plain; charset=UTF-8", {"X-ClickHouse-Exception-Code": str(error.code)})

    def user(self):
        """Who asks; raises if nobody may."""
        kind, _, given = (self.headers.get("Authorization") or "").partition(" ")
        if kind == "Bearer":
            if given == "dev-token": return "ebb"
            raise Refused(516, "AUTHENTICATION_FAILED", "JWT authentication failed: the token has expired or is not valid", 403)
        user, _, password = base64.b64decode(given).decode().partition(":") if kind == "Basic" else ("default", "", "")
        if (user, password) == ("ebb", "secret"): return user
        raise Refused(516, "AUTHENTICATION_FAILED", f"{user}: Authentication failed: password is incorrect, or there is no user with such name.", 403)

    def fault(self, schema, sql):
        """The fault that strikes a statement now, if one does; it is used up by that."""
        with LOCK:
            for f in FAULTS:
                if f.get("count", 1) > 0 and f.get("schema") == schema and re.search(f.get("sql", ""), sql, re.S):
                    f["count"] = f.get("count", 1) - 1
                    return f
        return {}

    def do_POST(self):
        u = urlparse(self.path); raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if u.path.startswith("/_double/"): return self.double(u.path, json.loads(raw))
        params = {k: v[0] for k, v in parse_qs(u.query, keep_blank_values=True).items()}
        sql = params.get("query", "") + raw.decode()
        fault = self.fault(params.get("database"), sql)
        if "status" in fault:
            return self.send(fault["status"], (fault.get("body") or "").encode(), "text/html", fault.get("headers"))
        try:
            user = self.user()
            run = Run(sql, params, user, fault)
            with LOCK:
                if any(r.id == run.id and not r.done.is_set() for r in RUNS):
                    raise Refused(216, "QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING", f"Query with id = {run.id} is already running.")
                RUNS.append(run)
        except Refused as e:
            return self.refuse(e)
        try:
            if fault.get("error"): e = fault["error"]; raise Refused(e["code"], e["name"], e["message"])
            if params.get("default_format") == "ArrowStream": self.stream(run)
            else: self.whole(run, kill(run) if re.match(r"kill\s", sql, re.I) else run.rows())
        except Refused as e:
            self.refuse(e)
        except BrokenPipeError:
            self.close_connection = True
        except Exception as e:                                   # noqa: BLE001
            self.refuse(Refused.of(e))
        finally:
            run.done.set()

    def whole(self, run, body):
        fault = run.fault
        if fault.get("lost"): self.close_connection = True; return
        if fault.get("late"): body = str(Refused(**self.late(run))).encode()
        self.send(200, body)

    def late(self, run):
        e = run.fault["late"]
        return {"code": e["code"], "label": e["name"], "message": e["message"]}

    def piece(self, b):
        if b: self.wfile.write(b"%x\r\n%b\r\n" % (len(b), b))

    def stream(self, run):
        """Sends a stream in pieces. What fails before the first of them is an answer of its own."""
        pieces = run.batches(); first = next(pieces, b""); fault = run.fault
        if fault.get("lost"): self.close_connection = True; return
        self.send_response(200); self.send_header("Content-Type", "application/octet-stream"); self.send_header("Transfer-Encoding", "chunked")
        self.send_header("X-ClickHouse-Exception-Tag", "dpilchnohewkvlbh"); self.end_headers()
        if any(key in fault for key in ("late", "cut", "short")):
            every = first + b"".join(pieces); self.piece(every[:len(every) // 2])
            if "short" in fault: self.wfile.write(b"0\r\n\r\n"); return
            if "late" in fault:
                words = str(Refused(**self.late(run)))
                self.piece(f"\r\n__exception__\r\ndpilchnohewkvlbh\r\n{words}{len(words)} dpilchnohewkvlbh\r\n__exception__\r\n".encode())
                if not fault.get("cut"): self.wfile.write(b"0\r\n\r\n")
            self.close_connection = True; return
        self.piece(first)
        try:
            for piece in pieces: self.piece(piece)
        except BrokenPipeError:
            raise
        except Exception as e:                                   # noqa: BLE001
            words = str(e if isinstance(e, Refused) else Refused.of(e))
            self.piece(f"\r\n__exception__\r\ndpilchnohewkvlbh\r\n{words}{len(words)} dpilchnohewkvlbh\r\n__exception__\r\n".encode())
            self.close_connection = True; return
        self.wfile.write(b"0\r\n\r\n")

    def double(self, p, r):
        try:
            if p == "/_double/schemas":
                engine = chdb.connect(A.data_dir); engine.query(f"create database {name(r['name'])}"); engine.close(); out = {}
            elif p == "/_double/run": out = script(r["schema"], r["script"])
            elif p == "/_double/own": out = own(r["schema"], r["sql"])
            elif p == "/_double/faults": FAULTS.append(r); out = {}
            else: return self.send(404, {"error": p})
            self.send(200, out)
        except Exception as e:                                   # noqa: BLE001
            self.send(400, {"error": str(e)})

    def do_GET(self):
        u = urlparse(self.path); q = {k: v[0] for k, v in parse_qs(u.query).items()}
        if u.path == "/_double/health": return self.send(200, {"chdb": VERSION})
        if u.path == "/_double/log": return self.send(200, [r.log() for r in list(RUNS) if r.params.get("database") == q.get("schema")])
        self.send(200, b"Ok.\n", "text/plain")


def main():
    global A, VERSION
    ap = argparse.ArgumentParser()
    ap.add_argument("--port", type=int, default=8123); ap.add_argument("--host", default="127.0.0.1")
    ap.add_argument("--data-dir", required=True, help="where tables lie; a folder in memory is quickest")
    A = ap.parse_args()
    keep = chdb.connect(A.data_dir)                              # the engine lives as long as it has a connection
    VERSION = str(keep.query("select version()", "TabSeparated")).strip()
    srv = ThreadingHTTPServer((A.host, A.port), H); srv.daemon_threads = True
    print(f"clickhouse double: http://{A.host}:{A.port} engine {VERSION}", flush=True)
    try: srv.serve_forever()
    except KeyboardInterrupt: pass


if __name__ == "__main__":
    main()
