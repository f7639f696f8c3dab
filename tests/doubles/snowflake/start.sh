#!/usr/bin/env bash
# The test double of Snowflake on a free port of loopback.
#
#   tests/doubles/snowflake/start.sh start DIR   starts it and prints its address (again: prints it)
#   tests/doubles/snowflake/start.sh stop DIR    stops it
#
# DIR remembers where it is. Its packages (requirements.txt, about 0.5 GB) are installed once, below
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
  to=$cache/snowflake-double-$(sha256sum "$here/requirements.txt" | cut -c 1-12)
  if [ ! -f "$to/installed" ]; then
    rm -rf "$to"
    python3 -m venv "$to" >&2
    "$to/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt" >&2
    touch "$to/installed"
  fi
  echo "$to"
}

running() {
  [ -f "$home/snowflake.pid" ] && kill -0 "$(cat "$home/snowflake.pid")" 2>/dev/null
}

start() {
  if running; then
    cat "$home/snowflake.url"
    return
  fi
  local python port
  python=$(environment)/bin/python
  port=$("$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  "$python" -W ignore "$here/server.py" --port "$port" >"$home/snowflake.log" 2>&1 9>&- &
  echo $! >"$home/snowflake.pid"
  local try
  for try in $(seq 300); do
    if "$python" -c "import socket; socket.create_connection(('127.0.0.1', $port), 1)" 2>/dev/null; then
      echo "http://127.0.0.1:$port" | tee "$home/snowflake.url"
      return
    fi
    running || break
    sleep 0.2
  done
  cat "$home/snowflake.log" >&2
  exit 1
}

stop() {
  if running; then kill "$(cat "$home/snowflake.pid")"; fi
  rm -f "$home/snowflake.pid" "$home/snowflake.url"
}

case $1 in
  start) start ;;
  stop) stop ;;
  *) usage ;;
esac
