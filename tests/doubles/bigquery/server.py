"""A test double of BigQuery: bqemulator (DuckDB behind BigQuery's REST interface) with what it lacks in front.

What stands in front asks for credentials, keeps jobs as the service does (ids that may be used once, jobs
that run for a while, time-outs, cancelling), refuses what the service refuses and the emulator takes, and
lets requests fail on demand. `storage.py` does the same for the Storage Read API.

Switches and faults, which tests set by HTTP (a fault or switch belongs to one project):

    GET  /_double/key                 a service account's key, a federated workload's configuration, and where
                                      the Storage Read API is
    POST /_double/projects            {"name", "page_rows"?, "batch_rows"?}    makes a project with a dataset `shop`;
                                      its pages, or batches, have so many rows at most
    POST /_double/run                 {"project", "sql", "dialect"}    runs SQL for the tests themselves
    POST /_double/faults              {"project", "path"? | "sql"?, "count"?, ...} one of
           "status", "body"?, "headers"?    the request is answered so
           ... and "lost": true             ... after it did its work
           "cut": true                      the answer breaks off in its middle
           "delay_s"                        the job runs so long
           "error": {"reason", "message"}   the job fails so
           "stop_at"                        the script fails before the statement of this place
           (those of the Storage Read API are in `storage.py`)
    GET  /_double/log?project=        the jobs that came, oldest first
    GET  /_double/reads?project=      the sessions of the Storage Read API that came, oldest first
    GET  /_double/tables?project=&dataset=    the names of a dataset's tables
    POST /_double/sts                 the token exchange of federated workloads
"""

import argparse
import asyncio
import collections
import json
import os
import re
import time
import urllib.parse

import jwt
import sqlglot
import storage
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

SCOPES = {"https://www.googleapis.com/auth/bigquery", "https://www.googleapis.com/auth/cloud-platform"}
ACCOUNT = "ebb@double.iam.gserviceaccount.com"
SCANNED = 10 * 1024 * 1024  # what every job is billed for at least
STATUS = {"notFound": 404, "accessDenied": 403, "duplicate": 409, "backendError": 503}


class Refused(Exception):
    def __init__(self, status, reason, message):
        super().__init__(message)
        self.status, self.reason, self.message = status, reason, message

    def answer(self):
        error = {"reason": self.reason, "message": self.message, "domain": "global"}
        return self.status, {}, {"error": {"code": self.status, "message": self.message, "errors": [error]}}


class Job:
    def __init__(self, body):
        self.body = body
        self.configuration = body["configuration"]
        self.sql = self.configuration["query"]["query"]
        self.answer = None
        self.task = None
        self.canceled = False

    def resource(self):
        return self.answer or {"jobReference": self.body["jobReference"], "status": {"state": "RUNNING"}}

    def stop(self, message):
        error = {"reason": "stopped", "message": message}
        status = {"state": "DONE", "errorResult": error, "errors": [error]}
        self.answer = {"jobReference": self.body["jobReference"], "status": status, "statistics": {}}

    def entry(self):
        return {
            "sql": self.sql,
            "labels": self.configuration.get("labels", {}),
            "location": self.body["jobReference"].get("location"),
            "timeout": self.configuration.get("jobTimeoutMs"),
            "time_zone": [p["value"] for p in self.configuration["query"].get("connectionProperties", [])],
            "canceled": self.canceled,
            "done": self.answer is not None,
        }


