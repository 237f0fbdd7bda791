//! The player token: `cr1.<kid>.<payload>.<mac>`.
//!
//! A bearer of the seat it names. The algorithm is fixed per version, there
//! is no `alg` to talk us into another one:
//!
//! * payload: base64url of 46 bytes, big-endian: session 10, player 16,
//!   generation 4, issued 8, expires 8 (epoch ms);
//! * mac: base64url of HMAC-SHA-256 over `cardroom-resume-v1`, a 0 byte and
//!   everything in front of the last dot.
//!
//! The generation is compared with the seat's by whoever holds the session:
//! a removed seat or a signed-out device leaves tokens of an old generation.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::SecretString;

use crate::identity::keys::Keyring;
use crate::poker::ids::{Millis, PlayerId, SessionId};

/// What a token says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claims {
    pub session: SessionId,
    pub player: PlayerId,
    pub generation: u32,
    pub issued: Millis,
    pub expires: Millis,
}

/// Why a token was not believed. The client hears one code for all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenRejected {
    #[error("not {TOKEN_BYTES_MIN} to {TOKEN_BYTES_MAX} bytes long")]
    Length,
    #[error("not a token of this version")]
    Malformed,
    #[error("signed with a key that is not configured")]
    UnknownKey,
    #[error("the signature is wrong")]
    Forged,
    #[error("expired")]
    Expired,
    #[error("issued in the future")]
    NotYetValid,
}

pub const TOKEN_BYTES_MIN: usize = 16;
pub const TOKEN_BYTES_MAX: usize = 512;

/// How far the clocks of two instances may be apart.
pub const CLOCK_SKEW_MAX_MS: u64 = 60_000;

impl Keyring {
    /// Signs with the first key. Expose the result to the seat's own client
    /// only.
    pub fn mint(&self, claims: &Claims) -> SecretString {
        let payload = URL_SAFE_NO_PAD.encode(claims.to_bytes());
        let signed = format!("{VERSION}.{}.{payload}", self.signing_kid());
        let mac = self.sign(&signed);
        format!("{signed}.{mac}").into()
    }

    /// Length and signature come first: nothing that we did not write
    /// ourselves is decoded.
    pub fn verify_token(&self, token: &str, now: Millis) -> Result<Claims, TokenRejected> {
        if !(TOKEN_BYTES_MIN..=TOKEN_BYTES_MAX).contains(&token.len()) {
            return Err(TokenRejected::Length);
        }
        let (signed, mac) = token.rsplit_once('.').ok_or(TokenRejected::Malformed)?;
        let rest = signed.strip_prefix(VERSION).and_then(|rest| rest.strip_prefix('.'));
        let (kid, payload) =
            rest.and_then(|rest| rest.split_once('.')).ok_or(TokenRejected::Malformed)?;
        match self.verify(kid, signed, mac) {
            None => return Err(TokenRejected::UnknownKey),
            Some(false) => return Err(TokenRejected::Forged),
            Some(true) => {}
        }

        let mut bytes = [0; PAYLOAD_BYTES];
        let length = URL_SAFE_NO_PAD.decode_slice(payload, &mut bytes);
        if length != Ok(PAYLOAD_BYTES) {
            return Err(TokenRejected::Malformed);
        }
        let claims = Claims::from_bytes(bytes);
        if claims.expires <= now {
            return Err(TokenRejected::Expired);
        }
        if now.add_ms(CLOCK_SKEW_MAX_MS) < claims.issued {
            return Err(TokenRejected::NotYetValid);
        }
        Ok(claims)
    }
}

impl Claims {
    fn to_bytes(self) -> [u8; PAYLOAD_BYTES] {
        let mut bytes = [0; PAYLOAD_BYTES];
        let mut rest = bytes.as_mut_slice();
        for part in [
            self.session.to_bytes().as_slice(),
            &self.player.to_bytes(),
            &self.generation.to_be_bytes(),
            &self.issued.0.to_be_bytes(),
            &self.expires.0.to_be_bytes(),
        ] {
            let (place, after) = rest.split_at_mut(part.len());
            place.copy_from_slice(part);
            rest = after;
        }
        bytes
    }

