"""Programs run to their end, with what they took."""

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path


class Failed(Exception):
    """A step of a benchmark did not do what it should; its message is for people."""


@dataclass(frozen=True)
class Run:
    """What a finished program took, and what it said on standard output."""

    seconds: float
    cpu_seconds: float
    peak_mib: float
    output: str


def say(line: str) -> None:
    """A line about progress, to standard error; standard output holds the results alone."""
    print(line, file=sys.stderr, flush=True)


def text_of(file) -> str:
    """All that was written to a temporary file."""
    file.seek(0)
    return file.read().decode(errors="replace")


def run(command: list, *, env: dict | None = None, cwd: Path | None = None) -> Run:
    """Runs a program; `Failed` with the end of what it said unless its exit code is 0."""
    command = [str(part) for part in command]
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
        start = time.perf_counter()
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=errors, cwd=cwd,
            env={**os.environ, **(env or {})},
        )
        try:
            _, status, usage = os.wait4(child.pid, 0)
        except BaseException:
            child.kill()
            child.wait()
            raise
        seconds = time.perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        output, complaint = (text_of(file) for file in (out, errors))
    if child.returncode != 0:
        raise Failed(f"`{' '.join(command)}` ended with {child.returncode}:\n{output[-4000:]}{complaint[-4000:]}")
    return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, output)
