"""The receiver and the bare replay loop, as the cases use them."""

import json
import os
import subprocess
import urllib.request
from contextlib import contextmanager
from pathlib import Path

from . import build
from .process import Failed, run


class Receiver:
    """A running receiver."""

    def __init__(self, process: subprocess.Popen, port: int):
        self.process = process
        self.port = port
        self.url = f"http://127.0.0.1:{port}/in"

    def _ask(self, path: str, method: str) -> str:
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.read().decode()

    def stats(self) -> dict:
        """What it has counted since the last reset."""
        return json.loads(self._ask("/stats", "GET"))

    def reset(self) -> None:
        """Starts counting anew."""
        self._ask("/reset", "POST")

    def expect(self, records: int, what: str) -> dict:
        """Its counts, then a reset; `Failed` unless exactly so many records came, all well-formed."""
        stats = self.stats()
        self.reset()
        if stats["records"] != records or stats["malformed"]:
            raise Failed(f"{what}: the receiver should hold {records} records, but counted {stats}")
        return stats

    def cpu_seconds(self) -> float:
        """Processor time it has used since its start."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def receiver(*options, port: int = 0):
    """Starts a receiver on a free port, or on `port`; stops it in the end."""
    command = [build.tools(), "receiver", "--port", str(port), *map(str, options)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline()
            if not line.startswith("listening on "):
                raise Failed(f"the receiver did not start on port {port}")
            yield Receiver(process, int(line.rsplit(":", 1)[1]))
        finally:
            process.terminate()


def replay(port: int, *options) -> float:
    """Posts bodies as fast as the bare loop can; its seconds."""
    return json.loads(run([build.tools(), "replay", "--port", port, *options]).output)["seconds"]
