"""What a person may set, all by environment variables."""

import os
from pathlib import Path

BENCH = Path(__file__).resolve().parent.parent
ROOT = BENCH.parent
SQL = BENCH / "sql"


def rows(default: int) -> int:
    """Rows of the case's table: `EBB_BENCH_ROWS`, for quick trials."""
    return int(os.environ.get("EBB_BENCH_ROWS", default))


def rounds(default: int) -> int:
    """How often each side of a case is measured: `EBB_BENCH_ROUNDS`."""
    return int(os.environ.get("EBB_BENCH_ROUNDS", default))


def peer_rounds() -> int:
    """How often each peer is measured: `EBB_BENCH_PEER_ROUNDS`; 0 leaves them out."""
    return int(os.environ.get("EBB_BENCH_PEER_ROUNDS", 1))


def peers_folder() -> Path:
    """The peers' scripts: `EBB_BENCH_PEERS`, by default `shared/peers` beside this repository."""
    return Path(os.environ.get("EBB_BENCH_PEERS", ROOT.parent / "shared" / "peers"))


def tools_folder() -> Path:
    """Downloaded tools, kept from run to run: `EBB_BENCH_TOOLS`."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    folder = Path(os.environ.get("EBB_BENCH_TOOLS", cache / "ebb-bench"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def work_folder() -> str | None:
    """Where clusters and projects lie while a case runs: `EBB_BENCH_DIR`; none is the system's own."""
    folder = os.environ.get("EBB_BENCH_DIR")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
    return folder
