//! Every statement of one sync, as each dialect writes it.

use std::{fmt::Write, sync::Arc};

use ebb_core::{
    Column, ColumnKind, Operation, SyncId,
    port::{Commit, DiffJob, ModelQuery, Recipe, Tracked, Wanted},
};
use roaring::RoaringTreemap;

use super::{
    commit::{self, Applied},
    diff::{self, Selection},
    read, rebase, swap,
};
use crate::{
    azure::{Product, TsqlDialect},
    connection::Within,
    dialect::{Dialect, Transactions},
    layout::Layout,
    mysql::MysqlDialect,
    redshift::RedshiftDialect,
    sqlite::SqliteDialect,
    state::{self, State},
};

fn job(columns: &[(&str, ColumnKind, &str)], timestamp: Option<&str>) -> DiffJob {
    DiffJob {
        sync: SyncId::from_parts(1, 2),
        mapping: "users-to_hook".to_owned(),
        source: "shop".to_owned(),
        model_name: "users".to_owned(),
        model: ModelQuery {
            sql: "select * from users; -- all".to_owned(),
            id: "id".to_owned(),
            timestamp: timestamp.map(str::to_owned),
            ..ModelQuery::default()
        },
        columns: columns
            .iter()
            .map(|(name, kind, native)| Column::new(*name, *kind, *native))
            .collect(),
        generation: 0,
        keep_deleted_values: false,
        limit: 1000,
        trust_deletes: false,
    }
}

fn state<D: Dialect>(dialect: &D, job: &DiffJob, checkpoint: Option<&str>) -> State {
    let layout = Layout::new(dialect, "managed", job, None).unwrap();
    State {
        tracked: Tracked {
            recipe: Recipe {
                version: "1/test".to_owned(),
                columns: vec!["id: any".to_owned()],
                generation: 0,
            },
            sync: Some(job.sync),
            records: 7,
            checkpoint: checkpoint.map(str::to_owned),
        },
        checkpoint_of: layout.checkpoint_of(),
        key_type: layout.key_type.clone(),
        kept: layout.kept().map(|(column, _)| column.clone()).collect(),
        unidentified: 0,
        records_in: None,
    }
}

