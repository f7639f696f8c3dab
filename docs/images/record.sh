#!/usr/bin/env bash
# Takes the pictures of docs/ anew, from the walk that tests the pages. Needs pngquant.
#
#   docs/images/record.sh EBB   EBB is the binary
set -euo pipefail
[ $# -eq 1 ] || { sed -n '4s/^# *//p' "$0" >&2; exit 2; }
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
shots=$(mktemp -d)
trap 'rm -rf "$shots"' EXIT
"$here/../../tests/browser.sh" "$1" "$shots"
for pair in sign-in overview sources source-new:add-source models model-new:add-model destinations \
  destination-new:add-destination mappings mapping-new:add-mapping mapping-effect:edit-mapping mapping syncs sync-running sync \
  sync-failed record alerts alerts-rules:rules channel-new:add-channel rule-new:add-rule usage settings changes reference; do
  pngquant --force --strip --output "$here/${pair#*:}.png" "$shots/${pair%%:*}-1440-light.png"
done
