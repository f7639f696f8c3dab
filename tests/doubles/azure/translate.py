"""T-SQL as DuckDB says it, by sqlglot, and what the server would refuse although its grammar takes it."""

import sqlglot
from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.dialects.tsql import TSQL

from tds import SqlError

TEXTS = ("char", "nchar", "varchar", "nvarchar", "text")
BYTES = ("binary", "varbinary")


class Tsql(TSQL):
    """T-SQL whose `convert` is kept as it was written."""

    class Parser(TSQL.Parser):
        FUNCTION_PARSERS = {
            **TSQL.Parser.FUNCTION_PARSERS,
            "CONVERT": lambda self: self._parse_plain_convert(),
        }

        def _parse_plain_convert(self, *_):
            to = self._parse_types()
            self._match(sqlglot.TokenType.COMMA)
            value = self._parse_assignment()
            style = self._parse_assignment() if self._match(sqlglot.TokenType.COMMA) else None
            return self.expression(exp.Convert(this=to, expression=value, style=style))


def parsed(text):
    try:
        return [tree for tree in sqlglot.parse(text, read=Tsql) if tree is not None]
    except sqlglot.errors.SqlglotError as error:
        raise SqlError(102, "Incorrect syntax: " + str(error).split("\n")[0], 15) from error


def is_text(node):
    """Whether an operand of `+` is text, as far as it shows."""
    if isinstance(node, exp.Paren):
        return is_text(node.this)
    if isinstance(node, (exp.Cast, exp.Convert)):
        to = node.args["to"] if isinstance(node, exp.Cast) else node.this
        return to.is_type(*TEXTS)
    if isinstance(node, exp.Literal):
        return node.is_string
    return isinstance(node, (exp.National, exp.Concat, exp.Left, exp.DPipe)) or (
        isinstance(node, exp.Anonymous) and node.name == "text_of")


def cast(value, to):
    if to.is_type(*TEXTS):
        return exp.func("text_of", value)
    if to.is_type(*BYTES):
        return exp.func("bytes_of", value)
    return exp.cast(value, to)


def node(tree):
    """One node, whose children are translated already."""
    if isinstance(tree, exp.National):
        return exp.Literal.string(tree.name)
    if isinstance(tree, exp.DataType):
        if tree.this == exp.DType.BIT:
            return exp.DataType.build("boolean")
        kind = tree.this.name
        if tree.is_type(*TEXTS) or kind in ("XML", "VARIANT", "GEOGRAPHY", "GEOMETRY", "USERDEFINED", "HIERARCHYID"):
            return exp.DataType.build("text")
        if tree.is_type(*BYTES) or kind in ("ROWVERSION", "IMAGE"):
            return exp.DataType.build("blob")
        if kind in ("DATETIME2", "DATETIME", "SMALLDATETIME", "TIMESTAMP"):
            return exp.DataType(this=exp.DType.TIMESTAMP)
        if kind in ("MONEY", "SMALLMONEY"):
            return exp.DataType.build("decimal(19,4)")
        if kind == "UTINYINT" or kind == "TINYINT":
            return exp.DataType(this=exp.DType.UTINYINT)
        if kind == "FLOAT":
            # `real` is the same to the grammar; its four bytes are in the dialect's snapshots alone
            return exp.DataType.build("double")
    if isinstance(tree, exp.Collate):
        return exp.Collate(this=tree.this, expression=exp.to_identifier("binary", quoted=True))
    if isinstance(tree, exp.Add) and (is_text(tree.this) or is_text(tree.expression)):
        return exp.DPipe(this=tree.this, expression=tree.expression)
    if isinstance(tree, exp.Dot) and isinstance(tree.expression, exp.Func):
        return tree.this  # the text of a shape or of a place in a hierarchy: it is kept as that
    if isinstance(tree, exp.Table):
        if isinstance(tree.this, exp.Anonymous) and tree.this.name.lower() == "generate_series":
            return tree
        tree.set("hints", None)
        tree.set("catalog", None)
    return tree


