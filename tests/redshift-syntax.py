#!/usr/bin/env python3
"""Reads every statement that Ebb sends to Redshift with sqlglot's grammar of Redshift.

    tests/redshift-syntax.py FOLDER SNAPSHOT

FOLDER has the lists of statements that the tests left there (EBB_TEST_REDSHIFT_SQL); SNAPSHOT is the
reviewed file of the statements of one sync. The exit code is 1 if one of them cannot be read, or if
there are none. A grammar that reads a statement does not prove that the service runs it.
"""

import json
import logging
import pathlib
import re
import sys

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

# What the grammar takes as a command without looking into it. Each is written as the manual has it.
COMMANDS = [
    re.compile(r"begin( read only)?"),
    re.compile(r"fetch forward \d+ from \w+"),
    re.compile(r"set (timezone|datestyle|intervalstyle|extra_float_digits|query_group|statement_timeout) to ('[^']*'|\d+)"),
]
CURSOR = re.compile(r"declare \w+ cursor for\n(.*)", re.DOTALL)
UNLOAD = re.compile(
    r"unload \('(.*)'\)\nto 's3://[^']*'\niam_role (?:default|'[^']*')\n"
    r"format as parquet\nmanifest verbose\nparallel off\nmaxfilesize 256 mb",
    re.DOTALL,
)


def unreadable(statement):
    """Why a statement cannot be read; None if it can."""
    statement = statement.strip()
    if any(command.fullmatch(statement) for command in COMMANDS):
        return None
    if unload := UNLOAD.fullmatch(statement):
        # A quote stands twice in it, and so does a backslash.
        return unreadable(unload.group(1).replace("''", "'").replace("\\\\", "\\"))
    cursor = CURSOR.fullmatch(statement)
    try:
        trees = sqlglot.parse(cursor.group(1) if cursor else statement, read="redshift")
    except SqlglotError as error:
        return str(error).splitlines()[0]
    for tree in trees:
        if isinstance(tree, exp.Command):
            return "the grammar does not know this statement"
    return None


def main():
    sys.setrecursionlimit(100_000)
    logging.getLogger("sqlglot").setLevel(logging.CRITICAL)
    folder, snapshot = map(pathlib.Path, sys.argv[1:])
    statements = set()
    for path in folder.glob("*.json"):
        for text in json.loads(path.read_text()):
            # Settings are sent together.
            statements.update(text.split(";\n") if text.startswith("set ") else [text])
    text = snapshot.read_text().split("---", 2)[2]
    statements.update(part for part in text.split(";\n") if part.strip())
    bad = [(why, statement) for statement in sorted(statements) if (why := unreadable(statement))]
    for why, statement in bad:
        print(f"{why}:\n{statement}\n")
    print(f"{len(statements)} statements read as Redshift's SQL, {len(bad)} of them not understood")
    sys.exit(1 if bad or not statements else 0)


main()
