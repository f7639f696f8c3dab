#!/usr/bin/env bash
# The test double of BigQuery on a free port of loopback.
#
#   tests/doubles/bigquery/start.sh start DIR   starts it and prints its address (again: prints it)
#   tests/doubles/bigquery/start.sh stop DIR    stops it
#
# DIR remembers where it is. Its packages (requirements.txt, about 0.6 GB) are installed once, below
# EBB_CACHE (default: ~/.cache/ebb).
set -euo pipefail

usage() { sed -n '4,5s/^# *//p' "$0" >&2; exit 2; }
[ $# -eq 2 ] || usage
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${EBB_CACHE:-$HOME/.cache/ebb}
home=$2
mkdir -p "$home"

environment() { # prints the folder; a new list of packages makes a new one
  local to
  to=$cache/bigquery-double-$(sha256sum "$here/requirements.txt" | cut -c 1-12)
  if [ ! -f "$to/installed" ]; then
    rm -rf "$to"
    python3 -m venv "$to" >&2
    "$to/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt" >&2
    # DuckDB looks for its extension below its user's home, and would download it otherwise
    "$to/bin/python" - "$to/home" <<'PYTHON' >&2
import pathlib, shutil, sys, duckdb, duckdb_extension_spatial
platform = duckdb.sql("pragma platform").fetchone()[0]
version = f"v{duckdb.__version__}"
[packed] = pathlib.Path(duckdb_extension_spatial.__file__).parent.glob(f"extensions/{version}/spatial.duckdb_extension")
folder = pathlib.Path(sys.argv[1], ".duckdb", "extensions", version, platform)
folder.mkdir(parents=True)
shutil.copy(packed, folder)
PYTHON
    touch "$to/installed"
  fi
  echo "$to"
}

running() {
  [ -f "$home/bigquery.pid" ] && kill -0 "$(cat "$home/bigquery.pid")" 2>/dev/null
}

start() {
  if running; then
    cat "$home/bigquery.url"
    return
  fi
  local environment python port
  environment=$(environment)
  python=$environment/bin/python
  port=$("$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  "$python" -W ignore "$here/server.py" --port "$port" --home "$environment/home" >"$home/bigquery.log" 2>&1 9>&- &
  echo $! >"$home/bigquery.pid"
  local try
  for try in $(seq 300); do
    if "$python" -c "import socket; socket.create_connection(('127.0.0.1', $port), 1)" 2>/dev/null; then
      echo "http://127.0.0.1:$port" | tee "$home/bigquery.url"
      return
    fi
    running || break
    sleep 0.2
  done
  cat "$home/bigquery.log" >&2
  exit 1
}

stop() {
  if running; then kill "$(cat "$home/bigquery.pid")"; fi
  rm -f "$home/bigquery.pid" "$home/bigquery.url"
}

case $1 in
  start) start ;;
  stop) stop ;;
  *) usage ;;
esac
