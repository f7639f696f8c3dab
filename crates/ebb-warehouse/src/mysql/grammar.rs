//! MySQL's grammar in a session whose double quotes enclose names.

use std::any::TypeId;

use sqlparser::dialect::{Dialect, MySqlDialect};

/// [`MySqlDialect`] under `ANSI_QUOTES`. Where a text ends must be told as the server tells it: what the
/// parser takes for a text, the server must not take for another statement.
#[derive(Debug)]
pub(super) struct AnsiQuotes;

impl Dialect for AnsiQuotes {
    fn dialect(&self) -> TypeId {
        TypeId::of::<MySqlDialect>()
    }

    fn is_identifier_start(&self, ch: char) -> bool {
        MySqlDialect {}.is_identifier_start(ch)
    }

    fn is_identifier_part(&self, ch: char) -> bool {
        MySqlDialect {}.is_identifier_part(ch)
    }

    fn is_delimited_identifier_start(&self, ch: char) -> bool {
        ch == '`' || ch == '"'
    }

    fn supports_string_literal_backslash_escape(&self) -> bool {
        true
    }

    fn ignores_wildcard_escapes(&self) -> bool {
        MySqlDialect {}.ignores_wildcard_escapes()
    }

    fn supports_numeric_prefix(&self) -> bool {
        MySqlDialect {}.supports_numeric_prefix()
    }

    fn supports_multiline_comment_hints(&self) -> bool {
        MySqlDialect {}.supports_multiline_comment_hints()
    }

    fn requires_single_line_comment_whitespace(&self) -> bool {
        MySqlDialect {}.requires_single_line_comment_whitespace()
    }
}

#[cfg(test)]
mod tests {
    use ebb_core::Code;

    use super::AnsiQuotes;
    use crate::query::check;

    #[test]
    fn texts_and_names_end_where_the_server_ends_them() {
        for sql in [
            r#"select "a\", 'it\'s; here' as b from `t;`"#,
            "select 1 # all of it; really",
            "select a from t where b = 'x\\\\'",
        ] {
            assert_eq!(check(&AnsiQuotes, sql), Ok(()), "{sql}");
        }
        for sql in [
            r#"select "a\"; drop table t; -- ""#,
            "select 'a\\\\'; drop table t; -- '",
            "select 1 --; drop table t",
        ] {
            let failure = check(&AnsiQuotes, sql).expect_err(sql);
            assert_eq!(failure.code, Code::ModelNotQuery, "{sql}");
        }
    }
}
