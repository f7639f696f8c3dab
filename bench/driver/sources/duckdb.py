"""DuckDB: the file of the other cases."""

from contextlib import contextmanager
from pathlib import Path

from ..duckdb import database
from . import Source


@contextmanager
def users(folder: Path, rows: int):
    """A file with so many users."""
    with database(folder, rows) as warehouse:
        path = str(warehouse.path)
        yield Source(
            label="DuckDB", kind="duckdb", ebb={"path": path}, connector="duckdb", forms=("rows", "Arrow"),
            given={"path": path},
        )
