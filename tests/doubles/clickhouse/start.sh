#!/usr/bin/env bash
# The test double of ClickHouse on a free port of loopback.
#
#   tests/doubles/clickhouse/start.sh start DIR   starts it and prints its address (again: prints it)
#   tests/doubles/clickhouse/start.sh stop DIR    stops it
#
# DIR remembers where it is. Its packages (requirements.txt, about 0.9 GB) are installed once, below
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
  to=$cache/clickhouse-double-$(sha256sum "$here/requirements.txt" | cut -c 1-12)
  if [ ! -f "$to/installed" ]; then
    rm -rf "$to"
    python3 -m venv "$to" >&2
    "$to/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt" >&2
    touch "$to/installed"
  fi
  echo "$to"
}

running() {
  [ -f "$home/clickhouse.pid" ] && kill -0 "$(cat "$home/clickhouse.pid")" 2>/dev/null
}

start() {
  if running; then
    cat "$home/clickhouse.url"
    return
  fi
  local python port
  python=$(environment)/bin/python
  port=$("$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  # in memory where there is such a folder: a table is a handful of files
  local data
  if [ -w /dev/shm ]; then data=$(mktemp -d /dev/shm/ebb-clickhouse.XXXXXX); else data=$(mktemp -d); fi
  echo "$data" >"$home/clickhouse.data"
  "$python" "$here/server.py" --port "$port" --data-dir "$data" >"$home/clickhouse.log" 2>&1 9>&- &
  echo $! >"$home/clickhouse.pid"
  local try
  for try in $(seq 300); do
    if "$python" -c "import socket; socket.create_connection(('127.0.0.1', $port), 1)" 2>/dev/null; then
      echo "http://127.0.0.1:$port" | tee "$home/clickhouse.url"
      return
    fi
    running || break
    sleep 0.2
  done
  cat "$home/clickhouse.log" >&2
  exit 1
}

stop() {
  if running; then kill "$(cat "$home/clickhouse.pid")"; fi
  if [ -f "$home/clickhouse.data" ]; then rm -rf "$(cat "$home/clickhouse.data")"; fi
  rm -f "$home"/clickhouse.{pid,url,data}
}

case $1 in
  start) start ;;
  stop) stop ;;
  *) usage ;;
esac