    fn from_bytes(bytes: [u8; PAYLOAD_BYTES]) -> Self {
        let mut rest = bytes.as_slice();
        Self {
            session: SessionId::from_random(take(&mut rest)),
            player: PlayerId::from_bytes(take(&mut rest)),
            generation: u32::from_be_bytes(take(&mut rest)),
            issued: Millis(u64::from_be_bytes(take(&mut rest))),
            expires: Millis(u64::from_be_bytes(take(&mut rest))),
        }
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> [u8; N] {
    let (part, after) = rest.split_first_chunk().expect("the parts add up to the payload");
    *rest = after;
    *part
}

const VERSION: &str = "cr1";
const PAYLOAD_BYTES: usize = 10 + 16 + 4 + 8 + 8;

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    const HOUR_MS: u64 = 3_600_000;
    const NOW: Millis = Millis(1_700_000_000_000);

    fn keyring(keys: &[(&str, char)]) -> Keyring {
        let secret = |fill: char| fill.to_string().repeat(32).into();
        Keyring::new(keys.iter().map(|(kid, fill)| ((*kid).to_owned(), secret(*fill))))
            .expect("keys")
    }

    fn claims() -> Claims {
        Claims {
            session: SessionId::from_random([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
            player: PlayerId::from_random([11; 16]),
            generation: 3,
            issued: NOW,
            expires: NOW.add_ms(HOUR_MS),
        }
    }

    fn token(keys: &Keyring) -> String {
        keys.mint(&claims()).expose_secret().to_owned()
    }

    #[test]
    fn a_token_comes_back_as_its_claims() {
        let keys = keyring(&[("a", 'x')]);
        assert_eq!(keys.verify_token(&token(&keys), NOW), Ok(claims()));
        // Two tabs share one token: it verifies as often as it is shown.
        assert_eq!(keys.verify_token(&token(&keys), NOW.add_ms(HOUR_MS - 1)), Ok(claims()));
        assert!(token(&keys).starts_with("cr1.a."));
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let keys = keyring(&[("a", 'x'), ("c", 'y')]);
        let good = token(&keys);
        for place in 0..good.len() {
            for bit in 0..8 {
                let mut bytes = good.clone().into_bytes();
                bytes[place] ^= 1 << bit;
                let Ok(bad) = String::from_utf8(bytes) else { continue };
                assert!(keys.verify_token(&bad, NOW).is_err(), "byte {place}, bit {bit}");
            }
        }
    }

    #[test]
    fn parts_cannot_be_swapped() {
        let keys = keyring(&[("a", 'x'), ("b", 'y')]);
        let good = token(&keys);
        let other = Claims { session: SessionId::from_random([9; 10]), ..claims() };
        let other = keys.mint(&other).expose_secret().to_owned();
        let parts = |token: &str| token.split('.').map(str::to_owned).collect::<Vec<_>>();
        let (mine, theirs) = (parts(&good), parts(&other));
        let swapped = format!("cr1.a.{}.{}", theirs[2], mine[3]);
        assert_eq!(keys.verify_token(&swapped, NOW), Err(TokenRejected::Forged));
        let other_kid = good.replacen("cr1.a.", "cr1.b.", 1);
        assert_eq!(keys.verify_token(&other_kid, NOW), Err(TokenRejected::Forged));
        let no_kid = good.replacen("cr1.a.", "cr1.z.", 1);
        assert_eq!(keys.verify_token(&no_kid, NOW), Err(TokenRejected::UnknownKey));
        let other_version = good.replacen("cr1.", "cr2.", 1);
        assert_eq!(keys.verify_token(&other_version, NOW), Err(TokenRejected::Malformed));
    }

    #[test]
    fn time_limits() {
        let keys = keyring(&[("a", 'x')]);
        let good = token(&keys);
        let expired = keys.verify_token(&good, NOW.add_ms(HOUR_MS));
        assert_eq!(expired, Err(TokenRejected::Expired));
        let skewed = NOW.saturating_sub_ms(CLOCK_SKEW_MAX_MS);
        assert!(keys.verify_token(&good, skewed).is_ok());
        let future = keys.verify_token(&good, skewed.saturating_sub_ms(1));
        assert_eq!(future, Err(TokenRejected::NotYetValid));
    }

    #[test]
    fn other_lengths_are_not_looked_at() {
        let keys = keyring(&[("a", 'x')]);
        let huge = "a".repeat(1_000_000);
        for bad in ["", "cr1.a.b.c", &huge, &format!("{}{huge}", token(&keys))] {
            assert_eq!(keys.verify_token(bad, NOW), Err(TokenRejected::Length));
        }
        for bad in [
            "....................",
            "cr1.a.aaaaaaaaaaaa",
            "cr1aaaaaaaaaaaaaaaaa",
            "é.é.é.é.é.é.é.é.",
        ] {
            assert!(keys.verify_token(bad, NOW).is_err(), "{bad}");
        }
    }

    #[test]
    fn keys_rotate() {
        let (old, new) = (("old", 'x'), ("new", 'y'));
        let with_old = token(&keyring(&[old]));
        let with_new = token(&keyring(&[new, old]));
        assert!(keyring(&[old, new]).verify_token(&with_new, NOW).is_ok(), "verify-only key");
        assert!(keyring(&[new, old]).verify_token(&with_old, NOW).is_ok());
        assert_eq!(keyring(&[new]).verify_token(&with_old, NOW), Err(TokenRejected::UnknownKey));
        let wrong = keyring(&[("old", 'z')]).verify_token(&with_old, NOW);
        assert_eq!(wrong, Err(TokenRejected::Forged));
        let ephemeral = Keyring::ephemeral([1; 32]);
        assert!(ephemeral.verify_token(&token(&ephemeral), NOW).is_ok());
        let other = Keyring::ephemeral([2; 32]).verify_token(&token(&ephemeral), NOW);
        assert_eq!(other, Err(TokenRejected::Forged));
    }

    #[test]
    fn debug_shows_no_token() {
        let keys = keyring(&[("a", 'x')]);
        assert!(!format!("{:?}", keys.mint(&claims())).contains("cr1"));
    }
}