class Front:
    """An ASGI application before the emulator's."""

    def __init__(self, emulator, port):
        self.emulator, self.address = emulator, f"http://127.0.0.1:{port}"
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        form = serialization.PrivateFormat.PKCS8
        pem = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
        self.public_key = key.public_key()
        self.key = {
            "type": "service_account",
            "project_id": "double",
            "private_key_id": "1",
            "private_key": pem.decode(),
            "client_email": ACCOUNT,
            "client_id": "1",
            "token_uri": "https://oauth2.googleapis.com/token",
            "universe_domain": "googleapis.com",
        }
        self.exchanged = set()
        self.jobs = collections.defaultdict(dict)
        self.faults = collections.defaultdict(list)
        self.switches = collections.defaultdict(dict)
        self.reads = collections.defaultdict(list)
        self.storage = None
        # the emulator has one connection, whose open transaction would be everybody's
        self.lock = asyncio.Lock()

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            return await self.emulator(scope, receive, send)
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        headers = {name.decode().lower(): value.decode() for name, value in scope["headers"]}
        query = scope["query_string"].decode()
        try:
            status, more, answer = await self.handle(scope["method"], scope["path"], query, headers, body)
        except Refused as refused:
            status, more, answer = refused.answer()
        text = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        cut = more.pop("cut", False)
        length = len(text) + (1000 if cut else 0)
        sent = {"content-type": "application/json", "content-length": str(length), **more}
        sent = [(name.encode(), str(value).encode()) for name, value in sent.items()]
        await send({"type": "http.response.start", "status": status, "headers": sent})
        await send({"type": "http.response.body", "body": text, "more_body": cut})
        if cut:
            raise ConnectionError("cut as a test wanted it")

    async def handle(self, method, path, query, headers, body):
        if path.startswith("/_double/"):
            return await self.switch(path.removeprefix("/_double/"), query, body)
        self.authorize(headers.get("authorization", ""))
        found = re.match(r"/bigquery/v2/projects/([^/]+)/(.*)", path)
        if not found:
            raise Refused(404, "notFound", f"Not found: {path}")
        project, rest = urllib.parse.unquote(found[1]), found[2]
        wanted = json.loads(body) if body else {}
        sql = wanted.get("configuration", {}).get("query", {}).get("query")
        fault = self.fault(project, f"{method} {rest}?{query}", sql)
        if "status" in fault and not fault.get("lost"):
            return fault["status"], fault.get("headers", {}), fault.get("body", {})
        answer = await self.answer(project, method, path, rest, query, body, wanted, fault)
        if fault.get("lost"):
            return fault["status"], fault.get("headers", {}), fault.get("body", {})
        if fault.get("cut"):
            return answer[0], {"cut": True}, answer[2]
        return answer

    async def answer(self, project, method, path, rest, query, body, wanted, fault):
        job = re.fullmatch(r"jobs/([^/]+)(/cancel)?", rest)
        if rest == "jobs" and method == "POST":
            if wanted["configuration"].get("dryRun"):
                return 200, {}, await self.dry_run(path, wanted)
            return 200, {}, await self.insert(project, path, wanted, fault)
        if job and job[1] in self.jobs[project]:
            known = self.jobs[project][job[1]]
            if job[2]:
                await self.cancel(known)
                return 200, {}, {"job": known.resource()}
            return 200, {}, known.resource()
        if job:
            raise Refused(404, "notFound", f"Not found: Job {project}:{job[1]}")
        if rest.startswith("queries/"):
            query = self.page(project, query)
        status, answer = await self.ask(method, path, query, body)
        return status, {}, answer

    async def ask(self, method, path, query, body):
        """The emulator's own answer."""
        sent = [False]
        answer = {"body": b""}

        async def receive():
            if sent[0]:
                await asyncio.Event().wait()
            sent[0] = True
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message):
            if message["type"] == "http.response.start":
                answer["status"] = message["status"]
            else:
                answer["body"] += message.get("body", b"")

        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method,
            "scheme": "http", "path": path, "raw_path": urllib.parse.quote(path).encode(),
            "query_string": query.encode(), "root_path": "", "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 1), "headers": [(b"content-type", b"application/json")],
        }  # fmt: skip
        async with self.lock:
            await self.emulator(scope, receive, send)
        return answer["status"], answer["body"]

    # --- jobs --------------------------------------------------------------------------------

    async def insert(self, project, path, wanted, fault):
        reference = wanted["jobReference"]
        if reference["jobId"] in self.jobs[project]:
            raise Refused(409, "duplicate", f"Already Exists: Job {project}:{reference['jobId']}")
        for key, value in wanted["configuration"].get("labels", {}).items():
            if not re.fullmatch(r"[a-z][a-z0-9_-]{0,62}", key) or not re.fullmatch(r"[a-z0-9_-]{0,63}", value):
                raise Refused(400, "invalid", f"Label \"{key}\": \"{value}\" is not allowed")
        job = self.jobs[project][reference["jobId"]] = Job(wanted)
        if "error" in fault:
            error = fault["error"]
            status = {"state": "DONE", "errorResult": error, "errors": [error]}
            job.answer = {"jobReference": reference, "status": status, "statistics": {}}
        elif "stop_at" in fault:
            statements = job.sql.split(";\n")
            statements.insert(fault["stop_at"], "select * from shop.stopped")
            job.configuration["query"]["query"] = ";\n".join(statements)
            await self.run(job, path)
        elif "delay_s" in fault:
            job.task = asyncio.create_task(self.run_later(job, path, fault["delay_s"]))
        else:
            await self.run(job, path)
        return job.resource()

    async def run_later(self, job, path, delay):
        limit = int(job.configuration.get("jobTimeoutMs", 0)) / 1000 or delay
        await asyncio.sleep(min(limit, delay))
        if limit < delay:
            job.stop(f"Job execution was cancelled: Job timed out after {limit} sec")
        else:
            await self.run(job, path)

    async def run(self, job, path):
        refuse_what_the_service_refuses(job.sql)
        status, answer = await self.ask("POST", path, "", json.dumps(job.body).encode())
        answer = json.loads(answer)
        if status != 200:
            [error, *_] = answer["error"]["errors"]
            raise Refused(status, error["reason"], error["message"])
        answer.setdefault("statistics", {})["totalBytesProcessed"] = str(SCANNED)
        job.answer = answer

    async def cancel(self, job):
        if job.answer is None:
            job.task.cancel()
            job.canceled = True
            job.stop("Job execution was cancelled: User requested cancellation")

    async def dry_run(self, path, wanted):
        wanted["jobReference"].setdefault("jobId", f"dry_{time.time_ns()}")
        sql = wanted["configuration"]["query"]["query"]
        refuse_what_the_service_refuses(sql)
        answer = await self.told(path, wanted)
        if not answer["statistics"]["query"].get("schema", {}).get("fields"):
            # of a query that it cannot run the emulator only tells when it runs it
            wanted = json.loads(json.dumps(wanted))
            wanted["configuration"].pop("dryRun")
            wanted["jobReference"]["jobId"] += "_run"
            await self.told(path, wanted)
        answer.setdefault("statistics", {})["totalBytesProcessed"] = str(SCANNED)
        return answer

    async def told(self, path, wanted):
        """The emulator's answer to a job, whose failure the service answers by a status."""
        status, answer = await self.ask("POST", path, "", json.dumps(wanted).encode())
        answer = json.loads(answer)
        error = answer.get("status", {}).get("errorResult") or (answer.get("error", {}).get("errors") or [None])[0]
        if error:
            raise Refused(STATUS.get(error["reason"], 400), error["reason"], error["message"])
        return answer

    async def run_own(self, project, sql, dialect):
        """Runs SQL of another dialect for the tests themselves; gives the first value."""
        path = f"/bigquery/v2/projects/{project}/"
        dataset = {"projectId": project, "datasetId": "shop"}
        value = None
        for number, statement in enumerate(sqlglot.transpile(sql, read=dialect, write="bigquery")):
            job = f"own_{time.time_ns()}_{number}"
            configuration = {"query": {"query": statement, "useLegacySql": False, "defaultDataset": dataset}}
            body = {"jobReference": {"projectId": project, "jobId": job}, "configuration": configuration}
            status, answer = await self.ask("POST", f"{path}jobs", "", json.dumps(body).encode())
            error = json.loads(answer).get("status", {}).get("errorResult")
            if status != 200 or error:
                raise Refused(400, "invalidQuery", f"{statement}: {error or answer}")
            status, answer = await self.ask("GET", f"{path}queries/{job}", "", b"")
            for row in json.loads(answer).get("rows", [])[:1]:
                value = row["f"][0]["v"]
        return value

    def page(self, project, query):
        most = self.switches[project].get("page_rows")
        if most is None:
            return query
        parts = dict(urllib.parse.parse_qsl(query))
        parts["maxResults"] = str(min(int(parts.get("maxResults", most)), most))
        return urllib.parse.urlencode(parts)

    # --- credentials -------------------------------------------------------------------------

    def authorize(self, header):
        if not self.is_known(header):
            raise Refused(401, "authError", "Request had invalid authentication credentials.")

    def is_known(self, header):
        token = header.removeprefix("Bearer ")
        if token in self.exchanged:
            return True
        try:
            claims = jwt.decode(token, self.public_key, algorithms=["RS256"], options={"verify_aud": False, "require": ["exp", "iat"]})
        except jwt.PyJWTError:
            return False
        scopes = set(claims.get("scope", "").split())
        return claims["iss"] == claims["sub"] == ACCOUNT and bool(scopes & SCOPES) and claims["exp"] - claims["iat"] <= 3660

    def exchange(self, body):
        form = dict(urllib.parse.parse_qsl(body.decode()))
        if form.get("subject_token") != "a workload":
            return 400, {}, {"error": "invalid_grant", "error_description": "The subject token is not known."}
        token = f"exchanged-{len(self.exchanged)}"
        self.exchanged.add(token)
        kind = "urn:ietf:params:oauth:token-type:access_token"
        return 200, {}, {"access_token": token, "issued_token_type": kind, "token_type": "Bearer", "expires_in": 3600}

    def workload(self):
        return {
            "type": "external_account",
            "audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/p",
            "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
            "token_url": f"{self.address}/_double/sts",
        }

    # --- switches ----------------------------------------------------------------------------

    async def switch(self, path, query, body):
        if path == "sts":
            return self.exchange(body)
        if path == "key":
            return 200, {}, {"service_account": self.key, "workload": self.workload(), "storage": self.storage}
        if path == "tables":
            asked = dict(urllib.parse.parse_qsl(query))
            path = f"/bigquery/v2/projects/{asked['project']}/datasets/{asked['dataset']}/tables"
            _, answer = await self.ask("GET", path, "", b"")
            return 200, {}, sorted(table["tableReference"]["tableId"] for table in json.loads(answer)["tables"])
        if path == "reads":
            return 200, {}, self.reads[dict(urllib.parse.parse_qsl(query))["project"]]
        if path == "log":
            jobs = self.jobs[dict(urllib.parse.parse_qsl(query))["project"]]
            return 200, {}, [job.entry() for job in jobs.values()]
        wanted = json.loads(body)
        if path == "projects":
            self.switches[wanted["name"]] = wanted
            dataset = {"datasetReference": {"projectId": wanted["name"], "datasetId": "shop"}, "location": "US"}
            await self.ask("POST", f"/bigquery/v2/projects/{wanted['name']}/datasets", "", json.dumps(dataset).encode())
            return 200, {}, {}
        if path == "run":
            return 200, {}, await self.run_own(**wanted)
        if path == "faults":
            self.faults[wanted["project"]].append(wanted)
            return 200, {}, {}
        raise Refused(404, "notFound", path)

    def fault(self, project, request, sql):
        for fault in self.faults[project]:
            by_path, by_sql = fault.get("path"), fault.get("sql")
            if by_path and not re.search(by_path, request):
                continue
            if by_sql and not (sql and re.search(by_sql, sql)):
                continue
            fault["count"] = fault.get("count", 1) - 1
            if fault["count"] <= 0:
                self.faults[project].remove(fault)
            return fault
        return {}


