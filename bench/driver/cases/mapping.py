"""The mapping alone, by the crate's own example."""

import re
import statistics
from pathlib import Path

from .. import settings
from ..build import cargo
from ..measure import Report
from ..process import Failed, run as execute

ARGUMENTS = ["run", "--release", "--quiet", "-p", "ebb-mapping", "--example", "throughput"]


def run(_folder: Path) -> Report:
    """The case `mapping`: 12 fields, a nested object and a template; the example prints its rate."""
    cargo(["build", *ARGUMENTS[1:]])
    report = Report("Mapping alone: 12 fields, nested object and one template, one core")
    rates = []
    for turn in range(settings.rounds(3)):
        said = execute(["cargo", *ARGUMENTS], cwd=settings.ROOT).output
        rate = re.search(r"(\d+) records/s", said)
        if not rate:
            raise Failed(f"the example told no rate: {said}")
        rates.append(int(rate.group(1)))
        report.value(f"run {turn + 1}", f"{rates[-1]:,} records/s")
    report.target("mapping", statistics.median(rates), "records/s", at_least=1_000_000)
    return report