/// The statements of a dialect for a model with these columns, the last of which tells the time.
fn statements<D: Dialect>(
    dialect: &D,
    columns: &[(&str, ColumnKind, &str)],
    moment: &str,
) -> String {
    let mut out = String::new();
    let mut tell = |title: &str, statements: &[String]| {
        writeln!(out, "-- {title}").unwrap();
        for statement in statements {
            writeln!(out, "{statement};").unwrap();
        }
        writeln!(out).unwrap();
    };
    let full = job(columns, None);
    let keep = DiffJob { keep_deleted_values: true, ..full.clone() };
    let newer = job(columns, columns.last().map(|(name, ..)| *name));

    let first = Layout::new(dialect, "managed", &full, None).unwrap();
    tell("preview", &[read::preview(&first, Wanted::First, 10)]);
    tell("record", &[read::preview(&first, Wanted::Record("it's"), 1)]);
    tell("search", &[read::preview(&first, Wanted::Containing("it's"), 10)]);
    let mut probe = diff::write(&first, Selection::Probe(1001));
    probe.push(diff::census(&first));
    tell("first diff", &probe);
    tell("its duplicates", &diff::mark_duplicates(&first));
    tell("first diff over the limit", &diff::write(&first, Selection::Ordered(1000)));

    let tracked = state(dialect, &full, None);
    let next = Layout::new(dialect, "managed", &full, Some(&tracked)).unwrap();
    let mut probe = diff::write(&next, Selection::Probe(1001));
    probe.extend([diff::tally(&next), diff::mark_twins(&next)]);
    tell("next diff", &probe);
    tell("duplicates", &[diff::duplicates(&next, 10)]);
    tell("next diff over the limit", &diff::write(&next, Selection::Ordered(1000)));
    tell(
        "changes",
        &[read::changes(
            &next,
            &[Operation::Added, Operation::Updated],
            Within { after: Some(5), until: None },
        )],
    );

    let kept = state(dialect, &keep, None);
    let keeping = Layout::new(dialect, "managed", &keep, Some(&kept)).unwrap();
    tell("diff with kept values", &diff::write(&keeping, Selection::Probe(1001)));

    let since = state(dialect, &newer, Some(moment));
    let incremental = Layout::new(dialect, "managed", &newer, Some(&since)).unwrap();
    tell("incremental diff", &diff::write(&incremental, Selection::Ordered(1000)));

    let everything = Commit {
        job: full.clone(),
        seqs: RoaringTreemap::new(),
        inverted: false,
        subscribed: vec![Operation::Added, Operation::Updated],
    };
    let all = Applied::of(&first, &everything);
    let transactions = dialect.transactions();
    let swaps = transactions == Transactions::Rows;
    let some = Applied::of(&next, &Commit { seqs: [3, 4].into_iter().collect(), ..everything });
    let from_now_on = Layout::new(dialect, "managed", &keep, Some(&tracked)).unwrap();
    if transactions == Transactions::Alone {
        tell("first commit", &[commit::beside(&first, &all, 7).unwrap()]);
        tell("commit", &[commit::count_applied(&some), commit::beside(&next, &some, 7).unwrap()]);
        tell("its checkpoint", &[commit::checkpoint(&incremental, &some).unwrap()]);
        tell("values kept from now on", &[commit::beside(&from_now_on, &some, 0).unwrap()]);
        assert_eq!(commit::beside(&next, &some, 0), None);
        let turned = State { records_in: Some(next.rebuild_in().to_owned()), ..tracked.clone() };
        let count = commit::count(&Layout::new(dialect, "managed", &full, Some(&turned)).unwrap());
        tell("state", &[state::renew(dialect, "checkpoints", &full, &turned, &count)]);
        let back = Layout::new(dialect, "managed", &full, Some(&turned)).unwrap();
        tell("commit after it", &[commit::beside(&back, &all, 7).unwrap()]);
        tell("rebase", &rebase::rebuild(&keeping));
        tell("rebased", &[rebase::changed(&keeping)]);
        tell("twins", &[diff::count_twins(&next)]);
        tell("its schema is there", &[dialect.schema_exists("Managed").unwrap()]);
        let tables = dialect.existing_tables("Managed", &["records_a", "changes_01ABC"]);
        tell("its tables are there", &[tables]);
        return out;
    }
    if swaps {
        tell("before the first commit", &commit::empty(&first));
        tell("first commit", &commit::fill(&first, &all));
    } else {
        tell("first commit", &commit::create(&first, &all));
    }
    tell("commit", &[commit::delete(&next, &some), commit::insert(&next, &some)]);
    tell("its checkpoint", &[commit::checkpoint(&incremental, &some).unwrap()]);
    let reshaped = if swaps { commit::rebuilt } else { commit::reshape };
    tell("values kept from now on", &reshaped(&from_now_on));
    tell("state", &state::replace(dialect, "checkpoints", &full, &tracked));
    tell("rebase", &rebase::rebuild(&keeping));
    tell("rebased", &[rebase::changed(&keeping)]);
    if swaps {
        let mut statements = swap::clear(&keeping).to_vec();
        statements.push(swap::rename(&keeping));
        tell("rebase's end", &statements);
    } else {
        tell("rebase's end", &commit::take_over(&keeping));
    }
    out
}

/// The statements of a dialect whose transactions hold nothing but statements that write rows.
fn gathered<D: Dialect>(dialect: &D, columns: &[(&str, ColumnKind, &str)]) -> String {
    let first = job(columns, None);
    let keep = DiffJob { keep_deleted_values: true, ..first.clone() };
    let tracked = state(dialect, &first, None);
    let nothing = Layout::new(dialect, "managed", &first, None).unwrap();
    let same = Layout::new(dialect, "managed", &first, Some(&tracked)).unwrap();
    let other = Layout::new(dialect, "managed", &keep, Some(&tracked)).unwrap();
    let shaped = State { kept: keep.columns.clone(), ..tracked.clone() };
    let rebased = Layout::new(dialect, "managed", &keep, Some(&shaped)).unwrap();
    assert_eq!(commit::in_shape(&same), None);
    assert_eq!(commit::in_shape(&rebased), None);
    let [clear, fill] = commit::take_rows_over(&rebased);
    let mut statements = Vec::new();
    // Elsewhere the service tells without a statement what is there.
    if let Some(shape) = dialect.shape("managed", "records_a") {
        let tables = dialect.existing_tables("managed", &["records_a", "checkpoints_a"]);
        statements.push(("its schema is there", dialect.schema_exists("managed").unwrap()));
        statements.push(("its tables are there", tables));
        statements.push(("shape that is told", shape));
    }
    statements.extend([
        ("shape of the first records", commit::in_shape(&nothing).unwrap()),
        ("shape with values kept from now on", commit::in_shape(&other).unwrap()),
        ("rows of a rebase", format!("{clear};\n{fill}")),
        ("number of records", commit::keep_count(&same)),
    ]);
    let told = statements.iter().map(|(title, statement)| format!("-- {title}\n{statement};\n"));
    told.collect::<Vec<_>>().join("\n")
}

#[test]
fn sqlite() {
    let columns = [
        ("id", ColumnKind::Json, "INTEGER"),
        ("seq", ColumnKind::Json, "REAL"),
        ("moved \"at\"", ColumnKind::Json, "any"),
    ];
    insta::assert_snapshot!(statements(&SqliteDialect, &columns, "'2026-01-01 10:00:00'"));
}

