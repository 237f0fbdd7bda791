//! What `@socket.io/redis-emitter` publishes: an event for rooms.
//!
//! MessagePack `[uid, packet, opts]` on the channels `socket.io#/#` and
//! `socket.io#/#<room>#`, where `packet` is `{type: 2, data: [name, …], nsp}`
//! and `opts` is `{rooms: […], except: […], flags: {volatile, …}}`: the
//! format of the classic Redis adapter, for the namespace `/`. It comes from
//! a service that may use this Redis, and is bounded and read all the same as
//! if it came from anybody.

use rmpv::Value;
use serde_json::{Map, Value as Json};

/// One message, whole.
pub(super) const EMISSION_BYTES_MAX: usize = 65_536;
/// Arrays and objects within each other.
const DEPTH_MAX: usize = 32;
/// Values of one message, in all its arrays and objects: each takes far more
/// room when it has been read than the one byte that it may have here.
const VALUES_MAX: usize = 8_192;
/// Rooms of one message, and as many that are left out.
const ROOMS_MAX: usize = 1_000;
/// A Socket.IO packet of the type event, without attachments.
const PACKET_EVENT: u64 = 2;

/// An event for everybody in some rooms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Emission {
    /// The event's name.
    pub name: String,
    /// The JSON array of name and arguments.
    pub array: Vec<u8>,
    pub rooms: Vec<String>,
    /// Rooms and sockets that are left out.
    pub except: Vec<String>,
    pub is_volatile: bool,
}

/// Why a message is passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unreadable {
    #[error("it is longer than {EMISSION_BYTES_MAX} bytes")]
    TooLong,
    #[error("it holds more than {VALUES_MAX} values")]
    TooMany,
    #[error("it is no message of the emitter")]
    Malformed,
    #[error("it holds binary data, which no client here expects")]
    Binary,
    #[error("it is for another namespace")]
    OtherNamespace,
    #[error("it is for more than {ROOMS_MAX} rooms")]
    TooManyRooms,
}

impl Emission {
    pub(super) fn read(mut payload: &[u8]) -> Result<Self, Unreadable> {
        use Unreadable::{Malformed, OtherNamespace};
        if EMISSION_BYTES_MAX < payload.len() {
            return Err(Unreadable::TooLong);
        }
        if VALUES_MAX < values(payload).ok_or(Malformed)? {
            return Err(Unreadable::TooMany);
        }
        let message = rmpv::decode::read_value_with_max_depth(&mut payload, DEPTH_MAX);
        let Ok(Value::Array(message)) = message else { return Err(Malformed) };
        let [_uid, packet, options] = message.as_slice() else { return Err(Malformed) };
        match field(packet, "nsp") {
            None => {}
            Some(namespace) if namespace.as_str() == Some("/") => {}
            Some(_) => return Err(OtherNamespace),
        }
        if field(packet, "type").and_then(Value::as_u64) != Some(PACKET_EVENT) {
            return Err(Malformed);
        }
        let data = field(packet, "data").and_then(Value::as_array).ok_or(Malformed)?;
        let name = data.first().and_then(Value::as_str).ok_or(Malformed)?.to_owned();
        let array: Result<Vec<Json>, Unreadable> = data.iter().map(json).collect();
        let array = serde_json::to_vec(&array?).map_err(|_| Malformed)?;
        let flags = field(options, "flags");
        let is_volatile = flags.and_then(|flags| field(flags, "volatile"));
        Ok(Self {
            name,
            array,
            rooms: names(field(options, "rooms"))?,
            except: names(field(options, "except"))?,
            is_volatile: is_volatile.and_then(Value::as_bool).unwrap_or(false),
        })
    }
}

/// How many values a MessagePack text has; `None` if it ends too early.
/// Collections are followed by their values, so one walk meets them all.
fn values(mut bytes: &[u8]) -> Option<usize> {
    let mut values = 0;
    while let Some((&marker, rest)) = bytes.split_first() {
        let length = |length_bytes: usize| {
            let length = rest.get(..length_bytes)?;
            let length = length.iter().fold(0_usize, |sum, byte| sum << 8 | usize::from(*byte));
            length.checked_add(length_bytes)
        };
        let skipped = match marker {
            0xA0..=0xBF => usize::from(marker & 0x1F),
            0xC4 | 0xD9 => length(1)?,
            0xC5 | 0xDA => length(2)?,
            0xC6 | 0xDB => length(4)?,
            // Extensions have a type as well.
            0xC7 => length(1)? + 1,
            0xC8 => length(2)? + 1,
            0xC9 => length(4)?.checked_add(1)?,
            0xD4..=0xD8 => 1 + (1 << (marker - 0xD4)),
            0xCC | 0xD0 => 1,
            0xCD | 0xD1 | 0xDC | 0xDE => 2,
            0xCA | 0xCE | 0xD2 | 0xDD | 0xDF => 4,
            0xCB | 0xCF | 0xD3 => 8,
            _ => 0,
        };
        bytes = rest.get(skipped..)?;
        values += 1;
    }
    Some(values)
}

