//! Closed vocabularies: enums that are one word each on the wire.

/// Gives an enum of plain variants its words: `ALL`, `as_str` and
/// `Serialize`. A variant without a word does not compile.
macro_rules! words {
    ($type:ident { $($variant:ident $word:literal,)* }) => {
        impl $type {
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// As on the wire.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}

pub(crate) use words;
