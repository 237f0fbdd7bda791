//! Identifiers and points in time. Randomness comes in as bytes: this module
//! has none of its own.

use std::fmt;
use std::str::FromStr;

use compact_str::CompactString;
use serde::{Deserialize, Serialize, Serializer};
use uuid::Uuid;
use uuid::fmt::Hyphenated;

use crate::poker::text::{deserialize_as_text, serde_as_str, serde_as_text};

/// A text is not the identifier that was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}")]
pub struct IdError {
    pub expected: &'static str,
}

/// A session: 80 random bits as 16 Crockford letters, upper case. Long enough
/// to stand in a link; knowing it is enough to ask for a seat.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId([u8; 16]);

impl SessionId {
    pub fn from_random(bytes: [u8; 10]) -> Self {
        Self(letters(&bytes))
    }

    pub fn as_str(&self) -> &str {
        ascii(&self.0)
    }

    /// The 80 bits, for tokens.
    pub fn to_bytes(self) -> [u8; 10] {
        bytes_of(&self.0)
    }
}

impl FromStr for SessionId {
    type Err = IdError;

    /// Lower case is accepted; nothing else is forgiven.
    fn from_str(text: &str) -> Result<Self, IdError> {
        let expected = IdError { expected: "a session id of 16 letters and digits" };
        let raw: [u8; 16] = text.as_bytes().try_into().map_err(|_| expected)?;
        let upper = raw.map(|b| b.to_ascii_uppercase());
        if upper.iter().all(|b| ALPHABET.contains(b)) { Ok(Self(upper)) } else { Err(expected) }
    }
}

/// A short code that people read out: 40 bits, 8 Crockford letters. Guessable
/// in the long run, so failed joins are limited per address.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JoinCode([u8; 8]);

impl JoinCode {
    pub fn from_random(bytes: [u8; 5]) -> Self {
        Self(letters(&bytes))
    }

    pub fn as_str(&self) -> &str {
        ascii(&self.0)
    }
}

impl FromStr for JoinCode {
    type Err = IdError;

    /// As people type it: lower case, `O` for 0, `I` or `L` for 1, hyphens
    /// and spaces anywhere.
    fn from_str(text: &str) -> Result<Self, IdError> {
        let expected = IdError { expected: "a join code of 8 letters and digits" };
        let mut code = [0; 8];
        let mut slots = code.iter_mut();
        for byte in text.bytes().filter(|b| !matches!(b, b'-' | b' ')) {
            let letter = match byte.to_ascii_uppercase() {
                b'O' => b'0',
                b'I' | b'L' => b'1',
                other => other,
            };
            let slot = slots.next().filter(|_| ALPHABET.contains(&letter)).ok_or(expected)?;
            *slot = letter;
        }
        if slots.next().is_none() { Ok(Self(code)) } else { Err(expected) }
    }
}

/// What a person may name a session by: its id, or its join code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SessionRef {
    Id(SessionId),
    Code(JoinCode),
}

impl FromStr for SessionRef {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let id = text.parse().map(Self::Id);
        id.or_else(|_| text.parse().map(Self::Code))
            .map_err(|_| IdError { expected: "a session id or a join code" })
    }
}

impl fmt::Display for SessionRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Code(code) => code.fmt(f),
        }
    }
}

/// A seat. Public, and no credential: the signed player token is that.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlayerId(Uuid);

impl PlayerId {
    /// A version 4 UUID of these random bytes.
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self(uuid::Builder::from_random_bytes(bytes).into_uuid())
    }

    /// The 16 bytes, for tokens.
    pub fn to_bytes(self) -> [u8; 16] {
        self.0.into_bytes()
    }

    /// The opposite of [`Self::to_bytes`]: takes the bytes as they are.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }
}

impl FromStr for PlayerId {
    type Err = IdError;

