"""Snowflake by its connector: a cursor's rows, or its batches of Arrow."""

from contextlib import closing, contextmanager
from urllib.parse import urlsplit

import snowflake.connector

from .reading import fetched, main


@contextmanager
def answered(given: dict):
    at = urlsplit(given["address"])
    connection = snowflake.connector.connect(
        account="acme-test", protocol=at.scheme, host=at.hostname, port=at.port, user=given["user"], password=given["password"],
        database=given["database"], schema="PUBLIC", session_parameters={"CLIENT_OUT_OF_BAND_TELEMETRY_ENABLED": False},
    )
    with closing(connection), closing(connection.cursor()) as cursor:
        cursor.execute(given["statement"])
        yield cursor


def rows(given: dict):
    with answered(given) as cursor:
        yield from fetched(cursor)


def arrow(given: dict):
    with answered(given) as cursor:
        yield from cursor.fetch_arrow_batches()


main({"rows": ("snowflake-connector-python", rows), "Arrow": ("snowflake-connector-python", arrow)})
