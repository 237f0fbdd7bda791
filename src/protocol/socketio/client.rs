//! What one client has joined, and what each of its packets means.

use std::time::Duration;

use bytes::Bytes;
use compact_str::CompactString;
use smallvec::SmallVec;

use crate::protocol::CloseReason;
use crate::protocol::socketio::Event;
use crate::protocol::socketio::attachments::{Awaiting, are_placeholders_in_range};
use crate::protocol::socketio::packet::{Kind, decode, split_event};

/// The numbers a [`Client`] is held to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Binary attachments of one packet.
    pub attachments_max: u32,
    /// Namespaces joined at one time.
    pub namespaces_max: u32,
    /// For a client that has joined no namespace, from the opening or from
    /// the moment it left its last one.
    pub connect_timeout: Duration,
}

/// The Socket.IO state of one connection. `S` is the driver's handle on a
/// joined socket.
///
/// Any error closes the whole connection, all namespaces, as the reference
/// server does. While a [`Received::Connect`] is undecided no further packet
/// may be handed in.
#[derive(Debug)]
pub struct Client<S> {
    limits: Limits,
    joined: SmallVec<[(CompactString, S); 1]>,
    awaiting: Option<Box<Awaiting<S>>>,
    connect_by: Option<Duration>,
}

/// What a packet says.
#[derive(Debug)]
pub enum Received<'a, S> {
    /// Nothing yet: its attachments follow.
    Incomplete,
    /// The client wants to join. Decide, then [`Client::join`] or do nothing.
    Connect {
        namespace: &'a str,
        /// A JSON object, or nothing.
        auth: &'a mut [u8],
    },
    /// The client left; the socket is no longer joined.
    Disconnected(S),
    Event(S, Event<'a>),
    Acknowledged {
        socket: S,
        id: u64,
        /// A JSON array.
        array: &'a mut [u8],
        attachments: Vec<Bytes>,
    },
}

/// A packet together with all its attachments.
#[derive(Debug)]
pub struct Assembled<S>(Awaiting<S>);

impl<S: Clone> Client<S> {
    pub fn new(now: Duration, limits: Limits) -> Self {
        Self {
            limits,
            joined: SmallVec::new(),
            awaiting: None,
            connect_by: Some(now + limits.connect_timeout),
        }
    }

    /// An Engine.IO text message, without its `4`.
    ///
    /// # Errors
    /// Whatever closes the connection.
    pub fn text<'a>(
        &mut self,
        now: Duration,
        packet: &'a mut [u8],
    ) -> Result<Received<'a, S>, CloseReason> {
        if self.awaiting.is_some() {
            return Err(CloseReason::ParseError);
        }
        let packet = decode(packet).ok_or(CloseReason::ParseError)?;
        let index = self.joined.iter().position(|(name, _)| name == packet.namespace);
        let Some(index) = index else {
            let has_room = self.joined.len() < self.limits.namespaces_max as usize;
            return match packet.kind {
                Kind::Connect if has_room => {
                    Ok(Received::Connect { namespace: packet.namespace, auth: packet.payload })
                }
                _ => Err(CloseReason::ParseError),
            };
        };
        let attachments = match packet.kind {
            Kind::Connect => return Err(CloseReason::ParseError),
            Kind::Disconnect => return Ok(Received::Disconnected(self.leave(now, index))),
            Kind::Event { attachments, .. } | Kind::Ack { attachments, .. } => attachments,
        };
        let socket = self.joined[index].1.clone();
        if attachments == 0 {
            return received(socket, packet.kind, packet.payload, Vec::new());
        }
        if attachments > self.limits.attachments_max {
            return Err(CloseReason::ParseError);
        }
        let array = packet.payload.to_vec();
        // Refused now, not when its attachments have come.
        if matches!(packet.kind, Kind::Event { .. }) && split_event(packet.payload).is_none() {
            return Err(CloseReason::ParseError);
        }
        self.awaiting = Some(Box::new(Awaiting {
            socket,
            kind: packet.kind,
            array,
            attachments: Vec::new(),
            expected: attachments as usize,
        }));
        Ok(Received::Incomplete)
    }

    /// An Engine.IO binary message: an attachment. Returns the packet it completes.
    ///
    /// # Errors
    /// Whatever closes the connection.
    pub fn binary(&mut self, attachment: Bytes) -> Result<Option<Assembled<S>>, CloseReason> {
        let awaiting = self.awaiting.as_mut().ok_or(CloseReason::ParseError)?;
        awaiting.attachments.push(attachment);
        if !awaiting.is_complete() {
            return Ok(None);
        }
        let complete = self.awaiting.take().map(|awaiting| *awaiting);
        complete
            .filter(|packet| are_placeholders_in_range(&packet.array, packet.attachments.len()))
            .map(|packet| Some(Assembled(packet)))
            .ok_or(CloseReason::ParseError)
    }

    /// The application accepted a [`Received::Connect`].
    pub fn join(&mut self, namespace: &str, socket: S) {
        self.joined.push((namespace.into(), socket));
        self.connect_by = None;
    }

    /// The joined sockets.
    pub fn sockets(&self) -> impl Iterator<Item = &S> {
        self.joined.iter().map(|(_, socket)| socket)
    }

    /// Takes out the first socket that `is_leaving`: the server disconnects it.
    pub fn disconnect(&mut self, now: Duration, is_leaving: impl Fn(&S) -> bool) -> Option<S> {
        let index = self.joined.iter().position(|(_, socket)| is_leaving(socket))?;
        Some(self.leave(now, index))
    }

    /// When the connection closes with [`CloseReason::ConnectTimeout`], if no
    /// namespace is joined before.
    pub fn deadline(&self) -> Option<Duration> {
        self.connect_by
    }

    fn leave(&mut self, now: Duration, index: usize) -> S {
        let (_, socket) = self.joined.remove(index);
        if self.joined.is_empty() {
            self.connect_by = Some(now + self.limits.connect_timeout);
        }
        socket
    }
}

