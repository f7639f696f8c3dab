"""Snowflake: its test double, told to keep results as the service does."""

import json
import sys
from contextlib import contextmanager
from pathlib import Path

from . import MANAGED, Source, double, generated, post

DATABASE = "SHOP"
# rows of about 8 MB of JSON; the service's own pieces are of that order
PIECE = 40_000


@contextmanager
def users(folder: Path, rows: int):
    """A double with a database that has so many users."""
    with double("snowflake", folder) as address:
        # names as PostgreSQL has them, so that Ebb's columns are called as everywhere
        switches = {"name": DATABASE, "fold": "lower", "partition_rows": PIECE, "keep_results": True}
        post(f"{address}/_double/databases", switches)
        signed = {"Authorization": "Bearer dev-pat", "X-Snowflake-Authorization-Token-Type": "PROGRAMMATIC_ACCESS_TOKEN"}
        statement = {"statement": generated("snowflake", rows), "database": DATABASE}
        post(f"{address}/api/v2/statements", statement, signed)
        given = {"address": address, "database": DATABASE, "user": "SVC", "password": "snow", "token": "dev-pat"}

        def bare(statement: str) -> dict[str, list]:
            command = [sys.executable, "-m", "driver.bare"]
            told = json.dumps({**given, "statement": statement})
            return {
                "SQL API": [*command, "snowflake-sql-api", told],
                "session protocol": [*command, "snowflake-session", told],
            }

        yield Source(
            label="Snowflake's double", kind="snowflake", ebb={"host": address, "database": DATABASE, "token": "dev-pat"},
            connector="snowflake", forms=("rows", "Arrow"), given=given, place=(DATABASE, MANAGED), bare=bare,
            served=("SQL API", "session protocol"), wanted=2,
        )
