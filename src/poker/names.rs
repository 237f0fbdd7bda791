//! What people type about themselves and their stories, parsed.
//!
//! Every type here holds text that keeps its rules; there is no way to make
//! one but parsing. `Deserialize` parses as well.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use compact_str::CompactString;
use unicode_normalization::UnicodeNormalization;
use unicode_properties::UnicodeEmoji;
use unicode_segmentation::UnicodeSegmentation;

use crate::poker::text::{self, serde_as_str};

pub use crate::poker::text::TextError;

/// Declares a text type: its limit in scalar values and how it is parsed.
macro_rules! text_type {
    ($(#[$doc:meta])* $name:ident, max $limit:literal, $parse:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(CompactString);

        impl $name {
            /// In Unicode scalar values, after normalisation.
            pub const CHARS_MAX: usize = $limit;

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = TextError;

            fn from_str(raw: &str) -> Result<Self, TextError> {
                let parse: fn(&str, usize) -> Result<String, TextError> = $parse;
                Ok(Self(parse(raw, Self::CHARS_MAX)?.into()))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(self.as_str(), f)
            }
        }

        serde_as_str!($name);
    };
}

text_type!(
    /// How a player is called; unique in a session by [`distinct`].
    PlayerName, max 50, line
);
text_type!(SessionName, max 100, line);
text_type!(DeckName, max 50, line);
text_type!(StoryTitle, max 200, line);
text_type!(
    /// What a story is about; may be empty and may have several lines.
    Description, max 2000, |raw, limit| text::at_most(text::many_lines(raw), limit)
);
text_type!(
    /// What the team calls the story elsewhere, e.g. `SHOP-12`.
    StoryKey, max 40, line
);
text_type!(
    /// The agreed size: free text, not necessarily a card.
    FinalEstimate, max 10, line
);
text_type!(
    /// Where the story is described: an absolute `http` or `https` URL
    /// without credentials. Never fetched by the server.
    Link, max 500, link
);
text_type!(
    /// One emoji (a single grapheme) or a slug `[a-z0-9-]{1,32}` naming a
    /// picture the page knows. Never a URL.
    Avatar, max 32, avatar
);

impl Avatar {
    /// An emoji may be several scalars: families, flags, skin tones.
    pub const EMOJI_CHARS_MAX: usize = 16;
}

impl Default for Avatar {
    fn default() -> Self {
        Self("👤".into())
    }
}

/// A reaction: one of [`Emoji::ALL`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Emoji(&'static str);

impl Emoji {
    pub const ALL: [&str; 12] =
        ["👍", "👎", "👏", "🙌", "🎉", "❤", "😂", "😮", "🤔", "👀", "🔥", "🚀"];

    pub fn as_str(&self) -> &'static str {
        self.0
    }
}

impl FromStr for Emoji {
    type Err = TextError;

    fn from_str(raw: &str) -> Result<Self, TextError> {
        // `❤️` and `❤` are the same reaction.
        let bare = raw.trim().trim_end_matches('\u{FE0F}');
        let known = Self::ALL.into_iter().find(|&emoji| emoji == bare).map(Self);
        known.ok_or(TextError::NotAllowed {
            expected: "one of 👍 👎 👏 🙌 🎉 ❤ 😂 😮 🤔 👀 🔥 🚀"
        })
    }
}

impl fmt::Display for Emoji {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

serde_as_str!(Emoji);

/// Whether two names are the same to people: see [`distinct`].
pub fn same(one: &PlayerName, other: &PlayerName) -> bool {
    has_likeness(one, &likeness(other.as_str()))
}

fn has_likeness(name: &PlayerName, folded: &str) -> bool {
    let name = name.as_str();
    match name.is_ascii() {
        true => name.eq_ignore_ascii_case(folded),
        false => likeness(name) == folded,
    }
}

/// The name itself, or with the first free suffix ` (2)`, ` (3)` … when
/// somebody has it already. Two names are the same when they differ only in
/// case or in compatibility forms (NFKC). Stays within the limit by
/// shortening the name, never the suffix.
pub fn distinct<'a>(
    name: PlayerName,
    taken: impl IntoIterator<Item = &'a PlayerName, IntoIter: Clone>,
) -> PlayerName {
    let taken = taken.into_iter();
    let wanted = likeness(name.as_str());
    if !taken.clone().any(|other| has_likeness(other, &wanted)) {
        return name;
    }
    let taken: BTreeSet<String> = taken.map(|name| likeness(name.as_str())).collect();
    // One candidate more than there are names, all different: one is free.
    let candidates = (2..=taken.len() + 2).map(|number| suffixed(&name, number));
    candidates
        .into_iter()
        .find(|candidate| !taken.contains(&likeness(candidate.as_str())))
        .expect("more candidates than names")
}

