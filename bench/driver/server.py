"""A running `ebb serve`, with an owner who is signed in and has an API token."""

import http.client
import json
import os
import re
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from . import build
from .process import Failed


class Server:
    """A server that answers, and how it is asked."""

    def __init__(self, process: subprocess.Popen, address: str, link: str | None):
        self.process = process
        self.address = address
        self.connection = http.client.HTTPConnection(urlsplit(address).netloc)
        self.headers: dict[str, str] = {}
        if link:
            self.join(urlsplit(link).path)

    def join(self, path: str) -> None:
        """Becomes the owner."""
        form = urlencode({"email": "ada@example.com", "name": "Ada", "password": "correct horse battery"})
        answer, _ = self.ask("POST", path, form, {"content-type": "application/x-www-form-urlencoded"})
        cookies = [cookie.split(";")[0] for cookie in answer.headers.get_all("set-cookie") or []]
        self.headers["cookie"] = "; ".join(cookies)

    def token(self) -> str:
        """A new API token."""
        page = self.ask("GET", "/")[1].decode()
        mark = re.search(r'X-CSRF-Token":"([^"]+)', page)
        if not mark:
            raise Failed("the overview bears no mark of its session")
        headers = {"content-type": "application/json", "x-csrf-token": mark[1]}
        answer, body = self.ask("POST", "/api/v1/tokens", json.dumps({"name": "bench", "role": "owner"}), headers)
        if answer.status >= 300:
            raise Failed(f"no token: {answer.status} {body.decode()}")
        return json.loads(body)["token"]

    def ask(self, method: str, path: str, body: str | None = None, headers: dict | None = None):
        """One request over a connection that stays open: the answer and its bytes."""
        self.connection.request(method, path, body, {**self.headers, **(headers or {})})
        answer = self.connection.getresponse()
        return answer, answer.read()

    def seconds(self, path: str) -> float:
        """How long the answer to a `GET` takes; `Failed` unless it is 200."""
        start = time.perf_counter()
        answer, body = self.ask("GET", path)
        took = time.perf_counter() - start
        if answer.status != 200:
            raise Failed(f"`{path}` was answered by {answer.status}: {body[:500].decode(errors='replace')}")
        return took

    def json(self, path: str):
        """What the API answers to a `GET`."""
        return json.loads(self.ask("GET", path)[1])

    def cpu_seconds(self) -> float:
        """Processor time it has used since its start."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def peak_mib(self) -> float:
        """The most memory that it had so far."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024


@contextmanager
def server(project: Path):
    """Starts a server on a free port, and stops it in the end."""
    command = [build.ebb(), "--project", project, "serve", "--listen", "127.0.0.1:0", "--json"]
    with open(project / "told", "w", encoding="utf-8") as told, open(project / "log", "w", encoding="utf-8") as log, \
            subprocess.Popen([str(part) for part in command], stdout=told, stderr=log) as process:
        try:
            yield Server(process, *beginning(process, project / "told"))
        finally:
            process.terminate()


def beginning(process: subprocess.Popen, told: Path) -> tuple[str, str | None]:
    """Where a server that was just started is, and how its first owner joins."""
    while process.poll() is None:
        try:
            document, _ = json.JSONDecoder().raw_decode(told.read_text(encoding="utf-8"))
            return document["address"], document["first_owner"]
        except json.JSONDecodeError:
            time.sleep(0.05)
    raise Failed(f"`ebb serve` did not start:\n{told.read_text(encoding='utf-8')}{told.with_name('log').read_text(encoding='utf-8')}")
