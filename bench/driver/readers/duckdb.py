"""DuckDB by its own module."""

import duckdb

from .reading import FETCH, fetched, main


def rows(given: dict):
    with duckdb.connect(given["path"], read_only=True) as connection:
        yield from fetched(connection.execute(given["statement"]))


def arrow(given: dict):
    with duckdb.connect(given["path"], read_only=True) as connection:
        yield from connection.execute(given["statement"]).to_arrow_reader(FETCH)


main({"rows": ("duckdb", rows), "Arrow": ("duckdb", arrow)})
