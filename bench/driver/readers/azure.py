"""Azure SQL by pymssql."""

from contextlib import closing

import pymssql

from .reading import fetched, main


def rows(given: dict):
    connection = pymssql.connect(
        server=given["hostname"], port=str(given["port"]), user=given["user"], password=given["password"],
        database=given["database"], tds_version="7.4", encryption="require",
    )
    with closing(connection), closing(connection.cursor()) as cursor:
        cursor.execute(given["statement"])
        yield from fetched(cursor)


main({"rows": ("pymssql", rows)})
