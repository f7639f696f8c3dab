//! Whether a model is one query, judged by a SQL parser before anything runs.

use ebb_core::{Code, Failure};
use sqlparser::{
    ast::{Query, SetExpr, Statement, TableFactor},
    dialect::Dialect,
    keywords::Keyword,
    parser::Parser,
    tokenizer::{Location, Token, TokenWithSpan, Tokenizer, Whitespace},
};

/// The query without what follows its last word: semicolon, comments, white space.
pub(crate) fn bare<'a>(grammar: &dyn Dialect, sql: &'a str) -> &'a str {
    let Ok(tokens) = tokens(grammar, sql) else { return sql.trim() };
    let end = tokens
        .iter()
        .rfind(|token| token.token != Token::SemiColon)
        .map_or(0, |token| offset(sql, token.span.end));
    sql.get(..end).unwrap_or(sql).trim()
}

/// Fails with `S108` unless the text is one query that changes nothing.
///
/// What the parser does not know is judged by its words alone, so that no dialect's newest syntax is
/// refused: the engine has the last word, since a model always stands inside another query.
pub(crate) fn check(grammar: &dyn Dialect, sql: &str) -> Result<(), Failure> {
    let tokens =
        tokens(grammar, sql).map_err(|error| refuse(format!("the model is not SQL: {error}")))?;
    let Some(first) = tokens.first() else { return Err(refuse("the model is empty")) };
    let statements = tokens.split(|token| token.token == Token::SemiColon);
    if statements.filter(|statement| !statement.is_empty()).count() > 1 {
        return Err(refuse("the model holds more than one statement")
            .help("Keep one SELECT; a semicolon may only stand at its end"));
    }
    match Parser::parse_sql(grammar, sql) {
        Ok(statements) => match statements.as_slice() {
            [Statement::Query(query)] => check_query(query),
            [other] => Err(not_a_query(other)),
            _ => Err(refuse("the model holds more than one statement")),
        },
        Err(_) => check_words(first, &tokens),
    }
}

fn refuse(message: impl Into<String>) -> Failure {
    Failure::new(Code::ModelNotQuery, message)
}

fn not_a_query(statement: &Statement) -> Failure {
    let text = statement.to_string();
    let word = text.split_whitespace().next().unwrap_or_default();
    refuse(format!("the model begins with `{word}`, which is not a query"))
}

fn check_query(query: &Query) -> Result<(), Failure> {
    if !query.locks.is_empty() {
        return Err(refuse("the model locks rows with `FOR UPDATE` or `FOR SHARE`")
            .help("Remove the locking clause"));
    }
    for expression in query.with.iter().flat_map(|with| &with.cte_tables) {
        check_query(&expression.query)?;
    }
    check_set(&query.body)
}

fn check_set(set: &SetExpr) -> Result<(), Failure> {
    match set {
        SetExpr::Select(select) => {
            if select.into.is_some() {
                return Err(refuse("the model writes a table with `SELECT … INTO`")
                    .help("Remove the INTO clause"));
            }
            for table in &select.from {
                let joined = table.joins.iter().map(|join| &join.relation);
                for relation in std::iter::once(&table.relation).chain(joined) {
                    if let TableFactor::Derived { subquery, .. } = relation {
                        check_query(subquery)?;
                    }
                }
            }
            Ok(())
        }
        SetExpr::Query(query) => check_query(query),
        SetExpr::SetOperation { left, right, .. } => {
            check_set(left)?;
            check_set(right)
        }
        SetExpr::Values(_) | SetExpr::Table(_) => Ok(()),
        SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_) => {
            Err(refuse("the model changes data with `INSERT`, `UPDATE`, `DELETE` or `MERGE`"))
        }
    }
}

/// The judgement without a tree: how it begins, that parentheses close, that none of them opens with a
/// word that changes data.
fn check_words(first: &TokenWithSpan, tokens: &[TokenWithSpan]) -> Result<(), Failure> {
    const BEGINS: [Keyword; 6] = [
        Keyword::SELECT,
        Keyword::WITH,
        Keyword::VALUES,
        Keyword::TABLE,
        Keyword::FROM,
        Keyword::PIVOT,
    ];
    const CHANGES: [Keyword; 4] =
        [Keyword::INSERT, Keyword::UPDATE, Keyword::DELETE, Keyword::MERGE];
    let begins = first.token == Token::LParen
        || keyword(&first.token).is_some_and(|keyword| BEGINS.contains(&keyword));
    if !begins {
        return Err(refuse(format!(
            "the model begins with `{}`, which is not a query",
            first.token
        )));
    }
    let mut depth = 0_i64;
    let mut opened = false;
    for token in tokens {
        if token.token == Token::LParen {
            depth += 1;
        } else if token.token == Token::RParen {
            depth -= 1;
        } else if opened && keyword(&token.token).is_some_and(|word| CHANGES.contains(&word)) {
            return Err(refuse(format!("the model changes data with `{}`", token.token)));
        }
        opened = token.token == Token::LParen;
        if depth < 0 {
            return Err(refuse("the model closes a parenthesis that it did not open"));
        }
    }
    if depth > 0 { Err(refuse("the model leaves a parenthesis open")) } else { Ok(()) }
}

