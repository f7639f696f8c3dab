#!/usr/bin/env python3
"""A test double of Azure SQL, SQL Server and dedicated SQL pools of Synapse.

    server.py --port PORT --control PORT --tls CERT KEY --parser FOLDER

One port speaks TDS 7.4 (negotiation, TLS inside of it, log-in by password or by a token of Entra ID, batches, calls
of sp_executesql). What is sent is read by Microsoft's parser first, then translated to DuckDB and run there, so
statements really change and return data, and transactions are true. What it cannot show: that the server takes what
its grammar takes, its types beyond those of a table that is read alone, its locks, its grants, its speed.

The other port is HTTP, for the tests:

    POST /_double/databases   {"name", "engine": "sqlserver" | "synapse"}
    POST /_double/run         {"database", "sql"}: the first value of the last result
    POST /_double/faults      {"database", "kind", "count", …}: see `Database.fault` and its callers
    POST /_double/tokens      {}: no token that was given is good any longer
    GET  /_double/log?database=…
    POST /<tenant>/oauth2/v2.0/token   Entra ID's; tenant `acme`, client `ebb-app`, secret `s3cret`

A fault meets `count` times (once), after `skip` times that it lets pass. Kinds: `error` and `cut` meet statements that `match` finds (a number and a message; the connection is cut
after a part of the answer), `slow` makes one wait (`seconds`); `login` refuses a log-in with a number and a message,
`route` sends it on to `port`; `token` has Entra ID answer with `status` (`retry_after` in seconds).
"""

import argparse
import http.server
import json
import select
import socket
import socketserver
import ssl
import struct
import threading
import time
import traceback
import urllib.parse

import duckdb

from database import Database, Session
from parser import Parser
from tds import (DONE, DONE_IN_PROC, DONE_PROC, ERROR, MORE, COLLATION, SqlError, called, change, column, done, error,
                 narrow, wide)

LOGIN, PASSWORD = "sa", "Passw0rd!"
DATABASES, TOKENS, ISSUED = {}, {"dev-token"}, [0]
OPTIONS = None
PARSER = None


class Gone(Exception):
    """The client has gone, or is cut off."""


