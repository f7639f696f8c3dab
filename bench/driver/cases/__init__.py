"""The cases, by the name that `bench/run.sh` takes."""

from . import extract, first_sync, mapping, memory, one_record, profile, server, start, tracked

CASES = {
    "first-sync-1m": first_sync.run,
    "one-record": one_record.run,
    "delayed": one_record.run_delayed,
    "unchanged-10m-postgres": tracked.unchanged_postgres,
    "unchanged-10m-duckdb": tracked.unchanged_duckdb,
    "one-percent-10m-postgres": tracked.one_percent_postgres,
    "one-percent-10m-duckdb": tracked.one_percent_duckdb,
    "memory": memory.run,
    "mapping": mapping.run,
    "start": start.run,
    "server": server.run,
    "profile": profile.run,
    **extract.CASES,
}
