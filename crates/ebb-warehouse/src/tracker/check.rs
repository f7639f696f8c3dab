//! Tries what a sync needs, step by step.

use ebb_core::{Failure, port::Finding};

use super::Tracker;
use crate::{
    connection::{Access, Connection, Tried},
    dialect::Dialect,
};

/// The table that is written and dropped.
const TABLE: &str = "ebb_check";

pub(super) async fn check<D: Dialect, C: Connection>(tracker: &Tracker<D, C>) -> Vec<Finding> {
    let mut findings = Vec::new();
    // Each step needs the one before: what cannot be tried is not told.
    if let Err(failure) = steps(tracker, &mut findings).await
        && let Some(last) = findings.last_mut()
    {
        last.failure = Some(failure);
    }
    findings
}

async fn steps<D: Dialect, C: Connection>(
    tracker: &Tracker<D, C>,
    findings: &mut Vec<Finding>,
) -> Result<(), Failure> {
    let mut begin = |step, failure| findings.push(Finding { step, failure });
    let dialect = &tracker.dialect;
    let table = dialect.table(&tracker.schema, TABLE);
    begin("connect", None);
    let mut session = tracker.connection.open(Access::Read).await?;
    begin("read", None);
    session.rows("select 1").await?;
    drop(session);
    begin("create schema", None);
    let mut session = tracker.write().await?;
    begin("write", None);
    session.execute(&dialect.drop_table(&table)).await?;
    session.execute(&dialect.create_table_as(&table, "select 1 as seq")).await?;
    session.execute(&format!("insert into {table} (seq) values (2)")).await?;
    if let Some(step) = tracker.connection.beside() {
        let tried = Tried { name: TABLE, quoted: &table };
        begin(step, tracker.connection.try_beside(&tried).await.err());
    }
    begin("drop", None);
    session.execute(&format!("drop table {table}")).await?;
    Ok(())
}