fn suffixed(name: &PlayerName, number: usize) -> PlayerName {
    let suffix = format!(" ({number})");
    let room = PlayerName::CHARS_MAX - suffix.chars().count();
    let mut chars = 0;
    let whole = name.as_str().graphemes(true).take_while(|grapheme| {
        chars += grapheme.chars().count();
        chars <= room
    });
    let base: String = whole.collect();
    // A first grapheme that fills the name leaves nothing: cut inside it.
    let base = if base.is_empty() { name.as_str().chars().take(room).collect() } else { base };
    PlayerName(format!("{}{suffix}", base.trim_end()).into())
}

/// Equal for names that people would call the same. Upper case first, so that
/// `ß` and `ss`, `ς` and `σ` meet.
fn likeness(name: &str) -> String {
    if name.is_ascii() {
        return name.to_ascii_lowercase();
    }
    let folded = name.nfkc().flat_map(char::to_uppercase).flat_map(char::to_lowercase);
    folded.nfkc().collect()
}

fn line(raw: &str, limit: usize) -> Result<String, TextError> {
    text::bounded(text::one_line(raw), limit)
}

fn link(raw: &str, limit: usize) -> Result<String, TextError> {
    let refused = TextError::NotAllowed {
        expected: "a link that starts with http:// or https://, without credentials",
    };
    let link = line(raw, limit)?;
    let rest = ["http://", "https://"].into_iter().find_map(|scheme| {
        let (start, rest) = link.split_at_checked(scheme.len())?;
        start.eq_ignore_ascii_case(scheme).then_some(rest)
    });
    let authority = rest.ok_or(refused)?.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    // Browsers read `\` as `/` and drop what we removed: refuse rather than
    // store a link that means something else than it shows.
    let altered = link != raw.trim() || link.contains(['\\', '<', '>', '"', '`']);
    let spaced = link.contains(char::is_whitespace);
    if host.is_empty() || authority.contains('@') || altered || spaced {
        return Err(refused);
    }
    Ok(link)
}

fn avatar(raw: &str, limit: usize) -> Result<String, TextError> {
    let avatar = line(raw, limit)?;
    let slug = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if avatar.bytes().all(slug) || is_emoji(&avatar) {
        return Ok(avatar);
    }
    Err(TextError::NotAllowed { expected: "one emoji, or a slug of a-z, 0-9 and -" })
}

