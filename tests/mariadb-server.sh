#!/usr/bin/env bash
# A private MariaDB server for the tests: its own folder, a free port on loopback, TLS on, passwords
# for everybody. Durability is off: it is thrown away.
#
#   tests/mariadb-server.sh start DIR   makes it and prints the administrator's URL (again: prints it)
#   tests/mariadb-server.sh url DIR     prints the URL
#   tests/mariadb-server.sh stop DIR    stops and removes it
#
# DIR remembers where the server is. It lies in the system's folder for temporary files, because the
# server's user must reach it. The URL names the authority of the server's certificate.
set -euo pipefail

usage() { sed -n '5,7s/^# *//p' "$0" >&2; exit 2; }
[ $# -eq 2 ] || usage
mkdir -p "$2"
pointer=$2/mariadb.home
home=$(cat "$pointer" 2>/dev/null || true)

# The server refuses to run as root.
user=$(id -un)
[ "$(id -u)" -ne 0 ] || user=mysql
server=$(command -v mariadbd || echo /usr/sbin/mariadbd)

certify() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$home/ca.key" \
    -out "$home/ca.crt" -days 2 -subj "/CN=Ebb test authority" 2>/dev/null
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$home/server.key" \
    -out "$home/server.csr" -subj "/CN=localhost" 2>/dev/null
  openssl x509 -req -in "$home/server.csr" -CA "$home/ca.crt" -CAkey "$home/ca.key" -CAcreateserial \
    -days 2 -out "$home/server.crt" \
    -extfile <(printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\n') 2>/dev/null
}

running() { [ -f "$home/server.pid" ] && kill -0 "$(cat "$home/server.pid")" 2>/dev/null; }

answers() { # whether the server takes the administrator's password
  mariadb --no-defaults --socket="$home/server.sock" --user=root --password="$1" \
    --execute='select 1' >/dev/null 2>&1
}

launch() { # PORT
  # a session of its own, so that what stops the caller does not stop the server half-way
  setsid "$server" --no-defaults --user="$user" --datadir="$home/data" --port="$1" \
    --bind-address=127.0.0.1 --socket="$home/server.sock" --pid-file="$home/server.pid" \
    --init-file="$home/init.sql" --skip-name-resolve \
    --log-bin="$home/data/binlog" --binlog-format=MIXED --log-bin-trust-function-creators=1 \
    --ssl-ca="$home/ca.crt" --ssl-cert="$home/server.crt" --ssl-key="$home/server.key" \
    --max-connections=300 --innodb-buffer-pool-size=256M --innodb-flush-log-at-trx-commit=0 \
    --innodb-doublewrite=0 >"$home/server.log" 2>&1 </dev/null &
}

start() {
  if running; then
    cat "$home/url"
    return
  fi
  stop
  home=$(mktemp -d "${TMPDIR:-/tmp}/ebb-mariadb.XXXXXX")
  echo "$home" >"$pointer"
  local password port try
  password=$(openssl rand -hex 12)
  certify
  cat >"$home/init.sql" <<SQL
create or replace user root@localhost identified by '$password';
grant all on *.* to root@localhost with grant option;
create or replace user root@'127.0.0.1' identified by '$password';
grant all on *.* to root@'127.0.0.1' with grant option;
SQL
  chmod 755 "$home"
  if [ "$(id -u)" -eq 0 ]; then chown -R "$user" "$home"; fi
  mariadb-install-db --no-defaults --datadir="$home/data" --user="$user" --skip-test-db \
    --auth-root-authentication-method=normal >"$home/install.log" 2>&1

  for try in 1 2 3 4 5 6 7 8 9 10; do
    port=$((20000 + RANDOM % 40000))
    launch "$port"
    local pid=$! waited=0
    while kill -0 "$pid" 2>/dev/null && [ "$waited" -lt 300 ]; do
      if answers "$password"; then
        echo "mysql://root:$password@127.0.0.1:$port/?sslrootcert=$home/ca.crt" >"$home/url"
        cat "$home/url"
        return
      fi
      sleep 0.1
      waited=$((waited + 1))
    done
    kill "$pid" 2>/dev/null || true
  done
  cat "$home/server.log" >&2
  exit 1
}

stop() {
  [ -n "$home" ] || return 0
  if running; then
    local pid
    pid=$(cat "$home/server.pid")
    kill -KILL "$pid" 2>/dev/null || true
    while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
  fi
  rm -rf "$home"
  rm -f "$pointer"
}

case $1 in
  start) start ;;
  url) cat "$home/url" ;;
  stop) stop ;;
  *) usage ;;
esac
