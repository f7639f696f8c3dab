"""A past for a server: the syncs that a project really ran, written again and again with other names and times."""

import json
import random
import sqlite3
import time
from datetime import UTC, datetime
from pathlib import Path

LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"
DAYS = 20


def identity(moment: float, rng: random.Random) -> str:
    """A sync's identity (ULID) of this moment, in seconds since 1970."""
    value = int(moment * 1000) << 80 | rng.getrandbits(80)
    return "".join(LETTERS[value >> 5 * place & 31] for place in range(25, -1, -1))


def multiply(database: Path, mappings: dict[str, dict], each: int) -> None:
    """Gives every mapping so many past syncs over the last days, made after the only one that there is; one of 20 was partial."""
    rng = random.Random(1)
    store = sqlite3.connect(database)
    store.row_factory = sqlite3.Row
    store.execute("pragma synchronous = off")
    given = dict(store.execute("select * from sync").fetchone())
    given.pop("status")  # made from the record
    (counts,) = store.execute("select counts from counts").fetchone()
    record = json.loads(given["record"])
    columns = ", ".join(given)
    into_sync = f"insert into sync ({columns}) values ({', '.join('?' * len(given))})"
    now = time.time()

    def at(moment: float) -> str:
        return datetime.fromtimestamp(moment, UTC).isoformat().replace("+00:00", "Z")

    for past in range(each, 0, -1):
        rows = []
        for name, mapping in mappings.items():
            # The latest within ten minutes, so that nothing is due.
            began = now - (past - 1) * DAYS * 86_400 / each - 60 - rng.random() * 540
            ended = began + rng.uniform(0.2, 30)
            record |= {"id": identity(began, rng), "mapping": name, "started_at": at(began), "finished_at": at(ended),
                       "status": "partial" if rng.random() < 0.05 else "succeeded"}
            record["plan"]["name"] = name
            record["plan"]["mapping"] |= {key: mapping[key] for key in ("model", "destination")}
            given |= {"id": record["id"], "mapping": name, "finished_at": int(ended * 1e6),
                      "record": json.dumps(record, separators=(",", ":"))}
            rows.append(tuple(given.values()))
        store.executemany(into_sync, rows)
        store.executemany("insert into counts (sync, counts) values (?, ?)", ((row[0], counts) for row in rows))
    store.execute("delete from latest")
    store.execute("insert into latest (mapping, sync, status) select mapping, id, status from sync"
                  " where id in (select max(id) from sync group by mapping)")
    store.commit()
    store.close()
