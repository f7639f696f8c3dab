//! Passwords: argon2id with the library's parameters, which are those that OWASP recommends.

use argon2::{Argon2, PasswordHash, PasswordHasher, PasswordVerifier};
use ebb_core::{Code, Failure};
use tokio::task::spawn_blocking;

/// Characters that a password has at least.
const SHORTEST: usize = 12;
/// Longer ones would only cost time.
const LONGEST: usize = 200;

/// What is kept of a password. Takes some hundredths of a second of one core.
pub(super) async fn digest(password: String) -> Result<String, Failure> {
    let length = password.chars().count();
    if !(SHORTEST..=LONGEST).contains(&length) {
        let message = format!("a password has {SHORTEST} to {LONGEST} characters");
        return Err(Failure::new(Code::RequestInvalid, message)
            .help("Choose a longer one: some words in a row are easy to keep in mind"));
    }
    let failed = || Failure::new(Code::StateUnavailable, "the password could not be kept");
    let work =
        move || Argon2::default().hash_password(password.as_bytes()).map(|hash| hash.to_string());
    spawn_blocking(work).await.map_err(|_| failed())?.map_err(|_| failed())
}

/// Whether a password is the one of which this was kept. Takes as long where nothing was, so that nobody
/// can tell by the time whether an address is known.
pub(super) async fn matches(password: String, kept: Option<String>) -> bool {
    let known = kept.is_some();
    let work = move || {
        let kept = kept.unwrap_or_else(|| NOBODY.to_owned());
        let Ok(hash) = PasswordHash::new(&kept) else { return false };
        Argon2::default().verify_password(password.as_bytes(), &hash).is_ok()
    };
    spawn_blocking(work).await.unwrap_or(false) && known
}

/// A digest that no password has.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IG5vYm9keQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

#[cfg(test)]
mod tests {
    use super::{digest, matches};

    #[tokio::test]
    async fn a_password_matches_what_was_kept_of_it_and_nothing_else_does() {
        let kept = digest("correct horse battery".to_owned()).await.unwrap();
        assert!(kept.starts_with("$argon2id$"), "{kept}");
        assert!(!kept.contains("horse"));
        assert!(matches("correct horse battery".to_owned(), Some(kept.clone())).await);
        assert!(!matches("correct horse batterx".to_owned(), Some(kept)).await);
        assert!(!matches(String::new(), None).await);
        assert!(digest("short".to_owned()).await.is_err());
    }
}