class Connection(socketserver.BaseRequestHandler):
    def handle(self):
        self.tls, self.size, self.session = None, 4096, None
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            self.serve()
        except (Gone, OSError, ssl.SSLError):
            pass
        except Exception:
            traceback.print_exc()
        finally:
            if self.session:
                self.session.connection.close()  # what is open is rolled back

    # --- bytes

    def some(self):
        data = self.request.recv(65536)
        if not data:
            raise Gone
        return data

    def exactly(self, count):
        while len(self.buffer) < count:
            if self.tls:
                try:
                    self.buffer += self.tls.read(65536)
                except ssl.SSLWantReadError:
                    self.incoming.write(self.some())
            else:
                self.buffer += self.some()
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def message(self):
        data = b""
        while True:
            head = self.exactly(8)
            data += self.exactly(struct.unpack(">H", head[2:4])[0] - 8)
            if head[1] & 1:
                return head[0], data

    def reply(self, data, kind=4, last=True):
        out, step, number = bytearray(), self.size - 8, 1
        pieces = [data[at:at + step] for at in range(0, len(data), step)] or [b""]
        for place, piece in enumerate(pieces, 1):
            end = 1 if last and place == len(pieces) else 0
            out += struct.pack(">BBHHBB", kind, end, len(piece) + 8, 0, number & 255, 0) + piece
            number += 1
        self.put(bytes(out))

    def put(self, data):
        if self.tls:
            for at in range(0, len(data), 16384):
                self.tls.write(data[at:at + 16384])
            data = self.outgoing.read()
        self.request.sendall(data)

    # --- the beginning

    def serve(self):
        self.buffer = b""
        kind, data = self.message()
        if kind != 0x12:
            return
        options, at = {}, 0
        while data[at] != 0xFF:
            option, offset, length = struct.unpack(">BHH", data[at:at + 5])
            options[option] = data[offset:offset + length]
            at += 5
        wanted = options.get(1, b"\2")[0]
        has_tls = OPTIONS.tls is not None
        answers = [(0, b"\x0c\x00\x07\xd0\x00\x00"), (1, bytes([3 if has_tls else 2])), (2, b"\0"), (4, b"\0")]
        if options.get(6):
            answers.append((6, b"\1"))
        table, body = b"", b""
        for option, value in answers:
            table += struct.pack(">BHH", option, 5 * len(answers) + 1 + len(body), len(value))
            body += value
        self.reply(table + b"\xff" + body)
        if has_tls:
            if wanted == 2:
                return  # as Azure does with who will not encrypt
            self.encrypt()
        kind, data = self.message()
        if kind == 0x10 and self.log_in(data):
            self.work()

    def encrypt(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*OPTIONS.tls)
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(self.incoming, self.outgoing, server_side=True)
        finished = False
        while not finished:
            try:
                tls.do_handshake()
                finished = True
            except ssl.SSLWantReadError:
                pass
            data = self.outgoing.read()
            if data:
                self.reply(data, 0x12)
            if not finished:
                self.incoming.write(self.message()[1])
        self.tls = tls

    def log_in(self, data):
        place = lambda number: struct.unpack("<HH", data[36 + 4 * number:40 + 4 * number])
        raw = lambda number: data[place(number)[0]:place(number)[0] + 2 * place(number)[1]]
        user, name = raw(1).decode("utf-16-le"), raw(8).decode("utf-16-le")
        secret = bytes(((byte ^ 0xA5) >> 4 & 0xF) | ((byte ^ 0xA5) << 4 & 0xF0) for byte in raw(2)).decode("utf-16-le")
        self.size = max(512, min(32767, struct.unpack("<I", data[8:12])[0] or 4096))
        token = None
        if data[27] & 0x10:
            at = struct.unpack("<I", data[place(5)[0]:place(5)[0] + 4])[0]
            while data[at] != 0xFF:
                length = struct.unpack("<I", data[at + 1:at + 5])[0]
                value = data[at + 5:at + 5 + length]
                if data[at] == 2:
                    size = struct.unpack("<I", value[1:5])[0]
                    token = value[5:5 + size].decode("utf-16-le")
                at += 5 + length
        good = token in TOKENS if token is not None else (user, secret) == (LOGIN, PASSWORD)
        database = DATABASES.get(name.lower())
        fault = database and database.fault("login")
        if fault:
            return self.refuse(fault["number"], fault["message"])
        if not good:
            who = user or "<token-identified principal>"
            return self.refuse(18456, f"Login failed for user '{who}'.")
        if database is None:
            return self.refuse(4060, f'Cannot open database "{name}" requested by the login. The login failed.')
        program = b"\x01" + struct.pack(">I", 0x74000004) + narrow("Microsoft SQL Server") + b"\x0c\x00\x07\xd0"
        acknowledged = b"\xad" + struct.pack("<H", len(program)) + program
        collation = b"\xe3" + struct.pack("<H", 8) + b"\x07\x05" + COLLATION + b"\x00"
        feature = b"\xae\x02" + struct.pack("<I", 0) + b"\xff" if token is not None else b""
        changes = change(1, name, "master") + collation + change(4, str(self.size), "4096")
        if fault := database.fault("route"):
            host = fault["host"].encode("utf-16-le")
            value = struct.pack("<BHH", 0, fault["port"], len(host) // 2) + host
            routing = b"\x14" + struct.pack("<H", len(value)) + value + b"\0\0"
            changes += b"\xe3" + struct.pack("<H", len(routing)) + routing
        self.session = Session(database, PARSER)
        self.reply(changes + acknowledged + feature + done())
        return True

    def refuse(self, number, message):
        self.reply(error(SqlError(number, message, 14)) + done(ERROR))
        return False

    # --- statements

    def work(self):
        while True:
            kind, data = self.message()
            if kind == 6:
                self.reply(done(0x20))
                continue
            data = data[struct.unpack("<I", data[:4])[0]:]
            if kind == 1:
                self.answer(data.decode("utf-16-le"), False)
            elif kind == 3:
                try:
                    text = called(data)
                except SqlError as refusal:
                    self.reply(error(refusal) + done(ERROR, token=DONE_PROC))
                    continue
                self.answer(text, True)
            else:
                raise Gone

    def answer(self, text, call):
        """Runs a text while the client stays; what it runs is canceled when the client goes."""
        ended = threading.Event()
        watch = threading.Thread(target=self.watch, args=(ended,), daemon=True)
        watch.start()
        try:
            self.send_results(text, call)
        finally:
            ended.set()
            watch.join()

    def watch(self, ended):
        while not ended.wait(0.02):
            readable, _, _ = select.select([self.request], [], [], 0)
            try:
                gone = readable and not self.request.recv(1, socket.MSG_PEEK)
            except OSError:
                gone = True
            if gone:
                entry = getattr(self.session, "entry", None)
                if entry and not entry["done"]:
                    entry["canceled"] = True
                self.session.connection.interrupt()
                self.gone = True
                return

    def send_results(self, text, call):
        self.gone = False
        database = self.session.database
        if fault := database.fault("slow", text):
            database.log.append({"sql": text, "context": self.session.context, "done": False, "canceled": False, "error": None})
            until = time.monotonic() + fault["seconds"]
            while time.monotonic() < until and not self.gone:
                time.sleep(0.02)
            entry = database.log[-1]
            entry["done"], entry["canceled"] = True, self.gone
            if self.gone:
                raise Gone
        cut = database.fault("cut", text)
        token, last = (DONE_IN_PROC, DONE_PROC) if call else (DONE, DONE)
        out, pending = bytearray(), b""
        try:
            for result in self.session.run(text, call):
                out += pending
                if result is None or isinstance(result, int):
                    pending = done(MORE, result, token)
                    continue
                encoders = []
                out += b"\x81" + struct.pack("<H", len(result.description))
                for name, kind, *_ in result.description:
                    described, encoder = column(kind)
                    encoders.append(encoder)
                    out += struct.pack("<IH", 0, 9) + described + narrow(name[:128])
                count = 0
                while rows := result.fetchmany(5000):
                    count += len(rows)
                    for row in rows:
                        out += b"\xd1"
                        for encoder, value in zip(encoders, row):
                            out += encoder(value)
                    if cut and count > 0:
                        self.reply(bytes(out[:len(out) // 2]), last=False)
                        raise Gone
                    if len(out) > self.size - 8:
                        # whole packets go out while the rest is read
                        whole = len(out) - len(out) % (self.size - 8)
                        self.reply(bytes(out[:whole]), last=False)
                        del out[:whole]
                pending = done(MORE, count, token)
            if cut:
                raise Gone
            out += pending + (b"\x79\0\0\0\0" if call else b"") + done(0, token=last)
        except SqlError as refusal:
            out += pending + error(refusal) + done(ERROR, token=last)
        self.reply(bytes(out))


# --- the tests' own way in


class Control(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        query = urllib.parse.parse_qs(urllib.parse.urlparse(self.path).query)
        self.say(200, DATABASES[query["database"][0].lower()].log)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = self.path.strip("/")
        if path.endswith("oauth2/v2.0/token"):
            return self.token(path.split("/")[0], dict(urllib.parse.parse_qsl(body.decode())))
        wanted = json.loads(body or b"{}")
        name = wanted.get("database", wanted.get("name", "")).lower()
        if path == "_double/databases":
            DATABASES[name] = Database(name, wanted)
            return self.say(200, {"hostname": "localhost", "port": OPTIONS.port, "ca": OPTIONS.tls and OPTIONS.tls[0]})
        if path == "_double/faults":
            DATABASES[name].faults.append({"count": 1, **wanted})
            return self.say(200, {})
        if path == "_double/tokens":
            TOKENS.clear()
            TOKENS.add("dev-token")
            return self.say(200, {})
        if path == "_double/run":
            try:
                return self.say(200, {"value": self.run(DATABASES[name], wanted["sql"])})
            except SqlError as refusal:
                return self.say(400, {"error": str(refusal)})
        return self.say(404, {})

    def run(self, database, sql):
        session, value, log = Session(database, PARSER, ours=True), None, database.log
        database.log = []  # what the tests do themselves is not told
        try:
            for result in session.run(sql):
                if isinstance(result, duckdb.DuckDBPyConnection):
                    row = result.fetchone()
                    value = None if row is None or row[0] is None else str(row[0])
        finally:
            database.log = log
            session.connection.close()
        return value

    def token(self, tenant, asked):
        for database in DATABASES.values():
            if fault := database.fault("token"):
                headers = {"Retry-After": str(fault["retry_after"])} if "retry_after" in fault else {}
                return self.say(fault["status"], fault.get("body", {}), headers)
        scope = asked.get("scope") == "https://database.windows.net/.default"
        if tenant != "acme" or asked.get("grant_type") != "client_credentials" or not scope:
            return self.say(400, {"error": "invalid_request", "error_description": f"AADSTS90002: Tenant '{tenant}' not found.\r\nTrace ID: 1"})
        if (asked.get("client_id"), asked.get("client_secret")) != ("ebb-app", "s3cret"):
            return self.say(401, {"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret provided.\r\nTrace ID: 1"})
        ISSUED[0] += 1
        token = f"token-{ISSUED[0]}"
        TOKENS.add(token)
        return self.say(200, {"token_type": "Bearer", "expires_in": 3599, "access_token": token})

    def say(self, status, value, headers=None):
        body = json.dumps(value).encode()
        self.send_response(status)
        for name, text in (headers or {}).items():
            self.send_header(name, text)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True
    request_queue_size = 64


def main():
    global OPTIONS, PARSER
    options = argparse.ArgumentParser()
    options.add_argument("--port", type=int, required=True)
    options.add_argument("--control", type=int, required=True)
    options.add_argument("--tls", nargs=2, metavar=("CERT", "KEY"))
    options.add_argument("--parser", metavar="FOLDER")
    OPTIONS = options.parse_args()
    PARSER = Parser(OPTIONS.parser) if OPTIONS.parser else None
    control = http.server.ThreadingHTTPServer(("127.0.0.1", OPTIONS.control), Control)
    threading.Thread(target=control.serve_forever, daemon=True).start()
    Server(("127.0.0.1", OPTIONS.port), Connection).serve_forever()


if __name__ == "__main__":
    main()
