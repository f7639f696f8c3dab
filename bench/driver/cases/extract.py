"""The rows of a first sync out of a warehouse: Ebb's reader beside the vendor's own connector for Python."""

import json
import statistics
from functools import partial
from pathlib import Path

from .. import build, connectors, settings
from ..measure import Report, alternate
from ..process import Failed, Run, run
from ..sources import Source, azure, bigquery, databricks, duckdb, mysql, postgres, snowflake, sqlite

EBB = "Ebb"
ARROW = "Arrow"
# what a process may have at most, however much it reads
MEMORY_MIB = 256


def by_ebb(source: Source, *options) -> tuple[dict, Run]:
    """Ebb's reader in a process of its own; what came, and what it took."""
    binary, env = build.tools_with_duckdb() if source.kind == "duckdb" else (build.tools(), {})
    settings_ = json.dumps(source.ebb)
    done = run([binary, "extract", "--kind", source.kind, "--settings", settings_, "--query", source.model, *options], env=env)
    return json.loads(done.output), done


def bare(command: list) -> float:
    """The seconds that a command tells of itself, or else takes."""
    done = run(command)
    return float(done.output) if done.output else done.seconds


def extract(users, folder: Path) -> Report:
    """Reads what a first sync of `users` stages, by each side in turns."""
    rows = settings.rows(1_000_000)
    with users(folder, rows) as source:
        table = by_ebb(source, "--prepare")[0]["table"]
        statement = source.statement(table)
        expected = {"rows": rows, "ids": rows * (rows + 1) // 2, "letters": sum(len(f"user{id_}@example.com") for id_ in range(1, rows + 1))}
        runs: dict[str, list[Run]] = {}
        versions: dict[str, str] = {}

        def checked(name: str, read) -> float:
            came, done = read()
            if wrong := {what: came[what] for what, wanted in expected.items() if came[what] != wanted}:
                raise Failed(f"{name} read something else: {wrong}")
            runs.setdefault(name, []).append(done)
            versions[name] = came.get("version", "")
            return came["seconds"]

        given = {**source.given, "statement": statement}
        sides = {EBB: partial(checked, EBB, partial(by_ebb, source))}
        for form in source.forms:
            sides[form] = partial(checked, form, partial(connectors.read, source.connector, form, given))
        for way, command in source.bare(statement).items():
            sides[f"bare: {way}"] = partial(bare, command)
        # the first of each fills caches, the database's and the double's
        alternate(1, sides)
        runs.clear()
        return told(source, rows, alternate(settings.rounds(source.rounds), sides), runs, versions)


def told(source: Source, rows: int, seconds: dict, runs: dict, versions: dict) -> Report:
    """The report of what was measured."""
    report = Report(f"Extraction of {rows:,} rows, {source.label}")
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    for name, times in seconds.items():
        what = f"{versions[name]}, {name}" if versions.get(name) else name
        report.times(what, times)
        if name in runs:
            peak, busy = (max(getattr(done, what) for done in runs[name]) for what in ("peak_mib", "cpu_seconds"))
            remark = f"{peak:.0f} MiB, {busy:.2f} s of processor time"
            report.value(f"{name}: rows/s, peak memory", f"{rows / medians[name]:,.0f} rows/s", remark)
    # a connector's Arrow is no Python yet; what its cursors give is
    rows_of = {form: medians[form] for form in source.forms if form != ARROW}
    compared = min(rows_of, key=rows_of.get)
    if source.wanted:
        report.target(f"Ebb's speed / the connector's ({compared})", rows_of[compared] / medians[EBB], "×", at_least=source.wanted)
    else:
        report.value(f"Ebb's speed / the connector's ({compared})", f"{rows_of[compared] / medians[EBB]:.3g} ×")
    if source.served:
        own, theirs = (medians[name] - medians[f"bare: {way}"] for name, way in zip((EBB, compared), source.served))
        shown = f"{theirs / own:.3g} ×" if min(own, theirs) > 0 else "no time left"
        report.value("the same less what the double takes alone", shown, f"{own:.2f} s and {theirs:.2f} s")
    if ARROW in medians:
        report.value(f"Ebb's speed / the connector's ({ARROW})", f"{medians[ARROW] / medians[EBB]:.3g} ×")
    report.target("peak memory of Ebb", max(done.peak_mib for done in runs[EBB]), "MiB", at_most=MEMORY_MIB)
    return report


SOURCES = (postgres, mysql, sqlite, duckdb, snowflake, databricks, bigquery, azure)
CASES = {f"extract-{module.__name__.rsplit('.', 1)[1]}": partial(extract, module.users) for module in SOURCES}
