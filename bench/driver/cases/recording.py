"""The bodies of a real sync, recorded for the bare replay."""

from pathlib import Path

from ..process import say
from ..project import Project
from ..receiver import receiver


def record_bodies(folder: Path, warehouse, rows: int, bodies: Path, *, batch: int) -> dict:
    """Runs a first sync to a receiver that saves what it gets; leaves no trace in the warehouse."""
    say("recording the bodies of a first sync")
    with receiver("--save", bodies) as target:
        project = Project(folder / "recording", warehouse.source, target.url, batch=batch)
        project.sync()
        stats = target.expect(rows, "the recorded sync")
    warehouse.forget()
    project.forget()
    return stats
