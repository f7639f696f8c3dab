"""Databases that speak T-SQL: DuckDB behind a translation, one in memory for each name."""

import re
import threading

import duckdb
from sqlglot import exp

import translate
from tds import SqlError

SETUP = """
create schema dbo; create schema sys;
create macro text_of(x) as case typeof(x) when 'BLOB' then decode(try_cast(x as blob)) else cast(x as varchar) end;
create macro bytes_of(x) as case typeof(x) when 'BLOB' then try_cast(x as blob) else encode(cast(x as varchar)) end;
create macro hex_of(x) as hex(bytes_of(x));
create macro octets_of(x) as octet_length(bytes_of(x));
create macro digest_of(x) as sha256(bytes_of(x));
create macro unsigned_of(x) as cast('0x' || substr(x, 1, 16) as ubigint)::hugeint;
create macro first_eight(x) as cast(case when unsigned_of(x) > 9223372036854775807 then unsigned_of(x) - 18446744073709551616::hugeint else unsigned_of(x) end as bigint);
create view sys.schemas as select schema_name as name, oid as schema_id from duckdb_schemas()
  where not internal and schema_name not in ('sys', 'main') and database_name = current_database();
create view sys.tables as select table_name as name, table_oid as object_id, s.oid as schema_id
  from duckdb_tables() t join duckdb_schemas() s using (schema_name, database_name)
  where not t.internal and database_name = current_database() and not t.temporary;
create view sys.columns as select column_name as name, table_oid as object_id from duckdb_columns()
  where not internal and database_name = current_database();
"""
NATIVE = {
    "BIGINT": "bigint", "INTEGER": "int", "SMALLINT": "smallint", "UTINYINT": "tinyint", "TINYINT": "smallint",
    "HUGEINT": "decimal(38,0)", "BOOLEAN": "bit", "VARCHAR": "nvarchar(4000)", "BLOB": "varbinary(max)",
    "DOUBLE": "float", "FLOAT": "real", "DATE": "date", "TIME": "time(7)", "TIMESTAMP": "datetime2(7)",
    "TIMESTAMP WITH TIME ZONE": "datetimeoffset(7)", "UUID": "uniqueidentifier",
}
MASKED = re.compile(r"N?'(?:[^']|'')*'|\[(?:[^\]]|\]\])*\]|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/", re.DOTALL)
NAME = r"(?:\[(?:[^\]]|\]\])*\]|\w+)(?:\.(?:\[(?:[^\]]|\]\])*\]|\w+))?"
CONDITION = re.compile(r"object_id\(N'((?:[^']|'')*)'\) is (not )?null(?: and )?", re.IGNORECASE)


def statements(text):
    """The statements of a text, which semicolons part."""
    masked = MASKED.sub(lambda found: "\1" * len(found[0]), text)
    begin = 0
    for end in [found.start() for found in re.finditer(";", masked)] + [len(text)]:
        if text[begin:end].strip():
            yield text[begin:end].strip()
        begin = end + 1


def bare(name):
    """A quoted name's parts."""
    parts = re.findall(r"\[((?:[^\]]|\]\])*)\]|(\w+)", name)
    parts = [quoted.replace("]]", "]") or plain for quoted, plain in parts]
    return parts if len(parts) > 1 else ["dbo", *parts]


def quoted(*names):
    return ".".join('"' + name.replace('"', '""') + '"' for name in names)


class Database:
    def __init__(self, name, switches):
        self.name, self.engine = name, switches.get("engine", "sqlserver")
        self.root = duckdb.connect(f":memory:{name}")
        # Two texts that differ in case are one, as by default at the server.
        self.root.execute("set default_collation = 'nocase'")
        self.root.execute("set threads = 2")
        self.root.execute(SETUP)
        self.log, self.faults, self.declared, self.lock = [], [], {}, threading.Lock()

    def fault(self, kind, text=""):
        """The next fault of a kind that a text meets."""
        with self.lock:
            for fault in self.faults:
                if fault["kind"] == kind and fault["count"] > 0 and re.search(fault.get("match", ""), text):
                    if fault.get("skip", 0) > 0:
                        fault["skip"] -= 1
                        continue
                    fault["count"] -= 1
                    return fault
        return None