/// One grapheme of at most 16 scalars, all of them emoji or what glues emoji
/// together, at least one an emoji by itself (digits are "emoji" to Unicode
/// because of the keycaps).
fn is_emoji(text: &str) -> bool {
    let base = |c: char| c.is_ascii_digit() || matches!(c, '#' | '*');
    let keycap = text.starts_with(base) && text.ends_with('\u{20E3}');
    let picture = |c: char| c.is_emoji_char() && !c.is_ascii();
    let glue = |c: char| {
        matches!(c, '\u{200D}' | '\u{FE0F}' | '\u{20E3}' | '\u{E0020}'..='\u{E007F}')
            || (keycap && base(c))
    };
    text.graphemes(true).count() == 1
        && text.chars().count() <= Avatar::EMOJI_CHARS_MAX
        && text.chars().all(|c| picture(c) || glue(c))
        && (keycap || text.chars().any(picture))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn name(text: &str) -> PlayerName {
        text.parse().expect("a name")
    }

    #[test]
    fn limits_count_scalar_values() {
        assert!("ä".repeat(50).parse::<PlayerName>().is_ok());
        assert_eq!("ä".repeat(51).parse::<PlayerName>(), Err(TextError::TooLong { limit: 50 }));
        assert_eq!(" \u{200B}\n".parse::<PlayerName>(), Err(TextError::Empty));
        assert!("t".repeat(200).parse::<StoryTitle>().is_ok());
        assert!("t".repeat(201).parse::<StoryTitle>().is_err());
        assert_eq!("".parse::<Description>().as_ref().map(Description::as_str), Ok(""));
        assert_eq!(" a\r\nb ".parse::<Description>().as_ref().map(Description::as_str), Ok("a\nb"));
        assert!("d".repeat(2001).parse::<Description>().is_err());
    }

    #[test]
    fn html_is_only_text() {
        assert_eq!(name("<b>&amp;</b>").as_str(), "<b>&amp;</b>");
    }

    #[test]
    fn links_are_http_and_carry_no_credentials() {
        for good in [
            "http://a",
            "https://example.org/browse/SHOP-12?x=1#y@z",
            "HTTPS://example.org:8443/ä",
            "http://[::1]:8080/",
        ] {
            assert!(good.parse::<Link>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "example.org",
            "javascript:alert(1)",
            "ftp://a/",
            "http:/a",
            "http://",
            "https:///a",
            "http://:80/",
            "http://user@host/",
            "http://user:pass@host/",
            "http://a b/",
            "http:\\\\a",
            "http://a\\@b/",
            "java\u{0}script:x",
            "ht\ntp://a/",
            "http://a/\u{202e}gpj.exe",
            "http://a/\"onclick=",
        ] {
            assert!(bad.parse::<Link>().is_err(), "{bad}");
        }
        assert!(format!("http://a/{}", "x".repeat(492)).parse::<Link>().is_err());
    }

    #[test]
    fn avatars_are_one_emoji_or_a_slug() {
        for good in ["👤", "👩🏽‍💻", "👨‍👩‍👧‍👦", "🇩🇪", "❤️", "1️⃣", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "fox-7", "7"]
        {
            assert!(good.parse::<Avatar>().is_ok(), "{good}");
        }
        let slug = "a".repeat(33);
        for bad in ["", "👤👤", "Fox", "a b", "http://a/b.png", "é", "👤a", "\u{200D}", "⃣", &slug]
        {
            assert!(bad.parse::<Avatar>().is_err(), "{bad}");
        }
        assert!(Avatar::default().as_str().parse::<Avatar>().is_ok());
    }

    #[test]
    fn reactions_are_one_of_twelve() {
        for emoji in Emoji::ALL {
            assert_eq!(emoji.parse::<Emoji>().map(|e| e.as_str()), Ok(emoji));
        }
        assert_eq!("❤\u{FE0F}".parse::<Emoji>().map(|e| e.as_str()), Ok("❤"));
        assert!("💩".parse::<Emoji>().is_err());
    }

    #[test]
    fn a_second_alex_gets_a_number() {
        let alex = name("Alex");
        assert_eq!(distinct(alex.clone(), []), alex);
        assert_eq!(distinct(name("aLEX"), [&alex]).as_str(), "aLEX (2)");
        assert_eq!(distinct(name("Alex"), [&alex, &name("ALEX (2)")]).as_str(), "Alex (3)");
        assert_eq!(distinct(name("Ａｌｅｘ"), [&alex]).as_str(), "Ａｌｅｘ (2)");
        assert_eq!(distinct(name("STRASSE"), [&name("straße")]).as_str(), "STRASSE (2)");
    }

    #[test]
    fn a_long_name_makes_room_for_its_number() {
        let long = name(&"x".repeat(50));
        let second = distinct(long.clone(), [&long]);
        assert_eq!(second.as_str(), format!("{} (2)", "x".repeat(46)));
        let family = name(&format!("{}👨‍👩‍👧‍👦", "x".repeat(43)));
        assert_eq!(distinct(family.clone(), [&family]).as_str(), format!("{} (2)", "x".repeat(43)));
    }

    #[test]
    fn serde_parses() {
        let json = r#""  Alex\u0000 ""#;
        assert_eq!(serde_json::from_str::<PlayerName>(json).ok(), Some(name("Alex")));
        let error = serde_json::from_str::<PlayerName>(r#""""#).expect_err("empty").to_string();
        assert!(error.starts_with("must not be empty"), "{error}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn parsing_is_idempotent(raw in any::<String>()) {
            if let Ok(name) = raw.parse::<PlayerName>() {
                prop_assert_eq!(name.as_str().parse(), Ok(name.clone()));
            }
            if let Ok(text) = raw.parse::<Description>() {
                prop_assert_eq!(text.as_str().parse(), Ok(text.clone()));
            }
            let _ = raw.parse::<Avatar>();
            let _ = format!("http://{raw}").parse::<Link>();
        }

        #[test]
        fn distinct_names_are_distinct_and_legal(
            raw in "[aAbß]{1,2}|.{40,50}",
            others in prop::collection::vec("[aAbß]{1,2}( \\([2-9]\\))?", 0..12),
        ) {
            let Ok(wanted) = raw.parse::<PlayerName>() else { return Ok(()) };
            let mut taken: Vec<PlayerName> = others.iter().map(|other| name(other)).collect();
            for _ in 0..3 {
                let given = distinct(wanted.clone(), &taken);
                let key = likeness(given.as_str());
                prop_assert!(taken.iter().all(|other| likeness(other.as_str()) != key));
                prop_assert!(taken.iter().all(|other| !same(other, &given)));
                prop_assert_eq!(given.as_str().parse(), Ok(given.clone()));
                taken.push(given);
            }
        }
    }
}
