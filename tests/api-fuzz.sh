#!/usr/bin/env bash
# Fuzzes the whole API from its own OpenAPI document: no answer may be a 5xx, an undocumented status or
# kind, or a document of another shape than the one that is described.
#
#   tests/api-fuzz.sh EBB [ARGUMENT…]   EBB is the binary; arguments go to schemathesis
#
#   EBB_CACHE            where schemathesis is kept (default: ~/.cache/ebb)
#   EBB_FUZZ_EXAMPLES    requests that are made up for each operation (default: 25)
set -euo pipefail

[ $# -ge 1 ] || { sed -n '5,8s/^# *//p' "$0" >&2; exit 2; }
ebb=$(realpath "$1")
shift
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
requirements=$here/api-fuzz/requirements.txt
tools=${EBB_CACHE:-$HOME/.cache/ebb}/schemathesis
if ! cmp -s "$requirements" "$tools/installed"; then
  rm -rf "$tools"
  python3 -m venv "$tools"
  "$tools/bin/pip" install --quiet --no-deps --disable-pip-version-check -r "$requirements"
  cp "$requirements" "$tools/installed"
fi

folder=$(mktemp -d)
server=
finish() {
  [ -z "$server" ] || { kill "$server" 2>/dev/null && wait "$server" || true; }
  rm -rf "$folder"
}
trap finish EXIT

# A shop with some people, and a tool that nobody answers for.
python3 - "$folder/shop.db" <<'PYTHON'
import sqlite3, sys
shop = sqlite3.connect(sys.argv[1])
shop.execute("create table people (id integer primary key, name text)")
shop.executemany("insert into people values (?, ?)", [(n, f"person {n}") for n in range(1, 21)])
shop.commit()
PYTHON
cat >"$folder/ebb.yaml" <<'YAML'
project: shop
sources:
  db: { kind: sqlite, settings: { path: shop.db } }
models:
  people: { source: db, id: id, table: people }
destinations:
  hook: { kind: webhook }
mappings:
  all:
    model: people
    destination: hook
    action: send
    fields: { url: "http://127.0.0.1:9/all" }
YAML
"$ebb" serve --listen 127.0.0.1:0 --json --project "$folder" >"$folder/told" 2>"$folder/log" &
server=$!
first() { # KEY of the first document that the server told
  python3 -c 'import json, sys; print(json.JSONDecoder().raw_decode(open(sys.argv[1]).read())[0][sys.argv[2]])' \
    "$folder/told" "$1" 2>/dev/null
}
for _ in $(seq 100); do
  address=$(first address) && break
  sleep 0.1
done
[ -n "$address" ] || { cat "$folder/log" >&2; exit 1; }

# Becomes the owner, and makes a token.
jar=$folder/cookies
ask() { curl --silent --show-error --fail --cookie-jar "$jar" --cookie "$jar" "$@"; }
ask -o /dev/null --data 'email=ada@example.com&name=Ada&password=correct horse battery' "$(first first_owner)"
mark=$(ask "$address/" | grep -oP '(?<=X-CSRF-Token":")[^"]+')
token=$(ask -H "X-CSRF-Token: $mark" --json '{"name":"fuzz","role":"owner"}' "$address/api/v1/tokens" |
  python3 -c 'import json, sys; print(json.load(sys.stdin)["token"])')

# Something of everybody's making, so that there is more to ask for than what files say.
post() { ask -o /dev/null -H "Authorization: Bearer $token" --json "$2" "$address/api/v1/$1"; }
post sources '{"name":"lake","document":{"kind":"sqlite","settings":{"path":"shop.db"}}}'
post models '{"name":"mine","document":{"source":"lake","id":"id","query":"select id, name from people"}}'
post destinations '{"name":"tool","document":{"kind":"webhook","settings":{"sharedSecret":"hunter2-of-the-api"}}}'
post mappings '{"name":"own","document":{"model":"mine","destination":"tool","action":"send",
  "fields":{"url":"http://127.0.0.1:9/own"}}}'
post mappings/own/syncs '{"kind":"sync"}'
sync=
for _ in $(seq 100); do
  sync=$(ask -H "Authorization: Bearer $token" "$address/api/v1/syncs" |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["items"][0]["id"])' 2>/dev/null) && break
  sleep 0.1
done

cd "$folder"
# Revoking tokens is left out: one of those that are found is the fuzz's own.
fuzz() { # ARGUMENT… before the address
  "$tools/bin/schemathesis" "$@" "$address/api/v1/openapi.json" \
    --header "Authorization: Bearer $token" \
    --checks not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance \
    --exclude-path '/api/v1/tokens/{id}' \
    --phases examples,coverage,fuzzing --max-examples "${EBB_FUZZ_EXAMPLES:-25}" \
    --request-timeout 30 --generation-database none --no-color "${more[@]}" | tee -a report
}
more=("$@")
# First with names of all kinds, then with those of things that are there.
fuzz run
cat >names.toml <<TOML
[[operations]]
include-path-regex = "^/api/v1/sources/"
parameters = { "path.name" = "lake" }
[[operations]]
include-path-regex = "^/api/v1/models/"
parameters = { "path.name" = "mine" }
[[operations]]
include-path-regex = "^/api/v1/destinations/"
parameters = { "path.name" = "tool" }
[[operations]]
include-path-regex = "^/api/v1/mappings/"
parameters = { "path.name" = "own" }
[[operations]]
include-path-regex = "^/api/v1/syncs/"
parameters = { "path.id" = "$sync" }
TOML
fuzz --config-file names.toml run
ask -o /dev/null -H "Authorization: Bearer $token" "$address/api/v1/me" # it is still there
for told in report log told; do
  if grep -q "hunter2" "$told"; then echo "a secret is told in $told" >&2; exit 1; fi
done
