"""The table `users` in each warehouse, as Ebb's own reader and the vendor's connector reach it."""

import json
import urllib.request
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from .. import settings
from ..process import run, say

MANAGED = "__segment_reverse_etl"


@dataclass(frozen=True)
class Source:
    """A warehouse with the table `users`, and who reads it."""

    label: str
    # of Ebb's source
    kind: str
    ebb: dict
    # the package of the connector's environment, and by which of its forms the connector reads
    connector: str
    forms: tuple[str, ...]
    # what the connector's script is told beside the statement
    given: dict
    # where Ebb's tables lie, and the character around names
    place: tuple[str, ...] = (MANAGED,)
    quote: str = '"'
    model: str = "select * from users"
    # commands that fetch the same bytes and decode none of them, by what they go through; they print their seconds, or nothing
    bare: Callable[[str], dict[str, list]] = field(default=lambda statement: {})
    # which of them fetch what Ebb and what the connector wait for: a double's own time, of which the service says nothing
    served: tuple[str, str] | None = None
    # how many times the speed of the connector is wanted
    wanted: float | None = None
    # how often each side is measured; once where the double takes minutes
    rounds: int = 5

    def statement(self, table: str) -> str:
        """Reads what Ebb streams of a first sync: the same rows and columns, in the same order."""
        name = ".".join(f"{self.quote}{part}{self.quote}" for part in (*self.place, table))
        return f"select * from {name} order by {self.quote}seq{self.quote}"


def generated(kind: str, rows: int) -> str:
    """The statements of `bench/sql` that make the table, with so many rows."""
    say(f"{kind}: generating {rows:,} rows")
    return (settings.SQL / kind / "generate.sql").read_text(encoding="utf-8").replace(":rows", str(rows))


@contextmanager
def double(kind: str, folder: Path):
    """A test double while it runs; its address."""
    script = settings.ROOT / "tests" / "doubles" / kind / "start.sh"
    try:
        yield run([script, "start", folder]).output.strip()
    finally:
        run([script, "stop", folder])


def post(url: str, body: dict, headers: dict | None = None) -> dict:
    """Posts JSON; the answer, which is JSON too."""
    sent = {"Content-Type": "application/json", "User-Agent": "bench", **(headers or {})}
    request = urllib.request.Request(url, json.dumps(body).encode(), sent)
    with urllib.request.urlopen(request) as answer:
        return json.loads(answer.read() or b"{}")
