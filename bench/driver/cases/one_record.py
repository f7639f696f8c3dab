"""First sync with one record a request: to a quick receiver, and to one that answers after 50 ms."""

from pathlib import Path

from .. import settings
from ..measure import Report, alternate
from ..postgres import cluster
from ..project import Project, describe
from ..receiver import receiver, replay
from .recording import record_bodies

DELAY_MS = 50
IN_FLIGHT = 50


def run(folder: Path) -> Report:
    """The case `one-record`."""
    rows = settings.rows(300_000)
    report = Report(f"First sync of {rows:,} rows, PostgreSQL → webhook, one record a request")
    took, _ = measure(folder, report, rows, settings.rounds(3), connections=16)
    report.target("Ebb", rows / took, "records/s", at_least=15_000)
    return report


def run_delayed(folder: Path) -> Report:
    """The case `delayed`."""
    rows = settings.rows(50_000)
    report = Report(f"First sync of {rows:,} rows, one record a request, answers after {DELAY_MS} ms, {IN_FLIGHT} in flight")
    took, most = measure(folder, report, rows, settings.rounds(3), "--delay-ms", DELAY_MS, connections=IN_FLIGHT)
    report.value("most requests in flight", str(most), f"{IN_FLIGHT} are allowed")
    report.value("what the delay allows", f"{IN_FLIGHT * 1000 / DELAY_MS:,.0f} requests/s")
    report.target("Ebb, start and commit included", rows / took, "requests/s", at_least=950)
    return report


def measure(folder: Path, report: Report, rows: int, rounds: int, *options, connections: int) -> tuple[float, int]:
    """Ebb and the bare replay in turns; Ebb's median and the most requests in flight."""
    with cluster(folder, rows) as warehouse:
        warehouse.settle()
        bodies = folder / "bodies"
        record_bodies(folder, warehouse, rows, bodies, batch=1)
        with receiver(*options) as target:
            project = Project(folder / "project", warehouse.source, target.url, batch=1)
            syncs, busy, counts = [], [], []

            def bare_replay() -> float:
                seconds = replay(target.port, "--bodies", bodies, "--connections", connections)
                target.expect(rows, "the replay")
                return seconds

            def ebb() -> float:
                warehouse.forget()
                project.forget()
                before = target.cpu_seconds()
                done = project.sync()
                busy.append(target.cpu_seconds() - before)
                counts.append(target.expect(rows, "the sync"))
                syncs.append(done)
                return done.seconds

            seconds = alternate(rounds, {"bare replay": bare_replay, "Ebb": ebb})
            report.times(f"bare replay of the same bodies, {connections} connections", seconds["bare replay"])
            took = report.times("Ebb, whole sync", seconds["Ebb"])
            report.times("from the first request's arrival to the last answer", [count["seconds"] for count in counts])
            report.times("processor time of the receiver meanwhile", busy)
            describe(report, syncs)
            return took, max(count["most_in_flight"] for count in counts)
