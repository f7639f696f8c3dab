//! Values as they go into statements and come out of them, on either engine.

use std::borrow::Cow;

use bytes::BytesMut;
use ebb_core::failure::BoxError;
use rusqlite::types::{ToSqlOutput, ValueRef};
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

/// A value of a statement or of a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::database) enum Value<'a> {
    /// None.
    Null,
    /// A number, a moment in microseconds, or a truth as 0 and 1.
    Integer(i64),
    /// A text.
    Text(&'a str),
    /// Bytes.
    Blob(&'a [u8]),
}

/// Values for a statement, each borrowed: `params![id, mapping, limit]`.
macro_rules! params {
    ($($value:expr),* $(,)?) => {
        &[$($crate::database::sql::AsValue::as_value(&$value)),*]
    };
}
pub(in crate::database) use params;

/// What a statement can take.
pub(in crate::database) trait AsValue {
    /// The value, borrowed.
    fn as_value(&self) -> Value<'_>;
}

impl AsValue for str {
    fn as_value(&self) -> Value<'_> {
        Value::Text(self)
    }
}

impl AsValue for String {
    fn as_value(&self) -> Value<'_> {
        Value::Text(self)
    }
}

impl AsValue for Vec<u8> {
    fn as_value(&self) -> Value<'_> {
        Value::Blob(self)
    }
}

impl AsValue for i64 {
    fn as_value(&self) -> Value<'_> {
        Value::Integer(*self)
    }
}

impl AsValue for u32 {
    fn as_value(&self) -> Value<'_> {
        Value::Integer((*self).into())
    }
}

impl AsValue for bool {
    fn as_value(&self) -> Value<'_> {
        Value::Integer((*self).into())
    }
}

impl<T: AsValue + ?Sized> AsValue for &T {
    fn as_value(&self) -> Value<'_> {
        (**self).as_value()
    }
}

impl<T: AsValue> AsValue for Option<T> {
    fn as_value(&self) -> Value<'_> {
        self.as_ref().map_or(Value::Null, T::as_value)
    }
}

/// What a column can be read as.
pub(in crate::database) trait FromValue<'a>: Sized {
    /// `None` if the value is of another kind.
    fn from_value(value: Value<'a>) -> Option<Self>;
}

impl<'a> FromValue<'a> for &'a str {
    fn from_value(value: Value<'a>) -> Option<Self> {
        if let Value::Text(text) = value { Some(text) } else { None }
    }
}

impl FromValue<'_> for String {
    fn from_value(value: Value<'_>) -> Option<Self> {
        <&str>::from_value(value).map(str::to_owned)
    }
}

impl<'a> FromValue<'a> for &'a [u8] {
    fn from_value(value: Value<'a>) -> Option<Self> {
        if let Value::Blob(bytes) = value { Some(bytes) } else { None }
    }
}

impl FromValue<'_> for Vec<u8> {
    fn from_value(value: Value<'_>) -> Option<Self> {
        <&[u8]>::from_value(value).map(<[u8]>::to_vec)
    }
}

impl FromValue<'_> for i64 {
    fn from_value(value: Value<'_>) -> Option<Self> {
        if let Value::Integer(number) = value { Some(number) } else { None }
    }
}

impl FromValue<'_> for u32 {
    fn from_value(value: Value<'_>) -> Option<Self> {
        i64::from_value(value)?.try_into().ok()
    }
}

impl FromValue<'_> for bool {
    fn from_value(value: Value<'_>) -> Option<Self> {
        i64::from_value(value).map(|number| number != 0)
    }
}

impl<'a, T: FromValue<'a>> FromValue<'a> for Option<T> {
    fn from_value(value: Value<'a>) -> Option<Self> {
        if value == Value::Null { Some(None) } else { T::from_value(value).map(Some) }
    }
}

impl rusqlite::ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match *self {
            Self::Null => ValueRef::Null,
            Self::Integer(number) => ValueRef::Integer(number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

impl<'a> Value<'a> {
    /// A value as `SQLite` has it; `None` for a kind that is never stored.
    pub(super) fn of_sqlite(value: ValueRef<'a>) -> Option<Self> {
        match value {
            ValueRef::Null => Some(Self::Null),
            ValueRef::Integer(number) => Some(Self::Integer(number)),
            ValueRef::Real(_) => None,
            ValueRef::Text(text) => std::str::from_utf8(text).ok().map(Self::Text),
            ValueRef::Blob(bytes) => Some(Self::Blob(bytes)),
        }
    }
}

impl ToSql for Value<'_> {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, BoxError> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Integer(number) if *kind == Type::INT8 => number.to_sql(kind, out),
            Self::Text(text) if *kind == Type::TEXT => storable(text).to_sql(kind, out),
            Self::Blob(bytes) if *kind == Type::BYTEA => bytes.to_sql(kind, out),
            Self::Integer(_) | Self::Text(_) | Self::Blob(_) => {
                Err(format!("the statement takes `{kind}`, not {self:?}").into())
            }
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// A text as PostgreSQL can keep it: it has no character of number zero, so its picture stands for it. Only
/// texts of others, such as identifiers of records, ever have one.
fn storable(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "\u{2400}")) } else { text.into() }
}

impl<'a> FromSql<'a> for Value<'a> {
    fn from_sql(kind: &Type, raw: &'a [u8]) -> Result<Self, BoxError> {
        Ok(if *kind == Type::INT8 {
            Self::Integer(i64::from_sql(kind, raw)?)
        } else if *kind == Type::INT4 {
            Self::Integer(i32::from_sql(kind, raw)?.into())
        } else if *kind == Type::BOOL {
            Self::Integer(bool::from_sql(kind, raw)?.into())
        } else if *kind == Type::BYTEA {
            Self::Blob(raw)
        } else {
            Self::Text(<&str>::from_sql(kind, raw)?)
        })
    }

    fn from_sql_null(_: &Type) -> Result<Self, BoxError> {
        Ok(Self::Null)
    }

    fn accepts(kind: &Type) -> bool {
        [Type::INT8, Type::INT4, Type::BOOL, Type::BYTEA, Type::TEXT].contains(kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_what_they_are_and_as_nothing_else() {
        assert_eq!(i64::from_value(Value::Integer(7)), Some(7));
        assert_eq!(u32::from_value(Value::Integer(-1)), None);
        assert_eq!(bool::from_value(Value::Integer(2)), Some(true));
        assert_eq!(<&str>::from_value(Value::Blob(b"a")), None);
        assert_eq!(Option::<i64>::from_value(Value::Null), Some(None));
        assert_eq!(Option::<i64>::from_value(Value::Text("7")), None);
        assert_eq!(i64::from_value(Value::Null), None);
    }

    #[test]
    fn params_borrow_whatever_the_store_keeps() {
        let (name, none, bytes) = ("a".to_owned(), None::<i64>, vec![1_u8]);
        let reference = &name;
        let values: &[Value<'_>] = params![name, reference, "b", 3_i64, true, none, bytes];
        let expected = [
            Value::Text("a"),
            Value::Text("a"),
            Value::Text("b"),
            Value::Integer(3),
            Value::Integer(1),
            Value::Null,
            Value::Blob(&[1]),
        ];
        assert_eq!(values, expected);
    }
}
