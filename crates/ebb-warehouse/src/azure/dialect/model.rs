//! Models inside statements: T-SQL takes `with` at a statement's beginning alone, and no `order by` in
//! parentheses that does not choose rows.

use std::borrow::Cow;

use ebb_core::{Code, Failure};
use sqlparser::{
    dialect::MsSqlDialect,
    keywords::Keyword,
    tokenizer::{Token, TokenWithSpan},
};

use super::into::step;
use crate::{
    dialect::Model,
    query::{keyword, offset, tokens},
};

/// The names that Ebb's own statements give their common table expressions.
const OWN: [&str; 4] = ["n", "differing", "counted", "classified"];

/// The model with its common table expressions apart and without an order that means nothing. What
/// cannot be read is left to the server. Fails with `S108` where a clause or a name stands in the way.
pub(super) fn hoisted(query: &str) -> Result<Model<'_>, Failure> {
    let unchanged = || Model { with: String::new(), query: Cow::Borrowed(query) };
    let Ok(tokens) = tokens(&MsSqlDialect {}, query) else { return Ok(unchanged()) };
    let list = if is(tokens.first(), Keyword::WITH) {
        let Some(list) = Expressions::read(&tokens) else { return Ok(unchanged()) };
        list
    } else {
        Expressions::default()
    };
    for name in &list.names {
        if OWN.contains(&name.to_lowercase().as_str()) {
            return Err(Failure::new(
                Code::ModelNotQuery,
                format!("the model names a common table expression `{name}`, as Ebb's own statement does"),
            )
            .help("Give it another name"));
        }
    }
    let place =
        |token: Option<&TokenWithSpan>, end| token.map_or(end, |it| offset(query, it.span.start));
    let body = tokens.get(list.end..).unwrap_or_default();
    let begin = place(body.first(), query.len());
    let last = place(order(body)?, query.len());
    let body_text = query.get(begin..last).unwrap_or(query).trim_end();
    let with = match (list.names.is_empty(), tokens.get(1)) {
        (false, Some(first)) => {
            let text = query.get(offset(query, first.span.start)..begin).unwrap_or_default();
            format!("{},\n", text.trim_end())
        }
        (true, _) | (_, None) => String::new(),
    };
    if body.windows(2).any(names_own_table) {
        // Within an expression of that name it would mean the expression.
        let with = format!("{with}ebb_model as (\n{body_text}\n),\n");
        return Ok(Model { with, query: Cow::Borrowed("select * from ebb_model") });
    }
    Ok(Model { with, query: Cow::Borrowed(body_text) })
}

/// The common table expressions at a query's beginning.
#[derive(Default)]
struct Expressions {
    names: Vec<String>,
    /// The number of tokens that they take, `with` included.
    end: usize,
}

impl Expressions {
    fn read(tokens: &[TokenWithSpan]) -> Option<Self> {
        let mut names = Vec::new();
        let mut at = 1;
        loop {
            let Token::Word(word) = &tokens.get(at)?.token else { return None };
            names.push(word.value.clone());
            at += 1;
            if tokens.get(at)?.token == Token::LParen {
                at = closed(tokens, at)?;
            }
            if !is(tokens.get(at), Keyword::AS) {
                return None;
            }
            at = closed(tokens, at + 1)?;
            if tokens.get(at)?.token != Token::Comma {
                return Some(Self { names, end: at });
            }
            at += 1;
        }
    }
}

/// The place behind the parenthesis that closes the one here.
fn closed(tokens: &[TokenWithSpan], at: usize) -> Option<usize> {
    if tokens.get(at)?.token != Token::LParen {
        return None;
    }
    let mut depth = 0;
    for (place, token) in tokens.iter().enumerate().skip(at) {
        depth += step(&token.token);
        if depth == 0 {
            return Some(place + 1);
        }
    }
    None
}

fn is(token: Option<&TokenWithSpan>, word: Keyword) -> bool {
    token.is_some_and(|token| keyword(&token.token) == Some(word))
}

