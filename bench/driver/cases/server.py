"""A server with 10,000 mappings and 1,000,000 past syncs: its pages, its API, its timetable."""

import json
import re
import shutil
import sqlite3
import statistics
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path

from .. import build, settings
from ..history import multiply
from ..measure import Report
from ..process import Failed, run as run_program, say
from ..receiver import receiver
from ..server import Server, server

SOURCES = 20
CLIENTS = 50
PAGES = [
    "/", "/?status=needs-you", "/?q=mapping-77", "/?page=100", "/sources", "/sources/source-3", "/models", "/models?q=9&page=2",
    "/models/model-3", "/destinations", "/destinations/tool-3", "/mappings", "/mappings?page=150", "/mappings/mapping-5",
    "/mappings/mapping-5/edit", "/syncs", "/syncs?status=partial", "/syncs?mapping=mapping-5", "/syncs/{sync}", "/alerts", "/usage", "/settings",
]
CALLS = ["/api/v1/mappings/mapping-5", "/api/v1/mappings", "/api/v1/syncs/{sync}", "/api/v1/syncs?mapping=mapping-5"]


def mapping(number: int, url: str, schedule) -> dict:
    """One mapping among many: each source has as many as another, and so has each destination."""
    return {"model": f"model-{number % 200}", "destination": f"tool-{number % 200}", "action": "send", "schedule": schedule, "enabled": True,
            "fields": {"url": url, "data": {"@path": "$.properties"}}}


def write(folder: Path, mappings: dict) -> None:
    """The project, as JSON, which is YAML."""
    project = {
        "project": "bench",
        "network": {"allow": ["127.0.0.1/32"]},
        "limits": {"mappings_per_destination": 1000, "schedule_interval": "1m"},
        "sources": {f"source-{number}": {"kind": "sqlite", "settings": {"path": "shop.db"}} for number in range(SOURCES)},
        "models": {f"model-{number}": {"source": f"source-{number % SOURCES}", "query": "select * from people", "id": "id"} for number in range(200)},
        "destinations": {f"tool-{number}": {"kind": "webhook"} for number in range(200)},
        "mappings": mappings,
    }
    (folder / "ebb.yaml").write_text(json.dumps(project), encoding="utf-8")


def small_shop(folder: Path) -> None:
    """Twenty people in SQLite."""
    shop = sqlite3.connect(folder / "shop.db")
    shop.execute("create table people (id integer primary key, name text)")
    shop.executemany("insert into people values (?, ?)", [(number, f"person {number}") for number in range(20)])
    shop.commit()
    shop.close()


def run(folder: Path) -> Report:
    """The case `server`; `EBB_BENCH_ROWS` are past syncs."""
    syncs, rounds = settings.rows(1_000_000), settings.rounds(20)
    if not shutil.which("wrk"):
        raise Failed("the program `wrk` is not here: Debian's package of that name has it")
    each = 100
    count = max(syncs // each, SOURCES)
    report = Report(f"`ebb serve` with {count:,} mappings and {count * each:,} past syncs, SQLite")
    small_shop(folder)
    with receiver() as target:
        mappings = {f"mapping-{number}": mapping(number, target.url, {"every": "1d"}) for number in range(count)}
        write(folder, mappings)
        run_program([build.ebb(), "--project", folder, "sync", "mapping-0", "--json"])
        say("  making up the past")
        multiply(folder / ".ebb" / "control.db", mappings, each)
        start = time.perf_counter()
        with server(folder) as ebb:
            report.value("start", f"{time.perf_counter() - start:.1f} s", "until it answers")
            pages(ebb, report, rounds)
            calls(ebb, report)
            idle(ebb, report)
            report.value("peak memory", f"{ebb.peak_mib():.0f} MiB")
            known = ebb.headers
        every_minute = {f"mapping-{number}": mapping(number, target.url, {"cron": "* * * * *"}) for number in range(SOURCES)}
        write(folder, mappings | every_minute)
        begun = datetime.now(UTC)
        with server(folder) as ebb:
            ebb.headers = known
            starts(ebb, report, begun)
    return report


def pages(ebb: Server, report: Report, rounds: int) -> None:
    """Every page one after the other over one connection, as a browser asks for it."""
    token = ebb.token()
    ebb.headers["authorization"] = f"Bearer {token}"
    sync = ebb.json("/api/v1/syncs")["items"][0]["id"]
    slowest = 0.0
    for page in PAGES:
        took = [ebb.seconds(page.format(sync=sync)) * 1000 for _ in range(rounds)]
        say(f"  {page}: {statistics.median(took):.1f} ms")
        slowest = max(slowest, statistics.median(took))
        report.value(f"page `{page}`", f"{statistics.median(took):.1f} ms", f"first {took[0]:.1f}, slowest {max(took):.1f}")
    report.target("slowest page", slowest, "ms", at_most=200)


def calls(ebb: Server, report: Report) -> None:
    """The same call by many clients at once, each over a connection of its own."""
    sync = ebb.json("/api/v1/syncs")["items"][0]["id"]
    for call in CALLS:
        cpu = ebb.cpu_seconds()
        told = subprocess.run(
            ["wrk", "--threads", "1", "--connections", str(CLIENTS), "--duration", "10", "--latency",
             "--header", f"authorization: {ebb.headers['authorization']}", ebb.address + call.format(sync=sync)],
            check=True, capture_output=True, text=True,
        ).stdout
        if "Non-2xx" in told:
            raise Failed(f"`{call}` was refused:\n{told}")
        rate, late = re.search(r"Requests/sec:\s+([\d.]+)", told)[1], re.search(r"99%\s+(\S+)", told)[1]
        report.value(f"API `{call}`, {CLIENTS} clients", f"{float(rate):,.0f} requests/s",
                     f"99 % within {late}; {(ebb.cpu_seconds() - cpu) / 10:.2f} cores")


def idle(ebb: Server, report: Report) -> None:
    """What a server costs while nothing is due."""
    seconds, cpu = 60, ebb.cpu_seconds()
    time.sleep(seconds)
    report.target("timetable and watch of alerts, nothing due", (ebb.cpu_seconds() - cpu) / seconds * 100, "% of a core", at_most=1)


def starts(ebb: Server, report: Report, begun: datetime) -> None:
    """How late syncs begin of 20 mappings that are due every minute, one at each source; what was due before the server began is late anyway."""
    time.sleep(150)
    late = []
    for number in range(SOURCES):
        for sync in ebb.json(f"/api/v1/syncs?mapping=mapping-{number}")["items"]:
            # The others were asked for, or made up.
            cause = sync["cause"] if isinstance(sync["cause"], dict) else {}
            due = cause.get("schedule", {}).get("due")
            if due and datetime.fromisoformat(due) > begun:
                late.append((datetime.fromisoformat(sync["started_at"]) - datetime.fromisoformat(due)).total_seconds())
    if not late:
        raise Failed("nothing started by its schedule")
    report.value("start delay, 20 syncs due in one moment", f"{statistics.median(late):.2f} s", f"{len(late)} starts, slowest {max(late):.2f}")
    report.target("slowest start", max(late), "s", at_most=2)