    /// The hyphenated form only: one player has one spelling.
    fn from_str(text: &str) -> Result<Self, IdError> {
        let expected = IdError { expected: "a player id (UUID)" };
        let uuid = Uuid::try_parse(text).map_err(|_| expected)?;
        if text.len() == Hyphenated::LENGTH { Ok(Self(uuid)) } else { Err(expected) }
    }
}

impl fmt::Display for PlayerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl Serialize for PlayerId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = [0; Hyphenated::LENGTH];
        serializer.serialize_str(self.0.hyphenated().encode_lower(&mut text))
    }
}

/// A story of one session, counted from 1 and shown as `s12`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StoryId(pub u32);

impl FromStr for StoryId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let expected = IdError { expected: "a story id such as s12" };
        // `s012` and `s+12` parse as numbers but are not how we write them.
        let is_plain = |n: &&str| *n == "0" || n.starts_with(|c| matches!(c, '1'..='9'));
        let number = text.strip_prefix('s').filter(is_plain).and_then(|n| n.parse().ok());
        number.map(Self).ok_or(expected)
    }
}

impl fmt::Display for StoryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s{}", self.0)
    }
}

/// A round of one session, +1 at every new round. An integer on the wire.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct RoundId(pub u32);

impl RoundId {
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for RoundId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a client names one of its requests, so that a resend is recognised.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(CompactString);

impl RequestId {
    pub const BYTES_MAX: usize = 64;

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RequestId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
        if (1..=Self::BYTES_MAX).contains(&text.len()) && text.bytes().all(allowed) {
            return Ok(Self(text.into()));
        }
        Err(IdError { expected: "1 to 64 letters, digits, - or _" })
    }
}

/// One server process, for as long as it runs. 16 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstanceId(pub u64);

impl FromStr for InstanceId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let hex = text.len() == 16 && text.bytes().all(|b| b.is_ascii_hexdigit());
        let number = u64::from_str_radix(text, 16).ok().filter(|_| hex).map(Self);
        number.ok_or(IdError { expected: "an instance id of 16 hex digits" })
    }
}

impl fmt::Display for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// A point in time: milliseconds since 1970-01-01 UTC. All arithmetic
/// saturates: no duration a client sends can wrap a deadline around.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Millis(pub u64);

impl Millis {
    pub fn from_secs(seconds: u64) -> Self {
        Self(seconds.saturating_mul(1_000))
    }

    #[must_use]
    pub fn add_ms(self, milliseconds: u64) -> Self {
        Self(self.0.saturating_add(milliseconds))
    }

    #[must_use]
    pub fn saturating_sub_ms(self, milliseconds: u64) -> Self {
        Self(self.0.saturating_sub(milliseconds))
    }

    /// Milliseconds from `earlier` to `self`; 0 when it is not earlier.
    pub fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

macro_rules! display_as_str {
    ($($name:ty),+) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    )+};
}
display_as_str!(SessionId, JoinCode, RequestId);

macro_rules! debug_as_display {
    ($($name:ty),+) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    )+};
}
debug_as_display!(SessionId, JoinCode, PlayerId, StoryId, RequestId, InstanceId);

serde_as_str!(SessionId, JoinCode, RequestId);
serde_as_text!(SessionRef, StoryId, InstanceId);
deserialize_as_text!(PlayerId);

/// Crockford's base 32: no I, L, O (read as 1, 1, 0) and no U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// `N` letters of 5 bits each, most significant first; `bytes` holds 5·N/8.
fn letters<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let bits = bytes.iter().fold(0u128, |bits, &byte| bits << 8 | u128::from(byte));
    std::array::from_fn(|i| ALPHABET[(bits >> (5 * (N - 1 - i)) & 31) as usize])
}

/// The opposite of [`letters`]; a byte outside of the alphabet counts as 0.
fn bytes_of<const N: usize>(letters: &[u8]) -> [u8; N] {
    let value = |letter| ALPHABET.iter().position(|&l| l == letter).unwrap_or(0);
    let bits = letters.iter().fold(0u128, |bits, &letter| bits << 5 | value(letter) as u128);
    std::array::from_fn(|i| (bits >> (8 * (N - 1 - i))) as u8)
}

