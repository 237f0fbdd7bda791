//! What a client says of the socket it had before: two keys that
//! `socket.io-client` puts beside those of `auth`.

use std::borrow::Cow;

use compact_str::CompactString;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::connection::app::{Earlier, Pid};

/// Longer texts are nobody's private id and nobody's offset.
const TEXT_BYTES_MAX: usize = 128;

#[derive(Deserialize)]
struct Said<'a> {
    #[serde(borrow)]
    pid: Option<Text<'a>>,
    #[serde(borrow)]
    offset: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Text<'a> {
    Text(#[serde(borrow)] Cow<'a, str>),
    /// Not a client's of ours, whatever it is.
    Other(IgnoredAny),
}

impl Earlier {
    /// From the JSON object of a CONNECT; `None` if it names no earlier socket.
    pub fn of(auth: &[u8]) -> Option<Self> {
        // Most have none, and are not read twice.
        if !auth.windows(PID.len()).any(|window| window == PID) {
            return None;
        }
        let said: Said<'_> = serde_json::from_slice(auth).ok()?;
        Some(Self { pid: Pid(said.pid?.short()), offset: said.offset.map(Text::short) })
    }
}

const PID: &[u8] = b"\"pid\"";

impl Text<'_> {
    /// What cannot be right is empty, which is not right either.
    fn short(self) -> CompactString {
        match self {
            Self::Text(text) if text.len() <= TEXT_BYTES_MAX => text.into(),
            Self::Text(_) | Self::Other(_) => CompactString::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(auth: &str) -> Option<(String, Option<String>)> {
        Earlier::of(auth.as_bytes())
            .map(|earlier| (earlier.pid.0.into(), earlier.offset.map(Into::into)))
    }

    #[test]
    fn pid_and_offset_lie_beside_the_keys_of_auth() {
        let said = said(r#"{"pid":"abc","offset":"1-2","sessionId":"S"}"#);
        assert_eq!(said, Some(("abc".to_owned(), Some("1-2".to_owned()))));
    }

    #[test]
    fn who_has_heard_nothing_has_no_offset() {
        assert_eq!(said(r#"{"pid":"abc"}"#), Some(("abc".to_owned(), None)));
        assert_eq!(said(r#"{"offset":"1-2"}"#), None);
        assert_eq!(said("{}"), None);
    }

    #[test]
    fn what_is_no_text_or_too_long_is_none_of_ours() {
        let long = format!(r#"{{"pid":"{}"}}"#, "x".repeat(TEXT_BYTES_MAX + 1));
        assert_eq!(said(&long), Some((String::new(), None)));
        assert_eq!(said(r#"{"pid":[1],"offset":7}"#), Some((String::new(), Some(String::new()))));
        assert_eq!(said(r#"{"pid":null}"#), None);
        assert_eq!(said(r#"{"pid":"a","pid":"b"}"#), None);
    }
}
