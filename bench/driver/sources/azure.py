"""Azure SQL: its test double."""

from contextlib import contextmanager
from pathlib import Path

from . import Source, double, generated, post

DATABASE = "shop"


@contextmanager
def users(folder: Path, rows: int):
    """A double with a database that has so many users."""
    with double("azure", folder) as control:
        place = post(f"{control}/_double/databases", {"name": DATABASE, "engine": "sqlserver"})
        post(f"{control}/_double/run", {"database": DATABASE, "sql": generated("azure", rows)})
        reached = {"hostname": place["hostname"], "port": place["port"], "database": DATABASE}
        login = {"user": "sa", "password": "Passw0rd!"}
        yield Source(
            label="Azure SQL's double", kind="azure", ebb={**reached, **login, "sslrootcert": place["ca"]},
            connector="azure", forms=("rows",), rounds=3, given={**reached, **login},
        )