fn field<'a>(map: &'a Value, name: &str) -> Option<&'a Value> {
    let mut pairs = map.as_map()?.iter();
    pairs.find(|(key, _)| key.as_str() == Some(name)).map(|(_, value)| value)
}

fn names(list: Option<&Value>) -> Result<Vec<String>, Unreadable> {
    let list = match list {
        None | Some(Value::Nil) => return Ok(Vec::new()),
        Some(list) => list.as_array().ok_or(Unreadable::Malformed)?,
    };
    if ROOMS_MAX < list.len() {
        return Err(Unreadable::TooManyRooms);
    }
    // Rooms may be numbers, which none of ours is.
    Ok(list.iter().filter_map(Value::as_str).map(str::to_owned).collect())
}

/// As the client would have got it from the original server.
fn json(value: &Value) -> Result<Json, Unreadable> {
    Ok(match value {
        Value::Nil => Json::Null,
        Value::Boolean(value) => Json::from(*value),
        Value::Integer(number) => match (number.as_u64(), number.as_i64()) {
            (Some(number), _) => Json::from(number),
            (None, Some(number)) => Json::from(number),
            (None, None) => return Err(Unreadable::Malformed),
        },
        Value::F32(number) => Json::from(f64::from(*number)),
        // What is not finite becomes null.
        Value::F64(number) => Json::from(*number),
        Value::String(text) => Json::from(text.as_str().ok_or(Unreadable::Malformed)?),
        Value::Array(items) => Json::Array(items.iter().map(json).collect::<Result<_, _>>()?),
        Value::Map(pairs) => {
            let mut map = Map::new();
            for (key, value) in pairs {
                let key = key.as_str().ok_or(Unreadable::Malformed)?;
                map.insert(key.to_owned(), json(value)?);
            }
            Json::Object(map)
        }
        Value::Ext(TIMESTAMP, bytes) => Json::from(date(bytes).ok_or(Unreadable::Malformed)?),
        Value::Binary(_) | Value::Ext(..) => return Err(Unreadable::Binary),
    })
}

/// The extension type of the MessagePack specification for points in time.
const TIMESTAMP: i8 = -1;

