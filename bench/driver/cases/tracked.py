"""Syncs of a table that is tracked already: nothing changed, and 1 % changed."""

from pathlib import Path

from .. import duckdb, postgres, settings
from ..measure import Report, alternate
from ..process import Failed, say
from ..project import Project, describe
from ..receiver import receiver


def unchanged_postgres(folder: Path) -> Report:
    """The case `unchanged-10m-postgres`."""
    return unchanged(folder, postgres.cluster, settings.rounds(5))


def unchanged_duckdb(folder: Path) -> Report:
    """The case `unchanged-10m-duckdb`."""
    return unchanged(folder, duckdb.database, settings.rounds(11))


def one_percent_postgres(folder: Path) -> Report:
    """The case `one-percent-10m-postgres`."""
    return one_percent(folder, postgres.cluster, settings.rounds(4))


def one_percent_duckdb(folder: Path) -> Report:
    """The case `one-percent-10m-duckdb`."""
    return one_percent(folder, duckdb.database, settings.rounds(6))


def take_snapshot(folder: Path, warehouse, url: str) -> Project:
    """Tracks every row, for Ebb and for the bare diff, without sending any."""
    say("tracking every row, for Ebb and for the bare diff")
    # a first sync of a mapping that takes updates alone sends nothing and tracks everything
    project = Project(folder / "project", warehouse.source, url, records="updated")
    project.sync()
    project.write("added_or_updated")
    warehouse.script("snapshot")
    warehouse.settle()
    return project


def unchanged(folder: Path, make, rounds: int) -> Report:
    """Ebb and the bare diff in turns, with nothing to find."""
    rows = settings.rows(10_000_000)
    with make(folder, rows) as warehouse, receiver() as target:
        project = take_snapshot(folder, warehouse, target.url)
        syncs = []

        def bare() -> float:
            warehouse.drop_changes()
            return warehouse.script("diff").seconds

        def ebb() -> float:
            done = project.sync()
            target.expect(0, "the sync of an unchanged table")
            syncs.append(done)
            return done.seconds

        seconds = alternate(rounds, {"bare diff": bare, "Ebb": ebb})
        if warehouse.changes():
            raise Failed(f"the bare diff found changes where there are none: {warehouse.changes()}")
        report = Report(f"Nothing changed, {rows:,} rows, {warehouse.label}")
        bare_median = report.times(f"bare diff statement, {warehouse.label}'s own client", seconds["bare diff"])
        took = report.times("Ebb, whole sync", seconds["Ebb"])
        describe(report, syncs)
        report.target("Ebb / bare diff", took / bare_median, "×", at_most=1.1)
        return report


def one_percent(folder: Path, make, rounds: int) -> Report:
    """Ebb and the bare diff in turns, after 0.8 % updates, 0.1 % inserts and 0.1 % deletes each round."""
    rows = settings.rows(10_000_000)
    with make(folder, rows) as warehouse, receiver() as target:
        project = take_snapshot(folder, warehouse, target.url)
        bare_seconds, ebb_seconds, syncs, found = [], [], [], {}
        for turn in range(rounds):
            warehouse.script("change", rows=rows, round=turn)
            warehouse.settle()
            warehouse.drop_changes()

            def bare() -> float:
                return warehouse.script("diff").seconds

            def ebb() -> float:
                syncs.append(project.sync())
                return syncs[-1].seconds

            sides = {"bare diff": bare, "Ebb": ebb}
            if turn % 2 == 1:
                sides = dict(reversed(sides.items()))
            seconds = alternate(1, sides)
            bare_seconds += seconds["bare diff"]
            ebb_seconds += seconds["Ebb"]
            found = warehouse.changes()
            target.expect(found[0] + found[1], "the sync of what changed")
            warehouse.script("take_over")
        report = Report(f"1 % changed, {rows:,} rows, {warehouse.label}")
        report.value("changes in each round", f"{sum(found.values()):,}", f"{found[0]:,} added, {found[1]:,} updated, {found[2]:,} deleted")
        bare_median = report.times(f"bare diff statement, {warehouse.label}'s own client", bare_seconds)
        took = report.times("Ebb, whole sync with delivery and commit", ebb_seconds)
        describe(report, syncs)
        report.target("Ebb / bare diff", took / bare_median, "×", at_most=1.25)
        return report
