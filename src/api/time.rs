//! Times on the wire: ISO-8601 in UTC where people may read them.

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use crate::poker::ids::Millis;

/// Serialises as `2026-11-23T10:00:00.000Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Iso(pub Millis);

impl std::fmt::Display for Iso {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let millis = i64::try_from(self.0.0).unwrap_or(i64::MAX);
        let time = Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX);
        write!(f, "{time:.3}")
    }
}

impl Serialize for Iso {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milliseconds_are_always_written() {
        assert_eq!(Iso(Millis(0)).to_string(), "1970-01-01T00:00:00.000Z");
        assert_eq!(Iso(Millis(1_795_386_722_579)).to_string(), "2026-11-22T22:32:02.579Z");
    }
}
