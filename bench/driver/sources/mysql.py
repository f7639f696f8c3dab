"""MySQL: the private MariaDB server of the tests."""

from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from .. import settings
from ..process import run
from . import Source, generated

SCRIPT = settings.ROOT / "tests" / "mariadb-server.sh"


@contextmanager
def users(folder: Path, rows: int):
    """A server with a database `shop` that has so many users."""
    try:
        url = urlsplit(run([SCRIPT, "start", folder]).output.strip())
        authority = parse_qs(url.query)["sslrootcert"][0]

        def client(*arguments) -> list:
            return ["env", f"MYSQL_PWD={url.password}", "mariadb", "--no-defaults", f"--host={url.hostname}", f"--port={url.port}",
                    f"--user={url.username}", f"--ssl-ca={authority}", *arguments]

        run(client(f"--execute=create database shop; use shop; {generated('mysql', rows)}"))
        quick = client("--quick", "--batch", "--skip-column-names", "--execute")
        yield Source(
            label="MariaDB",
            kind="mysql",
            ebb={"url": url._replace(path="/shop").geturl()},
            connector="mysql",
            forms=("rows",),
            given={"host": url.hostname, "port": url.port, "user": url.username, "password": url.password, "ssl_ca": authority},
            quote="`",
            bare=lambda statement: {"text by MariaDB's client": ["sh", "-c", 'exec "$@" >/dev/null', "sh", *quick, statement]},
        )
    finally:
        run([SCRIPT, "stop", folder])
