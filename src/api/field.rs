//! Reading one field of a client's payload.
//!
//! Nothing is coerced: a wrong type, a wrong length or a value out of range is
//! refused with the name of the field and what was expected. The JSON parser
//! works in the frame's buffer; text that fits inline is not allocated.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
#[cfg(feature = "server")]
use utoipa::openapi::schema::{OneOfBuilder, SchemaType, Type};
#[cfg(feature = "server")]
use utoipa::openapi::{ObjectBuilder, RefOr, Schema};

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

/// The visits of what a visitor does not expect: refused as the field's own
/// problem, so that it can be named, and not as broken JSON.
macro_rules! refuse_others {
    ($expected:expr; $($kind:ident)*) => {
        $($crate::api::field::refuse_others!(@$kind $expected);)*
    };
    (@unit $expected:expr) => {
        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(Err($crate::api::field::BadField::must_be("", $expected)))
        }
    };
    (@bool $expected:expr) => {
        fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
            Ok(Err($crate::api::field::BadField::must_be("", $expected)))
        }
    };
    (@number $expected:expr) => {
        fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
            Ok(Err($crate::api::field::BadField::must_be("", $expected)))
        }

        fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
            Ok(Err($crate::api::field::BadField::must_be("", $expected)))
        }

        fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
            Ok(Err($crate::api::field::BadField::must_be("", $expected)))
        }
    };
    (@text $expected:expr) => {
        fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
            Ok(Err($crate::api::field::BadField::must_be("", $expected)))
        }
    };
    (@list $expected:expr) => {
        fn visit_seq<A: serde::de::SeqAccess<'de>>(
            self,
            mut seq: A,
        ) -> Result<Self::Value, A::Error> {
            while seq.next_element::<serde::de::IgnoredAny>()?.is_some() {}
            Ok(Err($crate::api::field::BadField::must_be("", $expected)))
        }
    };
    (@object $expected:expr) => {
        fn visit_map<A: serde::de::MapAccess<'de>>(
            self,
            mut map: A,
        ) -> Result<Self::Value, A::Error> {
            while map
                .next_entry::<serde::de::IgnoredAny, serde::de::IgnoredAny>()?
                .is_some()
            {}
            Ok(Err($crate::api::field::BadField::must_be("", $expected)))
        }
    };
}

pub(crate) use refuse_others;

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

    #[cfg(feature = "server")]
    fn shape() -> RefOr<Schema> {
        T::shape()
    }

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

    #[cfg(feature = "server")]
    fn shape() -> RefOr<Schema> {
        let null = ObjectBuilder::new().schema_type(Type::Null);
        OneOfBuilder::new().item(T::shape()).item(null).into()
    }

    fn read(scalar: Scalar<'_>) -> Reading<Self> {
        Option::read(scalar).map(Self)
    }
}
