//! Opens the source's file read-only and the managed database beside it.

use std::{ffi::OsString, path::PathBuf, time::Duration};

use async_trait::async_trait;
use ebb_core::{Code, Failure, config::Settings};
use rusqlite::{Connection as Driver, ErrorCode, OpenFlags};
use tokio::task::spawn_blocking;

use super::{form::FORM, functions, session::SqliteSession};
use crate::{
    blocking::stopped,
    connection::{Access, Connection, Session},
    file::FileSettings,
};

/// How long a statement waits for a lock of another process.
const LOCK: Duration = Duration::from_mins(1);

/// An SQLite file and its managed database.
#[derive(Debug)]
pub(crate) struct SqliteConnection {
    settings: FileSettings,
    schema: String,
    managed: PathBuf,
}

impl SqliteConnection {
    /// Reads the settings; opens nothing. Fails with `S115`.
    pub(crate) fn new(settings: &Settings, schema: &str) -> Result<Self, Failure> {
        let settings = FileSettings::read(&FORM, settings)?;
        let mut name = settings.path().file_stem().map(OsString::from).unwrap_or_default();
        name.push(format!(".{schema}.db"));
        let managed = settings.path().with_file_name(name);
        Ok(Self { settings, schema: schema.to_owned(), managed })
    }
}

#[async_trait]
impl Connection for SqliteConnection {
    fn is_file(&self) -> bool {
        true
    }

    fn engine(&self) -> String {
        // Checksums are Ebb's own function: no version of SQLite changes them.
        "sqlite".to_owned()
    }

    async fn open(&self, access: Access) -> Result<Box<dyn Session>, Failure> {
        self.settings.check_exists()?;
        let timeout = self.settings.statement_timeout;
        let source = uri(self.settings.path(), "ro");
        let managed = match access {
            Access::Write => uri(&self.managed, "rwc"),
            Access::Read if self.managed.exists() => uri(&self.managed, "rw"),
            // Nothing was ever written: an empty database stands for it.
            Access::Read => ":memory:".to_owned(),
        };
        let schema = self.schema.clone();
        let connection = spawn_blocking(move || open(&source, &managed, &schema, access))
            .await
            .map_err(stopped)?
            .map_err(|error| self.failed(error))?;
        Ok(Box::new(SqliteSession::new(connection, timeout)))
    }
}

impl SqliteConnection {
    fn failed(&self, error: rusqlite::Error) -> Failure {
        let path = self.settings.path().display();
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => Failure::new(
                Code::SourceUnreachable,
                format!("the file `{path}` is not an SQLite database"),
            )
            .help("Correct `path` in the source's settings"),
            Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
                Failure::new(
                    Code::SourcePermission,
                    format!("`{path}` or `{}` cannot be opened", self.managed.display()),
                )
                .help("Let the user who runs Ebb read the file and write in its folder")
            }
            _ => return super::session::failed(error),
        }
        .caused_by(error)
    }
}

fn open(
    source: &str,
    managed: &str,
    schema: &str,
    access: Access,
) -> Result<Driver, rusqlite::Error> {
    // The flags are those of attached files; the source's URI narrows its own.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Driver::open_with_flags(source, flags)?;
    connection.busy_timeout(LOCK)?;
    connection.execute("attach database ?1 as ?2", [managed, schema])?;
    functions::register(&connection)?;
    // 32 MiB for each file; sorting beyond that goes to temporary files.
    connection
        .execute_batch("pragma main.cache_size = -32768; pragma temp.cache_size = -32768;")?;
    connection.pragma_update(Some(schema), "cache_size", -32_768)?;
    // Reads the header, so that a file of another kind is told at once.
    connection.query_row("select count(*) from main.sqlite_schema", [], |_| Ok(()))?;
    match access {
        Access::Read => connection.pragma_update(None, "query_only", true)?,
        Access::Write => {
            // Staging one mapping must not wait for the diff of another.
            connection.pragma_update_and_check(Some(schema), "journal_mode", "wal", |_| Ok(()))?;
        }
    }
    Ok(connection)
}

/// A file as a URI with an access mode.
fn uri(path: &std::path::Path, mode: &str) -> String {
    let path = path.to_string_lossy();
    let path = path.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    // An absolute path needs the empty authority if it begins with two slashes.
    format!("file:{path}?mode={mode}")
}