#[test]
fn redshift() {
    let columns = [
        ("id", ColumnKind::Integer, "integer"),
        ("seq", ColumnKind::Json, "super"),
        ("moved \"at\"", ColumnKind::Timestamp, "timestamptz"),
    ];
    insta::assert_snapshot!(statements(&RedshiftDialect, &columns, "2026-01-01 10:00:00+00"));
}

#[test]
fn snowflake() {
    let columns = [
        ("id", ColumnKind::Decimal, "NUMBER(38,0)"),
        ("SEQ", ColumnKind::Float, "FLOAT"),
        ("moved \"at\"", ColumnKind::Timestamp, "TIMESTAMP_TZ(9)"),
    ];
    let dialect = &crate::snowflake::SnowflakeDialect;
    let told = statements(dialect, &columns, "2026-01-01T10:00:00.000000000+00:00");
    let told = format!("{told}\n{}", gathered(dialect, &columns));
    insta::assert_snapshot!(told);
}

#[test]
fn bigquery() {
    let columns = [
        ("id", ColumnKind::Integer, "INT64"),
        ("SEQ", ColumnKind::Float, "FLOAT64"),
        ("moved at", ColumnKind::Timestamp, "TIMESTAMP"),
    ];
    let dialect = &crate::bigquery::BigQueryDialect;
    let told = statements(dialect, &columns, "2026-01-01 10:00:00+00");
    let told = format!("{told}\n{}", gathered(dialect, &columns));
    insta::assert_snapshot!(told);
}

/// A first column of text, the others as they come from T-SQL.
const TSQL: [(&str, ColumnKind, &str); 3] = [
    ("id", ColumnKind::Text, "varchar"),
    ("seq", ColumnKind::Decimal, "money"),
    ("moved \"at\"", ColumnKind::LocalTimestamp, "datetime2(7)"),
];

#[test]
fn azure() {
    let dialect = TsqlDialect::new(Arc::new(Product::SqlServer.into()));
    let told = statements(&dialect, &TSQL, "2026-01-01 10:00:00.1234567");
    let schema = dialect.schema_exists("managed").unwrap();
    let tables = dialect.existing_tables("managed", &["records_a", "checkpoints_a"]);
    let create = dialect.create_schema("managed");
    insta::assert_snapshot!(format!(
        "{told}-- schema and tables\n{schema};\n{tables};\n{create};\n"
    ));
}

#[test]
fn synapse() {
    let dialect = TsqlDialect::new(Arc::new(Product::Synapse.into()));
    let told = statements(&dialect, &TSQL, "2026-01-01 10:00:00.1234567");
    let told = format!("{told}\n{}", gathered(&dialect, &TSQL));
    let mend = dialect.mend("managed", "records_a").unwrap();
    insta::assert_snapshot!(format!("{told}\n-- an interrupted shape\n{mend};\n"));
}

#[test]
fn databricks() {
    let columns = [
        ("id", ColumnKind::Integer, "INT"),
        ("seq", ColumnKind::Float, "DOUBLE"),
        ("moved `at`", ColumnKind::Timestamp, "TIMESTAMP"),
    ];
    let dialect = &crate::databricks::DatabricksDialect;
    insta::assert_snapshot!(statements(dialect, &columns, "2026-01-01T10:00:00.000000Z"));
}

#[test]
fn clickhouse() {
    let columns = [
        ("id", ColumnKind::Integer, "Int32"),
        ("SEQ", ColumnKind::Float, "Nullable(Float64)"),
        ("moved `at`", ColumnKind::Timestamp, "DateTime64(3, 'Europe/Berlin')"),
    ];
    let dialect = &crate::clickhouse::ClickHouseDialect;
    insta::assert_snapshot!(statements(dialect, &columns, "2026-01-01 10:00:00.000"));
}

#[cfg(feature = "duckdb")]
#[test]
fn duckdb() {
    let columns = [
        ("id", ColumnKind::Integer, "INTEGER"),
        ("seq", ColumnKind::Float, "DOUBLE"),
        ("moved \"at\"", ColumnKind::Timestamp, "TIMESTAMP WITH TIME ZONE"),
    ];
    let dialect = crate::duckdb::DuckDialect;
    insta::assert_snapshot!(statements(&dialect, &columns, "2026-01-01 10:00:00+00"));
}

#[test]
fn mysql() {
    let columns = [
        ("id", ColumnKind::Text, "varchar"),
        ("seq", ColumnKind::Float, "float"),
        ("moved \"at\"", ColumnKind::Timestamp, "timestamp(6)"),
    ];
    insta::assert_snapshot!(statements(&MysqlDialect, &columns, "2026-01-01 10:00:00.123456"));
}
