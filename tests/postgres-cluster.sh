#!/usr/bin/env bash
# A private PostgreSQL cluster for the tests: its own folder, a free port on loopback, TLS on, SCRAM
# for everybody. Durability is off: it is thrown away.
#
#   tests/postgres-cluster.sh start DIR   makes it and prints the superuser's URL (again: prints it)
#   tests/postgres-cluster.sh url DIR     prints the URL
#   tests/postgres-cluster.sh stop DIR    stops and removes it
#
# DIR remembers where the cluster is. It lies in the system's folder for temporary files, because
# the server's user must reach it. Its data folder holds ca.crt (the authority of the server's
# certificate), client.crt and client.key (a certificate of the user `ebb_certificate`), so that a
# test can read them by pg_read_file.
set -euo pipefail

usage() { sed -n '5,7s/^# *//p' "$0" >&2; exit 2; }
[ $# -eq 2 ] || usage
mkdir -p "$2"
pointer=$2/postgres.home
home=$(cat "$pointer" 2>/dev/null || true)
data=$home/data

bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1 || true)
[ -n "$bin" ] || bin=$(pg_config --bindir)

# The server refuses to run as root.
as_owner() {
  if [ "$(id -u)" -eq 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi
}

certificate() { # NAME SUBJECT SUBJECT_ALTERNATIVE_NAME
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$data/$1.key" \
    -out "$home/$1.csr" -subj "/CN=$2" 2>/dev/null
  openssl x509 -req -in "$home/$1.csr" -CA "$data/ca.crt" -CAkey "$home/ca.key" -CAcreateserial \
    -days 2 -out "$data/$1.crt" -extfile <(printf 'subjectAltName=%s\n' "$3") 2>/dev/null
}

start() {
  if [ -f "$home/url" ] && as_owner "$bin/pg_ctl" -D "$data" status >/dev/null 2>&1; then
    cat "$home/url"
    return
  fi
  stop
  home=$(mktemp -d "${TMPDIR:-/tmp}/ebb-postgres.XXXXXX")
  data=$home/data
  echo "$home" >"$pointer"
  local password port
  password=$(openssl rand -hex 12)
  printf '%s\n' "$password" >"$home/password"
  if [ "$(id -u)" -eq 0 ]; then chown -R postgres "$home"; fi
  as_owner "$bin/initdb" -D "$data" -U postgres -A scram-sha-256 --pwfile="$home/password" \
    -E UTF8 --locale=C.UTF-8 --no-sync >"$home/initdb.log"

  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$home/ca.key" \
    -out "$data/ca.crt" -days 2 -subj "/CN=Ebb test authority" 2>/dev/null
  certificate server localhost DNS:localhost,IP:127.0.0.1
  certificate client ebb_certificate DNS:ebb_certificate
  if [ "$(id -u)" -eq 0 ]; then chown -R postgres "$home"; fi
  chmod 600 "$data"/*.key

  cat >>"$data/postgresql.conf" <<CONF
listen_addresses = '127.0.0.1'
unix_socket_directories = '$home'
ssl = on
ssl_ca_file = 'ca.crt'
max_connections = 200
fsync = off
full_page_writes = off
synchronous_commit = off
CONF
  cat >"$data/pg_hba.conf" <<'HBA'
hostssl   all ebb_certificate 127.0.0.1/32 cert
hostssl   all ebb_tls_only    127.0.0.1/32 scram-sha-256
hostnossl all ebb_plain_only  127.0.0.1/32 scram-sha-256
host      all ebb_certificate,ebb_tls_only,ebb_plain_only 127.0.0.1/32 reject
host      all all             127.0.0.1/32 scram-sha-256
local     all all                          scram-sha-256
HBA

  local try
  for try in 1 2 3 4 5 6 7 8 9 10; do
    port=$((20000 + RANDOM % 40000))
    if as_owner "$bin/pg_ctl" -D "$data" -l "$home/server.log" -o "-p $port" -w start >/dev/null; then
      echo "postgres://postgres:$password@127.0.0.1:$port/postgres" >"$home/url"
      cat "$home/url"
      return
    fi
  done
  cat "$home/server.log" >&2
  exit 1
}

stop() {
  [ -n "$home" ] || return 0
  if [ -d "$data" ]; then as_owner "$bin/pg_ctl" -D "$data" -m immediate -w stop >/dev/null || true; fi
  rm -rf "$home"
  rm -f "$pointer"
}

case $1 in
  start) start ;;
  url) cat "$home/url" ;;
  stop) stop ;;
  *) usage ;;
esac
