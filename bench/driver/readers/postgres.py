"""PostgreSQL by psycopg and by psycopg2, each with a cursor at the server."""

import psycopg
import psycopg2

from .reading import FETCH, fetched, main


def psycopg_3(given: dict):
    with psycopg.connect(given["url"]) as connection, connection.cursor("extract") as cursor:
        cursor.execute(given["statement"])
        yield from fetched(cursor)


def psycopg_2(given: dict):
    with psycopg2.connect(given["url"]) as connection, connection.cursor("extract") as cursor:
        cursor.itersize = FETCH
        cursor.execute(given["statement"])
        yield from fetched(cursor)


main({"psycopg 3": ("psycopg", psycopg_3), "psycopg2": ("psycopg2-binary", psycopg_2)})
