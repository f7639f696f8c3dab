"""SQLite: a file, written by Python's own module."""

import sqlite3
from contextlib import closing, contextmanager
from pathlib import Path

from . import MANAGED, Source, generated


@contextmanager
def users(folder: Path, rows: int):
    """A file with so many users."""
    path = folder / "users.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(generated("sqlite", rows))
    yield Source(
        label="SQLite", kind="sqlite", ebb={"path": str(path)}, connector="sqlite", forms=("rows",),
        given={"path": str(folder / f"users.{MANAGED}.db")}, place=(),
    )
