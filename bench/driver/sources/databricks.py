"""Databricks: its test double, told to keep results as the service does."""

import json
import sys
from contextlib import contextmanager
from pathlib import Path

from . import MANAGED, Source, double, generated, post


@contextmanager
def users(folder: Path, rows: int):
    """A double with a schema that has so many users."""
    with double("databricks", folder) as address:
        post(f"{address}/_double/schemas", {"name": "shop", "keep_results": True})
        post(f"{address}/_double/run", {"schema": "shop", "script": generated("databricks", rows)})
        path = "/sql/1.0/warehouses/wh1"
        given = {"address": address, "path": path, "catalog": "main", "schema": "shop", "token": "dev-token"}

        def bare(statement: str) -> dict[str, list]:
            told = json.dumps({**given, "statement": statement})
            return {"Statement Execution API": [sys.executable, "-m", "driver.bare", "databricks", told]}

        yield Source(
            label="Databricks' double",
            kind="databricks",
            ebb={"hostname": address, "http_path": path, "catalog": "main", "schema": "shop", "token": "dev-token"},
            connector="databricks", forms=("rows", "Arrow"), given=given, place=("main", MANAGED), quote="`", bare=bare,
            served=("Statement Execution API", "Statement Execution API"), wanted=2,
        )
