"""A DuckDB file, spoken to by DuckDB's own command line."""

from contextlib import contextmanager
from pathlib import Path

from . import build, settings
from .process import Run, run, say


class DuckDb:
    """A database file with the table `users` and the schema `bare`."""

    kind = "duckdb"
    label = "DuckDB"

    def __init__(self, path: Path):
        self.path = path
        self.source = {"kind": "duckdb", "settings": {"path": str(path)}}

    def client(self, statements: str) -> Run:
        """Runs statements; the client stops at the first error."""
        return run([build.duckdb_client(), "-bail", "-csv", "-noheader", self.path, "-c", statements])

    def script(self, name: str, **variables) -> Run:
        """Runs a file of `bench/sql/duckdb`, `:name` replaced by the variable of that name."""
        text = (settings.SQL / "duckdb" / f"{name}.sql").read_text(encoding="utf-8")
        for variable, value in variables.items():
            text = text.replace(f":{variable}", str(value))
        return self.client(text)

    def execute(self, statement: str) -> str:
        """Runs one statement; its rows as CSV."""
        return self.client(statement).output.strip()

    def settle(self) -> None:
        """Writes everything out, so that no measurement pays for another."""
        self.execute("checkpoint")

    def forget(self) -> None:
        """Drops all that Ebb keeps in the warehouse."""
        self.execute('drop schema if exists "__segment_reverse_etl" cascade')

    def drop_changes(self) -> None:
        """Drops what the bare diff wrote."""
        self.execute("drop table if exists bare.changes; checkpoint")

    def changes(self) -> dict[int, int]:
        """How many changes the bare diff wrote, by operation: 0 added, 1 updated, 2 deleted."""
        found = self.execute("select op, count(*) from bare.changes group by op")
        return {int(op): int(count) for op, count in (line.split(",") for line in found.splitlines())}


@contextmanager
def database(folder: Path, rows: int):
    """Makes a database file with `rows` users; it goes with its folder."""
    warehouse = DuckDb(folder / "warehouse.duckdb")
    say(f"DuckDB: generating {rows:,} rows")
    warehouse.script("generate", rows=rows)
    yield warehouse
