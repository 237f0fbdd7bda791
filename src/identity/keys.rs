//! The keys that sign player tokens.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// One or more keys: the first signs, all verify. To change a key, first add
/// the new one at the end everywhere, then move it to the front, then drop
/// the old one when its last token has expired.
pub struct Keyring {
    signing: Key,
    verify_only: Vec<Key>,
}

struct Key {
    kid: String,
    mac: Hmac<Sha256>,
}

/// Why keys were refused. Never shows a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error("no key to sign with")]
    NoKey,
    #[error("more than {} keys", Keyring::KEYS_MAX)]
    TooManyKeys,
    #[error("the key id {kid:?} is not 1 to {} letters, digits, - or _", Keyring::KID_BYTES_MAX)]
    BadKid { kid: String },
    #[error("the key id {kid:?} occurs twice")]
    DuplicateKid { kid: String },
    #[error("the secret of key {kid:?} is shorter than {} bytes", Keyring::SECRET_BYTES_MIN)]
    ShortSecret { kid: String },
}

impl Keyring {
    pub const KEYS_MAX: usize = 16;
    pub const KID_BYTES_MAX: usize = 16;
    /// The output of SHA-256: a shorter key would be the weakest part.
    pub const SECRET_BYTES_MIN: usize = 32;

    /// Keys as configured, `(kid, secret)`, the signing one first.
    pub fn new(keys: impl IntoIterator<Item = (String, SecretString)>) -> Result<Self, KeyError> {
        let mut parsed: Vec<Key> = Vec::new();
        for (kid, secret) in keys {
            if parsed.len() == Self::KEYS_MAX {
                return Err(KeyError::TooManyKeys);
            }
            let word = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
            if !(1..=Self::KID_BYTES_MAX).contains(&kid.len()) || !kid.bytes().all(word) {
                return Err(KeyError::BadKid { kid });
            }
            if parsed.iter().any(|key| key.kid == kid) {
                return Err(KeyError::DuplicateKid { kid });
            }
            let secret = secret.expose_secret().as_bytes();
            if secret.len() < Self::SECRET_BYTES_MIN {
                return Err(KeyError::ShortSecret { kid });
            }
            parsed.push(Key::new(kid, secret));
        }
        let mut keys = parsed.into_iter();
        let signing = keys.next().ok_or(KeyError::NoKey)?;
        Ok(Self { signing, verify_only: keys.collect() })
    }

    /// For a server without configured keys: its tokens die with it, and no
    /// other instance knows them. Whoever calls this says so in the log.
    pub fn ephemeral(random: [u8; 32]) -> Self {
        Self { signing: Key::new("ephemeral".to_owned(), &random), verify_only: Vec::new() }
    }

    pub(super) fn signing_kid(&self) -> &str {
        &self.signing.kid
    }

    pub(super) fn sign(&self, message: &str) -> String {
        self.signing.tag(message)
    }

    /// `None` when there is no such key; compares in constant time.
    pub(super) fn verify(&self, kid: &str, message: &str, tag: &str) -> Option<bool> {
        let mut keys = std::iter::once(&self.signing).chain(&self.verify_only);
        let key = keys.find(|key| key.kid == kid)?;
        Some(key.tag(message).as_bytes().ct_eq(tag.as_bytes()).into())
    }
}

impl Key {
    fn new(kid: String, secret: &[u8]) -> Self {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes keys of any length");
        // The domain keeps a token from meaning anything elsewhere, should a
        // secret be used twice. The 0 byte ends it.
        mac.update(DOMAIN);
        Self { kid, mac }
    }

    /// As text: comparing text leaves no second spelling of the same bytes.
    fn tag(&self, message: &str) -> String {
        let mac = self.mac.clone().chain_update(message);
        URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kids = self.verify_only.iter().map(|key| &key.kid);
        f.debug_struct("Keyring")
            .field("signing", &self.signing.kid)
            .field("verify_only", &kids.collect::<Vec<_>>())
            .finish()
    }
}

const DOMAIN: &[u8] = b"cardroom-resume-v1\0";

#[cfg(test)]
mod tests {
    use super::*;

    fn keyring(keys: &[(&str, &str)]) -> Result<Keyring, KeyError> {
        Keyring::new(keys.iter().map(|(kid, secret)| ((*kid).to_owned(), (*secret).into())))
    }

    #[test]
    fn refuses_weak_and_ambiguous_keys() {
        let good = "0123456789abcdef0123456789abcdef";
        let error = |keys: &[(&str, &str)]| keyring(keys).expect_err("refused").to_string();
        assert_eq!(error(&[]), "no key to sign with");
        assert_eq!(error(&[("a", "s3cr3t")]), "the secret of key \"a\" is shorter than 32 bytes");
        assert_eq!(error(&[("a", good), ("a", good)]), "the key id \"a\" occurs twice");
        for kid in ["", "a.b", "ä", "abcdefghijklmnopq"] {
            assert!(error(&[(kid, good)]).contains("is not 1 to 16 letters"));
        }
        assert_eq!(
            keyring(&vec![("a", good); 17]).err(),
            Some(KeyError::DuplicateKid { kid: "a".into() })
        );
    }

    #[test]
    fn debug_shows_kids_only() {
        let keys = keyring(&[("a", "canary-0123456789abcdef0123456789")]).expect("keys");
        assert_eq!(format!("{keys:?}"), r#"Keyring { signing: "a", verify_only: [] }"#);
    }
}
