//! What other services say to sessions by `@socket.io/redis-emitter`.
//!
//! It reaches the sockets in the rooms `session:{id}` as an event without an
//! offset, and touches nothing else: no seat, no vote, no replica. The names
//! of the game are refused, so that nobody else reveals cards.

use std::borrow::Cow;
use std::collections::HashSet;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::Instant;
use tracing::{error, warn};

use crate::api::client_event::EventName;
use crate::api::projection::NAMESPACE;
use crate::api::server_event;
use crate::config::Config;
use crate::hub::Hub;
use crate::protocol::{Encoded, SocketId};
use crate::server::store::redis_options;
use crate::store::redis::{Emission, EmitterListener};

/// The only rooms that others may speak to.
const ROOM_PREFIX: &str = "session:";
/// Between two lines about names that were refused.
const COMPLAIN_EVERY: Duration = Duration::from_secs(10);
/// Names that mean something to every client, or to ours, beside those of the
/// catalogue's own families.
const RESERVED: [&str; 9] = [
    "connect",
    "connect_error",
    "connection",
    "disconnect",
    "disconnecting",
    "error",
    "newListener",
    "rate",
    "removeListener",
];

/// Ends when it is dropped.
pub(super) struct Emitter(JoinHandle<()>);

impl Drop for Emitter {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Listens, if that is configured. Must be called within a tokio runtime.
pub(super) fn start(config: &Config, hub: Hub) -> Option<Emitter> {
    if !config.redis.emitter || config.redis.url.is_empty() {
        return None;
    }
    let options = redis_options(config);
    let listening = async move {
        let listener = match EmitterListener::connect(options).await {
            Ok(listener) => listener,
            // The store of the sessions was reached a moment ago.
            Err(error) => return error!(%error, "the emitter is not listened to"),
        };
        let ours = own_families();
        let mut complained: Option<Instant> = None;
        listener
            .run(|emission| {
                if !ours.contains(family(&emission.name)) {
                    deliver(&hub, &emission);
                } else if complained.is_none_or(|last| COMPLAIN_EVERY <= last.elapsed()) {
                    complained = Some(Instant::now());
                    warn!(event = %family(&emission.name), "an event of the game was emitted by somebody else, and refused");
                }
            })
            .await;
    };
    Some(Emitter(tokio::spawn(listening)))
}

/// The families of the catalogue: `vote` of `vote:submitted`. All of a family
/// is ours, so that a name that comes to it later was never anybody else's.
fn own_families() -> HashSet<&'static str> {
    let told = server_event::descriptions().into_iter().map(|event| event.name);
    let asked = EventName::ALL.iter().map(|name| name.as_str());
    told.chain(asked).map(family).chain(RESERVED).collect()
}

fn family(name: &str) -> &str {
    name.split(':').next().unwrap_or_default()
}

/// To everybody in one of the rooms, once.
fn deliver(hub: &Hub, emission: &Emission) {
    let find = |name: &String| name.starts_with(ROOM_PREFIX).then(|| hub.find(name)).flatten();
    let excepted: HashSet<SocketId> =
        emission.except.iter().filter_map(find).flat_map(|room| room.sockets()).collect();
    let is_excepted = |socket: SocketId| {
        excepted.contains(&socket) || emission.except.iter().any(|name| *name == socket.to_string())
    };
    let message = Encoded::event(NAMESPACE, &guarded(&emission.array));
    let mut told: HashSet<SocketId> = HashSet::new();
    let mut rooms: HashSet<&str> = HashSet::new();
    for name in &emission.rooms {
        let Some(room) = find(name).filter(|_| rooms.insert(name)) else { continue };
        let is_meant = |socket| !told.contains(&socket) && !is_excepted(socket);
        if emission.is_volatile {
            room.send_volatile_where(&message, is_meant);
        } else {
            room.queue_where(&message, is_meant);
            room.flush();
        }
        if 1 < emission.rooms.len() {
            told.extend(room.sockets());
        }
    }
}

/// A client takes a text at the end of an event for the offset it has reached,
/// and could not come back to its session with it. So none stands there.
fn guarded(array: &[u8]) -> Cow<'_, [u8]> {
    match array.strip_suffix(b"\"]") {
        Some(rest) => [rest, b"\",null]"].concat().into(),
        None => array.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_stands_where_clients_look_for_an_offset() {
        assert_eq!(guarded(br#"["news","7-9"]"#)[..], *br#"["news","7-9",null]"#);
        assert_eq!(guarded(br#"["news"]"#)[..], *br#"["news",null]"#);
        assert_eq!(guarded(br#"["news",{"a":"b"}]"#)[..], *br#"["news",{"a":"b"}]"#);
    }

    #[test]
    fn what_sounds_like_the_game_is_ours() {
        let ours = own_families();
        for name in [
            "cards:revealed",
            "vote:submitted",
            "session:error",
            "round:whatever-comes",
            "vote:submit",
            "connection:error",
            "rate:limit",
            "disconnect",
            "heartbeat:response",
        ] {
            assert!(ours.contains(family(name)), "{name}");
        }
        for name in ["announcement", "team:lunch", "voted", ""] {
            assert!(!ours.contains(family(name)), "{name}");
        }
    }
}
