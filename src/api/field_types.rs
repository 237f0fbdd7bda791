//! The types that fields of payloads have, and how each is read.

use std::borrow::Cow;
use std::fmt;

use compact_str::CompactString;
#[cfg(feature = "server")]
use utoipa::PartialSchema;
#[cfg(feature = "server")]
use utoipa::openapi::{OneOfBuilder, RefOr, Schema};

use crate::api::field::{Field, Reading, Scalar, expected};
#[cfg(feature = "server")]
use crate::api::schema;
use crate::poker::ids::{PlayerId, RequestId, RoundId, StoryId};
use crate::poker::names::{
    Avatar, Description, Emoji, FinalEstimate, Link, PlayerName, SessionName, StoryKey, StoryTitle,
    TextError,
};
use crate::poker::tally::Confidence;
use crate::poker::timer::OnExpire;

impl Field for bool {
    const EXPECTED: &'static str = "true or false";

    #[cfg(feature = "server")]
    fn shape() -> RefOr<Schema> {
        <Self as PartialSchema>::schema()
    }

    fn read(scalar: Scalar<'_>) -> Reading<Self> {
        match scalar {
            Scalar::Bool(value) => Ok(value),
            _ => Err(expected::<Self>()),
        }
    }
}

/// A whole number, checked against the range of `T`.
fn integer<T: Field + TryFrom<i64>>(scalar: Scalar<'_>) -> Reading<T> {
    match scalar {
        Scalar::Int(value) => T::try_from(value).map_err(|_| expected::<T>()),
        _ => Err(expected::<T>()),
    }
}

macro_rules! integer_fields {
    ($($type:ty => $expected:literal;)*) => {$(
        impl Field for $type {
            const EXPECTED: &'static str = $expected;

            #[cfg(feature = "server")]
            fn shape() -> RefOr<Schema> {
                <$type>::schema()
            }

            fn read(scalar: Scalar<'_>) -> Reading<Self> {
                integer(scalar)
            }
        }
    )*};
}

integer_fields! {
    u16 => "a whole number from 0 to 65535";
    u32 => "a whole number from 0 to 4294967295";
    i64 => "a whole number";
}

/// Seconds of a timer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimerSeconds(pub u16);

impl Field for TimerSeconds {
    const EXPECTED: &'static str = "whole seconds from 1 to 3600";

    #[cfg(feature = "server")]
    fn shape() -> RefOr<Schema> {
        schema::whole_number().minimum(Some(1)).maximum(Some(3_600)).into()
    }

    fn read(scalar: Scalar<'_>) -> Reading<Self> {
        match scalar {
            Scalar::Int(seconds @ 1..=3_600) => Ok(Self(seconds as u16)),
            _ => Err(expected::<Self>()),
        }
    }
}

/// Seconds added to a timer or taken from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExtraSeconds(pub i32);

impl Field for ExtraSeconds {
    const EXPECTED: &'static str = "whole seconds from -600 to 600";

    #[cfg(feature = "server")]
    fn shape() -> RefOr<Schema> {
        schema::whole_number().minimum(Some(-600)).maximum(Some(600)).into()
    }

    fn read(scalar: Scalar<'_>) -> Reading<Self> {
        match scalar {
            Scalar::Int(seconds @ -600..=600) => Ok(Self(seconds as i32)),
            _ => Err(expected::<Self>()),
        }
    }
}

impl Field for Confidence {
    const EXPECTED: &'static str = "a whole number from 1 to 5";

    #[cfg(feature = "server")]
    fn shape() -> RefOr<Schema> {
        <Self as PartialSchema>::schema()
    }

    fn read(scalar: Scalar<'_>) -> Reading<Self> {
        match scalar {
            Scalar::Int(value) => u8::try_from(value)
                .ok()
                .and_then(|value| Self::try_from(value).ok())
                .ok_or_else(expected::<Self>),
            _ => Err(expected::<Self>()),
        }
    }
}

/// A share from 0.51 to 1, kept in whole percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Threshold(pub u8);

impl Field for Threshold {
    const EXPECTED: &'static str = "a number from 0.51 to 1 in steps of 0.01";

