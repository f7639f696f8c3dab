#!/usr/bin/env bash
# The test double of Azure SQL on free ports of loopback.
#
#   tests/doubles/azure/start.sh start DIR   starts it and prints the address of its control (again: prints it)
#   tests/doubles/azure/start.sh stop DIR    stops it
#   tests/doubles/azure/start.sh syntax SNAPSHOT...   reads reviewed statements by Microsoft's parser alone
#
# DIR remembers where it is, and has its certificate. Its packages (requirements.txt) and the parser (two wheels,
# 0.2 GB unpacked) are installed once, below EBB_CACHE (default: ~/.cache/ebb).
set -euo pipefail

usage() { sed -n '4,6s/^# *//p' "$0" >&2; exit 2; }
[ $# -ge 2 ] || usage
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${EBB_CACHE:-$HOME/.cache/ebb}

environment() { # prints the folder; a new list of packages makes a new one
  local to
  to=$cache/azure-double-$(cat "$here/requirements.txt" "$here/start.sh" | sha256sum | cut -c 1-12)
  if [ ! -f "$to/installed" ]; then
    rm -rf "$to"
    python3 -m venv "$to" >&2
    "$to/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt" >&2
    # nothing of these two is run as Python: the parser lies in one, the OpenSSL that it wants in the other
    "$to/bin/pip" download --quiet --disable-pip-version-check --no-deps --only-binary :all: --dest "$to/parser" \
      --python-version 3.11 mssql-cli==1.0.0 psycopg2-binary==2.9.5 >&2
    touch "$to/installed"
  fi
  echo "$to"
}

running() {
  [ -f "$home/azure.pid" ] && kill -0 "$(cat "$home/azure.pid")" 2>/dev/null
}

certificate() {
  [ ! -f "$home/azure.pem" ] || return 0
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost -addext basicConstraints=critical,CA:FALSE -keyout "$home/azure.key" -out "$home/azure.pem" 2>/dev/null
}

start() {
  home=$1
  mkdir -p "$home"
  if running; then
    cat "$home/azure.url"
    return
  fi
  local folder python port control
  folder=$(environment)
  python=$folder/bin/python
  certificate
  read -r port control < <("$python" -c '
import socket
held = [socket.socket() for _ in range(2)]
[it.bind(("127.0.0.1", 0)) for it in held]
print(*[it.getsockname()[1] for it in held])')
  "$python" "$here/server.py" --port "$port" --control "$control" --parser "$folder/parser" \
    --tls "$home/azure.pem" "$home/azure.key" >"$home/azure.log" 2>&1 9>&- &
  echo $! >"$home/azure.pid"
  local try
  for try in $(seq 300); do
    if "$python" -c "import socket; socket.create_connection(('127.0.0.1', $port), 1)" 2>/dev/null; then
      echo "http://127.0.0.1:$control" | tee "$home/azure.url"
      return
    fi
    running || break
    sleep 0.2
  done
  cat "$home/azure.log" >&2
  exit 1
}

stop() {
  home=$1
  if running; then kill "$(cat "$home/azure.pid")"; fi
  rm -f "$home/azure.pid" "$home/azure.url"
}

syntax() {
  local folder
  folder=$(environment)
  "$folder/bin/python" "$here/parser.py" "$folder/parser" "$@"
}

case $1 in
  start) start "$2" ;;
  stop) stop "$2" ;;
  syntax) shift; syntax "$@" ;;
  *) usage ;;
esac
