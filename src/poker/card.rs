//! A card: one label in canonical form, and what it means.
//!
//! Labels are parsed once (catalogue §6): NFC, trimmed, U+FE0F dropped, the
//! words `coffee`, `break` and `infinity` replaced by the cards they name.

use std::fmt;
use std::str::FromStr;

use compact_str::CompactString;

use crate::poker::text::{self, TextError, serde_as_str};
use crate::poker::word::words;

/// A card as it is shown and played. Two cards are equal when their labels
/// are.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Card {
    label: CompactString,
}

impl Card {
    /// In Unicode scalar values, after canonicalisation.
    pub const CHARS_MAX: usize = 10;

    pub fn as_str(&self) -> &str {
        &self.label
    }

    /// `None` for an estimate card: everything that is not special.
    pub fn special(&self) -> Option<Special> {
        match self.as_str() {
            "?" => Some(Special::Unknown),
            "☕" => Some(Special::Break),
            "∞" => Some(Special::Infinite),
            _ => None,
        }
    }

    /// The value in thousandths, by a strict grammar: `[0-9]{1,6}` with up to
    /// three decimals, or one of ¼ ½ ¾ 1/4 1/2 3/4. `1w` and `5+` are words.
    pub fn thousandths(&self) -> Option<u32> {
        match self.as_str() {
            "¼" | "1/4" => return Some(250),
            "½" | "1/2" => return Some(500),
            "¾" | "3/4" => return Some(750),
            _ => {}
        }
        let (whole, decimals) = match self.label.split_once('.') {
            Some((whole, decimals)) => (whole, digits(decimals, 3)?),
            None => (self.as_str(), Digits { value: 0, count: 0 }),
        };
        let whole = digits(whole, 6)?.value;
        Some(whole * 1_000 + decimals.value * 10u32.pow(3 - decimals.count))
    }
}

/// A card that is no estimate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Special {
    /// `?`: the player cannot tell.
    Unknown,
    /// `☕`: the player wants a break; says nothing about the story.
    Break,
    /// `∞`: too big to estimate.
    Infinite,
}

words! { Special {
    Unknown "unknown",
    Break "break",
    Infinite "infinite",
} }

impl FromStr for Card {
    type Err = TextError;

    fn from_str(raw: &str) -> Result<Self, TextError> {
        // U+FE0F goes first, as control characters do: it may separate a
        // letter from its accent.
        let text = text::one_line(&raw.replace('\u{FE0F}', ""));
        let text = match text.as_str() {
            "coffee" | "break" => "☕".to_owned(),
            "infinity" => "∞".to_owned(),
            _ => text,
        };
        let label = text::bounded(text, Self::CHARS_MAX)?;
        Ok(Self { label: label.into() })
    }
}

impl fmt::Display for Card {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.label)
    }
}

/// A card in somebody's hand is a secret until the reveal, so `{:?}` of
/// whatever holds one shows nothing. `Display` is the deliberate way.
impl fmt::Debug for Card {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Card(…)")
    }
}

serde_as_str!(Card);

struct Digits {
    value: u32,
    count: u32,
}

/// 1 to `count_max` ASCII digits and nothing else.
fn digits(text: &str, count_max: usize) -> Option<Digits> {
    let fits = (1..=count_max).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    let value = text.parse().ok().filter(|_| fits)?;
    Some(Digits { value, count: text.len() as u32 })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn card(label: &str) -> Card {
        label.parse().expect("a card")
    }

    #[test]
    fn one_label_per_card() {
        for (raw, label) in [
            ("☕\u{FE0F}", "☕"),
            ("coffee", "☕"),
            (" break ", "☕"),
            ("infinity", "∞"),
            (" 5\n", "5"),
        ] {
            assert_eq!(card(raw).as_str(), label, "{raw}");
        }
        // The aliases are exact: a T-shirt deck may have its own words.
        assert_eq!(card("Coffee").special(), None);
    }

    #[test]
    fn numbers_follow_a_strict_grammar() {
        for (label, thousandths) in [
            ("0", 0),
            ("13", 13_000),
            ("0.5", 500),
            ("½", 500),
            ("1/2", 500),
            ("¼", 250),
            ("1/4", 250),
            ("¾", 750),
            ("3/4", 750),
            ("0.125", 125),
            ("2.50", 2_500),
            ("007", 7_000),
            ("999999.99", 999_999_990),
        ] {
            assert_eq!(card(label).thousandths(), Some(thousandths), "{label}");
        }
        for label in [
            "1w", "2h", "5+", "-1", "+1", "1e3", ".5", "5.", "1.2345", "1000000", "1,5", "1/3",
            "½d", "٣", "?", "∞", "1 000", "0x10", "Infinity", "NaN",
        ] {
            assert_eq!(card(label).thousandths(), None, "{label}");
        }
    }

    #[test]
    fn lengths() {
        assert!("1234567890".parse::<Card>().is_ok());
        assert_eq!("12345678901".parse::<Card>(), Err(TextError::TooLong { limit: 10 }));
        assert_eq!("\u{FE0F}".parse::<Card>(), Err(TextError::Empty));
    }

    #[test]
    fn debug_tells_nothing() {
        assert_eq!(format!("{:?}", card("13")), "Card(…)");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn parsing_is_idempotent(raw in "\\PC{0,12}|[0-9./½]{1,8}") {
            if let Ok(card) = raw.parse::<Card>() {
                prop_assert_eq!(card.as_str().parse(), Ok(card.clone()));
                prop_assert!(card.thousandths().is_none_or(|t| t < 1_000_000_000));
            }
        }
    }
}
