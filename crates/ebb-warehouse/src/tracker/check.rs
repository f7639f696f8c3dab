//! Tries what a sync needs, step by step.

use ebb_core::{Code, Failure, port::Finding};

use super::Tracker;
use crate::{
    connection::{Access, Connection, Tried},
    dialect::Dialect,
};

/// The table that is written and dropped.
const TABLE: &str = "ebb_check";

/// Steps until a warehouse answers a question.
const ANSWERS: [&str; 3] = ["reach", "sign in", "read"];

/// The same of a file, which nobody signs in to.
const OPENS: [&str; 2] = ["open", "read"];

/// Tells each step as soon as it is over. Each needs the one before: what cannot be tried is not told.
pub(super) async fn check<D: Dialect, C: Connection>(
    tracker: &Tracker<D, C>,
    told: &mut (dyn FnMut(Finding) + Send),
) {
    if answers(tracker, told).await
        && let Err((step, failure)) = writes(tracker, told).await
    {
        told(Finding { step, failure: Some(failure) });
    }
}

/// Asks a question of a new session; gives whether it was answered. Which step a failure belongs to shows only
/// then: some services hear of a session with its first question.
async fn answers<D: Dialect, C: Connection>(
    tracker: &Tracker<D, C>,
    told: &mut (dyn FnMut(Finding) + Send),
) -> bool {
    let steps: &[&str] = if tracker.connection.is_file() { &OPENS } else { &ANSWERS };
    let answer = match tracker.connection.open(Access::Read).await {
        Ok(mut session) => session.rows("select 1").await.map(drop).map_err(|it| (true, it)),
        Err(failure) => Err((false, failure)),
    };
    let wrong = answer.err().map(|(opened, failure)| (failed(opened, failure.code), failure));
    for step in steps {
        // Without a step of that name it is the first.
        let here = wrong.as_ref().filter(|(failed, _)| step == failed || !steps.contains(failed));
        let failure = here.map(|(_, failure)| failure.clone());
        let ends = failure.is_some();
        told(Finding { step, failure });
        if ends {
            return false;
        }
    }
    true
}

/// The step that a failure belongs to.
fn failed(opened: bool, code: Code) -> &'static str {
    let away = [Code::SourceUnreachable, Code::SourceTls, Code::SourceLost].contains(&code);
    if code == Code::SourceAuth || (code == Code::SourcePermission && !opened) {
        "sign in"
    } else if opened && !away {
        "read"
    } else {
        "reach"
    }
}

/// Makes the managed schema and a table in it; fails with the step that does not work.
async fn writes<D: Dialect, C: Connection>(
    tracker: &Tracker<D, C>,
    told: &mut (dyn FnMut(Finding) + Send),
) -> Result<(), (&'static str, Failure)> {
    let mut works = |step| told(Finding { step, failure: None });
    let dialect = &tracker.dialect;
    let table = dialect.table(&tracker.schema, TABLE);
    let mut session = tracker.write().await.map_err(|failure| ("create schema", failure))?;
    works("create schema");
    for sql in [
        dialect.drop_table(&table),
        dialect.create_table_as(&table, "select 1 as seq"),
        format!("insert into {table} (seq) values (2)"),
    ] {
        session.execute(&sql).await.map_err(|failure| ("write", failure))?;
    }
    works("write");
    if let Some(step) = tracker.connection.beside() {
        let tried = Tried { name: TABLE, quoted: &table };
        let failure = tracker.connection.try_beside(&tried).await.err();
        told(Finding { step, failure });
    }
    let dropped = session.execute(&format!("drop table {table}")).await;
    dropped.map_err(|failure| ("drop", failure))?;
    told(Finding { step: "drop", failure: None });
    Ok(())
}
