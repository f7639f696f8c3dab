"""Peak memory of the process in a first sync, small and large."""

from pathlib import Path

from .. import settings
from ..measure import Report
from ..postgres import cluster
from ..process import say
from ..project import Project
from ..receiver import receiver


def run(folder: Path) -> Report:
    """The case `memory`: the table's size and a tenth of it."""
    large = settings.rows(30_000_000)
    small = large // 10
    report = Report(f"Peak memory of Ebb, first sync, PostgreSQL → webhook, arrays of 100, {small:,} and {large:,} rows")
    peaks = {}
    for rows in (small, large):
        with cluster(folder, rows) as warehouse, receiver() as target:
            warehouse.settle()
            project = Project(folder / "project", warehouse.source, target.url)
            say(f"first sync of {rows:,} rows")
            done = project.sync()
            target.expect(rows, "the sync")
            project.forget()
        peaks[rows] = done.peak_mib
        report.value(f"{rows:,} rows", f"{done.peak_mib:.0f} MiB", f"{done.seconds:.1f} s, {rows / done.seconds:,.0f} records/s")
    report.target(f"peak at {large:,} rows", peaks[large], "MiB", at_most=256)
    report.target(f"{large:,} rows / {small:,} rows", peaks[large] / peaks[small], "×", at_most=1.2)
    return report
