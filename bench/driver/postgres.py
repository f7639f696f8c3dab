"""A private PostgreSQL cluster on loopback, set up as in the figures that Ebb is compared with."""

import os
import shutil
import socket
from contextlib import contextmanager
from pathlib import Path

from . import settings
from .process import Failed, Run, run, say

CONFIGURATION = """
listen_addresses = '127.0.0.1'
shared_buffers = 1GB
work_mem = 512MB
maintenance_work_mem = 512MB
wal_level = minimal
max_wal_senders = 0
max_parallel_workers_per_gather = 2
# no surprise in the middle of a measurement; every table is vacuumed before it is measured
autovacuum = off
"""


def free_port(wanted: int = 0) -> int:
    """A free port on loopback; `Failed` if the wanted one is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError as error:
            raise Failed(f"port {wanted} is taken: {error}") from error
        return probe.getsockname()[1]


def programs() -> Path:
    """Where the server's programs are: the newest version installed, or on the path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    on_path = shutil.which("initdb")
    if not found and not on_path:
        raise Failed("PostgreSQL is not installed: no `initdb` found")
    return found[-1].parent if found else Path(on_path).parent


class Postgres:
    """A running cluster with a database `wh` that has the table `users` and the schema `bare`."""

    kind = "postgres"
    label = "PostgreSQL"

    def __init__(self, port: int):
        self.port = port
        self.source = {"kind": "postgres", "settings": {"url": f"postgres://postgres@127.0.0.1:{port}/wh"}}

    def psql(self, *arguments, database: str = "wh") -> Run:
        """Runs psql, which stops at the first error."""
        return run(["psql", "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", self.port,
                    "-U", "postgres", "-d", database, *arguments])

    def script(self, name: str, **variables) -> Run:
        """Runs a file of `bench/sql/postgres`."""
        given = [part for name_, value in variables.items() for part in ("-v", f"{name_}={value}")]
        return self.psql(*given, "-f", settings.SQL / "postgres" / f"{name}.sql")

    def execute(self, statement: str) -> str:
        """Runs one statement; its rows, with `|` between the columns."""
        return self.psql("-c", statement).output.strip()

    def settle(self) -> None:
        """Vacuums everything and writes it out, so that no measurement pays for another."""
        self.execute("vacuum analyze")
        self.execute("checkpoint")

    def forget(self) -> None:
        """Drops all that Ebb keeps in the warehouse."""
        self.execute('set client_min_messages = warning; drop schema if exists "__segment_reverse_etl" cascade')

    def drop_changes(self) -> None:
        """Drops what the bare diff wrote."""
        self.execute("set client_min_messages = warning; drop table if exists bare.changes")

    def changes(self) -> dict[int, int]:
        """How many changes the bare diff wrote, by operation: 0 added, 1 updated, 2 deleted."""
        found = self.execute("select op, count(*) from bare.changes group by op")
        return {int(op): int(count) for op, count in (line.split("|") for line in found.splitlines())}


@contextmanager
def cluster(folder: Path, rows: int, port: int = 0):
    """Makes a cluster with `rows` users; stops and removes it in the end."""
    port = free_port(port)
    home = folder / "postgres"
    home.mkdir()
    as_owner = []
    if os.geteuid() == 0:
        # the server refuses to run as root
        shutil.chown(home, "postgres")
        as_owner = ["runuser", "-u", "postgres", "--"]
    control = [*as_owner, programs() / "pg_ctl", "-D", home / "data", "-w", "-s", "-l", home / "log"]
    run([*as_owner, programs() / "initdb", "-D", home / "data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"])
    with open(home / "data" / "postgresql.conf", "a", encoding="utf-8") as configuration:
        configuration.write(f"{CONFIGURATION}port = {port}\nunix_socket_directories = '{home}'\n")
    try:
        run([*control, "start"])
        warehouse = Postgres(port)
        warehouse.psql("-c", "create database wh", database="postgres")
        say(f"PostgreSQL: generating {rows:,} rows")
        warehouse.script("generate", rows=rows)
        yield warehouse
    finally:
        if (home / "data" / "postmaster.pid").exists():
            run([*control, "-m", "immediate", "stop"])
        shutil.rmtree(home, ignore_errors=True)
