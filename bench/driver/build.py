"""The programs under test, built in release mode."""

import json
import os
import platform
import shutil
import subprocess
from functools import cache
from pathlib import Path

from . import settings
from .process import Failed, run, say

DUCKDB = "1.5.6"


def cargo(arguments: list, env: dict | None = None) -> None:
    """Runs cargo in the workspace, its progress on the terminal."""
    say(f"cargo {' '.join(arguments)}")
    done = subprocess.run(["cargo", *arguments], cwd=settings.ROOT, env={**os.environ, **(env or {})}, check=False)
    if done.returncode != 0:
        raise Failed(f"`cargo {' '.join(arguments)}` failed")


@cache
def target() -> Path:
    """Where cargo puts what it builds."""
    found = run(["cargo", "metadata", "--no-deps", "--format-version", "1", "--quiet"], cwd=settings.ROOT)
    return Path(json.loads(found.output)["target_directory"])


@cache
def tools() -> Path:
    """The receiver, the replay loop and the bare reader."""
    cargo(["build", "--release", "--quiet", "-p", "ebb-bench"])
    return kept("measured", "ebb-bench")


def kept(name: str, program: str = "ebb") -> Path:
    """A program as just built, in a folder of its own, so that no other build replaces it while it is measured."""
    folder = target() / "release" / name
    folder.mkdir(exist_ok=True)
    return Path(shutil.copy2(target() / "release" / program, folder / program))


@cache
def ebb() -> Path:
    """Ebb with its default features; `EBB_BENCH_EBB` names another binary."""
    if given := os.environ.get("EBB_BENCH_EBB"):
        return Path(given)
    cargo(["build", "--release", "--quiet", "-p", "ebb"])
    return kept("measured")


@cache
def duckdb_library() -> Path:
    """The folder of DuckDB's shared library: `DUCKDB_LIB_DIR`, or fetched by npm."""
    if given := os.environ.get("DUCKDB_LIB_DIR"):
        return Path(given)
    machine = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    package = f"@duckdb/node-bindings-linux-{machine}"
    folder = settings.tools_folder() / "duckdb"
    library = folder / "node_modules" / package
    if not library.exists():
        folder.mkdir(parents=True, exist_ok=True)
        run(["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", folder, f"{package}@{DUCKDB}-r.1"])
    return library


@cache
def ebb_with_duckdb() -> tuple[Path, dict]:
    """Ebb with the `duckdb` feature, linked to the prebuilt library, and the environment it needs."""
    library = duckdb_library()
    env = {"DUCKDB_LIB_DIR": str(library), "LD_LIBRARY_PATH": str(library)}
    if given := os.environ.get("EBB_BENCH_EBB"):
        return Path(given), env
    cargo(["build", "--release", "--quiet", "-p", "ebb", "--features", "duckdb"], env)
    return kept("measured-duckdb"), env


@cache
def tools_with_duckdb() -> tuple[Path, dict]:
    """The tools with DuckDB, linked to the prebuilt library, and the environment they need."""
    library = duckdb_library()
    env = {"DUCKDB_LIB_DIR": str(library), "LD_LIBRARY_PATH": str(library)}
    cargo(["build", "--release", "--quiet", "-p", "ebb-bench", "--features", "ebb-warehouse/duckdb"], env)
    return kept("measured-duckdb", "ebb-bench"), env


@cache
def duckdb_client() -> Path:
    """DuckDB's own command line, of the version that Ebb links."""
    folder = settings.tools_folder() / "duckdb-cli"
    if not (folder / "bin" / "duckdb").exists():
        run(["python3", "-m", "venv", folder])
        run([folder / "bin" / "pip", "install", "--quiet", f"duckdb-cli=={DUCKDB}"])
    return folder / "bin" / "duckdb"