/// 32 bits: seconds; 64: 30 of nanoseconds and 34 of seconds; 96: 32 of
/// nanoseconds and 64 of seconds. As `Date.prototype.toJSON` writes it.
fn date(bytes: &[u8]) -> Option<String> {
    let (seconds, nanoseconds) = match bytes.len() {
        4 => (i64::from(u32::from_be_bytes(bytes.try_into().ok()?)), 0),
        8 => {
            let both = u64::from_be_bytes(bytes.try_into().ok()?);
            ((both & 0x3_FFFF_FFFF) as i64, (both >> 34) as i32)
        }
        12 => {
            let (nanoseconds, seconds) = bytes.split_at(4);
            let nanoseconds = u32::from_be_bytes(nanoseconds.try_into().ok()?);
            (i64::from_be_bytes(seconds.try_into().ok()?), i32::try_from(nanoseconds).ok()?)
        }
        _ => return None,
    };
    let at = jiff::Timestamp::new(seconds, nanoseconds).ok()?;
    Some(at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&str, Value)]) -> Value {
        Value::Map(pairs.iter().map(|(key, value)| (Value::from(*key), value.clone())).collect())
    }

    fn message(data: Vec<Value>, options: Value) -> Vec<u8> {
        let packet = map(&[("type", 2.into()), ("data", Value::Array(data)), ("nsp", "/".into())]);
        let message = Value::Array(vec!["emitter".into(), packet, options]);
        let mut bytes = Vec::new();
        rmpv::encode::write_value(&mut bytes, &message).expect("memory has room");
        bytes
    }

    #[test]
    fn the_example_of_the_format_is_read() {
        let mut bytes =
            b"\x93\xa7emitter\x83\xa4type\x02\xa4data\x93\xa5hello\xa5world\x01".to_vec();
        bytes.extend(b"\xa3nsp\xa1/\x83\xa5rooms\x91\xa9session:x\xa6except\x90\xa5flags\x80");
        let read = Emission::read(&bytes).expect("read");
        assert_eq!((read.name.as_str(), read.is_volatile), ("hello", false));
        assert_eq!(read.array, br#"["hello","world",1]"#);
        assert_eq!((read.rooms, read.except), (vec!["session:x".to_owned()], vec![]));
    }

    #[test]
    fn values_are_counted_without_reading_them() {
        let values = [
            Value::from("x".repeat(20)),
            Value::from("x".repeat(200)),
            Value::from("x".repeat(300)),
            Value::from("x".repeat(70_000)),
            Value::Binary(vec![0; 3]),
            Value::Binary(vec![0; 300]),
            Value::Binary(vec![0; 70_000]),
            Value::F32(1.0),
            Value::F64(1.0),
            Value::Boolean(true),
            Value::Map(vec![(Value::Nil, Value::from(u64::MAX))]),
            Value::Array(vec![Value::from(i64::MIN); 20]),
        ];
        let numbers = [1_u64, 200, 300, 70_000].map(Value::from);
        let negative = [-1_i64, -100, -300, -70_000].map(Value::from);
        let extensions =
            [1, 2, 4, 8, 16, 3, 300, 70_000].map(|bytes| Value::Ext(5, vec![0; bytes]));
        let all = values.into_iter().chain(numbers).chain(negative).chain(extensions);
        let mut bytes = Vec::new();
        rmpv::encode::write_value(&mut bytes, &Value::Array(all.collect())).expect("room");
        assert_eq!(super::values(&bytes), Some(1 + 12 + 2 + 20 + 4 + 4 + 8));
        assert_eq!(super::values(&bytes[..bytes.len() - 1]), None);
    }

    #[test]
    fn values_become_what_json_makes_of_them() {
        let date = Value::Ext(-1, vec![0x3B, 0x9A, 0xCA, 0x00]);
        let data = vec![
            "x".into(),
            map(&[("a", Value::Nil), ("b", Value::F64(f64::NAN)), ("c", (-3).into())]),
            date,
        ];
        let flags = map(&[("volatile", true.into())]);
        let read = Emission::read(&message(data, map(&[("flags", flags)]))).expect("read");
        assert!(read.is_volatile && read.rooms.is_empty());
        let expected = r#"["x",{"a":null,"b":null,"c":-3},"2001-09-09T01:46:40.000Z"]"#;
        assert_eq!(String::from_utf8(read.array).expect("text"), expected);
    }

    #[test]
    fn what_cannot_be_read_is_passed_over() {
        let none = || map(&[]);
        let binary = message(vec!["x".into(), Value::Binary(vec![1])], none());
        assert_eq!(Emission::read(&binary), Err(Unreadable::Binary));
        let long = message(vec!["x".into(), "y".repeat(70_000).into()], none());
        assert_eq!(Emission::read(&long), Err(Unreadable::TooLong));
        let deep = (0..100).fold(Value::Nil, |inner, _| Value::Array(vec![inner]));
        assert_eq!(
            Emission::read(&message(vec!["x".into(), deep], none())),
            Err(Unreadable::Malformed)
        );
        let wide = |count| message(vec!["x".into(), Value::Array(vec![Value::Nil; count])], none());
        assert!(Emission::read(&wide(VALUES_MAX - 100)).is_ok());
        assert_eq!(Emission::read(&wide(VALUES_MAX)), Err(Unreadable::TooMany));
        let nameless = message(vec![1.into()], none());
        assert_eq!(Emission::read(&nameless), Err(Unreadable::Malformed));
        // A length that nobody sent so much for.
        for bytes in [&b""[..], b"\xc1", b"\xdd\xff\xff\xff\xff", b"\xdb\xff\xff\xff\xff"] {
            assert_eq!(Emission::read(bytes), Err(Unreadable::Malformed));
        }
        let whole = message(vec!["x".into(), 7.into()], none());
        for end in 0..whole.len() {
            assert!(Emission::read(&whole[..end]).is_err());
        }
    }
}