/// The keyword that a word is.
pub(crate) fn keyword(token: &Token) -> Option<Keyword> {
    if let Token::Word(word) = token { Some(word.keyword) } else { None }
}

/// The tokens of a text without white space and comments.
pub(crate) fn tokens(
    grammar: &dyn Dialect,
    sql: &str,
) -> Result<Vec<TokenWithSpan>, sqlparser::tokenizer::TokenizerError> {
    let mut tokens = Tokenizer::new(grammar, sql).tokenize_with_location()?;
    tokens.retain(|token| !is_space(&token.token));
    Ok(tokens)
}

fn is_space(token: &Token) -> bool {
    matches!(
        token,
        Token::EOF
            | Token::Whitespace(
                Whitespace::Space
                    | Whitespace::Newline
                    | Whitespace::Tab
                    | Whitespace::SingleLineComment { .. }
                    | Whitespace::MultiLineComment(_)
            )
    )
}

/// The byte at which a place lies; lines and columns count from 1, columns in characters.
pub(crate) fn offset(sql: &str, place: Location) -> usize {
    let line = usize::try_from(place.line.saturating_sub(1)).unwrap_or(usize::MAX);
    let column = usize::try_from(place.column.saturating_sub(1)).unwrap_or(usize::MAX);
    let start: usize = sql.split_inclusive('\n').take(line).map(str::len).sum();
    let rest = sql.get(start..).unwrap_or_default();
    start + rest.char_indices().nth(column).map_or(rest.len(), |(byte, _)| byte)
}

#[cfg(test)]
mod tests {
    use ebb_core::Code;
    use sqlparser::dialect::{GenericDialect, PostgreSqlDialect, SQLiteDialect};

    use super::{bare, check};

    #[test]
    fn queries_of_every_shape_pass() {
        for sql in [
            "select 1",
            "select * from users;",
            "-- all of them\nselect * from users -- really;\n;\n-- end",
            "with a as (select 1 as id) select * from a",
            "values (1, 2)",
            "(select 1) union all (select 2)",
            "select id, 'a;b' as text, \"x;y\" from t /* ; */",
            "select a from t where b in (select c from d)",
        ] {
            assert_eq!(check(&PostgreSqlDialect {}, sql), Ok(()), "{sql}");
        }
    }

    #[test]
    fn syntax_that_the_parser_does_not_know_is_left_to_the_engine() {
        let sql = "select id from users qualify banana over everything (x)";
        assert_eq!(check(&GenericDialect {}, sql), Ok(()));
    }

    #[test]
    fn what_is_not_one_query_is_refused() {
        for sql in [
            "",
            "  -- nothing",
            "select 1; select 2",
            "select 1; drop table users",
            "delete from users",
            "update users set a = 1",
            "insert into users values (1)",
            "create table a as select 1",
            "drop table users",
            "with gone as (delete from users returning *) select * from gone",
            "select * into copy from users",
            "select * from users for update",
            "select * from users for share",
            "selec 1",
            "select 1) m; drop table users; --",
            "select 1) m, (select 2",
            "select 'open",
        ] {
            let failure = check(&PostgreSqlDialect {}, sql).expect_err(sql);
            assert_eq!(failure.code, Code::ModelNotQuery, "{sql}");
        }
    }

    #[test]
    fn what_follows_the_query_is_cut_off() {
        for (sql, expected) in [
            ("select 1", "select 1"),
            ("select 1 ; \n", "select 1"),
            ("select 'ä;' as ü;;-- end", "select 'ä;' as ü"),
            ("select 1\n  , 'é' -- two\n; /* end */", "select 1\n  , 'é'"),
            ("select ';'", "select ';'"),
        ] {
            assert_eq!(bare(&SQLiteDialect {}, sql), expected);
        }
    }
}
