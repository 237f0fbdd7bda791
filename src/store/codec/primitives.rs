//! Numbers, text and collections as bytes, and the two macros that list the
//! fields of everything else.
//!
//! Numbers above a byte: seven bits per byte, the lowest first, the top bit
//! on all but the last (LEB128); signed ones zigzag. Text and collections:
//! their length, then their content. Options: 0, or 1 and the value.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use compact_str::CompactString;

use crate::poker::seats::Seats;
use crate::store::codec::CodecError;

pub(super) trait Coded: Sized {
    fn put(&self, out: &mut Vec<u8>);
    fn take(from: &mut Source<'_>) -> Result<Self, CodecError>;
}

/// Bytes that are still to be read.
pub(super) struct Source<'a>(&'a [u8]);

impl<'a> Source<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) const fn len(&self) -> usize {
        self.0.len()
    }

    fn bytes(&mut self, count: usize) -> Result<&'a [u8], CodecError> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(CodecError::Short)?;
        self.0 = rest;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], CodecError> {
        self.bytes(N)?.try_into().map_err(|_| CodecError::Short)
    }

    /// The length of what follows; every element takes a byte at the least.
    fn length(&mut self) -> Result<usize, CodecError> {
        let length = usize::try_from(u64::take(self)?).unwrap_or(usize::MAX);
        if length <= self.len() { Ok(length) } else { Err(CodecError::Short) }
    }

    pub(super) fn text(&mut self) -> Result<&'a str, CodecError> {
        let length = self.length()?;
        str::from_utf8(self.bytes(length)?).map_err(|_| CodecError::Value("text"))
    }

    fn items<T: Coded, C: FromIterator<T>>(&mut self) -> Result<C, CodecError> {
        (0..self.length()?).map(|_| T::take(self)).collect()
    }
}

pub(super) fn put_text(text: &str, out: &mut Vec<u8>) {
    put_length(text.len(), out);
    out.extend_from_slice(text.as_bytes());
}

fn put_length(length: usize, out: &mut Vec<u8>) {
    (length as u64).put(out);
}

fn put_items<'a, T: Coded + 'a>(items: impl ExactSizeIterator<Item = &'a T>, out: &mut Vec<u8>) {
    put_length(items.len(), out);
    items.for_each(|item| item.put(out));
}

impl Coded for u8 {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(*self);
    }

    fn take(from: &mut Source<'_>) -> Result<Self, CodecError> {
        from.array().map(|[byte]| byte)
    }
}

impl Coded for bool {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }

    fn take(from: &mut Source<'_>) -> Result<Self, CodecError> {
        match u8::take(from)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(CodecError::Value("truth value")),
        }
    }
}

