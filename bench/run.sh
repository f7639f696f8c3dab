#!/usr/bin/env bash
# One case of the benchmarks, or all: builds what it needs, makes its own data, measures, cleans up.
# `bench/run.sh` alone lists the cases; bench/README.md says how to read them.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
command -v python3 >/dev/null || { echo "bench/run.sh needs python3 (3.11 or newer)" >&2; exit 2; }
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$here exec python3 -m driver "$@"
