#!/bin/sh
# Records the answers of the reference implementation anew. EBB_ORACLE names its folder.
set -eu
: "${EBB_ORACLE:?names the folder of a runnable oracle}"
cd "$(dirname "$0")/.."
exec cargo test -p ebb-mapping --test main -- --ignored --test-threads=1
