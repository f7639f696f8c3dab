"""What a user would run instead, on the same rows and the same receiver."""

import os
import statistics
import sys
from pathlib import Path

from . import settings
from .measure import Report
from .postgres import free_port
from .process import Failed, Run, run, say
from .receiver import Receiver

# the peers' scripts know these ports of the database and of the receiver
PORTS = (5599, 5598)
ABSENT = (
    "drt and dlt were left out: switched off, their ports taken, or no scripts at `EBB_BENCH_PEERS` "
    "(by default `shared/peers` beside this repository)"
)

# name, its folder's environment under `PEERS`, what it is run with
PEERS = [
    ("drt", "vd", ["run", "full_batch"]),
    ("dlt", "v", ["run", "--full", "--backend", "pyarrow", "--rotate", "50000"]),
]


def found() -> bool:
    """Whether the peers' scripts are wanted, there, and have their ports."""
    there = settings.peer_rounds() > 0 and (settings.peers_folder() / "drt" / "run.sh").exists()
    try:
        for port in PORTS if there else ():
            free_port(port)
    except Failed as failure:
        say(str(failure))
        there = False
    if not there:
        say(ABSENT)
    return there


def compare(report: Report, target: Receiver, rows: int, rate: float) -> None:
    """Runs each peer and adds its figures, and Ebb's distance to the quickest."""
    rates = []
    for name, environment, arguments in PEERS:
        try:
            seconds, records, done = measure(name, environment, arguments, target)
        except Failed as failure:
            say(f"{name} could not be measured: {failure}")
            report.note(f"{name} could not be measured here")
            continue
        took = report.times(f"{name}, {' '.join(arguments[1:])}", seconds)
        report.value(f"{name}, records/s and peak memory", f"{rows / took:,.0f} records/s", f"{done.peak_mib:.0f} MiB")
        if records != rows:
            report.note(f"{name} delivered {records:,} of {rows:,} records")
        rates.append(rows / took)
    if rates:
        report.target("Ebb / the quicker of the peers", rate / max(rates), "×", at_least=5)


def measure(name: str, environment: str, arguments: list, target: Receiver) -> tuple[list[float], int, Run]:
    """Runs one peer, installed first if it is not; its times, the records that arrived, its last run."""
    script = settings.peers_folder() / name / "run.sh"
    folder = settings.tools_folder() / "peers"
    folder.mkdir(exist_ok=True)
    # the scripts set a HOME of their own, where a Python chosen by HOME would not be found
    env = {"PEERS": str(folder), "PATH": f"{Path(sys.executable).resolve().parent}:{os.environ['PATH']}"}
    if not (folder / environment / "installed").exists():
        say(f"installing {name}")
        run([script, "install"], env=env)
        (folder / environment / "installed").touch()
    seconds, records = [], []
    for _ in range(settings.peer_rounds()):
        target.reset()
        done = run([script, *arguments], env=env)
        say(f"  {name} {done.seconds:.3f} s")
        seconds.append(done.seconds)
        records.append(target.stats()["records"])
    target.reset()
    return seconds, int(statistics.median(records)), done