impl Coded for u64 {
    fn put(&self, out: &mut Vec<u8>) {
        let mut rest = *self;
        while 0x80 <= rest {
            out.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        out.push(rest as u8);
    }

    fn take(from: &mut Source<'_>) -> Result<Self, CodecError> {
        let mut value = 0_u64;
        for shift in (0..Self::BITS).step_by(7) {
            let byte = u8::take(from)?;
            let bits = Self::from(byte & 0x7F);
            if bits << shift >> shift != bits {
                break;
            }
            value |= bits << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(CodecError::Value("number"))
    }
}

impl Coded for i64 {
    fn put(&self, out: &mut Vec<u8>) {
        ((self << 1 ^ self >> 63) as u64).put(out);
    }

    fn take(from: &mut Source<'_>) -> Result<Self, CodecError> {
        let zigzag = u64::take(from)?;
        Ok((zigzag >> 1) as Self ^ -((zigzag & 1) as Self))
    }
}

macro_rules! narrower {
    ($($type:ty as $wide:ty),+) => {$(
        impl Coded for $type {
            fn put(&self, out: &mut Vec<u8>) {
                <$wide>::from(*self).put(out);
            }

            fn take(from: &mut Source<'_>) -> Result<Self, CodecError> {
                Self::try_from(<$wide>::take(from)?).map_err(|_| CodecError::Value("number"))
            }
        }
    )+};
}
narrower!(u16 as u64, u32 as u64, i16 as i64);

impl Coded for CompactString {
    fn put(&self, out: &mut Vec<u8>) {
        put_text(self, out);
    }

    fn take(from: &mut Source<'_>) -> Result<Self, CodecError> {
        from.text().map(Self::from)
    }
}

impl<T: Coded> Coded for Option<T> {
    fn put(&self, out: &mut Vec<u8>) {
        self.is_some().put(out);
        if let Some(value) = self {
            value.put(out);
        }
    }

    fn take(from: &mut Source<'_>) -> Result<Self, CodecError> {
        bool::take(from)?.then(|| T::take(from)).transpose()
    }
}

impl<T: Coded> Coded for Box<T> {
    fn put(&self, out: &mut Vec<u8>) {
        T::put(self, out);
    }

    fn take(from: &mut Source<'_>) -> Result<Self, CodecError> {
        T::take(from).map(Self::new)
    }
}

impl<T: Coded> Coded for Vec<T> {
    fn put(&self, out: &mut Vec<u8>) {
        put_items(self.iter(), out);
    }

    fn take(from: &mut Source<'_>) -> Result<Self, CodecError> {
        from.items()
    }
}

impl<T: Coded> Coded for VecDeque<T> {
    fn put(&self, out: &mut Vec<u8>) {
        put_items(self.iter(), out);
    }

    fn take(from: &mut Source<'_>) -> Result<Self, CodecError> {
        from.items()
    }
}

impl<T: Coded + Ord> Coded for BTreeSet<T> {
    fn put(&self, out: &mut Vec<u8>) {
        put_items(self.iter(), out);
    }

    fn take(from: &mut Source<'_>) -> Result<Self, CodecError> {
        from.items()
    }
}

impl<K: Coded + Ord, V: Coded> Coded for BTreeMap<K, V> {
    fn put(&self, out: &mut Vec<u8>) {
        put_length(self.len(), out);
        for (key, value) in self {
            key.put(out);
            value.put(out);
        }
    }

    fn take(from: &mut Source<'_>) -> Result<Self, CodecError> {
        from.items::<(K, V), Self>()
    }
}

impl Coded for Seats {
    fn put(&self, out: &mut Vec<u8>) {
        BTreeMap::put(self, out);
    }

    fn take(from: &mut Source<'_>) -> Result<Self, CodecError> {
        BTreeMap::take(from).map(Self::from)
    }
}

impl<A: Coded, B: Coded> Coded for (A, B) {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
        self.1.put(out);
    }

    fn take(from: &mut Source<'_>) -> Result<Self, CodecError> {
        Ok((A::take(from)?, B::take(from)?))
    }
}

/// A struct as the list of its fields, in the order in which they are kept.
macro_rules! record {
    ($($type:ident { $($field:ident),* $(,)? })*) => {$(
        impl Coded for $type {
            fn put(&self, out: &mut Vec<u8>) {
                let Self { $($field),* } = self;
                $( $field.put(out); )*
            }

            fn take(from: &mut Source<'_>) -> Result<Self, CodecError> {
                Ok(Self { $( $field: Coded::take(from)? ),* })
            }
        }
    )*};
}
pub(super) use record;

/// An enum as the list of its variants: their number, their fields.
macro_rules! choice {
    ($($type:ident {$(
        $tag:literal $variant:ident $(($inner:ident))? $({ $($field:ident),* $(,)? })?
    ),* $(,)?})*) => {$(
        impl Coded for $type {
            fn put(&self, out: &mut Vec<u8>) {
                match self {$(
                    Self::$variant $({ 0: $inner })? $({ $($field),* })? => {
                        out.push($tag);
                        $( $inner.put(out); )?
                        $( $( $field.put(out); )* )?
                    }
                )*}
            }

            fn take(from: &mut Source<'_>) -> Result<Self, CodecError> {
                Ok(match u8::take(from)? {
                    $( $tag => {
                        $( let $inner = Coded::take(from)?; )?
                        $( $( let $field = Coded::take(from)?; )* )?
                        Self::$variant $({ 0: $inner })? $({ $($field),* })?
                    } )*
                    _ => return Err(CodecError::Value(stringify!($type))),
                })
            }
        }
    )*};
}
pub(super) use choice;
