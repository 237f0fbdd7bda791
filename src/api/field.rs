//! Reading one field of a client's payload.
//!
//! Nothing is coerced: a wrong type, a wrong length or a value out of range is
//! refused with the name of the field and what was expected. The JSON parser
//! works in the frame's buffer; text that fits inline is not allocated.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use compact_str::CompactString;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
#[cfg(feature = "server")]
use utoipa::PartialSchema;
#[cfg(feature = "server")]
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, schema::SchemaType};

#[cfg(feature = "server")]
use crate::api::schema;
use crate::poker::ids::{PlayerId, RequestId, RoundId, StoryId};
use crate::poker::names::{
    Avatar, Description, Emoji, FinalEstimate, Link, PlayerName, SessionName, StoryKey, StoryTitle,
    TextError,
};
use crate::poker::tally::Confidence;
use crate::poker::timer::OnExpire;

/// Why a field was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadField {
    /// The path of the field, as the client wrote it: `settings.deck`.
    pub field: Cow<'static, str>,
    /// Completes "must be …", or the whole predicate ("must not be empty").
    pub problem: Cow<'static, str>,
}

impl BadField {
    pub fn must_be(field: &'static str, expected: &'static str) -> Self {
        Self { field: field.into(), problem: format!("must be {expected}").into() }
    }

    /// A value of the wrong type; the field is named by [`Self::within`].
    pub fn wrong_type(expected: &'static str) -> Self {
        Self { field: "".into(), problem: format!("must be {expected}").into() }
    }

    pub fn missing(field: &'static str) -> Self {
        Self { field: field.into(), problem: "is missing".into() }
    }

    /// The same problem, seen from the object that holds the field.
    #[must_use]
    pub fn within(mut self, parent: &str) -> Self {
        self.field = if self.field.is_empty() {
            parent.to_owned().into()
        } else {
            format!("{parent}.{}", self.field).into()
        };
        self
    }
}

/// What a field may hold once it has been read, or the problem with it.
pub type Reading<T> = Result<T, Cow<'static, str>>;

/// A type that a field can have.
pub trait Field: Sized {
    /// Completes "must be …".
    const EXPECTED: &'static str;

    /// From a scalar; objects and arrays override [`Field::take`] as well.
    fn read(scalar: Scalar<'_>) -> Reading<Self>;

    /// What a missing field means; `None`: it must not be missing.
    fn absent() -> Option<Self> {
        None
    }

    /// How the field is described to those who write clients.
    #[cfg(feature = "server")]
    fn shape() -> RefOr<Schema> {
        let anything = ObjectBuilder::new().schema_type(SchemaType::AnyValue);
        anything.description(Some(Self::EXPECTED)).into()
    }

    /// From whatever comes; the outer error is broken JSON.
    fn take<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Result<Self, BadField>, D::Error> {
        let reading = deserializer.deserialize_any(FieldVisitor(PhantomData))?;
        Ok(reading.map_err(|problem| BadField { field: "".into(), problem }))
    }
}

/// A JSON value of which only the scalars matter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scalar<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(&'a str),
    /// An array, an object, or a number beyond 64 bits.
    Other,
}

/// [`Field::take`], where serde asks for a seed.
pub struct FieldSeed<T>(pub PhantomData<T>);

impl<T> FieldSeed<T> {
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<T> Default for FieldSeed<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<'de, T: Field> DeserializeSeed<'de> for FieldSeed<T> {
    type Value = Result<T, BadField>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        T::take(deserializer)
    }
}

