"""What TDS 7.4 says on the wire: results, errors, and the parameters of a call."""

import datetime
import decimal
import re
import struct
import uuid

COLLATION = b"\x09\x04\xd0\x00\x34"
FIRST_DAY = datetime.date(1, 1, 1)
DONE, DONE_PROC, DONE_IN_PROC = 0xFD, 0xFE, 0xFF
MORE, ERROR, COUNT = 1, 2, 16


class SqlError(Exception):
    """An error that the server tells."""

    def __init__(self, number, message, severity=16):
        super().__init__(message)
        self.number, self.severity = number, severity


def wide(text):
    data = text.encode("utf-16-le")
    return struct.pack("<H", len(data) // 2) + data


def narrow(text):
    data = text.encode("utf-16-le")
    return struct.pack("<B", len(data) // 2) + data


def days(date):
    return struct.pack("<I", (date - FIRST_DAY).days)[:3]


def units(time):
    seconds = (time.hour * 60 + time.minute) * 60 + time.second
    return struct.pack("<Q", seconds * 10**7 + time.microsecond * 10)[:5]


def chunked(data):
    """A long value of a known length, in one piece."""
    piece = struct.pack("<I", len(data)) + data if data else b""
    return struct.pack("<Q", len(data)) + piece + b"\0\0\0\0"


def fixed(length, form):
    size = bytes([length])
    return lambda value: b"\0" if value is None else size + struct.pack(form, value)


INTEGERS = {
    "TINYINT": (2, "<h"), "SMALLINT": (2, "<h"), "UTINYINT": (1, "<B"), "USMALLINT": (4, "<i"), "INTEGER": (4, "<i"),
    "UINTEGER": (8, "<q"), "BIGINT": (8, "<q"), "UBIGINT": (8, "<q"), "HUGEINT": (8, "<q"),
}


def column(kind):
    """The description of a type of DuckDB's, and what encodes its values."""
    kind = str(kind).upper()
    if kind in INTEGERS:
        length, form = INTEGERS[kind]
        return b"\x26" + bytes([length]), fixed(length, form)
    if kind == "BOOLEAN":
        return b"\x68\x01", fixed(1, "<?")
    if kind == "FLOAT":
        return b"\x6d\x04", fixed(4, "<f")
    if kind == "DOUBLE":
        return b"\x6d\x08", fixed(8, "<d")
    if match := re.match(r"DECIMAL\((\d+),(\d+)\)", kind):
        precision, scale = int(match[1]), int(match[2])
        length = 5 if precision < 10 else 9 if precision < 20 else 13 if precision < 29 else 17

        def number(value):
            if value is None:
                return b"\0"
            whole = int(decimal.Decimal(value).scaleb(scale))
            return bytes([length, 1 if whole >= 0 else 0]) + abs(whole).to_bytes(length - 1, "little")
        return bytes([0x6A, length, precision, scale]), number
    if kind == "DATE":
        return b"\x28", lambda value: b"\0" if value is None else b"\x03" + days(value)
    if kind.startswith("TIME") and "STAMP" not in kind:
        return b"\x29\x07", lambda value: b"\0" if value is None else b"\x05" + units(value)
    if kind.startswith("TIMESTAMP WITH TIME"):
        def zoned(value):
            if value is None:
                return b"\0"
            value = value.astimezone(datetime.timezone.utc)
            return b"\x0a" + units(value) + days(value.date()) + b"\0\0"
        return b"\x2b\x07", zoned
    if kind.startswith("TIMESTAMP"):
        return b"\x2a\x07", lambda value: b"\0" if value is None else b"\x08" + units(value) + days(value.date())
    if kind == "UUID":
        return b"\x24\x10", lambda value: b"\0" if value is None else b"\x10" + uuid.UUID(str(value)).bytes_le
    if kind == "BLOB":
        return b"\xa5\xff\xff", lambda value: b"\xff" * 8 if value is None else chunked(bytes(value))
    return b"\xe7\xff\xff" + COLLATION, (
        lambda value: b"\xff" * 8 if value is None else chunked(str(value).encode("utf-16-le")))


def done(status=0, rows=None, token=DONE):
    return struct.pack("<BHHQ", token, status | (COUNT if rows is not None else 0), 0xC1, rows or 0)


def error(refusal):
    body = struct.pack("<IBB", refusal.number, 1, refusal.severity) + wide(str(refusal)[:4000])
    body += narrow("double") + narrow("") + struct.pack("<I", 1)
    return b"\xaa" + struct.pack("<H", len(body)) + body


def change(kind, new, old=""):
    body = bytes([kind]) + narrow(new) + narrow(old)
    return b"\xe3" + struct.pack("<H", len(body)) + body


def called(data):
    """The text that a call of sp_executesql runs; the double's clients give no parameters with it."""
    length = struct.unpack("<H", data[:2])[0]
    if length == 0xFFFF:
        name, at = struct.unpack("<H", data[2:4])[0], 4
    else:
        name, at = data[2:2 + 2 * length].decode("utf-16-le").lower(), 2 + 2 * length
    if name not in (10, "sp_executesql"):
        raise SqlError(2812, f"Could not find stored procedure '{name}'.")
    at += 2
    at += 2 + 2 * data[at]  # the parameter's name and its flags
    kind, longest = data[at], struct.unpack("<H", data[at + 1:at + 3])[0]
    if kind not in (0xE7, 0xEF):
        raise SqlError(214, "Procedure expects parameter '@statement' of type 'ntext/nchar/nvarchar'.")
    at += 8
    if longest != 0xFFFF:
        length = struct.unpack("<H", data[at:at + 2])[0]
        return data[at + 2:at + 2 + length].decode("utf-16-le")
    at, text = at + 8, b""
    while length := struct.unpack("<I", data[at:at + 4])[0]:
        text += data[at + 4:at + 4 + length]
        at += 4 + length
    return text.decode("utf-16-le")
