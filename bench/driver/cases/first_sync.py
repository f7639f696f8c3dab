"""First sync, PostgreSQL to webhook, arrays of 100: beside its parts alone and beside the peers."""

from pathlib import Path

from .. import peers, settings
from ..measure import Report, alternate
from ..postgres import cluster
from ..project import Project, describe
from ..receiver import receiver, replay
from .recording import record_bodies

BATCH = 100


def run(folder: Path) -> Report:
    """The case `first-sync-1m`."""
    rows, rounds = settings.rows(1_000_000), settings.rounds(5)
    found = peers.found()
    database_port, receiver_port = peers.PORTS if found else (0, 0)
    report = Report(f"First sync of {rows:,} rows, PostgreSQL → webhook, arrays of {BATCH}")
    with cluster(folder, rows, database_port) as warehouse:
        warehouse.settle()
        bodies = folder / "bodies"
        stats = record_bodies(folder, warehouse, rows, bodies, batch=BATCH)
        report.value("request bodies", f"{stats['bytes'] / 1e6:,.0f} MB", f"{stats['requests']:,} requests, {rows / stats['requests']:.1f} records each")
        with receiver(port=receiver_port) as target:
            project = Project(folder / "project", warehouse.source, target.url, batch=BATCH)
            copied, syncs, busy = [], [], []

            def bare_extract() -> float:
                warehouse.drop_changes()
                diff, copy = warehouse.script("diff"), warehouse.script("copy")
                copied.append(copy.seconds)
                return diff.seconds + copy.seconds

            def bare_replay() -> float:
                seconds = replay(target.port, "--bodies", bodies, "--connections", 8)
                target.expect(rows, "the replay")
                return seconds

            def ebb() -> float:
                warehouse.forget()
                project.forget()
                before = target.cpu_seconds()
                done = project.sync()
                busy.append(target.cpu_seconds() - before)
                target.expect(rows, "the sync")
                syncs.append(done)
                return done.seconds

            seconds = alternate(rounds, {"bare diff and COPY": bare_extract, "bare replay": bare_replay, "Ebb": ebb})
            warehouse.drop_changes()
            extract = report.times("bare diff statement + COPY, psql", seconds["bare diff and COPY"])
            report.times("of which COPY", copied)
            replayed = report.times("bare replay of the same bodies, 8 connections", seconds["bare replay"])
            took = report.times("Ebb, whole sync", seconds["Ebb"])
            report.times("processor time of the receiver meanwhile", busy)
            describe(report, syncs)
            report.target("Ebb / the longest part alone", took / max(extract, replayed), "×", at_most=1.5)
            report.target("Ebb", rows / took, "records/s", at_least=100_000)
            if found:
                peers.compare(report, target, rows, rows / took)
            else:
                report.note(peers.ABSENT)
    return report
