#!/usr/bin/env bash
# Walks through the pages in a real Chromium: the four steps by hand, a sync, its failures, a second person.
#
#   tests/browser.sh EBB [FOLDER]   EBB is the binary; screenshots go to FOLDER (default: none are kept)
#
#   EBB_CACHE   where the browser's driver is kept (default: ~/.cache/ebb)
set -euo pipefail

[ $# -ge 1 ] || { sed -n '4,6s/^# *//p' "$0" >&2; exit 2; }
ebb=$(realpath "$1")
shots=${2:+$(mkdir -p "$2" && realpath "$2")}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
driver=playwright-core@1.65.1
axe=axe-core@4.14.1
tools=${EBB_CACHE:-$HOME/.cache/ebb}/browser-${driver##*@}-${axe##*@}
if [ ! -f "$tools/installed" ]; then
  rm -rf "$tools"
  mkdir -p "$tools"
  npm install --prefix "$tools" --no-save --no-audit --no-fund --ignore-scripts "$driver" "$axe" >&2
  touch "$tools/installed"
fi
chromium=$(command -v chromium || command -v chromium-browser || command -v google-chrome) ||
  { echo "please install Chromium" >&2; exit 1; }

folder=$(mktemp -d)
server=
finish() {
  [ -z "$server" ] || { kill "$server" 2>/dev/null && wait "$server" || true; }
  rm -rf "$folder"
}
trap finish EXIT

"$ebb" demo --serve "$folder/demo" --listen 127.0.0.1:0 >"$folder/told" 2>"$folder/log" &
server=$!
for _ in $(seq 600); do
  grep -q 'once, at http' "$folder/told" && break
  kill -0 "$server" 2>/dev/null || { cat "$folder/told" "$folder/log" >&2; exit 1; }
  sleep 0.1
done
NODE_PATH=$tools/node_modules node "$here/browser/walk.cjs" "$chromium" "$folder/told" "$tools" "$shots"
