//! The key of a server, and another one instead of it.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use ebb_core::{Code, Failure};
use ebb_store::{Database, Sealed};

use crate::vault::{Vault, new_key, write};

/// Where the keys of a server come from: the environment, or its state folder.
pub struct Keys<'a> {
    state: &'a Path,
    given: Option<&'a str>,
}

impl<'a> Keys<'a> {
    /// `given` is `EBB_KEY`. Without one the key lies in the state folder.
    pub const fn new(state: &'a Path, given: Option<&'a str>) -> Self {
        Self { state, given }
    }

    /// The vault of today's key, which is made if there is none. A rotation that was interrupted is
    /// finished, or taken back.
    pub async fn vault(&self, store: &Database) -> Result<Vault, Failure> {
        if let Some(key) = self.given {
            return Vault::new(key);
        }
        self.settle(&store.secrets().await?).map_err(|error| self.unusable(&error))?;
        Vault::in_file(&self.file())
    }

    /// Encrypts every secret under another key, and gives how many there are. The new key is `next`, in
    /// base64; without one it is made, and lies in the state folder from then on. Whenever this is killed,
    /// the next start finds the key that opens what is there.
    ///
    /// No server may run meanwhile: it would go on with the old key.
    pub async fn rotate(&self, store: &Database, next: Option<&str>) -> Result<usize, Failure> {
        if self.given.is_some() && next.is_none() {
            let message = "the key is in EBB_KEY, and there is no other in EBB_NEW_KEY";
            return Err(Failure::new(Code::ConfigValue, message)
                .help("Make one with `openssl rand -base64 32` and set EBB_NEW_KEY to it"));
        }
        let old = self.vault(store).await?;
        let new = if let Some(key) = next {
            Vault::new(key)?
        } else {
            let key = new_key()?;
            write(&self.next_file(), key.expose()).map_err(|error| self.unusable(&error))?;
            Vault::new(key.expose())?
        };
        let sealed = store.secrets().await?;
        let resealed: Result<Vec<Sealed>, Failure> = sealed
            .iter()
            .map(|sealed| new.seal(&sealed.name, old.open(sealed)?.expose()))
            .collect();
        store.reseal(resealed?).await?;
        let replaced = match next {
            Some(_) => remove(&self.file()),
            None => self.replace(),
        };
        replaced.map_err(|error| self.unusable(&error))?;
        Ok(sealed.len())
    }

    fn file(&self) -> PathBuf {
        self.state.join("key")
    }

    fn next_file(&self) -> PathBuf {
        self.state.join("key.next")
    }

    /// Ends a rotation that was interrupted: by the new key, if the secrets are under it already.
    fn settle(&self, sealed: &[Sealed]) -> io::Result<()> {
        let next = match fs::read_to_string(self.next_file()) {
            Ok(key) => Vault::new(&key).ok(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        let opens = next.is_some_and(|next| sealed.iter().any(|sealed| next.open(sealed).is_ok()));
        if opens { self.replace() } else { remove(&self.next_file()) }
    }

    fn replace(&self) -> io::Result<()> {
        fs::rename(self.next_file(), self.file())?;
        // The name must survive a power loss before anything is sealed under the key.
        fs::File::open(self.state)?.sync_all()
    }

    fn unusable(&self, error: &io::Error) -> Failure {
        let message = format!("the key in `{}` cannot be replaced: {error}", self.state.display());
        Failure::new(Code::StateUnavailable, message)
            .help("Let the user of `ebb` write in the state folder")
    }
}

fn remove(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use ebb_core::Code;
    use ebb_store::Database;

    use super::Keys;
    use crate::vault::new_key;

    const NAME: &str = "sources.db.password";

    async fn opened(keys: &Keys<'_>, store: &Database) -> String {
        let vault = keys.vault(store).await.unwrap();
        let sealed = store.secrets().await.unwrap();
        vault.open(&sealed[0]).unwrap().expose().to_owned()
    }

    #[tokio::test]
    async fn secrets_open_under_the_new_key_alone() {
        let folder = tempfile::tempdir().unwrap();
        let store = Database::open(folder.path()).unwrap();
        let keys = Keys::new(folder.path(), None);
        let old = keys.vault(&store).await.unwrap();
        store.reseal(vec![old.seal(NAME, "hunter2").unwrap()]).await.unwrap();
        let before = fs::read_to_string(folder.path().join("key")).unwrap();

        assert_eq!(keys.rotate(&store, None).await.unwrap(), 1);
        assert_ne!(fs::read_to_string(folder.path().join("key")).unwrap(), before);
        assert_eq!(opened(&keys, &store).await, "hunter2");
        let sealed = store.secrets().await.unwrap();
        assert_eq!(old.open(&sealed[0]).unwrap_err().code, Code::StateUnavailable);

        let next = new_key().unwrap();
        keys.rotate(&store, Some(next.expose())).await.unwrap();
        assert!(!folder.path().join("key").exists(), "it lies in the environment now");
        let keys = Keys::new(folder.path(), Some(next.expose()));
        assert_eq!(opened(&keys, &store).await, "hunter2");
        assert_eq!(keys.rotate(&store, None).await.unwrap_err().code, Code::ConfigValue);
    }

    #[tokio::test]
    async fn a_rotation_that_was_killed_is_finished_or_taken_back() {
        let folder = tempfile::tempdir().unwrap();
        let store = Database::open(folder.path()).unwrap();
        let keys = Keys::new(folder.path(), None);
        let old = keys.vault(&store).await.unwrap();
        store.reseal(vec![old.seal(NAME, "hunter2").unwrap()]).await.unwrap();
        let next = folder.path().join("key.next");

        fs::write(&next, new_key().unwrap().expose()).unwrap();
        assert_eq!(
            opened(&keys, &store).await,
            "hunter2",
            "killed before secrets were sealed anew"
        );
        assert!(!next.exists());
        fs::write(&next, "half a k").unwrap();
        assert_eq!(opened(&keys, &store).await, "hunter2", "killed while the key was written");

        let new = new_key().unwrap();
        fs::write(&next, new.expose()).unwrap();
        let vault = crate::Vault::new(new.expose()).unwrap();
        store.reseal(vec![vault.seal(NAME, "hunter2").unwrap()]).await.unwrap();
        assert_eq!(opened(&keys, &store).await, "hunter2", "killed before the key was replaced");
        assert!(!next.exists());
        assert_eq!(fs::read_to_string(folder.path().join("key")).unwrap(), new.expose());
    }
}
