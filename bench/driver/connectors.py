"""Vendors' own Python connectors, each in an environment of its own."""

import json
import sys
from functools import cache
from pathlib import Path

from . import settings
from .process import Run, run, say

# what is installed for each kind; none where Python brings the module
PACKAGES = {
    "postgres": ["psycopg[binary]==3.3.9", "psycopg2-binary==2.9.13"],
    # later ones ask for a newer OpenSSL than that of Debian 12
    "mysql": ["mysql-connector-python==9.7.0"],
    "sqlite": [],
    "duckdb": ["duckdb==1.5.6", "pyarrow==26.0.1"],
    "snowflake": ["snowflake-connector-python==4.8.1", "pyarrow==26.0.1"],
    "databricks": ["databricks-sql-connector[pyarrow]==4.9.0"],
    "bigquery": ["google-cloud-bigquery==3.47.0"],
    "azure": ["pymssql==2.4.6"],
}


@cache
def python(kind: str) -> Path:
    """The interpreter that has a kind's connector, which is installed first if it is not."""
    packages = PACKAGES[kind]
    if not packages:
        return Path(sys.executable)
    folder = settings.tools_folder() / "connectors" / kind
    installed = folder / "installed"
    if not installed.exists() or installed.read_text(encoding="utf-8").split() != packages:
        say(f"installing {' '.join(packages)}")
        run([sys.executable, "-m", "venv", "--clear", folder])
        run([folder / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", *packages])
        installed.write_text("\n".join(packages), encoding="utf-8")
    return folder / "bin" / "python"


def read(kind: str, form: str, given: dict) -> tuple[dict, Run]:
    """Reads a statement's rows by a connector in a process of its own; what came, and what it took."""
    done = run([python(kind), "-m", f"driver.readers.{kind}", form, json.dumps(given)])
    return json.loads(done.output.splitlines()[-1]), done
