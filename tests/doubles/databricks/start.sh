#!/usr/bin/env bash
# The test double of Databricks on a free port of loopback. It needs Java 17 or newer.
#
#   tests/doubles/databricks/start.sh begin DIR   begins to start it and does not wait: it takes a while
#   tests/doubles/databricks/start.sh start DIR   starts it and prints its address (again: prints it)
#   tests/doubles/databricks/start.sh stop DIR    stops it
#
# DIR remembers where it is. Its packages (requirements.txt, about 0.7 GB) are installed once, below
# EBB_CACHE (default: ~/.cache/ebb).
set -euo pipefail

usage() { sed -n '4,6s/^# *//p' "$0" >&2; exit 2; }
[ $# -eq 2 ] || usage
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${EBB_CACHE:-$HOME/.cache/ebb}
home=$2
mkdir -p "$home"

environment() { # prints the folder; a new list of packages makes a new one
  local to
  to=$cache/databricks-double-$(sha256sum "$here/requirements.txt" | cut -c 1-12)
  if [ ! -f "$to/installed" ]; then
    rm -rf "$to"
    python3 -m venv "$to" >&2
    "$to/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt" >&2
    touch "$to/installed"
  fi
  echo "$to"
}

running() {
  [ -f "$home/databricks.pid" ] && kill -0 "$(cat "$home/databricks.pid")" 2>/dev/null
}

begin() {
  ! running || return 0
  local python port data
  python=$(environment)/bin/python
  port=$("$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  # in memory where there is such a folder: a table is a handful of files
  if [ -w /dev/shm ]; then data=$(mktemp -d /dev/shm/ebb-databricks.XXXXXX); else data=$(mktemp -d); fi
  echo "$data" >"$home/databricks.data"
  "$python" "$here/server.py" --port "$port" --data-dir "$data" >"$home/databricks.log" 2>&1 9>&- &
  echo $! >"$home/databricks.pid"
  echo "http://127.0.0.1:$port" >"$home/databricks.url"
}

start() {
  begin
  local url try
  url=$(cat "$home/databricks.url")
  for try in $(seq 600); do
    if python3 -c "import urllib.request; urllib.request.urlopen('$url/_double/health', timeout=5)" 2>/dev/null; then
      echo "$url"
      return
    fi
    running || break
    sleep 0.2
  done
  cat "$home/databricks.log" >&2
  exit 1
}

stop() {
  if running; then kill "$(cat "$home/databricks.pid")"; fi
  if [ -f "$home/databricks.data" ]; then rm -rf "$(cat "$home/databricks.data")"; fi
  rm -f "$home"/databricks.{pid,url,data}
}

case $1 in
  begin) begin ;;
  start) start ;;
  stop) stop ;;
  *) usage ;;
esac
