//! One open database for all sessions of the process on a file.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use async_trait::async_trait;
use duckdb::{Config, Connection as Driver};
use ebb_core::{Code, Failure, config::Settings};
use tokio::task::spawn_blocking;

use super::{
    form::FORM,
    session::{DuckSession, failed, message},
};
use crate::{
    blocking::stopped,
    connection::{Access, Connection, Session},
    file::FileSettings,
};

/// A DuckDB file.
#[derive(Debug)]
pub(crate) struct DuckConnection {
    settings: FileSettings,
    version: Arc<OnceLock<String>>,
}

/// An open file and how many sessions are on it.
struct Open {
    path: PathBuf,
    database: Driver,
    sessions: usize,
}

/// The open files of this process. A file must not be opened twice, since the engine's lock keeps out
/// other processes only; so opening and closing happen under this lock.
static OPEN: Mutex<Vec<Open>> = Mutex::new(Vec::new());

fn open_files() -> MutexGuard<'static, Vec<Open>> {
    OPEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One session's share in an open file; the last one closes it.
pub(super) struct Lease(PathBuf);

impl Drop for Lease {
    fn drop(&mut self) {
        let mut files = open_files();
        if let Some(place) = files.iter().position(|open| open.path == self.0)
            && let Some(open) = files.get_mut(place)
        {
            open.sessions -= 1;
            if open.sessions == 0 {
                drop(files.swap_remove(place));
            }
        }
    }
}

fn session(path: &Path) -> Result<(Driver, Lease), Failure> {
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let mut files = open_files();
    if let Some(open) = files.iter_mut().find(|open| open.path == path) {
        let driver = open.database.try_clone().map_err(failed)?;
        open.sessions += 1;
        return Ok((driver, Lease(path)));
    }
    let database = Config::default()
        .with("autoinstall_known_extensions", "false")
        .and_then(|config| Driver::open_with_flags(&path, config))
        .map_err(|error| refused(&path, error))?;
    let driver = database.try_clone().map_err(failed)?;
    files.push(Open { path: path.clone(), database, sessions: 1 });
    Ok((driver, Lease(path)))
}

fn refused(path: &Path, error: duckdb::Error) -> Failure {
    let (path, text) = (path.display(), message(&error));
    let failure = if text.contains("Could not set lock") {
        Failure::new(
            Code::SourceUnreachable,
            format!("the DuckDB file `{path}` is open in another program"),
        )
        .help("Close the other program: DuckDB lets one process write a file at a time")
    } else if text.contains("ermission denied") {
        Failure::new(Code::SourcePermission, format!("the file `{path}` cannot be written"))
            .help("Let the user who runs Ebb write the file and in its folder")
    } else {
        Failure::new(
            Code::SourceUnreachable,
            format!("the file `{path}` cannot be opened as a DuckDB database"),
        )
        .help("Correct `path`, or write the file with a version of DuckDB that this build reads")
    };
    failure.caused_by(error)
}

impl DuckConnection {
    /// Reads the settings; opens nothing. Fails with `S115`.
    pub(super) fn new(settings: &Settings) -> Result<Self, Failure> {
        let settings = FileSettings::read(&FORM, settings)?;
        Ok(Self { settings, version: Arc::default() })
    }
}

#[async_trait]
impl Connection for DuckConnection {
    fn is_file(&self) -> bool {
        true
    }

    /// Hashes are promised for a version only; a bug-fix version has not changed them yet.
    fn engine(&self) -> String {
        let version = self.version.get().map_or("", String::as_str);
        let minor: Vec<_> = version.trim_start_matches('v').split('.').take(2).collect();
        format!("duckdb-{}", minor.join("."))
    }

    async fn open(&self, access: Access) -> Result<Box<dyn Session>, Failure> {
        self.settings.check_exists()?;
        let path = self.settings.path().to_owned();
        let version = Arc::clone(&self.version);
        let session = spawn_blocking(move || {
            let (session, lease) = session(&path)?;
            if version.get().is_none() {
                let found = session.version().map_err(failed)?;
                // Another session may have said the same.
                version.set(found).ok();
            }
            // A build without time zones always computes in UTC.
            session.execute_batch("set timezone = 'UTC'").ok();
            if access == Access::Read {
                session.execute_batch("begin transaction read only").map_err(failed)?;
            }
            Ok((session, lease))
        });
        let (session, lease) = session.await.map_err(stopped)??;
        Ok(Box::new(DuckSession::new(session, lease, self.settings.statement_timeout)))
    }
}
