//! Functions that Ebb gives to SQLite.

use rusqlite::{
    Connection, Result,
    functions::{Context, FunctionFlags},
    types::{ToSqlOutput, Value, ValueRef},
};
use xxhash_rust::xxh3::Xxh3;

/// The checksum of its arguments, the first of which is the salt.
pub(super) const CHECKSUM: &str = "ebb_checksum";
/// An identifier: a whole number if it reads as one, otherwise text.
pub(super) const KEY: &str = "ebb_key";

/// Adds the functions to a connection.
pub(super) fn register(connection: &Connection) -> Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function(CHECKSUM, -1, flags, |context| {
        Ok(checksum((0..context.len()).map(|place| context.get_raw(place))))
    })?;
    connection.create_scalar_function(KEY, 1, flags, |context: &Context<'_>| {
        Ok(ToSqlOutput::Owned(key(context.get_raw(0))))
    })
}

/// XXH3 over values that each say their type and length, so that no two rows read the same.
fn checksum<'a>(values: impl Iterator<Item = ValueRef<'a>>) -> i64 {
    let mut hash = Xxh3::new();
    for value in values {
        match value {
            ValueRef::Null => hash.update(&[0]),
            ValueRef::Integer(number) => {
                hash.update(&[1]);
                hash.update(&number.to_le_bytes());
            }
            ValueRef::Real(number) => {
                hash.update(&[2]);
                hash.update(&number.to_bits().to_le_bytes());
            }
            ValueRef::Text(bytes) => {
                hash.update(&[3]);
                hash.update(&(bytes.len() as u64).to_le_bytes());
                hash.update(bytes);
            }
            ValueRef::Blob(bytes) => {
                hash.update(&[4]);
                hash.update(&(bytes.len() as u64).to_le_bytes());
                hash.update(bytes);
            }
        }
    }
    hash.digest().cast_signed()
}

/// `7` and `'7'` are one identifier, as their text is; `'007'` is another.
fn key(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Integer(number),
        ValueRef::Real(number) => canonical(number.to_string()),
        ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => canonical(text.to_owned()),
            Err(_) => Value::Text(hexadecimal(bytes)),
        },
        ValueRef::Blob(bytes) => Value::Text(hexadecimal(bytes)),
    }
}

fn canonical(text: String) -> Value {
    match text.parse::<i64>() {
        Ok(number) if number.to_string() == text => Value::Integer(number),
        Ok(_) | Err(_) => Value::Text(text),
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a text cannot fail");
        text
    })
}

#[cfg(test)]
mod tests {
    use rusqlite::types::{Value, ValueRef};

    use super::{checksum, key};

    #[test]
    fn checksums_tell_values_apart_by_place_type_and_length() {
        use ValueRef::{Blob, Integer, Null, Real, Text};
        let rows: [&[ValueRef<'_>]; 10] = [
            &[Text(b"a"), Null],
            &[Null, Text(b"a")],
            &[Text(b"a")],
            &[Text(b"ab"), Text(b"c")],
            &[Text(b"a"), Text(b"bc")],
            &[Integer(1)],
            &[Real(1.0)],
            &[Text(b"1")],
            &[Blob(b"1")],
            &[],
        ];
        let sums: std::collections::HashSet<_> =
            rows.iter().map(|row| checksum(row.iter().copied())).collect();
        assert_eq!(sums.len(), rows.len());
    }

    #[test]
    fn identifiers_are_the_same_if_their_text_is() {
        assert_eq!(key(ValueRef::Integer(7)), key(ValueRef::Text(b"7")));
        assert_eq!(key(ValueRef::Text(b"007")), Value::Text("007".to_owned()));
        assert_eq!(key(ValueRef::Text(b"+7")), Value::Text("+7".to_owned()));
        assert_eq!(key(ValueRef::Real(1.5)), Value::Text("1.5".to_owned()));
        assert_eq!(key(ValueRef::Blob(b"\x00\xff")), Value::Text("00ff".to_owned()));
    }
}