/// Whether a table of the name of Ebb's first expression is read, perhaps.
fn names_own_table(pair: &[TokenWithSpan]) -> bool {
    let [before, table] = pair else { return false };
    let reads = before.token == Token::Comma
        || matches!(keyword(&before.token), Some(Keyword::FROM | Keyword::JOIN));
    matches!(&table.token, Token::Word(word) if reads && word.value.eq_ignore_ascii_case("n"))
}

/// Where an order begins that chooses no rows. Fails with `S108` for a clause of the whole statement.
fn order(body: &[TokenWithSpan]) -> Result<Option<&TokenWithSpan>, Failure> {
    let mut depth = 0;
    let mut ordered = None;
    let (mut chooses, mut several) = (false, false);
    for (place, token) in body.iter().enumerate() {
        depth += step(&token.token);
        if depth != 0 {
            continue;
        }
        let Some(word) = keyword(&token.token) else { continue };
        if word == Keyword::ORDER && is(body.get(place + 1), Keyword::BY) {
            ordered = Some(token);
        } else if matches!(word, Keyword::UNION | Keyword::EXCEPT | Keyword::INTERSECT) {
            several = true;
        } else if word == Keyword::TOP {
            chooses = true;
        } else if word == Keyword::OPTION && ordered_or_from(body, place) {
            return Err(Failure::new(
                Code::ModelNotQuery,
                "the model has an `OPTION` clause, which cannot stand inside a statement",
            )
            .help("Remove the OPTION clause"));
        } else if ordered.is_some() && matches!(word, Keyword::OFFSET | Keyword::FOR) {
            return Ok(None);
        }
    }
    Ok(if chooses && !several { None } else { ordered })
}

/// Whether a word stands where a clause of the statement may: with a parenthesis behind it, as the last
/// thing.
fn ordered_or_from(body: &[TokenWithSpan], place: usize) -> bool {
    closed(body, place + 1) == Some(body.len())
}

#[cfg(test)]
mod tests {
    use ebb_core::Code;

    use super::hoisted;

    fn told(query: &str) -> String {
        let model = hoisted(query).unwrap();
        format!("{}| {}", model.with, model.query)
    }

    #[test]
    fn common_table_expressions_come_apart() {
        for (query, expected) in [
            ("select 1 as id", "| select 1 as id"),
            (
                "with a as (select ')' as x), [b c] (y) as (\nselect x from a\n)\nselect * from [b c]",
                "a as (select ')' as x), [b c] (y) as (\nselect x from a\n),\n| select * from [b c]",
            ),
            ("with a (select 1) select 1", "| with a (select 1) select 1"),
            ("select id from n", "ebb_model as (\nselect id from n\n),\n| select * from ebb_model"),
            (
                "with a as (select 1 as id) select a.id from a join [N] on 1 = 1",
                "a as (select 1 as id),\nebb_model as (\nselect a.id from a join [N] on 1 = 1\n),\n\
                 | select * from ebb_model",
            ),
        ] {
            assert_eq!(told(query), expected);
        }
    }

    #[test]
    fn an_order_stays_where_it_chooses_rows() {
        for (query, expected) in [
            ("select id from users order by id desc", "| select id from users"),
            ("select top 3 id from users order by id", "| select top 3 id from users order by id"),
            (
                "select id from users order by id offset 5 rows",
                "| select id from users order by id offset 5 rows",
            ),
            (
                "select top 3 id from a union all select id from b order by id",
                "| select top 3 id from a union all select id from b",
            ),
            (
                "select id, row_number() over (order by id) as r from (select top 1 id from a order by id) x",
                "| select id, row_number() over (order by id) as r from (select top 1 id from a order by id) x",
            ),
        ] {
            assert_eq!(told(query), expected);
        }
    }

    #[test]
    fn what_stands_in_the_way_is_told() {
        for query in [
            "with N as (select 1 as id) select * from N",
            "with a as (select 1 as id) select * from a option (maxrecursion 0)",
        ] {
            assert_eq!(hoisted(query).unwrap_err().code, Code::ModelNotQuery, "{query}");
        }
        assert_eq!(told("select [option] from t"), "| select [option] from t");
    }
}
