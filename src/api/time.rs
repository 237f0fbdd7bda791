//! Times on the wire: ISO-8601 in UTC where people may read them.

use jiff::Timestamp;
use jiff::tz::Offset;
use serde::ser::Error as _;
use serde::{Serialize, Serializer};

use crate::poker::ids::Millis;

/// Serialises as `2026-11-23T10:00:00.000Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Iso(pub Millis);

impl Iso {
    /// The digits are put in by hand: a snapshot has dozens of times, and the
    /// printer of the library knows more forms than this one.
    fn text(self) -> [u8; 24] {
        let millis = i64::try_from(self.0.0).unwrap_or(i64::MAX);
        let time = Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX);
        let time = Offset::UTC.to_datetime(time);
        let mut text = *b"0000-00-00T00:00:00.000Z";
        put(&mut text[0..4], time.year());
        put(&mut text[5..7], time.month().into());
        put(&mut text[8..10], time.day().into());
        put(&mut text[11..13], time.hour().into());
        put(&mut text[14..16], time.minute().into());
        put(&mut text[17..19], time.second().into());
        put(&mut text[20..23], time.millisecond());
        text
    }
}

/// A number that is not negative, with leading zeros.
fn put(digits: &mut [u8], mut number: i16) {
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

impl std::fmt::Display for Iso {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(str::from_utf8(&self.text()).map_err(|_| std::fmt::Error)?)
    }
}

impl Serialize for Iso {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(str::from_utf8(&self.text()).map_err(S::Error::custom)?)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_time_is_written_as_the_library_would(millis in prop_oneof![
            0..4_102_444_800_000_u64,
            any::<u64>(),
        ]) {
            let time = i64::try_from(millis).ok().and_then(|at| Timestamp::from_millisecond(at).ok());
            let time = time.unwrap_or(Timestamp::MAX);
            prop_assert_eq!(Iso(Millis(millis)).to_string(), format!("{time:.3}"));
        }
    }

    #[test]
    fn milliseconds_are_always_written() {
        assert_eq!(Iso(Millis(0)).to_string(), "1970-01-01T00:00:00.000Z");
        assert_eq!(Iso(Millis(1_795_386_722_579)).to_string(), "2026-11-22T22:32:02.579Z");
    }
}
