use std::sync::Arc;

use ebb_core::Column;

use super::{Product, TsqlDialect};
use crate::{azure::types, dialect::Dialect};

fn dialect() -> TsqlDialect {
    TsqlDialect::new(Arc::new(Product::SqlServer.into()))
}

/// A column of each way in which types are handled.
fn columns() -> [Column; 15] {
    [
        ("a", "bigint"),
        ("b", "bit"),
        ("c", "decimal(10,2)"),
        ("d", "money"),
        ("e", "real"),
        ("f", "varchar(20)"),
        ("g", "nchar(20)"),
        ("h", "uniqueidentifier"),
        ("i", "datetime"),
        ("j", "datetimeoffset(7)"),
        ("k", "varbinary(20)"),
        ("l", "timestamp"),
        ("m", "sql_variant"),
        ("n", "geography"),
        ("o", "hierarchyid"),
    ]
    .map(|(name, native)| types::column(name, native))
}

#[test]
fn checksums_digest_every_value_with_its_length() {
    let columns = columns();
    let read: Vec<_> =
        columns.iter().map(|column| (column, format!("m.{}", column.name))).collect();
    let checksum = dialect().checksum("[\"a\"]", &read);
    insta::assert_snapshot!(checksum.replace(", coalesce", ",\ncoalesce"));
}

#[test]
fn many_columns_are_joined_in_groups_that_the_server_takes() {
    let columns: Vec<_> =
        (0..512).map(|number| types::column(&format!("c{number}"), "int")).collect();
    let read: Vec<_> =
        columns.iter().map(|column| (column, format!("m.{}", column.name))).collect();
    let checksum = dialect().checksum("", &read);
    assert_eq!(checksum.matches("as nvarchar(max))").count(), 4);
    for number in [0, 199, 200, 511] {
        assert_eq!(checksum.matches(&format!("cast(m.c{number} as")).count(), 2, "{number}");
    }
}

#[test]
fn columns_are_kept_and_streamed_by_their_type() {
    let dialect = dialect();
    let told = columns().map(|column| {
        let (stored, staged) = (dialect.stored(&column, "x"), dialect.staged(&column, "x"));
        let (null, key) = (dialect.null(&column), dialect.key(&column, "x"));
        let moment = dialect.moment(&column, "1");
        format!("{}:\n  {stored}\n  {staged}\n  {null}\n  {key}\n  {moment}", column.native)
    });
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn a_number_and_its_text_have_different_checksums() {
    let [number, text] = ["int", "varchar"].map(|native| types::column("a", native));
    let salted = |column: &Column| {
        let checksum = dialect().checksum("[\"a\"]", &[(column, "m.a".to_owned())]);
        checksum.split('\'').nth(3).map(str::to_owned)
    };
    assert_ne!(salted(&number), salted(&text));
}
