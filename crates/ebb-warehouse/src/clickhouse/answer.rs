//! What the server answers: rows, or an exception, also where rows were promised.

use ebb_core::Failure;
use serde_json::Value;

use crate::http;

/// Why a statement was refused or ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Exception {
    /// The server's number for it.
    pub(super) number: u32,
    /// Its words, in one line and without the server's version.
    pub(super) told: String,
}

impl Exception {
    /// The last exception that some bytes tell of; what stands before it may be anything.
    pub(super) fn find(bytes: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(bytes);
        let begins = text.rfind("DB::Exception: ")?;
        let before = text.get(..begins)?;
        let at = before.rfind("Code: ")?;
        let number = before.get(at..)?.strip_prefix("Code: ")?;
        let number = number.split('.').next()?.trim().parse().ok()?;
        let words = text.get(begins..)?.strip_prefix("DB::Exception: ")?;
        // Where it comes in the middle of rows, a sign follows it.
        let words = words.split("\r\n__exception__").next().unwrap_or_default();
        let words = words.rsplit_once("(version ").map_or(words, |(words, _)| words);
        Some(Self { number, told: http::one_line(words, "") })
    }
}

/// The rows of an answer as texts.
pub(super) fn rows(body: &[u8]) -> Result<Vec<Vec<Option<String>>>, Failure> {
    let lines = body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines
        .map(|line| {
            let values: Vec<Value> = serde_json::from_slice(line)
                .map_err(|error| http::lost("its answer ended in the middle").caused_by(error))?;
            Ok(values.into_iter().map(text).collect())
        })
        .collect()
}

fn text(value: Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text),
        other @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            Some(other.to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Exception, rows};

    #[test]
    fn an_exception_is_found_wherever_it_stands() {
        let expected = Exception {
            number: 241,
            told: "Memory limit exceeded: would use 1 MiB. (MEMORY_LIMIT_EXCEEDED)".to_owned(),
        };
        for text in [
            "Code: 241. DB::Exception: Memory limit exceeded:\nwould use 1 MiB. (MEMORY_LIMIT_EXCEEDED) (version 26.9.2.1)\n",
            "\u{0}\u{1}ARROW1\r\n__exception__\r\nabcdefghijklmnop\r\nCode: 241. DB::Exception: Memory limit exceeded: would use 1 MiB. \
             (MEMORY_LIMIT_EXCEEDED) (version 26.9.2.1 (official build))\n110 abcdefghijklmnop\r\n__exception__\r\n",
            "[\"Code: 1. nothing\"]\nCode: 241. DB::Exception: Memory limit exceeded: would use 1 MiB. (MEMORY_LIMIT_EXCEEDED)",
        ] {
            assert_eq!(Exception::find(text.as_bytes()), Some(expected.clone()), "{text}");
        }
        assert_eq!(Exception::find(b"<html>Code: 1</html>"), None);
    }

    #[test]
    fn rows_are_lines_of_json() {
        let body = b"[\"a\\nb\", null, 18446744073709551615]\n[\"\", true, -7]\n";
        let texts = |texts: [Option<&str>; 3]| texts.map(|text| text.map(str::to_owned)).to_vec();
        let expected = [
            texts([Some("a\nb"), None, Some("18446744073709551615")]),
            texts([Some(""), Some("true"), Some("-7")]),
        ];
        assert_eq!(rows(body).unwrap(), expected);
        assert!(rows(b"[1, 2]\n[3").is_err());
    }
}