fn ascii(letters: &[u8]) -> &str {
    str::from_utf8(letters).expect("Crockford letters are ASCII")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn session_ids_have_one_spelling() {
        let id = SessionId::from_random([0, 1, 2, 3, 4, 250, 251, 252, 253, 255]);
        assert_eq!(id.as_str().to_lowercase().parse(), Ok(id));
        assert_eq!(id.as_str().len(), 16);
        for bad in [
            "",
            "0",
            "0000000000000000 ",
            "000000000000000U",
            "000000000000000{",
            "0000-0000-0000-0",
        ] {
            assert!(bad.parse::<SessionId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn join_codes_forgive_what_people_type() {
        let code: JoinCode = "01AB10YZ".parse().expect("a code");
        assert_eq!("o-1Ab iO-yZ".parse(), Ok(code));
        assert_eq!("OLAB-LOYZ".parse(), Ok(code));
        for bad in ["", "01AB10Y", "01AB10YZZ", "01AB10YU", "01AB_10YZ", "01AB10Yé"] {
            assert!(bad.parse::<JoinCode>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_reference_is_an_id_or_a_code() {
        assert!(matches!("00000000000000az".parse(), Ok(SessionRef::Id(_))));
        assert!(matches!("abcd-efgh".parse(), Ok(SessionRef::Code(_))));
        assert!("../etc/passwd".parse::<SessionRef>().is_err());
    }

    #[test]
    fn the_other_ids_refuse_other_spellings() {
        assert_eq!("s12".parse(), Ok(StoryId(12)));
        for bad in ["", "s", "12", "s012", "s+12", "s-1", "S12", "s4294967296"] {
            assert!(bad.parse::<StoryId>().is_err(), "{bad}");
        }
        let player = PlayerId::from_random([7; 16]);
        assert_eq!(player.to_string().parse(), Ok(player));
        assert!(player.to_string().replace('-', "").parse::<PlayerId>().is_err());
        assert!("x".repeat(64).parse::<RequestId>().is_ok());
        for bad in ["", "a b", "é", "a/b", &"x".repeat(65)] {
            assert!(bad.parse::<RequestId>().is_err(), "{bad}");
        }
        assert_eq!("00000000000000ff".parse(), Ok(InstanceId(255)));
        assert!("+00000000000000f".parse::<InstanceId>().is_err());
    }

    #[test]
    fn ids_travel_as_text_and_numbers() {
        let json = serde_json::to_string(&(StoryId(3), RoundId(4), InstanceId(5), Millis(6)));
        assert_eq!(json.ok().as_deref(), Some(r#"["s3",4,"0000000000000005",6]"#));
        assert!(serde_json::from_str::<(StoryId, RoundId)>(r#"["s3",4]"#).is_ok());
        assert!(serde_json::from_str::<StoryId>(r#""3""#).is_err());
    }

    #[test]
    fn time_saturates() {
        assert_eq!(Millis(5).since(Millis(9)), 0);
        assert_eq!(Millis(5).add_ms(u64::MAX), Millis(u64::MAX));
        assert_eq!(Millis(5).saturating_sub_ms(6), Millis(0));
    }

    proptest! {
        #[test]
        fn session_id_bytes_survive(bytes: [u8; 10]) {
            let id = SessionId::from_random(bytes);
            prop_assert_eq!(id.to_bytes(), bytes);
            prop_assert_eq!(id.as_str().parse(), Ok(id));
        }

        #[test]
        fn parsing_never_panics(text in "\\PC{0,40}") {
            let _ = text.parse::<SessionRef>();
            let _ = text.parse::<PlayerId>();
            let _ = text.parse::<StoryId>();
            let _ = text.parse::<InstanceId>();
        }
    }
}
