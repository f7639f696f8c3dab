"""SQLite by Python's own module."""

import sqlite3
from contextlib import closing

from .reading import fetched, main


def rows(given: dict):
    with closing(sqlite3.connect(given["path"])) as connection:
        yield from fetched(connection.execute(given["statement"]))


main({"rows": ("", rows)})