/// The methods of a `Visitor` for what is of the wrong type: it is read over
/// and refused, so that the answer names the field and the rest is still read.
macro_rules! wrong_types {
    ($expected:expr; $($kind:ident)*) => {
        $($crate::api::field::wrong_types!(@$kind $expected);)*
    };
    (@null $expected:expr) => {
        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(Err($crate::api::field::BadField::wrong_type($expected)))
        }
    };
    (@bool $expected:expr) => {
        fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
            Ok(Err($crate::api::field::BadField::wrong_type($expected)))
        }
    };
    (@number $expected:expr) => {
        fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
            Ok(Err($crate::api::field::BadField::wrong_type($expected)))
        }

        fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
            Ok(Err($crate::api::field::BadField::wrong_type($expected)))
        }

        fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
            Ok(Err($crate::api::field::BadField::wrong_type($expected)))
        }
    };
    (@text $expected:expr) => {
        fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
            Ok(Err($crate::api::field::BadField::wrong_type($expected)))
        }
    };
    (@list $expected:expr) => {
        fn visit_seq<A: serde::de::SeqAccess<'de>>(
            self,
            mut seq: A,
        ) -> Result<Self::Value, A::Error> {
            while seq.next_element::<serde::de::IgnoredAny>()?.is_some() {}
            Ok(Err($crate::api::field::BadField::wrong_type($expected)))
        }
    };
    (@object $expected:expr) => {
        fn visit_map<A: serde::de::MapAccess<'de>>(
            self,
            mut map: A,
        ) -> Result<Self::Value, A::Error> {
            while map.next_entry::<serde::de::IgnoredAny, serde::de::IgnoredAny>()?.is_some() {}
            Ok(Err($crate::api::field::BadField::wrong_type($expected)))
        }
    };
}

pub(crate) use wrong_types;

struct FieldVisitor<T>(PhantomData<T>);

impl<'de, T: Field> Visitor<'de> for FieldVisitor<T> {
    type Value = Reading<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(T::read(Scalar::Null))
    }

    fn visit_none<E>(self) -> Result<Self::Value, E> {
        Ok(T::read(Scalar::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(T::read(Scalar::Bool(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(T::read(Scalar::Int(value)))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(T::read(i64::try_from(value).map_or(Scalar::Other, Scalar::Int)))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(T::read(Scalar::Float(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(T::read(Scalar::Text(value)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(T::read(Scalar::Other))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(T::read(Scalar::Other))
    }
}

pub(super) fn expected<T: Field>() -> Cow<'static, str> {
    format!("must be {}", T::EXPECTED).into()
}

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
        schema::whole_number().minimum(Some(1)).maximum(Some(5)).into()
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
        schema::one_of(&["none", "reveal"]).into()
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
        schema::text().description(Some(Self::EXPECTED)).into()
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
    Emoji: 2,
    FinalEstimate: FinalEstimate::CHARS_MAX,
    Link: Link::CHARS_MAX,
    PlayerName: PlayerName::CHARS_MAX,
    SessionName: SessionName::CHARS_MAX,
    StoryKey: StoryKey::CHARS_MAX,
    StoryTitle: StoryTitle::CHARS_MAX,
);

/// A field that may be left out; `null` is the same.
impl<T: Field> Field for Option<T> {
    const EXPECTED: &'static str = T::EXPECTED;

    #[cfg(feature = "server")]
    fn shape() -> RefOr<Schema> {
        T::shape()
    }

    fn read(scalar: Scalar<'_>) -> Reading<Self> {
        match scalar {
            Scalar::Null => Ok(None),
            scalar => T::read(scalar).map(Some),
        }
    }

    fn absent() -> Option<Self> {
        Some(None)
    }

    fn take<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Result<Self, BadField>, D::Error> {
        deserializer.deserialize_option(OptionVisitor(PhantomData))
    }
}

struct OptionVisitor<T>(PhantomData<T>);

impl<'de, T: Field> Visitor<'de> for OptionVisitor<T> {
    type Value = Result<Option<T>, BadField>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }

    fn visit_none<E>(self) -> Result<Self::Value, E> {
        Ok(Ok(None))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Ok(None))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        Ok(T::take(deserializer)?.map(Some))
    }
}

/// For payloads that are large and rare.
impl<T: Field> Field for Box<T> {
    const EXPECTED: &'static str = T::EXPECTED;

    fn read(scalar: Scalar<'_>) -> Reading<Self> {
        T::read(scalar).map(Self::new)
    }

    fn absent() -> Option<Self> {
        T::absent().map(Self::new)
    }

    fn take<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Result<Self, BadField>, D::Error> {
        Ok(T::take(deserializer)?.map(Self::new))
    }
}

/// A field that must be there and may be `null`, which takes a value back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nullable<T>(pub Option<T>);

impl<T: Field> Field for Nullable<T> {
    const EXPECTED: &'static str = T::EXPECTED;

    fn read(scalar: Scalar<'_>) -> Reading<Self> {
        Option::read(scalar).map(Self)
    }
}