    #[cfg(feature = "server")]
    fn shape() -> RefOr<Schema> {
        schema::number().minimum(Some(0.51)).maximum(Some(1)).into()
    }

    fn read(scalar: Scalar<'_>) -> Reading<Self> {
        let share = match scalar {
            Scalar::Int(1) => 1.0,
            Scalar::Float(share) => share,
            _ => return Err(expected::<Self>()),
        };
        let percent = (share * 100.0).round();
        let is_step = (share * 100.0 - percent).abs() < 1e-6;
        if is_step && (51.0..=100.0).contains(&percent) {
            Ok(Self(percent as u8))
        } else {
            Err(expected::<Self>())
        }
    }
}

impl Field for OnExpire {
    const EXPECTED: &'static str = "\"none\" or \"reveal\"";

    #[cfg(feature = "server")]
    fn shape() -> RefOr<Schema> {
        <Self as PartialSchema>::schema()
    }

    fn read(scalar: Scalar<'_>) -> Reading<Self> {
        match scalar {
            Scalar::Text("none") => Ok(Self::Nothing),
            Scalar::Text("reveal") => Ok(Self::Reveal),
            _ => Err(expected::<Self>()),
        }
    }
}

impl Field for RoundId {
    const EXPECTED: &'static str = "a round number";

    #[cfg(feature = "server")]
    fn shape() -> RefOr<Schema> {
        <Self as PartialSchema>::schema()
    }

    fn read(scalar: Scalar<'_>) -> Reading<Self> {
        match scalar {
            Scalar::Int(id) => u32::try_from(id).map(Self).map_err(|_| expected::<Self>()),
            _ => Err(expected::<Self>()),
        }
    }
}

/// Ids are the server's, but a client may send any: one that cannot be ours
/// is a story that does not exist, not a broken request.
impl Field for StoryId {
    const EXPECTED: &'static str = "a story id of 1 to 64 characters";

    #[cfg(feature = "server")]
    fn shape() -> RefOr<Schema> {
        <Self as PartialSchema>::schema()
    }

    fn read(scalar: Scalar<'_>) -> Reading<Self> {
        const NOBODYS: StoryId = StoryId(0);
        match scalar {
            Scalar::Text(id) if (1..=64).contains(&id.chars().count()) => {
                Ok(id.parse().unwrap_or(NOBODYS))
            }
            _ => Err(expected::<Self>()),
        }
    }
}

impl Field for PlayerId {
    const EXPECTED: &'static str = "a player id (UUID)";

    #[cfg(feature = "server")]
    fn shape() -> RefOr<Schema> {
        <Self as PartialSchema>::schema()
    }

    fn read(scalar: Scalar<'_>) -> Reading<Self> {
        match scalar {
            Scalar::Text(id) => id.parse().map_err(|_| expected::<Self>()),
            _ => Err(expected::<Self>()),
        }
    }
}

impl Field for RequestId {
    const EXPECTED: &'static str = "1 to 64 of A-Z a-z 0-9 _ -";

    #[cfg(feature = "server")]
    fn shape() -> RefOr<Schema> {
        schema::text().pattern(Some("^[A-Za-z0-9_-]{1,64}$")).into()
    }

    fn read(scalar: Scalar<'_>) -> Reading<Self> {
        match scalar {
            Scalar::Text(id) => id.parse().map_err(|_| expected::<Self>()),
            _ => Err(expected::<Self>()),
        }
    }
}

/// A card as typed. The one tolerance of the protocol: a JSON number is taken
/// for its shortest decimal text (5 → "5").
#[derive(Clone, PartialEq, Eq)]
pub struct CardText(pub CompactString);

impl Field for CardText {
    const EXPECTED: &'static str = "a card of 1 to 10 characters";

    #[cfg(feature = "server")]
    fn shape() -> RefOr<Schema> {
        let number = schema::number().description(Some("Taken for its shortest decimal text"));
        OneOfBuilder::new().item(schema::text()).item(number).into()
    }

