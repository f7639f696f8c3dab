"""Microsoft's own parser of T-SQL (the grammar of SQL Server 2019), offline.

It and the .NET runtime that it wants come inside the wheel `mssql-cli` 1.0.0 (mssqltoolsservice, MIT); that runtime
wants OpenSSL 1.1, which the wheel `psycopg2-binary` 2.9.5 carries. Nothing of them is imported as Python.

    parser.py FOLDER SNAPSHOT...    reads the statements of reviewed snapshots; the exit code is 1 if one does not parse

FOLDER has the two wheels. Two things are not in that grammar and are taken away before a text is read: what a
dedicated pool of Synapse adds to a table and to a statement, and what it renames.
"""

import ctypes
import glob
import json
import os
import pathlib
import queue
import re
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import zipfile

DISTRIBUTION = re.compile(r" with \(distribution = [^()]*(?:\([^()]*\))?[^()]*\)")
CREATED_AS = re.compile(r"create table (\S+|\[(?:[^\]]|\]\])*\]\.\[(?:[^\]]|\]\])*\]) with \(distribution = [^()]*(?:\([^()]*\))?[^()]*\) as\n")
LABEL = re.compile(r"\noption \(label = N'(?:[^']|'')*'\)\Z")
RENAMED = re.compile(r"rename object \S+ to \S+")


def known_part(text):
    """A text without what the grammar does not know of Synapse's."""
    text = CREATED_AS.sub("", LABEL.sub("", text))
    return RENAMED.sub("select 1", DISTRIBUTION.sub("", text))


class Parser:
    def __init__(self, folder):
        self.answers, self.lock, self.number, self.known = queue.Queue(), threading.Lock(), 0, {}
        libraries = self._unpacked(folder, "psycopg2_binary-2.9.5-*.whl", "openssl") + "/psycopg2_binary.libs"
        for name in ("libssl", "libcrypto"):
            link = f"{libraries}/{name}.so.1.1"
            if not os.path.lexists(link):
                os.symlink(os.path.basename(glob.glob(f"{libraries}/{name}-*.so.1.1")[0]), link)
        program = self._unpacked(folder, "mssql_cli-*.whl", "mssql-cli")
        program += "/mssqlcli/mssqltoolsservice/bin/MicrosoftSqlToolsServiceLayer"
        os.chmod(program, os.stat(program).st_mode | stat.S_IXUSR)
        env = dict(os.environ, DOTNET_SYSTEM_GLOBALIZATION_INVARIANT="1", COMPlus_EnableDiagnostics="0",
                   CLR_OPENSSL_VERSION_OVERRIDE="1.1", LD_LIBRARY_PATH=libraries)
        log = os.path.join(tempfile.gettempdir(), f"tsql-parser-{os.getpid()}.log")
        self.process = subprocess.Popen(
            [os.path.abspath(program), "--log-file", log], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, env=env,
            # dies with this process (Linux)
            preexec_fn=lambda: ctypes.CDLL(None).prctl(1, signal.SIGKILL))
        threading.Thread(target=self._read, daemon=True).start()
        self._ask("initialize", {"processId": os.getpid(), "rootPath": "", "capabilities": {}})

    @staticmethod
    def _unpacked(folder, wheel, name):
        to = os.path.join(folder, name)
        if not os.path.isdir(to):
            found = glob.glob(os.path.join(folder, wheel))
            if not found:
                raise FileNotFoundError(f"{wheel} is not in {folder}")
            with zipfile.ZipFile(found[0]) as archive:
                archive.extractall(to)
        return to

    def _read(self):
        out = self.process.stdout
        while True:
            length = 0
            while True:
                line = out.readline()
                if not line:
                    return
                line = line.decode("utf-8", "replace").strip()
                if not line:
                    break
                if line.lower().startswith("content-length:"):
                    length = int(line.split(":", 1)[1])
            if length:
                self.answers.put(json.loads(out.read(length)))

    def _ask(self, method, params):
        with self.lock:
            self.number += 1
            number = str(self.number)
            body = json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}).encode()
            self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
            self.process.stdin.flush()
            while True:
                answer = self.answers.get(timeout=60)
                if answer.get("id") == number:
                    if "error" in answer:
                        raise RuntimeError(answer["error"])
                    return answer.get("result")

    def errors(self, text):
        """What is wrong with a text; nothing if it parses."""
        text = known_part(text)
        if text not in self.known:
            answer = self._ask("query/syntaxparse", {"ownerUri": "file:///q.sql", "query": text})
            self.known[text] = [] if answer["parseable"] else (answer["errors"] or ["it does not parse"])
        return self.known[text]

    def close(self):
        self.process.kill()
        self.process.wait()


def main():
    folder, *snapshots = sys.argv[1:]
    parser = Parser(folder)
    statements = set()
    for path in snapshots:
        text = pathlib.Path(path).read_text().split("---", 2)[2]
        statements.update(part.strip() for part in text.split(";\n") if part.strip())
    bad = [(statement, errors) for statement in sorted(statements) if (errors := parser.errors(statement))]
    for statement, errors in bad:
        print("; ".join(errors) + f":\n{statement}\n")
    print(f"{len(statements)} statements read as T-SQL, {len(bad)} of them not understood")
    parser.close()
    sys.exit(1 if bad or not statements else 0)


if __name__ == "__main__":
    main()
