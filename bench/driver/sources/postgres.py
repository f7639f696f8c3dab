"""PostgreSQL: the cluster of the other cases."""

from contextlib import contextmanager
from pathlib import Path

from ..postgres import cluster
from . import Source


@contextmanager
def users(folder: Path, rows: int):
    """A cluster with so many users."""
    with cluster(folder, rows) as warehouse:
        warehouse.settle()
        url = warehouse.source["settings"]["url"]
        yield Source(
            label="PostgreSQL",
            kind="postgres",
            ebb={"url": url},
            connector="postgres",
            forms=("psycopg 3", "psycopg2"),
            given={"url": url},
            bare=lambda statement: {
                "COPY by psql": ["psql", "-X", "-q", "-d", url, "-c", f"\\copy ({statement}) to '/dev/null' (format binary)"]
            },
            wanted=2,
        )
