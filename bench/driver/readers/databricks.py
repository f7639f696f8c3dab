"""Databricks by its SQL connector over the Statement Execution API: a cursor's rows, or its tables of Arrow."""

from contextlib import contextmanager

from databricks import sql

from .reading import FETCH, fetched, main


@contextmanager
def answered(given: dict):
    address, port = given["address"].rsplit(":", 1)
    connection = sql.connect(
        server_hostname=address, _port=int(port), http_path=given["path"], access_token=given["token"], catalog=given["catalog"],
        schema=given["schema"], use_sea=True,
        use_hybrid_disposition=False, enable_telemetry=False,
    )
    with connection, connection.cursor() as cursor:
        cursor.execute(given["statement"])
        yield cursor


def rows(given: dict):
    with answered(given) as cursor:
        yield from fetched(cursor)


def arrow(given: dict):
    with answered(given) as cursor:
        while (table := cursor.fetchmany_arrow(10 * FETCH)).num_rows:
            yield table


main({"rows": ("databricks-sql-connector", rows), "Arrow": ("databricks-sql-connector", arrow)})
