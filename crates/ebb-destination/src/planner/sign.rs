//! Signatures over a request's body.

use ebb_core::{Secret, port::Header};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::Sha256;

use super::header;
use crate::manifest::Digest;

/// Signs bodies with a shared secret.
#[derive(Debug)]
pub(crate) struct Signer {
    pub(crate) header: String,
    pub(crate) digest: Digest,
    pub(crate) key: Secret,
}

impl Signer {
    /// The header that carries the signature of these bytes.
    pub(crate) fn sign(&self, bytes: &[u8]) -> Header {
        let key = self.key.expose().as_bytes();
        let digest = match self.digest {
            Digest::Sha1 => {
                let mut mac =
                    Hmac::<Sha1>::new_from_slice(key).expect("a key of any length will do");
                mac.update(bytes);
                hex::encode(mac.finalize().into_bytes())
            }
            Digest::Sha256 => {
                let mut mac =
                    Hmac::<Sha256>::new_from_slice(key).expect("a key of any length will do");
                mac.update(bytes);
                hex::encode(mac.finalize().into_bytes())
            }
        };
        header(&self.header, digest)
    }
}
