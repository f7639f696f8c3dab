"""An Ebb project with one model and one webhook mapping."""

import json
import shutil
from pathlib import Path

from . import build
from .measure import Report
from .process import Run, run

MAPPING = "users-to-hook"


class Project:
    """A project folder and the binary that runs it."""

    def __init__(self, folder: Path, source: dict, url: str, *, batch: int = 100, records: str = "added_or_updated"):
        self.folder = folder
        self.source = source
        self.url = url
        self.batch = batch
        folder.mkdir(exist_ok=True)
        self.write(records)

    def write(self, records: str) -> None:
        """Writes `ebb.yaml` (as JSON, which is YAML) with this subscription."""
        fields = {"url": self.url, "data": {"@path": "$.properties"}}
        mapping = {"model": "users", "destination": "hook", "action": "send", "records": records, "fields": fields,
                   "schedule": "manual", "enabled": True}
        if self.batch == 1:
            mapping["enable_batching"] = False
        else:
            fields["batch_size"] = self.batch
        project = {
            "project": "bench",
            "sources": {"warehouse": self.source},
            "models": {"users": {"source": "warehouse", "query": "select * from users", "id": "id"}},
            "destinations": {"hook": {"kind": "webhook", "settings": {}, "enabled": True}},
            "mappings": {MAPPING: mapping},
        }
        (self.folder / "ebb.yaml").write_text(json.dumps(project, indent=2), encoding="utf-8")

    def sync(self, *, under: tuple = ()) -> Run:
        """`ebb sync`, which must end with exit code 0; `under` another program if need be."""
        binary, env = build.ebb_with_duckdb() if self.source["kind"] == "duckdb" else (build.ebb(), {})
        return run([*under, binary, "--project", self.folder, "sync", MAPPING, "--json"], env=env)

    def forget(self) -> None:
        """Removes the control database and all staged parts."""
        shutil.rmtree(self.folder / ".ebb", ignore_errors=True)


def phases(sync: Run) -> dict[str, float]:
    """Seconds of each phase, as `ebb sync --json` tells them; empty if it does not."""

    def found(value) -> list:
        if isinstance(value, dict):
            return value["phases"] if "phases" in value else found(list(value.values()))
        if isinstance(value, list):
            return next((inner for inner in map(found, value) if inner), [])
        return []

    try:
        documents = [json.loads(sync.output)]
    except json.JSONDecodeError:
        documents = [json.loads(line) for line in sync.output.splitlines() if line.startswith(("{", "["))]
    return {phase["name"]: phase["millis"] / 1000 for phase in found(documents)}


def describe(report: Report, syncs: list[Run]) -> None:
    """Adds where the last sync's time went, and what the process took at most."""
    told = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in phases(syncs[-1]).items())
    if told:
        report.value("phases of Ebb's last sync", told, "staging and loading overlap")
    report.times("processor time of Ebb", [sync.cpu_seconds for sync in syncs])
    report.value("peak memory of Ebb", f"{max(sync.peak_mib for sync in syncs):.0f} MiB")
