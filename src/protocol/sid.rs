//! The secret id of an Engine.IO connection. It names the instance that has
//! the connection, so that every other one knows whom to ask.
//!
//! ```text
//!  owner (8 bytes) │ random (16) │ check (6)     as base64url, 40 characters
//! ```
//!
//! The check is keyed with what the instances share: an invented id is known
//! for one without asking anybody.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// Random bytes that make one id; nobody guesses them.
pub const SID_RANDOM_BYTES: usize = 16;

const OWNER_BYTES: usize = 8;
const CHECK_BYTES: usize = 6;
const SID_BYTES: usize = OWNER_BYTES + SID_RANDOM_BYTES + CHECK_BYTES;
const SID_CHARS: usize = 40;

/// The Engine.IO session id. It authorises polling requests, so it is a
/// secret: it has no `Display`, and `Debug` does not show it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sid([u8; SID_CHARS]);

/// The instance that has a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Owner(pub u64);

/// Makes the ids of one instance, and tells those of the others from inventions.
#[derive(Clone)]
pub struct Issuer {
    owner: Owner,
    /// Without its message.
    check: Hmac<Sha256>,
}

impl Sid {
    /// `None` for anything that [`Issuer::issue`] could not have written.
    pub fn parse(text: &str) -> Option<Self> {
        let is_base64url = |c: &u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_');
        let chars: [u8; SID_CHARS] = text.as_bytes().try_into().ok()?;
        chars.iter().all(is_base64url).then_some(Self(chars))
    }

    pub fn owner(&self) -> Owner {
        let (owner, _, _) = self.parts();
        Owner(u64::from_be_bytes(owner))
    }

    /// For the handshake answer only.
    pub fn expose(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    fn parts(&self) -> ([u8; OWNER_BYTES], [u8; SID_RANDOM_BYTES], [u8; CHECK_BYTES]) {
        let mut bytes = [0; SID_BYTES];
        let decoded = URL_SAFE_NO_PAD.decode_slice(self.0, &mut bytes);
        debug_assert_eq!(decoded.ok(), Some(SID_BYTES));
        let mut parts = ([0; OWNER_BYTES], [0; SID_RANDOM_BYTES], [0; CHECK_BYTES]);
        let (owner, rest) = bytes.split_at(OWNER_BYTES);
        let (random, check) = rest.split_at(SID_RANDOM_BYTES);
        parts.0.copy_from_slice(owner);
        parts.1.copy_from_slice(random);
        parts.2.copy_from_slice(check);
        parts
    }
}

impl fmt::Debug for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sid(…)")
    }
}

impl Issuer {
    /// `secret` is what the instances share, or random where there are no others.
    pub fn new(owner: Owner, secret: &[u8]) -> Self {
        let mut check =
            Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes keys of any length");
        check.update(b"cardroom sid 1\n");
        Self { owner, check }
    }

    pub fn owner(&self) -> Owner {
        self.owner
    }

    pub fn issue(&self, random: [u8; SID_RANDOM_BYTES]) -> Sid {
        let owner = self.owner.0.to_be_bytes();
        let mut bytes = [0; SID_BYTES];
        let check = self.check_of(owner, random);
        for (byte, from) in bytes.iter_mut().zip(owner.into_iter().chain(random).chain(check)) {
            *byte = from;
        }
        let mut chars = [0; SID_CHARS];
        let written = URL_SAFE_NO_PAD.encode_slice(bytes, &mut chars);
        debug_assert_eq!(written.ok(), Some(SID_CHARS));
        Sid(chars)
    }

    /// Whether another instance with the same secret has issued it.
    pub fn is_of_another(&self, sid: Sid) -> bool {
        let (owner, random, check) = sid.parts();
        owner != self.owner.0.to_be_bytes()
            && bool::from(self.check_of(owner, random).ct_eq(&check))
    }

    fn check_of(
        &self,
        owner: [u8; OWNER_BYTES],
        random: [u8; SID_RANDOM_BYTES],
    ) -> [u8; CHECK_BYTES] {
        let mac = self.check.clone().chain_update(owner).chain_update(random).finalize();
        let mut check = [0; CHECK_BYTES];
        for (byte, from) in check.iter_mut().zip(mac.into_bytes()) {
            *byte = from;
        }
        check
    }
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issuer").field("owner", &self.owner).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RANDOM: [u8; SID_RANDOM_BYTES] = [7; SID_RANDOM_BYTES];

    #[test]
    fn a_sid_is_base64url_and_names_its_owner() {
        let sid = Issuer::new(Owner(0xFBEF_BEFB_EFBE_0001), b"secret").issue(RANDOM);
        assert_eq!(sid.expose().len(), 40);
        assert!(sid.expose().starts_with("---"), "{}", sid.expose());
        assert_eq!(Sid::parse(sid.expose()), Some(sid));
        assert_eq!(sid.owner(), Owner(0xFBEF_BEFB_EFBE_0001));
        assert!(!format!("{sid:?}").contains(sid.expose()));
    }

    #[test]
    fn what_is_not_a_sid_is_none() {
        let short = "A".repeat(39);
        let long = "A".repeat(41);
        let wrong = format!("{short}+");
        for text in ["", "AAAAAAAAAAAAAAAAAAAA", &short, &long, &wrong] {
            assert_eq!(Sid::parse(text), None, "{text}");
        }
    }

    #[test]
    fn instances_with_one_secret_know_each_others_sids_and_no_inventions() {
        let here = Issuer::new(Owner(1), b"secret");
        let there = Issuer::new(Owner(2), b"secret");
        let stranger = Issuer::new(Owner(3), b"another");
        assert!(here.is_of_another(there.issue(RANDOM)));
        assert!(!here.is_of_another(here.issue(RANDOM)));
        assert!(!here.is_of_another(stranger.issue(RANDOM)));
        let invented = Sid::parse(&"A".repeat(40)).expect("40 characters");
        assert!(!here.is_of_another(invented));
    }
}