class Session:
    """One session. `call` tells whether a text comes as a procedure's, which has a scope of its own."""

    def __init__(self, database, parser, ours=False):
        self.database, self.parser = database, parser
        # the tests' own sessions may say what a pool of Synapse would not take
        self.ours = ours
        self.connection = database.root.cursor()
        self.connection.execute("set default_collation = 'nocase'")
        self.connection.execute("set schema = 'dbo'")
        self.in_transaction, self.context, self.settings = False, "", {}

    def run(self, text, call=False):
        """Gives, statement by statement, a cursor with rows or the number of rows written."""
        entry = {"sql": text, "context": self.context, "done": False, "canceled": False, "error": None}
        self.database.log.append(entry)
        self.entry = entry
        try:
            if fault := self.database.fault("error", text):
                raise SqlError(fault["number"], fault["message"])
            if self.parser and (errors := self.parser.errors(text)):
                raise SqlError(102, errors[0], 15)
            for statement in statements(text):
                yield from self.one(statement, call)
        except SqlError as refusal:
            entry["error"] = str(refusal)
            self.roll_back()
            raise
        except duckdb.Error as error:
            refusal = known(error)
            entry["error"] = str(refusal)
            self.roll_back()
            raise refusal from error
        finally:
            entry["done"] = True

    def roll_back(self):
        # xact_abort is on
        if self.in_transaction:
            self.connection.execute("rollback")
            self.in_transaction = False

    def one(self, text, call):
        low = text.lower()
        if low.startswith("if "):
            condition, at = True, 3
            while found := CONDITION.match(text, at):
                exists = self.exists(found[1].replace("''", "'"))
                condition, at = condition and exists == bool(found[2]), found.end()
            if condition:
                yield from self.one(text[at:].strip(), call)
            return
        if low.startswith("set "):
            if found := re.fullmatch(r"set context_info 0x([0-9a-f]*)", low):
                self.context = bytes.fromhex(found[1]).decode()
            else:
                self.settings[low.split(" ")[1]] = low
            yield None
            return
        if found := re.fullmatch(r"(begin|commit|rollback) transaction", low):
            if call:
                raise SqlError(266, "Transaction count after EXECUTE indicates a mismatching number of BEGIN and COMMIT statements.")
            self.connection.execute(found[1])
            self.in_transaction = found[1] == "begin"
            yield None
            return
        if found := re.fullmatch(r"exec sp_describe_first_result_set @tsql = N'(.*)'", text, re.DOTALL):
            yield self.described(found[1].replace("''", "'"))
            return
        if self.database.engine == "synapse" and (found := re.fullmatch(rf"rename object ({NAME}) to ({NAME})", text)):
            self.tables_may_change()
            self.connection.execute(f"alter table {quoted(*bare(found[1]))} rename to {quoted(bare(found[2])[-1])}")
            yield None
            return
        yield from self.translated(text, call)

    def tables_may_change(self):
        if self.database.engine == "synapse" and self.in_transaction:
            raise SqlError(111212, "Operation cannot be performed within a transaction.")

    def number(self, name):
        """A table's number; -1 if it is not there."""
        schema, table = bare(name)
        query = "select max(table_oid) from duckdb_tables() where schema_name = ? and table_name = ? and database_name = current_database()"
        found = self.connection.execute(query, [schema, table]).fetchone()[0]
        return -1 if found is None else found

    def exists(self, name):
        return self.number(name) >= 0

    def translated(self, text, call):
        name = None
        if self.database.engine == "synapse":
            text, name = synapse(text, self.ours)
        for tree in translate.parsed(self.functions(text)):
            if isinstance(tree, exp.Create) and tree.kind == "TABLE" or isinstance(tree, exp.Drop):
                self.tables_may_change()
            if isinstance(tree, exp.Create) and tree.kind == "TABLE":
                self.declare(text)
                if call and text.lower().startswith("create table #"):
                    raise SqlError(208, "a temporary table of a procedure goes with it")
            sql, rows = translate.translated(tree)
            if name is not None:
                self.tables_may_change()
                sql, rows = f"create table {quoted(*bare(name))} as {sql}", False
            cursor = self.connection.execute(sql)
            if rows:
                yield cursor
            else:
                written = isinstance(tree, (exp.Insert, exp.Update, exp.Delete, exp.Query))
                row = cursor.fetchone() if written else None
                yield int(row[0]) if row and isinstance(row[0], int) else None

    def functions(self, text):
        edition = "6" if self.database.engine == "synapse" else "5"
        text = re.sub(r"serverproperty\('EngineEdition'\)", f"'{edition}'", text)
        text = re.sub(r"\buser_name\(\)", "'ebb'", text)
        return re.sub(r"(?<!\w)object_id\(N'((?:[^']|'')*)'\)", lambda found: str(self.number(found[1].replace("''", "'"))), text)

    def declare(self, text):
        """Keeps the types of a table's columns as they were written."""
        found = re.match(rf"create table ({NAME}) \((.*)\)", text, re.IGNORECASE | re.DOTALL)
        columns = re.findall(rf"\s*({NAME})\s+(\w+(?:\s*\([^)]*\))?)[^,]*(?:,|\Z)", found[2])
        self.database.declared[".".join(bare(found[1])).lower()] = {
            bare(name)[-1].lower(): kind.lower().replace(", ", ",") for name, kind in columns}

    def described(self, text):
        """The columns of a query, with the types of a table where it reads one alone."""
        if self.parser and (errors := self.parser.errors(text)):
            raise SqlError(102, errors[0], 15)
        tree = translate.parsed(self.functions(text))[0]
        if not isinstance(tree, exp.Query):
            raise SqlError(11509, "The metadata could not be determined.")
        sql, _ = translate.translated(tree)
        found = self.connection.execute(f"describe {sql}").fetchall()
        names = [column.alias_or_name for column in tree.selects]
        if len(names) != len(found) or "*" in names:
            names = [row[0] for row in found]
        declared = {}
        tables = list(tree.find_all(exp.Table))
        if len(tables) == 1 and not list(tree.find_all(exp.Subquery)):
            known_types = self.database.declared.get(".".join(bare(tables[0].sql(dialect="tsql"))).lower(), {})
            plain = {column.alias_or_name.lower(): column.unalias().name.lower() for column in tree.selects
                     if isinstance(column.unalias(), exp.Column)}
            if tree.is_star:
                plain = {name: name for name in known_types}
            declared = {name: known_types[of] for name, of in plain.items() if of in known_types}
        rows = []
        for name, row in zip(names, found):
            kind = str(row[1]).upper()
            native = NATIVE.get(kind, kind.lower())
            rows.append((name or None, declared.get(name.lower(), native)))
        values = ", ".join("(?, ?)" for _ in rows)
        parameters = [value for row in rows for value in row]
        return self.connection.execute(
            f"select false as is_hidden, cast(name as varchar) as name, cast(native as varchar) as system_type_name, "
            f"cast(null as varchar) as user_type_name from (values {values}) v(name, native)", parameters)