    fn read(scalar: Scalar<'_>) -> Reading<Self> {
        use std::fmt::Write as _;
        let mut text = CompactString::const_new("");
        match scalar {
            Scalar::Text(value) => text = CompactString::new(value),
            Scalar::Int(value) => {
                let _ = write!(text, "{value}");
            }
            Scalar::Float(value) => {
                let _ = write!(text, "{value}");
            }
            _ => return Err(expected::<Self>()),
        }
        // Selectors and blanks go with the canonical form; they may pass here.
        let chars = text.trim().chars().filter(|c| *c != '\u{FE0F}').count();
        // A word such as `infinity` is longer than the card it stands for.
        if (1..=10).contains(&chars) && text.len() <= 64 {
            Ok(Self(text))
        } else {
            Err(expected::<Self>())
        }
    }
}

/// Text of a bounded length that the rules do not look into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opaque<const MIN: usize, const MAX: usize>(pub CompactString);

impl<const MIN: usize, const MAX: usize> Field for Opaque<MIN, MAX> {
    const EXPECTED: &'static str = "text of an allowed length";

    #[cfg(feature = "server")]
    fn shape() -> RefOr<Schema> {
        schema::text().min_length(Some(MIN)).max_length(Some(MAX)).into()
    }

    fn read(scalar: Scalar<'_>) -> Reading<Self> {
        match scalar {
            Scalar::Text(text) if (MIN..=MAX).contains(&text.chars().count()) => {
                Ok(Self(CompactString::new(text)))
            }
            _ => Err(format!("must be text of {MIN} to {MAX} characters").into()),
        }
    }
}

/// Text that is a secret: hidden in `Debug`, never echoed.
#[derive(Clone, PartialEq, Eq)]
pub struct Confidential<const MIN: usize, const MAX: usize>(pub String);

impl<const MIN: usize, const MAX: usize> fmt::Debug for Confidential<MIN, MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Confidential(hidden)")
    }
}

impl<const MIN: usize, const MAX: usize> Field for Confidential<MIN, MAX> {
    const EXPECTED: &'static str = "text of an allowed length";

    #[cfg(feature = "server")]
    fn shape() -> RefOr<Schema> {
        schema::text().min_length(Some(MIN)).max_length(Some(MAX)).into()
    }

    fn read(scalar: Scalar<'_>) -> Reading<Self> {
        match scalar {
            Scalar::Text(text) if (MIN..=MAX).contains(&text.chars().count()) => {
                Ok(Self(text.to_owned()))
            }
            _ => Err(format!("must be text of {MIN} to {MAX} characters").into()),
        }
    }
}

impl Field for Emoji {
    const EXPECTED: &'static str = "text";

    #[cfg(feature = "server")]
    fn shape() -> RefOr<Schema> {
        <Self as PartialSchema>::schema()
    }

    fn read(scalar: Scalar<'_>) -> Reading<Self> {
        match scalar {
            Scalar::Text(text) => text.parse().map_err(text_problem),
            _ => Err(expected::<Self>()),
        }
    }
}

fn text_problem(error: TextError) -> Cow<'static, str> {
    error.to_string().into()
}

macro_rules! text_fields {
    ($($type:path: $chars_max:expr),* $(,)?) => {$(
        impl Field for $type {
            const EXPECTED: &'static str = "text";

            #[cfg(feature = "server")]
            fn shape() -> RefOr<Schema> {
                schema::text().max_length(Some($chars_max)).into()
            }

            fn read(scalar: Scalar<'_>) -> Reading<Self> {
                match scalar {
                    Scalar::Text(text) => text.parse().map_err(text_problem),
                    _ => Err(expected::<Self>()),
                }
            }
        }
    )*};
}

text_fields!(
    Avatar: Avatar::CHARS_MAX,
    Description: Description::CHARS_MAX,
    FinalEstimate: FinalEstimate::CHARS_MAX,
    Link: Link::CHARS_MAX,
    PlayerName: PlayerName::CHARS_MAX,
    SessionName: SessionName::CHARS_MAX,
    StoryKey: StoryKey::CHARS_MAX,
    StoryTitle: StoryTitle::CHARS_MAX,
);
