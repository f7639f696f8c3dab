//! Opens the file and brings it to this version's schema.

use std::{io, path::Path, time::Duration};

use ebb_core::{Code, Failure};
use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use crate::{
    database::{fault::Fault, migrations::MIGRATIONS},
    folder,
};

/// Longer than any transaction of another process should take.
const BUSY: Duration = Duration::from_secs(10);

/// Prepared statements that are kept. There are about a hundred.
const STATEMENTS: usize = 128;

/// Opens the file for writing, made and migrated as needed.
pub(in crate::database) fn open_writer(file: &Path) -> Result<Connection, Fault> {
    let refused = |error: io::Error| {
        let message = format!("`{}` cannot be created or written", file.display());
        Failure::new(Code::StateUnavailable, message).caused_by(error)
    };
    // One at a time: SQLite does not wait for another who makes the same file a WAL database.
    let opening = folder::private_file().open(file.with_extension("opening")).map_err(refused)?;
    opening.lock().map_err(refused)?;
    // Made by us, so that nobody else may read it; SQLite gives its side files the same mode. Only
    // if missing: to close a file drops the locks that other connections of the process have on it.
    if !file.exists() {
        folder::private_file().open(file).map_err(refused)?;
    }
    let mut connection = Connection::open(file)?;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "normal")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "wal_autocheckpoint", 4000)?;
    migrate(&mut connection, MIGRATIONS, file)?;
    drop(opening);
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

/// Opens the file for reading; a writer is open already.
pub(in crate::database) fn open_reader(file: &Path) -> Result<Connection, Fault> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "query_only", true)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

fn version(connection: &Connection) -> Result<u32, Fault> {
    Ok(connection.pragma_query_value(None, "user_version", |row| row.get(0))?)
}

fn migrate(connection: &mut Connection, steps: &[&str], file: &Path) -> Result<(), Fault> {
    let ours = u32::try_from(steps.len()).unwrap_or(u32::MAX);
    if version(connection)? == ours {
        return Ok(());
    }
    connection.pragma_update(None, "synchronous", "full")?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Asked again under the lock: another process may have migrated meanwhile.
    let theirs = version(&transaction)?;
    if theirs > ours {
        let message = format!(
            "`{}` has version `{theirs}`, this Ebb knows versions up to `{ours}`",
            file.display()
        );
        return Err(Failure::new(Code::StateNewer, message).into());
    }
    for (_, step) in (0..).zip(steps).filter(|(number, _)| *number >= theirs) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", ours)?;
    transaction.commit()?;
    connection.pragma_update(None, "synchronous", "normal")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::place::Place;

    fn schema(connection: &Connection) -> Vec<String> {
        connection
            .prepare("select sql from sqlite_schema where sql is not null order by name")
            .unwrap()
            .query_map([], |row| row.get(0))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap()
    }

    #[test]
    fn every_older_version_is_migrated_with_its_content() {
        let fresh = tempfile::tempdir().unwrap();
        let expected = schema(&open_writer(&fresh.path().join("control.db")).unwrap());
        for seen in 1..MIGRATIONS.len() {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("control.db");
            let mut old = Connection::open(&file).unwrap();
            migrate(&mut old, &MIGRATIONS[..seen], &file).unwrap();
            old.execute(
                "insert into sync (id, mapping, ended, finished_at, record) values ('s', 'm', 0, null, '{\"status\":\"loading\"}')",
                [],
            )
            .unwrap();
            drop(old);
            let migrated = open_writer(&file).unwrap();
            assert_eq!(schema(&migrated), expected, "from version {seen}");
            let mapping: String =
                migrated.query_row("select mapping from sync", [], |row| row.get(0)).unwrap();
            assert_eq!(mapping, "m");
        }
    }

    #[test]
    fn a_newer_version_is_refused_with_both_versions() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("control.db");
        open_writer(&file).unwrap().pragma_update(None, "user_version", 99).unwrap();
        let failure = open_writer(&file).unwrap_err().told(&Place::File(file));
        assert_eq!(failure.code, Code::StateNewer);
        let known = format!("`99`, this Ebb knows versions up to `{}`", MIGRATIONS.len());
        assert!(failure.message().contains(&known), "{failure}");
    }
}