def synapse(text, ours):
    """A statement of Synapse's without what is its own, and the table that it makes from a query."""
    text = re.sub(r"\noption \(label = N'(?:[^']|'')*'\)\Z", "", text)
    if found := re.match(rf"create table ({NAME}) with \(distribution = [^()]*(?:\([^()]*\))?[^()]*\) as\n", text):
        return text[found.end():], found[1]
    if re.match(r"create table .* as\n", text) or re.search(r"\ninto ", text) and "from" in text:
        raise SqlError(103010, "Parse error: a table from a query needs a distribution.", 15)
    if not ours and re.match(r"insert into .* values \(.*\), \(", text, re.DOTALL):
        raise SqlError(103010, "Parse error: one row of values is all that is taken.", 15)
    return re.sub(r" with \(distribution = [^()]*(?:\([^()]*\))?[^()]*\)\Z", "", text), None


def known(error):
    """An error of DuckDB's as the server tells it."""
    told = str(error)
    if "INTERRUPT" in told.upper():
        return SqlError(0, "The statement was canceled.")
    for pattern, number, message in (
        (r"(?:Table|View) with name \"?([^\" !]+)\"?!? does not exist", 208, "Invalid object name '{}'."),
        (r"Schema with name \"?([^\" ]+)\"? does not exist", 2760, "The specified schema name \"{}\" either does not exist or you do not have permission to use it."),
        (r"(?:Referenced column|column) \"([^\"]+)\" not found", 207, "Invalid column name '{}'."),
        (r"Table with name \"([^\"]+)\" already exists", 2714, "There is already an object named '{}' in the database."),
    ):
        if found := re.search(pattern, told):
            return SqlError(number, message.format(found[1].rstrip("!")))
    return SqlError(50000, told.split("\n\n")[0][:1500])
