//! A part of a message that stands in it, or in the next one, once more.

use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use serde::ser::Error as _;
use serde::{Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};

/// Written as JSON when that is first asked for, and copied from then on. A
/// clone is the same part.
#[derive(Debug)]
pub struct Written<T>(Arc<Part<T>>);

#[derive(Debug)]
struct Part<T> {
    value: T,
    json: OnceLock<Box<RawValue>>,
}

impl<T> From<T> for Written<T> {
    fn from(value: T) -> Self {
        Self(Arc::new(Part { value, json: OnceLock::new() }))
    }
}

impl<T> Clone for Written<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Deref for Written<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0.value
    }
}

impl<T: Serialize> Serialize for Written<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let Some(json) = self.0.json.get() {
            return json.serialize(serializer);
        }
        let json = to_raw_value(&self.0.value).map_err(S::Error::custom)?;
        self.0.json.get_or_init(|| json).serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// Says how often it was written.
    struct Counted(Cell<u32>);

    impl Serialize for Counted {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            self.0.set(self.0.get() + 1);
            serializer.serialize_u32(self.0.get())
        }
    }

    #[test]
    fn is_written_once() {
        let part = Written::from(Counted(Cell::new(0)));
        let json = serde_json::to_string(&(&part, part.clone(), &part)).expect("JSON");
        assert_eq!(json, "[1,1,1]");
    }
}
