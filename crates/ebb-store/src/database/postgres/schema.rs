//! The schema on PostgreSQL: the migrations of `SQLite`, translated.

use ebb_core::{Code, Failure};

use super::{session::Session, url::DatabaseUrl};
use crate::database::{
    fault::Fault,
    sql::{Transaction, params},
};

/// Brings the database to the last of these steps, within a transaction that nobody writes beside. `R414` if a
/// newer version wrote it.
pub(super) fn migrate(
    transaction: &Transaction<'_>,
    session: &Session,
    steps: &[&str],
    url: &DatabaseUrl,
) -> Result<(), Fault> {
    let schema = &url.schema;
    let ours = i64::try_from(steps.len()).unwrap_or(i64::MAX);
    let made = "select 1 from pg_catalog.pg_namespace where nspname = cast(?1 as text)";
    if transaction.query_optional(made, params![schema], |_| Ok(()))?.is_none() {
        session.batch(&format!("create schema \"{schema}\""))?;
    }
    let known = "select 1 from pg_catalog.pg_tables
                 where schemaname = cast(?1 as text) and tablename = 'schema_version'";
    if transaction.query_optional(known, params![schema], |_| Ok(()))?.is_none() {
        session.batch(
            "create table schema_version (number bigint not null);
             insert into schema_version values (0)",
        )?;
    }
    let theirs: i64 =
        transaction.query_row("select number from schema_version", &[], |row| row.get(0))?;
    if theirs > ours {
        let message = format!(
            "the schema `{schema}` of `{url}` has version `{theirs}`, this Ebb knows versions up to `{ours}`"
        );
        return Err(Failure::new(Code::StateNewer, message)
            .help("Use that version of Ebb, or name another schema with `search_path` in the URL")
            .into());
    }
    for (_, step) in (0..).zip(steps).filter(|(number, _)| *number >= theirs) {
        session.batch(&translated(step))?;
    }
    if theirs < ours {
        transaction.execute("update schema_version set number = ?1", params![ours])?;
    }
    Ok(())
}

/// What is written otherwise on PostgreSQL.
const PHRASES: [(&str, &str); 2] = [
    (" without rowid", ""),
    (
        // Its JSON refuses the character of number zero, which a record may quote.
        "(record ->> '$.status') virtual",
        "(replace(record, '\\u0000', '\\u2400')::json ->> 'status') stored",
    ),
];

/// Types. Texts are compared by their bytes, as on `SQLite`.
const TYPES: [(&str, &str); 3] =
    [("integer", "bigint"), ("blob", "bytea"), ("text", "text collate \"C\"")];

/// A migration as PostgreSQL reads it.
fn translated(step: &str) -> String {
    let lines = step.lines().map(|line| line.split_once("--").map_or(line, |(code, _)| code));
    let mut text = lines.collect::<Vec<_>>().join("\n");
    for (ours, theirs) in PHRASES {
        text = text.replace(ours, theirs);
    }
    let of_word = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let mut out = String::with_capacity(2 * text.len());
    for piece in text.split_inclusive(|letter| !of_word(letter)) {
        let word = piece.trim_end_matches(|letter| !of_word(letter));
        let theirs = TYPES.iter().find(|(ours, _)| *ours == word);
        out.push_str(theirs.map_or(word, |(_, theirs)| theirs));
        out.push_str(piece.strip_prefix(word).unwrap_or_default());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::translated;

    #[test]
    fn types_and_phrases_are_translated_and_names_are_not() {
        let step = "-- A text.\ncreate table t (\n    id text primary key, -- an integer\n    \
                    context integer not null,\n    bits blob\n) without rowid;\n\
                    alter table t add column status text generated always as \
                    (record ->> '$.status') virtual;";
        assert_eq!(
            translated(step),
            "\ncreate table t (\n    id text collate \"C\" primary key, \n    context bigint not null,\n    \
             bits bytea\n);\nalter table t add column status text collate \"C\" generated always as \
             (replace(record, '\\u0000', '\\u2400')::json ->> 'status') stored;"
        );
    }
}
