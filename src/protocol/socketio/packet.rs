//! Socket.IO packets: `<type>[<attachments>-][<namespace>,][<ack id>][<payload>]`.
//!
//! Decoding borrows: the packet stays in the buffer of the frame that brought
//! it, and nothing is copied or allocated for it.

use bytes::Bytes;

use crate::protocol::socketio::json::{Shape, scalar_end, shape, space_end};

/// The longest name of a namespace, in bytes, its slash included.
pub const NAMESPACE_BYTES_MAX: usize = 128;

/// The largest acknowledgement id: what JavaScript counts exactly (2⁵³ − 1).
pub const ACK_ID_MAX: u64 = (1 << 53) - 1;

/// An event of a client, decoded in the frame's own buffer.
#[derive(Debug)]
pub struct Event<'a> {
    pub name: &'a str,
    /// The arguments after the name, as a JSON array (`[]` if there are
    /// none). Syntax and depth have been checked; simd-json may parse it in
    /// place.
    pub arguments: &'a mut [u8],
    /// The id to acknowledge with, if the client asks for it.
    pub ack: Option<u64>,
    /// What the placeholders in `arguments` stand for; every `num` is in range.
    pub attachments: Vec<Bytes>,
}

/// A packet whose syntax is right, by itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Packet<'a> {
    pub(super) namespace: &'a str,
    pub(super) kind: Kind,
    /// A JSON object for [`Kind::Connect`] (or nothing), nothing for
    /// [`Kind::Disconnect`], a JSON array for the others.
    pub(super) payload: &'a mut [u8],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Connect,
    Disconnect,
    Event { ack: Option<u64>, attachments: u32 },
    Ack { id: u64, attachments: u32 },
}

/// Decodes what follows the `4` of an Engine.IO message. `None` for whatever
/// the specification does not allow a client to send.
pub(super) fn decode(packet: &mut [u8]) -> Option<Packet<'_>> {
    let (packet_type, rest) = packet.split_first_mut()?;
    let (attachments, rest) = match packet_type {
        b'5' | b'6' => {
            let (count, rest) = take_number(rest);
            let (dash, rest) = rest.split_first_mut()?;
            let count = u32::try_from(count?).ok().filter(|count| *count > 0 && *dash == b'-');
            (count?, rest)
        }
        _ => (0, rest),
    };
    let (namespace, rest) = take_namespace(rest)?;
    let (ack, payload) = take_number(rest);
    let kind = match packet_type {
        b'0' => Kind::Connect,
        b'1' => Kind::Disconnect,
        b'2' | b'5' => Kind::Event { ack, attachments },
        b'3' | b'6' => Kind::Ack { id: ack?, attachments },
        // CONNECT_ERROR is the server's to send.
        _ => return None,
    };
    let is_allowed = match kind {
        Kind::Connect => ack.is_none() && (payload.is_empty() || shape(payload)? == Shape::Object),
        Kind::Disconnect => ack.is_none() && payload.is_empty(),
        Kind::Event { .. } | Kind::Ack { .. } => shape(payload)? == Shape::Array,
    };
    (is_allowed && ack.is_none_or(|id| id <= ACK_ID_MAX)).then_some(Packet {
        namespace,
        kind,
        payload,
    })
}

/// Splits the JSON array of an event, which [`decode`] has checked, into its
/// name and the array of the arguments, by overwriting the comma between
/// them with a bracket. `None` for a name that is no string or number, or is
/// reserved.
pub(super) fn split_event(array: &mut [u8]) -> Option<(&str, &mut [u8])> {
    let mut start = space_end(array, space_end(array, 0) + 1);
    let end = scalar_end(array, start)?;
    let mut name_end = end;
    if *array.get(start)? == b'"' {
        start += 1;
        name_end = unescape(array, start, end - 1)?;
    } else {
        // `[1]` would leave no room for the two brackets of `[]`.
        array.copy_within(start..end, start - 1);
        start -= 1;
        name_end -= 1;
    }
    let after = space_end(array, end);
    let bracket = match array.get(after)? {
        b',' => after,
        // The end: the byte before it is a quote, white space, or moved away.
        _ => after - 1,
    };
    *array.get_mut(bracket)? = b'[';
    let (head, arguments) = array.split_at_mut_checked(bracket)?;
    let name = std::str::from_utf8(head.get(start..name_end)?).ok()?;
    (!RESERVED.contains(&name)).then_some((name, arguments))
}

