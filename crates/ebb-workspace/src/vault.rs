//! The key of a server, and what it closes: secrets that were given in the page or by the API.

use std::{fmt, fs, io, path::Path};

use base64::{Engine, prelude::BASE64_STANDARD};
use ebb_core::{Code, Failure, Secret};
use ebb_store::Sealed;
use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    rand::{SecureRandom, SystemRandom},
};

/// Bytes of a key.
const KEY: usize = 32;

/// What seals and opens secrets: AES-256-GCM with a nonce of its own for each, bound to the secret's name.
pub struct Vault {
    key: LessSafeKey,
    random: SystemRandom,
}

impl fmt::Debug for Vault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Vault(…)")
    }
}

impl Vault {
    /// A vault with a key: 32 bytes in base64, as `EBB_KEY` has it.
    pub fn new(key: &str) -> Result<Self, Failure> {
        let bytes = BASE64_STANDARD.decode(key.trim()).unwrap_or_default();
        let key = UnboundKey::new(&AES_256_GCM, &bytes).map_err(|_| {
            Failure::new(Code::ConfigValue, "the server's key is not 32 bytes in base64")
                .help("Make one with `openssl rand -base64 32`")
        })?;
        Ok(Self { key: LessSafeKey::new(key), random: SystemRandom::new() })
    }

    /// A vault whose key lies in a file, which is made if it is missing, so that its owner alone may
    /// read it.
    pub fn in_file(file: &Path) -> Result<Self, Failure> {
        let unusable = |error: io::Error| {
            let message = format!("the key file `{}` cannot be used: {error}", file.display());
            Failure::new(Code::StateUnavailable, message)
                .help("Let the user of `ebb` read it, or give the key as `EBB_KEY`")
        };
        match fs::read_to_string(file) {
            Ok(key) => Self::new(&key),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let key = new_key()?;
                write(file, key.expose()).map_err(unusable)?;
                Self::new(key.expose())
            }
            Err(error) => Err(unusable(error)),
        }
    }

    /// Closes a secret.
    pub fn seal(&self, name: &str, secret: &str) -> Result<Sealed, Failure> {
        let nonce: [u8; NONCE_LEN] = random(&self.random)?;
        let mut bytes = secret.as_bytes().to_vec();
        self.key
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(name.as_bytes()),
                &mut bytes,
            )
            .map_err(|_| Failure::new(Code::StateUnavailable, "a secret could not be encrypted"))?;
        bytes.splice(..0, nonce);
        Ok(Sealed { name: name.to_owned(), bytes })
    }

    /// Opens a secret. Fails with `R415` if another key closed it, or if it was tampered with.
    pub fn open(&self, sealed: &Sealed) -> Result<Secret, Failure> {
        let opened = || {
            let (nonce, bytes) = sealed.bytes.split_first_chunk::<NONCE_LEN>()?;
            let mut bytes = bytes.to_vec();
            let nonce = Nonce::assume_unique_for_key(*nonce);
            let aad = Aad::from(sealed.name.as_bytes());
            let text = self.key.open_in_place(nonce, aad, &mut bytes).ok()?;
            String::from_utf8(text.to_vec()).ok()
        };
        opened().map(Secret::new).ok_or_else(|| {
            let message = format!("the secret `{}` was encrypted with another key", sealed.name);
            Failure::new(Code::StateUnavailable, message)
                .help("Start the server with the key that it had: `EBB_KEY`, or the file `key` in its state folder")
        })
    }
}

/// A new key, in base64.
pub(crate) fn new_key() -> Result<Secret, Failure> {
    let key: [u8; KEY] = random(&SystemRandom::new())?;
    Ok(Secret::new(BASE64_STANDARD.encode(key)))
}

/// Random bytes.
fn random<const N: usize>(source: &SystemRandom) -> Result<[u8; N], Failure> {
    let mut bytes = [0; N];
    source
        .fill(&mut bytes)
        .map_err(|_| Failure::new(Code::StateUnavailable, "the system gives no random bytes"))?;
    Ok(bytes)
}

pub(crate) fn write(file: &Path, key: &str) -> io::Result<()> {
    use io::Write;
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut out = options.open(file)?;
    out.write_all(key.as_bytes())?;
    out.write_all(b"\n")?;
    out.sync_all()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use ebb_core::Code;

    use super::{Vault, new_key};

    #[test]
    fn what_was_sealed_opens_under_its_name_and_key_alone() {
        let vault = Vault::new(new_key().unwrap().expose()).unwrap();
        let sealed = vault.seal("sources.db.password", "hunter2").unwrap();
        assert_eq!(vault.open(&sealed).unwrap().expose(), "hunter2");
        assert!(!sealed.bytes.windows(7).any(|bytes| bytes == b"hunter2"));
        let again = vault.seal("sources.db.password", "hunter2").unwrap();
        assert_ne!(sealed.bytes, again.bytes, "equal secrets do not look equal");

        let mut renamed = sealed.clone();
        renamed.name = "sources.other.password".to_owned();
        let mut changed = sealed.clone();
        *changed.bytes.last_mut().unwrap() ^= 1;
        let other = Vault::new(new_key().unwrap().expose()).unwrap();
        for opened in [vault.open(&renamed), vault.open(&changed), other.open(&sealed)] {
            let failure = opened.unwrap_err();
            assert_eq!(failure.code, Code::StateUnavailable);
            assert!(!failure.to_string().contains("hunter2"));
        }
    }

    #[test]
    fn a_key_file_is_made_once_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        let sealed = Vault::in_file(&file).unwrap().seal("a", "b").unwrap();
        assert_eq!(Vault::in_file(&file).unwrap().open(&sealed).unwrap().expose(), "b");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        }
        fs::write(&file, "short").unwrap();
        assert_eq!(Vault::in_file(&file).unwrap_err().code, Code::ConfigValue);
    }
}