def casts(tree):
    """Casts, from the inside out, before their types are translated."""
    for found in list(tree.find_all(exp.Convert, exp.Cast, exp.TryCast))[::-1]:
        if isinstance(found, exp.Convert):
            to, value, style = found.this, found.expression, found.args.get("style")
            hexadecimal = style is not None and style.name == "2"
            new = exp.func("hex_of", value) if hexadecimal else cast(value, to)
        else:
            new = cast(found.this, found.args["to"])
        if found is tree:
            tree = new
        else:
            found.replace(new)
    return tree


FUNCTIONS = {"datalength": "octets_of", "hashbytes": None, "switchoffset": None}


def functions(tree):
    for found in list(tree.find_all(exp.Anonymous, exp.MD5, exp.SHA, exp.SHA2))[::-1]:
        if isinstance(found, exp.SHA2):
            found.replace(exp.func("digest_of", found.this))
            continue
        name = found.name.lower() if isinstance(found, exp.Anonymous) else ""
        if name == "datalength":
            found.replace(exp.func("octets_of", *found.expressions))
        elif name == "switchoffset":
            found.replace(found.expressions[0])
        elif name == "hashbytes":
            found.replace(exp.func("digest_of", found.expressions[1]))
    for found in list(tree.find_all(exp.Substring))[::-1]:
        if isinstance(found.this, exp.Anonymous) and found.this.name == "digest_of":
            found.replace(exp.func("first_eight", found.this))
    # a digest's first bytes as a number
    for found in list(tree.find_all(exp.Cast))[::-1]:
        if isinstance(found.this, exp.Anonymous) and found.this.name == "first_eight":
            found.replace(found.this)
    return tree


def refused(tree):
    """What the grammar takes and the server does not."""
    for with_ in tree.find_all(exp.With):
        names = [cte.alias.lower() for cte in with_.expressions]
        for name in names:
            if names.count(name) > 1:
                raise SqlError(239, f"Duplicate common table expression name '{name}' was specified.")
    inner = [found.this for found in tree.find_all(exp.Subquery, exp.CTE)]
    for query in inner:
        if isinstance(query, (exp.Select, exp.SetOperation)):
            chooses = query.args.get("limit") or query.args.get("offset")
            if query.args.get("order") and not chooses:
                raise SqlError(1033, "The ORDER BY clause is invalid in views, inline functions, derived tables, "
                                     "subqueries, and common table expressions, unless TOP, OFFSET or FOR XML is "
                                     "also specified.", 15)
    tables = [found for found in tree.find_all(exp.Subquery) if isinstance(found.parent, (exp.From, exp.Join))]
    for query in [found.this for found in tables] + [found.this for found in tree.find_all(exp.CTE) if not found.args["alias"].columns]:
        for place, column in enumerate(query.selects if isinstance(query, exp.Query) else [], 1):
            if not column.alias_or_name and not column.is_star:
                raise SqlError(8155, f"No column name was specified for column {place} of 'm'.")
    for cte in tree.find_all(exp.CTE):
        own = cte.alias.lower()
        reads = [t for t in cte.this.find_all(exp.Table) if t.name.lower() == own and not t.db]
        if reads and not isinstance(cte.this, exp.SetOperation):
            raise SqlError(252, f"Recursive common table expression '{own}' does not contain a top-level UNION ALL operator.")


def translated(tree):
    """A tree's text for DuckDB, and whether it gives rows."""
    refused(tree)
    recursive = any(t.name.lower() == cte.alias.lower() for cte in tree.find_all(exp.CTE) for t in cte.this.find_all(exp.Table))
    tree = functions(casts(tree.copy()))
    tree = bottom_up(tree)
    into = None
    select = tree if isinstance(tree, exp.Select) else tree.find(exp.Select)
    if isinstance(tree, exp.Query) and select is not None and select.args.get("into") is not None:
        into = select.args["into"].this
        select.set("into", None)
        if any(not column.alias_or_name and not column.is_star for column in select.selects):
            raise SqlError(1038, "An object or column name is missing or empty.", 15)
    if recursive and tree.args.get("with_"):
        tree.args["with_"].set("recursive", True)
    text = tree.sql(dialect=DuckDB)
    if into is not None:
        return f"create table {into.sql(dialect=DuckDB)} as {text}", False
    return text, isinstance(tree, exp.Query)


def bottom_up(tree):
    for found in list(tree.walk(bfs=False))[::-1]:
        new = node(found)
        if new is not found:
            if found is tree:
                tree = new
            else:
                found.replace(new)
    return tree
