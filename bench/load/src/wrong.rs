//! What can be wrong about what clients receive, and how often it was.

use std::collections::BTreeMap;
use std::fmt;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Wrong {
    /// A number was left out; what it stood for may still come, too late.
    Gap,
    /// The same number twice in a row.
    Doubled,
    /// A number below the one before it.
    OutOfOrder,
    /// An event of the game without a number.
    Unnumbered,
    /// A number that says another vote than it said to another member.
    ToldDifferently,
    /// A count of votes that is not the count of those who voted.
    Miscounted,
    /// A vote that nobody has sent, or more often than it was sent.
    Uncast,
    /// An event that not everybody in its room has heard.
    Lost,
    /// A vote that nobody has heard of.
    NeverTold,
    NeverAcknowledged,
    /// An acknowledgement that nobody waits for.
    AcknowledgedTwice,
    /// A command, with the code of its refusal.
    Refused(String),
    /// A connection that could not be opened or got no seat.
    NotSeated(String),
    /// A connection that ended without the client's doing.
    Ended(String),
    /// A snapshot that knows less than was told before it.
    Outdated,
}

/// How often each was seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Wrongs(BTreeMap<Wrong, u64>);

impl Wrongs {
    pub(crate) fn note(&mut self, wrong: Wrong) {
        self.note_many(wrong, 1);
    }

    pub(crate) fn note_many(&mut self, wrong: Wrong, count: usize) {
        if 0 < count {
            *self.0.entry(wrong).or_default() += count as u64;
        }
    }

    pub(crate) fn add(&mut self, other: Self) {
        for (wrong, count) in other.0 {
            *self.0.entry(wrong).or_default() += count;
        }
    }

    /// Of any kind.
    pub(crate) fn count(&self) -> u64 {
        self.0.values().sum()
    }

    pub(crate) fn has_ended_connections(&self) -> bool {
        self.0.keys().any(|wrong| matches!(wrong, Wrong::Ended(_)))
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Gap => "gap in the numbers",
            Self::Doubled => "told twice",
            Self::OutOfOrder => "out of order",
            Self::Unnumbered => "without a number",
            Self::ToldDifferently => "told differently",
            Self::Miscounted => "miscounted",
            Self::Uncast => "vote that nobody cast",
            Self::Lost => "lost by some of the room",
            Self::NeverTold => "vote never told",
            Self::NeverAcknowledged => "never acknowledged",
            Self::AcknowledgedTwice => "acknowledged twice",
            Self::Outdated => "outdated snapshot",
            Self::Refused(code) => return write!(out, "refused with {code}"),
            Self::NotSeated(why) => return write!(out, "not seated: {why}"),
            Self::Ended(why) => return write!(out, "connection ended: {why}"),
        };
        out.write_str(name)
    }
}

impl fmt::Display for Wrongs {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (wrong, count)) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(out, "{separator}{count} × {wrong}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_shown_with_its_count() {
        let mut wrongs = Wrongs::default();
        wrongs.note_many(Wrong::Lost, 0);
        assert_eq!((wrongs.count(), wrongs.to_string()), (0, String::new()));
        wrongs.note(Wrong::Refused("RATE_LIMITED".to_owned()));
        wrongs.note_many(Wrong::Gap, 2);
        assert_eq!(wrongs.count(), 3);
        assert_eq!(wrongs.to_string(), "2 × gap in the numbers, 1 × refused with RATE_LIMITED");
    }
}
