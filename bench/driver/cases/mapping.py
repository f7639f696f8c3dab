"""The mapping alone, by the crate's own example."""

from pathlib import Path

from .. import settings
from ..build import cargo
from ..measure import Report
from ..process import run as execute

ARGUMENTS = ["run", "--release", "--quiet", "-p", "ebb-mapping", "--example", "throughput"]


def run(_folder: Path) -> Report:
    """The case `mapping`: 12 fields, a nested object and a template; the example prints its rate."""
    cargo(["build", *ARGUMENTS[1:]])
    report = Report("Mapping alone: 12 fields, nested object and one template (target at least 1,000,000 records/s a core)")
    for turn in range(settings.rounds(3)):
        said = " · ".join(execute(["cargo", *ARGUMENTS], cwd=settings.ROOT).output.split("\n")).strip(" ·")
        report.value(f"run {turn + 1}", said)
    return report
