//! `select … into …`: where the table's name goes in a query.

use sqlparser::{dialect::MsSqlDialect, keywords::Keyword, tokenizer::Token};

use crate::query::{keyword, offset, tokens};

/// A statement that makes a table from a query of Ebb's, which has one `from` outside parentheses at
/// most.
pub(super) fn into(query: &str, table: &str) -> String {
    let place = from(query);
    let (select, rest) = query.split_at(place);
    if rest.is_empty() {
        return format!("{select} into {table}");
    }
    format!("{}\ninto {table}\n{rest}", select.trim_end())
}

/// A column more in a query of the same kind.
pub(super) fn with_column(query: &str, column: &str) -> String {
    let (select, rest) = query.split_at(from(query));
    format!("{}, {column}\n{rest}", select.trim_end())
}

/// How much deeper in parentheses a token leads.
pub(super) fn step(token: &Token) -> i64 {
    i64::from(*token == Token::LParen) - i64::from(*token == Token::RParen)
}

/// Where `from` begins, or where the query ends.
fn from(query: &str) -> usize {
    let Ok(tokens) = tokens(&MsSqlDialect {}, query) else { return query.len() };
    let mut depth = 0_i64;
    for token in &tokens {
        depth += step(&token.token);
        if depth == 0 && keyword(&token.token) == Some(Keyword::FROM) {
            return offset(query, token.span.start);
        }
    }
    query.len()
}

#[cfg(test)]
mod tests {
    use super::into;

    #[test]
    fn the_table_stands_before_the_outer_from() {
        for (query, expected) in [
            ("select 1 as seq", "select 1 as seq into t"),
            ("select * from b", "select *\ninto t\nfrom b"),
            (
                "with n as (\n  select a from (\nselect ')' as [from], N'ü' as b from c -- from (\n) m\n)\nselect k, [x]]from] as x\nfrom n",
                "with n as (\n  select a from (\nselect ')' as [from], N'ü' as b from c -- from (\n) m\n)\nselect k, [x]]from] as x\ninto t\nfrom n",
            ),
        ] {
            assert_eq!(into(query, "t"), expected);
        }
    }
}
