//! The right to sync a mapping, as an OS file lock: it ends with the process, however that ends.

use std::{
    fs::{File, TryLockError},
    io,
    path::{Path, PathBuf},
};

use ebb_core::{Code, Failure, port::Lock};
use xxhash_rust::xxh3::xxh3_128;

use crate::folder;

/// A lock file that is held. Two of one process exclude each other as two processes do.
#[derive(Debug)]
pub(crate) struct FileLock {
    _file: File,
}

impl Lock for FileLock {}

impl FileLock {
    /// Takes the lock of a mapping, or `None` if somebody has it. The file stays when the lock
    /// ends: a file that is removed and made again would be two locks.
    pub(crate) fn take(state: &Path, mapping: &str) -> io::Result<Option<Self>> {
        Self::of_file(&path_of(state, mapping))
    }

    fn of_file(path: &Path) -> io::Result<Option<Self>> {
        if let Some(parent) = path.parent() {
            folder::create(parent)?;
        }
        let file = folder::private_file().open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

/// The right to serve a state folder: what a server knows of its configuration, nobody else changes.
#[derive(Debug)]
pub struct ServerLock {
    _lock: FileLock,
}

impl ServerLock {
    /// Takes the right, until this is dropped or the process ends. `R415` if a server has it.
    pub fn take(state: &Path) -> Result<Self, Failure> {
        let unusable = |error: io::Error| {
            let message = format!("the state folder `{}` cannot be used", state.display());
            Failure::new(Code::StateUnavailable, message).caused_by(error)
        };
        match FileLock::of_file(&state.join("server.lock")).map_err(unusable)? {
            Some(lock) => Ok(Self { _lock: lock }),
            None => {
                let message =
                    format!("a server runs already over the state folder `{}`", state.display());
                Err(Failure::new(Code::StateUnavailable, message)
                    .help("Stop that server first, or name another state folder with `state`"))
            }
        }
    }
}

/// Names that a file cannot bear, or that differ by case alone, are told apart by their digest.
fn path_of(state: &Path, mapping: &str) -> PathBuf {
    let plain = mapping.len() <= 100
        && mapping.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'));
    let stem =
        if plain { mapping.to_owned() } else { format!("={:032x}", xxh3_128(mapping.as_bytes())) };
    state.join("locks").join(format!("{stem}.lock"))
}
