"""Where the time of a first sync goes, by `perf` over the whole machine."""

import shutil
from pathlib import Path

from .. import build, settings
from ..measure import Report
from ..postgres import cluster
from ..process import Failed, run as execute
from ..project import Project, describe
from ..receiver import receiver

FUNCTIONS = 25


def run(folder: Path) -> Report:
    """The case `profile`: the first sync in arrays of 100, once."""
    if not shutil.which("perf"):
        raise Failed("`perf` is not installed")
    rows = settings.rows(1_000_000)
    report = Report(f"Profile of a first sync of {rows:,} rows, PostgreSQL → webhook, arrays of 100")
    with cluster(folder, rows) as warehouse, receiver() as target:
        warehouse.settle()
        build.ebb()
        project = Project(folder / "project", warehouse.source, target.url)
        recording = folder / "perf.data"
        done = project.sync(under=("perf", "record", "-a", "-q", "-F", "499", "-o", recording, "--"))
        target.expect(rows, "the sync")
        report.times("whole sync, under perf", [done.seconds])
        describe(report, [done])
        for share, program, place in samples(recording, "comm,dso", 12):
            report.value(f"samples in `{program}`", share, place)
        for share, function, _ in samples(recording, "sym", FUNCTIONS, "--dsos", build.ebb().name):
            report.value(f"Ebb: `{function}`", share)
    return report


def samples(recording: Path, sort: str, most: int, *filters) -> list[tuple[str, str, str]]:
    """The largest shares of a recording: percentage and one or two names."""
    report = ["perf", "report", "-i", recording, "--stdio", "-q", "--no-children", "--field-separator", "\t"]
    lines = execute([*report, "--sort", sort, *filters]).output.splitlines()
    rows = [[part.strip() for part in line.split("\t")] for line in lines if "%" in line or "\t" in line]
    return [(f"{row[0].rstrip('%')} %", row[1], row[2] if len(row) > 2 else "") for row in rows[:most]]
