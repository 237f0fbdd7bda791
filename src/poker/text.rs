//! What every text a person typed goes through, and how parsed text
//! travels through serde.
//!
//! The rules are the catalogue's §1: control characters and bidi overrides
//! are removed, the rest is NFC and trimmed, and lengths are counted in
//! Unicode scalar values *after* that. Nothing here escapes: text is stored
//! and sent as plain text, never as HTML.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de::{Deserializer, Error as _, Visitor};
use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

/// Why a text was refused. Completes "name …", "title …".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    #[error("must not be empty")]
    Empty,
    /// `limit` in Unicode scalar values.
    #[error("must not be longer than {limit} characters")]
    TooLong { limit: usize },
    /// `expected` says what would have been allowed.
    #[error("is not allowed: expected {expected}")]
    NotAllowed { expected: &'static str },
}

impl TextError {
    /// A stable word for machines: `empty`, `too_long`, `not_allowed`.
    pub fn code(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooLong { .. } => "too_long",
            Self::NotAllowed { .. } => "not_allowed",
        }
    }
}

/// One line: every line break goes, with the control characters.
pub(crate) fn one_line(raw: &str) -> String {
    normalise(raw, |c| !is_line_break(c))
}

/// Several lines: `\n` stays (and `\r\n` becomes it).
pub(crate) fn many_lines(raw: &str) -> String {
    normalise(raw, |_| true)
}

/// Refuses text that shows nothing, or more than `limit` scalar values.
pub(crate) fn bounded(text: String, limit: usize) -> Result<String, TextError> {
    if !text.chars().any(is_visible) {
        return Err(TextError::Empty);
    }
    at_most(text, limit)
}

pub(crate) fn at_most(text: String, limit: usize) -> Result<String, TextError> {
    // One comparison of bytes settles the usual case.
    if text.len() <= limit || text.chars().count() <= limit {
        return Ok(text);
    }
    Err(TextError::TooLong { limit })
}

/// Removal comes first: a control character between a letter and its accent
/// would otherwise hide them from NFC, and parsing twice would differ.
fn normalise(raw: &str, keep: impl Fn(char) -> bool) -> String {
    let kept = raw.chars().filter(|&c| !is_removed(c) && keep(c));
    // ASCII is NFC as it stands (UAX #15).
    let text: String = if raw.is_ascii() { kept.collect() } else { kept.nfc().collect() };
    let trimmed = text.trim();
    if trimmed.len() == text.len() { text } else { trimmed.to_owned() }
}

fn is_removed(c: char) -> bool {
    let bidi_override = matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    bidi_override || (c.is_control() && c != '\n')
}

fn is_line_break(c: char) -> bool {
    matches!(c, '\n' | '\u{2028}' | '\u{2029}')
}

/// Names of zero-width characters or fillers only would be invisible.
fn is_visible(c: char) -> bool {
    let filler = matches!(c, '\u{115F}' | '\u{1160}' | '\u{3164}' | '\u{FFA0}' | '\u{2800}');
    let joins =
        matches!(c.general_category(), GeneralCategory::Format | GeneralCategory::NonspacingMark);
    !c.is_whitespace() && !filler && !joins
}

/// Deserialises a string through `FromStr`; the error says what was wrong
/// with the text and never repeats it.
pub(crate) fn deserialize_parsed<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: fmt::Display>,
{
    struct Parsed<T>(PhantomData<T>);

    impl<T: FromStr<Err: fmt::Display>> Visitor<'_> for Parsed<T> {
        type Value = T;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("a string")
        }

        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
            text.parse().map_err(E::custom)
        }
    }

    let parsed: Result<T, D::Error> = deserializer.deserialize_str(Parsed(PhantomData));
    parsed.map_err(D::Error::custom)
}

/// `Serialize` as the displayed text, `Deserialize` through `FromStr`.
macro_rules! serde_as_text {
    ($($name:ty),+ $(,)?) => {$(
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        $crate::poker::text::deserialize_as_text!($name);
    )+};
}
pub(crate) use serde_as_text;

/// As [`serde_as_text`], where the text is there already (`as_str`).
macro_rules! serde_as_str {
    ($($name:ty),+ $(,)?) => {$(
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        $crate::poker::text::deserialize_as_text!($name);
    )+};
}
pub(crate) use serde_as_str;

/// `Deserialize` through `FromStr`.
macro_rules! deserialize_as_text {
    ($($name:ty),+ $(,)?) => {$(
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::poker::text::deserialize_parsed(deserializer)
            }
        }
    )+};
}
pub(crate) use deserialize_as_text;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn removes_control_characters_and_bidi_overrides() {
        assert_eq!(
            one_line("  a\u{0}b\u{1b}[31m\u{202e}c\u{2066}\nd\te\u{7f}\u{85} "),
            "ab[31mcde"
        );
    }

    #[test]
    fn keeps_inner_newlines_only_where_lines_are_allowed() {
        assert_eq!(many_lines("\r\na\r\n\r\nb\t\n"), "a\n\nb");
        assert_eq!(one_line("a\r\nb\u{2028}c"), "abc");
    }

    #[test]
    fn composes_across_a_removed_character() {
        assert_eq!(one_line("e\u{0}\u{301}"), "é");
    }

    #[test]
    fn lengths_count_scalar_values_after_normalisation() {
        assert_eq!(bounded(one_line("e\u{301}"), 1).as_deref(), Ok("é"));
        assert_eq!(bounded("ab".into(), 1), Err(TextError::TooLong { limit: 1 }));
        assert_eq!(bounded(one_line("\u{200b}\u{200d} "), 9), Err(TextError::Empty));
    }
}
