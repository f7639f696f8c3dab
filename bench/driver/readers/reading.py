"""What a connector reads, counted and timed."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version

# rows that are asked for at a time
FETCH = 10_000

# rows as tuples with the names of their columns, or a table of Arrow
Block = tuple[list[str], list] | object


def fetched(cursor) -> Iterator[Block]:
    """All rows of a cursor as DB-API gives them, a part at a time."""
    while rows := cursor.fetchmany(FETCH):
        yield [column[0] for column in cursor.description], rows


def count(block: Block) -> tuple[int, int, int]:
    """Rows, the sum of their identifiers, and how many letters their e-mail addresses have."""
    if isinstance(block, tuple):
        names, rows = block
        id_, email = (next(place for place, name in enumerate(names) if name.lower() == wanted) for wanted in ("id", "email"))
        return len(rows), sum(int(row[id_]) for row in rows), sum(len(row[email]) for row in rows)
    import pyarrow
    import pyarrow.compute as compute

    names = [name.lower() for name in block.schema.names]
    ids, emails = (block.column(names.index(name)) for name in ("id", "email"))
    return block.num_rows, compute.sum(compute.cast(ids, pyarrow.int64())).as_py(), compute.sum(compute.utf8_length(emails)).as_py()


def main(forms: dict[str, tuple[str, Callable[[dict], Iterator[Block]]]]) -> None:
    """Reads by the form that the command line names, and prints what came, as `ebb-bench extract` does. A form has
    the name of its package, which is empty for what Python brings itself.

    The time is from before the connection is made to the last row; counting is not part of it.
    """
    package, read = forms[sys.argv[1]]
    blocks = read(json.loads(sys.argv[2]))
    rows = ids = letters = 0
    seconds = 0.0
    while True:
        began = time.perf_counter()
        block = next(blocks, None)
        seconds += time.perf_counter() - began
        if block is None:
            break
        more = count(block)
        rows, ids, letters = rows + more[0], ids + more[1], letters + more[2]
    told = f"{package} {version(package)}" if package else f"Python {sys.version.split()[0]}"
    print(json.dumps({"rows": rows, "ids": ids, "letters": letters, "seconds": seconds, "version": told}))
