"""MySQL and MariaDB by MySQL's own connector, in C, rows taken as they come."""

from contextlib import closing

import mysql.connector

from .reading import fetched, main


def rows(given: dict):
    statement = given.pop("statement")
    # MariaDB does not know the connector's own choice of a collation
    with closing(mysql.connector.connect(**given, collation="utf8mb4_general_ci", use_pure=False)) as connection:
        with closing(connection.cursor()) as cursor:
            cursor.execute(statement)
            yield from fetched(cursor)


main({"rows": ("mysql-connector-python", rows)})