impl<S: Clone> Assembled<S> {
    /// # Errors
    /// Whatever closes the connection.
    pub fn received(&mut self) -> Result<Received<'_, S>, CloseReason> {
        let attachments = std::mem::take(&mut self.0.attachments);
        received(self.0.socket.clone(), self.0.kind, &mut self.0.array, attachments)
    }
}

fn received<S>(
    socket: S,
    kind: Kind,
    array: &mut [u8],
    attachments: Vec<Bytes>,
) -> Result<Received<'_, S>, CloseReason> {
    match kind {
        Kind::Event { ack, .. } => {
            let (name, arguments) = split_event(array).ok_or(CloseReason::ParseError)?;
            Ok(Received::Event(socket, Event { name, arguments, ack, attachments }))
        }
        Kind::Ack { id, .. } => Ok(Received::Acknowledged { socket, id, array, attachments }),
        Kind::Connect | Kind::Disconnect => Err(CloseReason::ParseError),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits =
        Limits { attachments_max: 2, namespaces_max: 2, connect_timeout: Duration::from_secs(45) };
    const START: Duration = Duration::from_secs(100);

    fn client(namespaces: &[&'static str]) -> Client<&'static str> {
        let mut client = Client::new(START, LIMITS);
        for namespace in namespaces {
            client.join(namespace, *namespace);
        }
        client
    }

    /// What a packet says, in a word.
    fn says(client: &mut Client<&'static str>, packet: &str) -> String {
        let mut packet = packet.as_bytes().to_vec();
        match client.text(START, &mut packet) {
            Ok(received) => describe(received),
            Err(reason) => reason.to_string(),
        }
    }

    fn describe(received: Received<'_, &'static str>) -> String {
        match received {
            Received::Incomplete => "incomplete".to_owned(),
            Received::Connect { namespace, auth } => {
                format!("connect {namespace} {}", auth.escape_ascii())
            }
            Received::Disconnected(socket) => format!("disconnected {socket}"),
            Received::Event(socket, event) => format!(
                "event {socket} {} {} {:?} +{}",
                event.name,
                String::from_utf8_lossy(event.arguments),
                event.ack,
                event.attachments.len()
            ),
            Received::Acknowledged { socket, id, array, attachments } => format!(
                "ack {socket} {id} {} +{}",
                String::from_utf8_lossy(array),
                attachments.len()
            ),
        }
    }

    #[test]
    fn packets_reach_the_socket_of_their_namespace() {
        let mut client = client(&["/", "/n"]);
        assert_eq!(says(&mut client, r#"2["a",1]"#), "event / a [1] None +0");
        assert_eq!(says(&mut client, r#"2/n,5["a"]"#), "event /n a [] Some(5) +0");
        assert_eq!(says(&mut client, "3/n,0[true]"), "ack /n 0 [true] +0");
        assert_eq!(says(&mut client, "1/n,"), "disconnected /n");
        assert_eq!(says(&mut client, "1/n,"), "parse error");
    }

    #[test]
    fn only_connect_may_name_a_namespace_not_joined() {
        for packet in [r#"2["a"]"#, "30[]", "1", r#"51-["a"]"#] {
            assert_eq!(says(&mut client(&["/n"]), packet), "parse error", "{packet}");
        }
        assert_eq!(says(&mut client(&[]), r#"0{"a":1}"#), r#"connect / {\"a\":1}"#);
        assert_eq!(says(&mut client(&["/"]), "0"), "parse error", "joined already");
        assert_eq!(says(&mut client(&["/", "/n"]), "0/m,"), "parse error", "too many");
    }

    #[test]
    fn attachments_complete_their_packet() {
        let mut client = client(&["/"]);
        let packet = r#"52-3["b",{"_placeholder":true,"num":1},{"_placeholder":true,"num":0}]"#;
        assert_eq!(says(&mut client, packet), "incomplete");
        assert!(client.binary(Bytes::from_static(b"0")).expect("expected").is_none());
        let mut assembled =
            client.binary(Bytes::from_static(b"1")).expect("expected").expect("complete");
        let received = describe(assembled.received().expect("an event"));
        assert!(received.starts_with("event / b [{") && received.ends_with("Some(3) +2"));
        assert_eq!(client.binary(Bytes::new()).err(), Some(CloseReason::ParseError));
    }

    #[test]
    fn an_event_without_a_name_does_not_wait_for_attachments() {
        for packet in ["51-[]", "51-[{}]", r#"51-["disconnect"]"#] {
            assert_eq!(says(&mut client(&["/"]), packet), "parse error", "{packet}");
        }
    }

    #[test]
    fn text_among_attachments_closes() {
        let mut client = client(&["/"]);
        assert_eq!(says(&mut client, r#"51-["b"]"#), "incomplete");
        assert_eq!(says(&mut client, r#"2["a"]"#), "parse error");
    }

    #[test]
    fn binary_out_of_the_blue_closes() {
        assert_eq!(client(&["/"]).binary(Bytes::new()).err(), Some(CloseReason::ParseError));
    }

    #[test]
    fn placeholders_must_name_an_attachment() {
        for (num, is_right) in
            [("0", true), ("1", false), ("-1", false), ("\"0\"", false), ("0.5", false)]
        {
            let mut client = client(&["/"]);
            let packet = format!(r#"51-["b",[{{"a":{{"_placeholder":true,"num":{num}}}}}]]"#);
            assert_eq!(says(&mut client, &packet), "incomplete");
            assert_eq!(client.binary(Bytes::new()).is_ok(), is_right, "{num}");
        }
        let mut client = client(&["/"]);
        says(&mut client, r#"51-["b",{"_placeholder":true}]"#);
        assert!(client.binary(Bytes::new()).is_err());
    }

    #[test]
    fn the_number_of_attachments_is_limited() {
        assert_eq!(says(&mut client(&["/"]), r#"53-["b"]"#), "parse error");
        assert_eq!(says(&mut client(&["/"]), r#"50-["b"]"#), "parse error");
    }

    #[test]
    fn a_client_without_a_namespace_has_a_deadline() {
        let mut client = client(&[]);
        assert_eq!(client.deadline(), Some(START + LIMITS.connect_timeout));
        client.join("/", "/");
        assert_eq!(client.deadline(), None);
        let later = START + Duration::from_secs(1_000);
        assert_eq!(client.disconnect(later, |_| true), Some("/"));
        assert_eq!(client.deadline(), Some(later + LIMITS.connect_timeout));
        assert_eq!(client.disconnect(later, |_| true), None);
    }
}
