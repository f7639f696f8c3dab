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


def named(name: str) -> list[str]:
    """The cases of a name: the one that is called so, all whose name begins so, or all there are."""
    return [case for case in CASES if name in ("all", case) or case.startswith(f"{name}-")]


def main(arguments: list[str]) -> int:
    """Runs the named cases; the exit code is 0 unless one of them could not be run."""
    found = {name: named(name) for name in arguments}
    names = [case for cases in found.values() for case in cases]
    unknown = [name for name, cases in found.items() if not cases]
    if not names or unknown:
        wrong = f"no such case: {', '.join(unknown)}\n" if unknown else ""
        print(f"{wrong}usage: bench/run.sh all | CASE… | BEGINNING…\ncases: {', '.join(CASES)}", file=sys.stderr)
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
