"""Start of `ebb sync` with nothing to do on a small SQLite model."""

import sqlite3
from pathlib import Path

from .. import settings
from ..measure import Report
from ..project import Project, describe
from ..receiver import receiver


def run(folder: Path) -> Report:
    """The case `start`."""
    rows, rounds = settings.rows(1_000), settings.rounds(30)
    database = folder / "shop.db"
    connection = sqlite3.connect(database)
    connection.execute("create table users (id integer primary key, email text, first_name text)")
    people = ((number, f"user{number}@example.com", f"First{number}") for number in range(rows))
    connection.executemany("insert into users values (?, ?, ?)", people)
    connection.commit()
    connection.close()
    with receiver() as target:
        source = {"kind": "sqlite", "settings": {"path": str(database)}}
        project = Project(folder / "project", source, target.url)
        project.sync()
        target.expect(rows, "the first sync")
        syncs = [project.sync() for _ in range(rounds)]
        target.expect(0, "the syncs with nothing to do")
    report = Report(f"`ebb sync` with nothing to do, SQLite model of {rows:,} rows")
    took = report.times("wall", [sync.seconds for sync in syncs])
    describe(report, syncs)
    report.target("start", took * 1000, "ms", at_most=100)
    return report