/// Names that mean something else to the libraries at both ends.
const RESERVED: [&str; 6] =
    ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"];

/// Resolves the escapes of the string between two quotes in its place, which
/// its plain form always fits. Returns where that ends.
fn unescape(bytes: &mut [u8], start: usize, end: usize) -> Option<usize> {
    if !bytes.get(start..end)?.contains(&b'\\') {
        return Some(end);
    }
    let plain: String = serde_json::from_slice(bytes.get(start - 1..=end)?).ok()?;
    let plain_end = start + plain.len();
    bytes.get_mut(start..plain_end)?.copy_from_slice(plain.as_bytes());
    Some(plain_end)
}

/// `/name,` or `/name` up to the end; without a slash, `/`.
fn take_namespace(rest: &mut [u8]) -> Option<(&str, &mut [u8])> {
    if rest.first() != Some(&b'/') {
        return Some(("/", rest));
    }
    let name_bytes = rest.iter().position(|byte| *byte == b',').unwrap_or(rest.len());
    if name_bytes > NAMESPACE_BYTES_MAX {
        return None;
    }
    let (name, rest) = rest.split_at_mut(name_bytes);
    Some((std::str::from_utf8(name).ok()?, rest.get_mut(1..).unwrap_or_default()))
}

/// The decimal digits in front; `None` if there are none. Saturates, which
/// is above every limit.
fn take_number(rest: &mut [u8]) -> (Option<u64>, &mut [u8]) {
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = rest.split_at_mut(digits);
    let number = digits.iter().fold(0u64, |number, digit| {
        number.saturating_mul(10).saturating_add(u64::from(digit - b'0'))
    });
    ((!digits.is_empty()).then_some(number), rest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decoded(text: &str, check: impl FnOnce(Packet<'_>)) {
        check(decode(&mut text.as_bytes().to_vec()).unwrap_or_else(|| panic!("{text} is right")));
    }

    fn split(array: &str) -> Option<(String, String)> {
        let mut array = array.as_bytes().to_vec();
        assert_eq!(shape(&array), Some(Shape::Array));
        let (name, arguments) = split_event(&mut array)?;
        assert_eq!(shape(arguments), Some(Shape::Array), "{}", arguments.escape_ascii());
        Some((name.to_owned(), String::from_utf8_lossy(arguments).into_owned()))
    }

    #[test]
    fn packets_have_a_type_a_namespace_an_id_and_a_payload() {
        decoded("0", |packet| {
            assert_eq!((packet.kind, packet.namespace), (Kind::Connect, "/"));
            assert!(packet.payload.is_empty());
        });
        decoded(r#"0/custom,{"token":"x"}"#, |packet| {
            assert_eq!((packet.kind, packet.namespace), (Kind::Connect, "/custom"));
            assert_eq!(packet.payload, br#"{"token":"x"}"#);
        });
        decoded("0/?a=b,", |packet| assert_eq!(packet.namespace, "/?a=b"));
        decoded("0/custom", |packet| assert_eq!(packet.namespace, "/custom"));
        decoded("1/custom,", |packet| assert_eq!(packet.kind, Kind::Disconnect));
        decoded(r#"2["a"]"#, |packet| {
            assert_eq!(packet.kind, Kind::Event { ack: None, attachments: 0 });
        });
        decoded(r#"2/n,12["a"]"#, |packet| {
            assert_eq!(packet.kind, Kind::Event { ack: Some(12), attachments: 0 });
            assert_eq!(packet.payload, br#"["a"]"#);
        });
        decoded("30[]", |packet| assert_eq!(packet.kind, Kind::Ack { id: 0, attachments: 0 }));
        decoded(r#"52-/n,7["a"]"#, |packet| {
            assert_eq!(packet.kind, Kind::Event { ack: Some(7), attachments: 2 });
        });
        decoded("61-9[]", |packet| {
            assert_eq!(packet.kind, Kind::Ack { id: 9, attachments: 1 });
        });
    }

    #[test]
    fn what_no_client_may_send_is_none() {
        let long_namespace = format!("0/{},", "n".repeat(NAMESPACE_BYTES_MAX));
        for text in [
            "",
            "4",
            r#"4{"message":"no"}"#,
            "7",
            "a",
            "abc", // no such type
            "0[]",
            "0{",
            "0null",
            "012", // CONNECT takes an object
            "1{}",
            "1[]",
            "11", // DISCONNECT takes nothing
            "2",
            "2{}",
            "2[",
            r#"2abc["a"]"#,
            "2null",
            r#"2["a"]]"#, // EVENT takes an array
            "3[]",
            "31",
            "31{}", // ACK takes an id and an array
            r#"50-["a"]"#,
            r#"5-["a"]"#,
            r#"5["a"]"#,
            r#"51["a"]"#,
            r#"5x-["a"]"#, // attachments are counted
            r#"599999999999999999999-["a"]"#,
            r#"29007199254740992["a"]"#, // numbers too large
            &long_namespace,
        ] {
            assert_eq!(decode(&mut text.as_bytes().to_vec()), None, "{text}");
        }
        decoded(r#"29007199254740991["a"]"#, |_| {});
    }

    #[test]
    fn an_event_splits_into_name_and_arguments() {
        let is = |array, name: &str, arguments: &str| {
            assert_eq!(split(array), Some((name.to_owned(), arguments.to_owned())), "{array}");
        };
        is(r#"["a"]"#, "a", "[]");
        is(r#"["a" ]"#, "a", "[]");
        is(r#" [ "a" , 1 ] "#, "a", "[ 1 ] ");
        is(r#"["vote:submit",{"value":"5"}]"#, "vote:submit", r#"[{"value":"5"}]"#);
        is(r#"["",[]]"#, "", "[[]]");
        is(r#"["\u00e9\"",1,2]"#, "é\"", "[1,2]");
        is(r#"["\\"]"#, "\\", "[]");
        is("[1]", "1", "[]");
        is("[ -1.5e3 ,null]", "-1.5e3", "[null]");
    }

    #[test]
    fn an_event_without_a_usable_name_is_none() {
        for array in ["[]", "[null]", "[true]", "[{}]", "[[]]", r#"["\ud800"]"#] {
            assert_eq!(split(array), None, "{array}");
        }
        for name in RESERVED {
            assert_eq!(split(&format!("[\"{name}\",1]")), None);
        }
        assert_eq!(split(r#"["\u0063onnect"]"#), None, "escapes do not hide a reserved name");
    }

    proptest! {
        #[test]
        fn random_bytes_do_not_panic(mut bytes: Vec<u8>) {
            if let Some(packet) = decode(&mut bytes) {
                let _ = split_event(packet.payload);
            }
        }

        #[test]
        fn packet_like_texts_do_not_panic(text in r#"[0-7][0-9]{0,2}-?(/[a-z]{0,3},)?[0-9]{0,3}[\[\]{}",a-z0-9\\ ]{0,12}"#) {
            let mut bytes = text.into_bytes();
            if let Some(Packet { kind: Kind::Event { .. }, payload, .. }) = decode(&mut bytes) {
                let _ = split_event(payload);
            }
        }

        #[test]
        fn splitting_keeps_every_name_and_argument(name in ".{0,12}", arguments: Vec<(i32, String)>) {
            let mut array = vec![serde_json::json!(name)];
            array.extend(arguments.iter().map(|argument| serde_json::json!(argument)));
            let mut text = serde_json::to_vec(&array).expect("JSON");
            prop_assume!(!RESERVED.contains(&name.as_str()));
            let (got, rest) = split_event(&mut text).expect("an event");
            prop_assert_eq!(got, name);
            let rest: Vec<(i32, String)> = serde_json::from_slice(rest).expect("JSON");
            prop_assert_eq!(rest, arguments);
        }
    }
}