def refuse_what_the_service_refuses(sql):
    """What the emulator takes all the same."""
    try:
        statements = sqlglot.parse(sql, read="bigquery")
    except sqlglot.errors.SqlglotError:
        return  # the emulator says it in its own words
    for statement in statements:
        if statement is None:
            continue
        for kind in (sqlglot.exp.Update, sqlglot.exp.Delete):
            if any(not found.args.get("where") for found in statement.find_all(kind)):
                raise Refused(400, "invalidQuery", f"{kind.__name__.upper()} must have a WHERE clause")
        for inner in statement.find_all(sqlglot.exp.Subquery):
            names = [name.lower() for name in inner.this.named_selects if name and name != "*"]
            twice = [name for name, count in collections.Counter(names).items() if count > 1]
            if twice:
                told = f"Duplicate column names in the result are not supported. Found duplicate(s): {', '.join(twice)}"
                raise Refused(400, "invalidQuery", told)


def with_quick_fingerprints(register):
    """The emulator's `farm_fingerprint` is exact and takes its time; any hash of 64 bits serves the tests."""

    def registered(connection):
        register(connection)
        connection.remove_function("bqemu_farm_fingerprint")
        connection.execute(
            "create macro bqemu_farm_fingerprint(text) as cast(cast(hash(text) as hugeint) - 9223372036854775808 as bigint)"
        )

    return registered


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--home", required=True, help="where DuckDB finds its extension")
    arguments = parser.parse_args()
    os.environ["HOME"] = arguments.home
    os.environ["BQEMU_ENABLE_FORMAT_EXTENSIONS"] = "false"

    from bqemulator import server
    from bqemulator.config import LogLevel, PersistenceMode, Settings
    from bqemulator.sql import builtin_udfs

    builtin_udfs.register_builtin_udfs = with_quick_fingerprints(builtin_udfs.register_builtin_udfs)
    make = server.create_app
    front = Front(None, arguments.port)

    def create_app(context):
        front.emulator = make(context)
        return front

    server.create_app = create_app
    server.build_grpc_server = lambda context: storage.serve(front, context)
    settings = Settings(
        persistence_mode=PersistenceMode.EPHEMERAL,
        rest_port=arguments.port,
        grpc_port=0,
        default_project_id="double",
        log_level=LogLevel.WARNING,
    )
    server.run_forever(settings)


if __name__ == "__main__":
    main()
