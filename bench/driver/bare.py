"""The bytes of a result as a service's double serves them, fetched several pieces at a time and thrown away:
`python -m driver.bare WAY JSON` prints the seconds. It is what the double and the network take of a read."""

import json
import re
import sys
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from urllib.parse import urlsplit

# as many as Ebb fetches at a time
PIECES = 4
CONNECTIONS = threading.local()


def ask(method: str, address: str, body: dict | None = None, headers: dict | None = None) -> tuple[bytes, dict]:
    """Sends a request by the thread's own connection; the body as it came, and the headers."""
    at = urlsplit(address)
    held = CONNECTIONS.__dict__.setdefault(at.netloc, HTTPConnection(at.netloc))
    sent = {"Accept": "application/json", "User-Agent": "bench", "Content-Type": "application/json", **(headers or {})}
    held.request(method, f"{at.path}?{at.query}", json.dumps(body) if body else None, sent)
    answer = held.getresponse()
    read = answer.read()
    if answer.status != 200:
        raise SystemExit(f"{address}: {answer.status} {read[:400]!r}")
    return read, dict(answer.headers)


def pieces(fetch, numbers) -> None:
    """Fetches pieces side by side."""
    with ThreadPoolExecutor(PIECES) as pool:
        for _ in pool.map(fetch, numbers):
            pass


def snowflake_sql_api(given: dict) -> None:
    """Partitions of the SQL API."""
    signed = {"Authorization": f"Bearer {given['token']}", "X-Snowflake-Authorization-Token-Type": "PROGRAMMATIC_ACCESS_TOKEN",
              "Accept-Encoding": "gzip"}
    statements = f"{given['address']}/api/v2/statements"
    _, headers = ask("POST", statements, {"statement": given["statement"], "database": given["database"]}, signed)
    if link := re.search(r'</([^>?]+)\?partition=(\d+)>;rel="last"', headers.get("link", "")):
        pieces(lambda number: ask("GET", f"{given['address']}/{link[1]}?partition={number}", headers=signed), range(1, int(link[2]) + 1))


def snowflake_session(given: dict) -> None:
    """The first rows in the answer, and chunks where the answer names some."""
    login = {"data": {"LOGIN_NAME": given["user"], "PASSWORD": given["password"], "SESSION_PARAMETERS": {}}}
    token = json.loads(ask("POST", f"{given['address']}/session/v1/login-request?databaseName={given['database']}", login)[0])["data"]["token"]
    signed = {"Authorization": f'Snowflake Token="{token}"'}
    query = f"{given['address']}/queries/v1/query-request?requestId={uuid.uuid4()}"
    answer, _ = ask("POST", query, {"sqlText": given["statement"]}, signed)
    if b'"chunks"' in answer[-100_000:] or b'"chunks"' in answer[:100_000]:
        told = json.loads(answer)["data"]
        pieces(lambda chunk: ask("GET", chunk["url"], headers=told.get("chunkHeaders")), told["chunks"] or [])


def databricks(given: dict) -> None:
    """Links of the Statement Execution API."""
    signed = {"Authorization": f"Bearer {given['token']}"}
    wanted = {"statement": given["statement"], "warehouse_id": given["path"].rsplit("/", 1)[1], "catalog": given["catalog"],
              "schema": given["schema"], "disposition": "EXTERNAL_LINKS", "format": "ARROW_STREAM", "wait_timeout": "50s"}
    statements = f"{given['address']}/api/2.0/sql/statements"
    answer = json.loads(ask("POST", statements, wanted, signed)[0])

    def fetch(number: int) -> None:
        piece, _ = ask("GET", f"{statements}/{answer['statement_id']}/result/chunks/{number}", headers=signed)
        for link in json.loads(piece)["external_links"]:
            ask("GET", link["external_link"])

    pieces(fetch, range(answer["manifest"]["total_chunk_count"]))


WAYS = {"snowflake-sql-api": snowflake_sql_api, "snowflake-session": snowflake_session, "databricks": databricks}

if __name__ == "__main__":
    began = time.perf_counter()
    WAYS[sys.argv[1]](json.loads(sys.argv[2]))
    print(time.perf_counter() - began)
