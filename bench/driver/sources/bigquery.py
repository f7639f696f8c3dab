"""BigQuery: its test double."""

import json
import urllib.request
from contextlib import contextmanager
from pathlib import Path

from . import MANAGED, Source, double, generated, post

PROJECT = "bench"


@contextmanager
def users(folder: Path, rows: int):
    """A double with a project that has so many users."""
    with double("bigquery", folder) as address:
        post(f"{address}/_double/projects", {"name": PROJECT})
        post(f"{address}/_double/run", {"project": PROJECT, "sql": generated("bigquery", rows), "dialect": "bigquery"})
        with urllib.request.urlopen(f"{address}/_double/key") as answer:
            key = json.loads(answer.read())["service_account"]
        yield Source(
            label="BigQuery's double",
            kind="bigquery",
            ebb={"endpoint": address, "project": PROJECT, "dataset": "shop", "credentials": json.dumps(key)},
            connector="bigquery", forms=("rows",), rounds=1, given={"address": address, "project": PROJECT, "key": key},
            place=(PROJECT, MANAGED), quote="`", model="select * from shop.users",
        )
