"""`python3 -m driver CASE…`: runs cases and prints what they found as Markdown."""

import os
import platform
import signal
import sys
import tempfile
from pathlib import Path

from . import settings
from .cases import CASES
from .process import Failed, say


def machine() -> str:
    """The machine in one line."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    load = " ".join(f"{value:.2f}" for value in os.getloadavg())
    return f"{os.cpu_count()} cores ({model}), {memory:.0f} GiB, {platform.system()} {platform.release()}, load before {load}"


def stop(*_) -> None:
    """Leaves by the `finally` blocks, which stop clusters and receivers."""
    sys.exit(130)


def main(arguments: list[str]) -> int:
    """Runs the named cases; the exit code is 0 unless one of them could not be run."""
    names = list(CASES) if arguments == ["all"] else arguments
    unknown = [name for name in names if name not in CASES]
    if not names or unknown:
        wrong = f"no such case: {', '.join(unknown)}\n" if unknown else ""
        print(f"{wrong}usage: bench/run.sh all | CASE…\ncases: {', '.join(CASES)}", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    failed = 0
    for name in names:
        say(f"== {name}")
        where = machine()
        with tempfile.TemporaryDirectory(prefix="ebb-bench-", dir=settings.work_folder()) as folder:
            # the database server runs as another user and must reach its folder
            Path(folder).chmod(0o755)
            try:
                print(CASES[name](Path(folder)).show(), f"\n{where}\n", sep="", flush=True)
            except Failed as failure:
                say(f"{name} could not be measured: {failure}")
                failed += 1
    return 1 if failed else 0


sys.exit(main(sys.argv[1:]))
