//! All that one client says on one connection, as a polling payload: Engine.IO
//! packets, Socket.IO packets, attachments. What is taken means the same when
//! it is written down and read again; after the first error nothing is taken.

#![no_main]

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use cardroom::protocol::encoded::{Encoded, Packet};
use cardroom::protocol::engineio::{PacketType, Payload, PayloadPacket, split_packet};
use cardroom::protocol::socketio::{ACK_ID_MAX, Client, Limits, NAMESPACE_BYTES_MAX, Received};
use serde::de::IgnoredAny;

cardroom_fuzz::target!(run);

const LIMITS: Limits =
    Limits { attachments_max: 3, namespaces_max: 3, connect_timeout: Duration::from_secs(45) };
const RESERVED: [&str; 6] =
    ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"];

/// A socket is the name of its namespace.
type House = Client<String>;

fn run(input: &[u8]) {
    let mut now = Duration::ZERO;
    let mut client = House::new(now, LIMITS);
    let mut payload = Payload::new(BytesMut::from(input));
    while let Some(packet) = payload.next_packet() {
        now += Duration::from_secs(1);
        let is_taken = match packet {
            PayloadPacket::Malformed => return,
            PayloadPacket::Text(text) => match split_packet(text) {
                Some((PacketType::Message, text)) => say(&mut client, now, text),
                Some((PacketType::Ping | PacketType::Close, _)) | None => return,
                Some(_) => true,
            },
            PayloadPacket::Binary(bytes) => match client.binary(bytes) {
                Ok(None) => true,
                Ok(Some(mut assembled)) => match assembled.received() {
                    Ok(received) => {
                        check(received);
                        true
                    }
                    Err(_) => false,
                },
                Err(_) => false,
            },
        };
        let joined: Vec<&String> = client.sockets().collect();
        assert!(joined.len() <= LIMITS.namespaces_max as usize);
        assert_eq!(client.deadline().is_some(), joined.is_empty());
        if !is_taken {
            return;
        }
    }
}

fn say(client: &mut House, now: Duration, text: &mut [u8]) -> bool {
    let joins = match client.text(now, text) {
        Err(_) => return false,
        Ok(Received::Connect { namespace, auth }) => {
            assert!(namespace.starts_with('/') && namespace.len() <= NAMESPACE_BYTES_MAX);
            assert!(auth.is_empty() || is_json(auth));
            // As the application does: some namespaces are there, others are not.
            (!namespace.contains('x')).then(|| namespace.to_owned())
        }
        Ok(received) => {
            check(received);
            None
        }
    };
    if let Some(namespace) = joins {
        client.join(&namespace, namespace.clone());
    }
    true
}

/// What was taken is right, and survives being written by our own encoder.
fn check(received: Received<'_, String>) {
    match received {
        Received::Incomplete | Received::Connect { .. } => {}
        Received::Disconnected(namespace) => assert!(namespace.starts_with('/')),
        Received::Event(namespace, event) => {
            assert!(!RESERVED.contains(&event.name));
            assert!(event.ack.is_none_or(|id| id <= ACK_ID_MAX));
            assert!(event.attachments.len() <= LIMITS.attachments_max as usize);
            assert!(is_json(event.arguments));
            let array = with_name(event.name, event.arguments);
            let written = match (event.ack, event.attachments.as_slice()) {
                (None, []) => Encoded::event(&namespace, &array),
                (Some(id), []) => Encoded::event_asking(&namespace, id, &array),
                // Never written by a server, which asks nothing with attachments.
                (Some(_), _) => return,
                (None, attachments) => Encoded::binary_event(&namespace, &array, attachments),
            };
            again(&namespace, &written, |received| match received {
                Received::Event(_, again) => {
                    assert_eq!(again.name, event.name);
                    assert_eq!(again.arguments, event.arguments);
                    assert_eq!(again.ack, event.ack);
                    assert_eq!(again.attachments, event.attachments);
                }
                other => panic!("an event became {other:?}"),
            });
        }
        Received::Acknowledged { socket: namespace, id, array, attachments } => {
            assert!(id <= ACK_ID_MAX && is_json(array));
            let written = match attachments.as_slice() {
                [] => Encoded::ack(&namespace, id, array),
                attachments => Encoded::binary_ack(&namespace, id, array, attachments),
            };
            let expected = (id, array, attachments);
            again(&namespace, &written, |received| match received {
                Received::Acknowledged { id, array, attachments, .. } => {
                    assert_eq!((id, array, attachments), expected);
                }
                other => panic!("an acknowledgement became {other:?}"),
            });
        }
    }
}

fn again(namespace: &str, written: &Encoded, judge: impl FnOnce(Received<'_, String>)) {
    let mut client = House::new(Duration::ZERO, LIMITS);
    client.join(namespace, namespace.to_owned());
    let mut judge = Some(judge);
    for packet in written.packets() {
        match packet {
            Packet::Text(text) => {
                let mut text = text[1..].to_vec();
                match client.text(Duration::ZERO, &mut text).expect("we wrote it") {
                    Received::Incomplete => {}
                    received => judge.take().expect("once")(received),
                }
            }
            Packet::Binary(bytes) => {
                let bytes = Bytes::copy_from_slice(bytes);
                if let Some(mut assembled) = client.binary(bytes).expect("we wrote it") {
                    judge.take().expect("once")(assembled.received().expect("we wrote it"));
                }
            }
        }
    }
    assert!(judge.is_none(), "it is complete");
}

fn with_name(name: &str, arguments: &[u8]) -> Vec<u8> {
    let mut array = b"[".to_vec();
    array.extend(serde_json::to_vec(name).expect("text is JSON"));
    let rest = &arguments[1..];
    if !rest.trim_ascii_start().starts_with(b"]") {
        array.push(b',');
    }
    array.extend_from_slice(rest);
    array
}

/// Bytes that are no UTF-8 stand in strings only, and are refused by whoever reads those.
fn is_json(bytes: &[u8]) -> bool {
    let lossy = String::from_utf8_lossy(bytes);
    serde_json::from_str::<IgnoredAny>(&lossy).is_ok()
}
