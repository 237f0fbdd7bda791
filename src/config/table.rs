//! How a section is declared: every key once, with its unit in its name, its
//! default, what it may be, and why anyone would change it. Reading, checking,
//! printing and the example file all follow from that.

use std::fmt::Display;
use std::ops::RangeInclusive;

/// What a value has to fulfil.
pub(super) trait Check<T> {
    /// The error completes "key = value: …".
    fn check(&self, value: &T) -> Result<(), String>;

    /// What is legal, when it is a range: `1 to 9`.
    fn range(&self) -> Option<String> {
        None
    }

    /// Whether a message about the value must not show it.
    fn is_secret(&self) -> bool {
        false
    }
}

impl<T: PartialOrd + Display> Check<T> for RangeInclusive<T> {
    fn check(&self, value: &T) -> Result<(), String> {
        if self.contains(value) {
            return Ok(());
        }
        Err(format!("must be from {} to {}", self.start(), self.end()))
    }

    fn range(&self) -> Option<String> {
        Some(format!("{} to {}", self.start(), self.end()))
    }
}

/// Whatever has the right type.
pub(super) struct Free;

impl<T> Check<T> for Free {
    fn check(&self, _: &T) -> Result<(), String> {
        Ok(())
    }
}

pub(super) struct Rule<F>(pub(super) F);

impl<T, F: Fn(&T) -> Result<(), String>> Check<T> for Rule<F> {
    fn check(&self, value: &T) -> Result<(), String> {
        self.0(value)
    }
}

pub(super) struct Secret<F>(pub(super) F);

impl<T, F: Fn(&T) -> Result<(), String>> Check<T> for Secret<F> {
    fn check(&self, value: &T) -> Result<(), String> {
        self.0(value)
    }

    fn is_secret(&self) -> bool {
        true
    }
}

macro_rules! section {
    (
        $(#[doc = $about:literal])*
        $key:literal $name:ident {
            $( $(#[doc = $doc:literal])* $field:ident: $type:ty = $default:expr, $check:expr; )*
        }
    ) => {
        $(#[doc = $about])*
        #[derive(Debug, Clone)]
        pub struct $name {
            $( $(#[doc = $doc])* pub $field: $type, )*
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $( $field: $default, )* }
            }
        }

        impl $name {
            pub(super) fn read(reader: &mut $crate::config::read::Reader) -> Self {
                Self { $( $field: reader.value($key, stringify!($field), $default, &$check), )* }
            }

            pub(super) fn write(&self, page: &mut $crate::config::write::Page) {
                page.section($key, &[$($about),*]);
                $( page.value(stringify!($field), &self.$field, &[$($doc),*], &$check); )*
            }
        }
    };
}
pub(super) use section;
