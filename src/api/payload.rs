//! Objects of fields: `payload!` declares a struct and how it is read.

/// Declares structs that are read field by field.
///
/// ```text
/// payload! {
///     /// What it is.
///     pub struct Retract {
///         story_id "storyId": StoryId,          // must be there
///         round_id "roundId": Option<RoundId>,  // may be left out
///     }
/// }
/// ```
///
/// Unknown fields are ignored (the catalogue, §1); a field given twice is
/// refused. Reading allocates nothing but what the field types hold.
macro_rules! payload {
    ($(
        $(#[doc = $doc:literal])*
        pub struct $name:ident {
            $($(#[doc = $field_doc:literal])* $field:ident $wire:literal: $type:ty,)*
        }
    )*) => {$(
        $(#[doc = $doc])*
        pub struct $name {
            $($(#[doc = $field_doc])* pub $field: $type,)*
        }

        impl $crate::api::field::Field for $name {
            const EXPECTED: &'static str = "an object";

            fn read(
                _: $crate::api::field::Scalar<'_>,
            ) -> $crate::api::field::Reading<Self> {
                Err(concat!("must be ", "an object").into())
            }

            #[cfg(feature = "server")]
            fn shape() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                use $crate::api::field::Field;
                use $crate::api::schema::{about, told};
                let object = utoipa::openapi::ObjectBuilder::new()
                    .title(Some(stringify!($name)))
                    .description(about(concat!($($doc, "\n",)*)));
                $(
                    let shape = told(<$type as Field>::shape(), concat!($($field_doc, "\n",)*));
                    let object = object.property($wire, shape);
                    let object = match <$type as Field>::absent() {
                        Some(_) => object,
                        None => object.required($wire),
                    };
                )*
                object.into()
            }

            fn take<'de, D: serde::Deserializer<'de>>(
                deserializer: D,
            ) -> Result<Result<Self, $crate::api::field::BadField>, D::Error> {
                struct Fields;

                impl<'de> serde::de::Visitor<'de> for Fields {
                    type Value = Result<$name, $crate::api::field::BadField>;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str("an object")
                    }

                    $crate::api::field::refuse_others! {
                        "an object"; unit bool number text list
                    }

                    fn visit_map<A: serde::de::MapAccess<'de>>(
                        self,
                        mut map: A,
                    ) -> Result<Self::Value, A::Error> {
                        use $crate::api::field::{BadField, Field, FieldSeed};
                        $(let mut $field: Option<$type> = None;)*
                        // The first problem counts; the rest is only read over.
                        let mut bad: Option<BadField> = None;
                        while let Some(key) = map.next_key::<&str>()? {
                            match key {
                                $($wire if bad.is_none() => {
                                    match map.next_value_seed(FieldSeed::<$type>::new())? {
                                        _ if $field.is_some() => {
                                            bad = Some(BadField {
                                                field: $wire.into(),
                                                problem: "is given twice".into(),
                                            });
                                        }
                                        Ok(value) => $field = Some(value),
                                        Err(problem) => bad = Some(problem.within($wire)),
                                    }
                                })*
                                _ => {
                                    map.next_value::<serde::de::IgnoredAny>()?;
                                }
                            }
                        }
                        if let Some(bad) = bad {
                            return Ok(Err(bad));
                        }
                        $(let Some($field) = $field.or_else(<$type as Field>::absent) else {
                            return Ok(Err(BadField::missing($wire)));
                        };)*
                        Ok(Ok($name { $($field,)* }))
                    }
                }

                deserializer.deserialize_any(Fields)
            }
        }

        #[cfg(feature = "server")]
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                <Self as $crate::api::field::Field>::shape()
            }
        }

        #[cfg(feature = "server")]
        impl utoipa::ToSchema for $name {}
    )*};
}

pub(crate) use payload;
