//! The names of everything in Redis. All keys and the channel of a session
//! share the hash tag `{id}`, so that a script may touch them in a cluster.
//! Only validated ids become part of a name.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::poker::ids::{InstanceId, JoinCode, SessionId};
use crate::protocol::{PrivateId, SocketId};
use crate::store::attempt::{Attempt, Party};

/// Of the longest name of a session's, without the prefix.
const SESSION_NAME_BYTES: usize = "session:{}:connections".len() + 16;

#[derive(Debug, Clone)]
pub(super) struct Keys {
    prefix: String,
}

impl Keys {
    pub(super) const fn new(prefix: String) -> Self {
        Self { prefix }
    }

    /// Hash: epoch, version and nonce of the tail, the snapshot's version,
    /// the join code and how long it is kept, how long all of it is kept and
    /// what remains, the budgets of the seats and when they were last swept.
    pub(super) fn meta(&self, id: SessionId) -> String {
        let mut name = String::with_capacity(self.prefix.len() + SESSION_NAME_BYTES);
        for part in [&self.prefix, "session:{", id.as_str(), "}"] {
            name.push_str(part);
        }
        name
    }

    /// A field of that hash: the attempts of a seat at an event that count.
    pub(super) fn seat_budget(attempt: &Attempt) -> String {
        format!("rate:{}:{}", attempt.player, attempt.event)
    }

    /// String: the attempts of a party that count. All budgets of a party lie
    /// in one slot.
    pub(super) fn budget(&self, party: Party, what: &str) -> String {
        match party {
            Party::Network(network) => format!("{}rate:{what}:{{{network}}}", self.prefix),
            Party::Everybody => format!("{}rate:{what}:{{everybody}}", self.prefix),
        }
    }

    /// Stream, id `version-nonce`: `e` the event, `t` when it was appended.
    pub(super) fn log(&self, id: SessionId) -> String {
        self.meta(id) + ":log"
    }

    /// String: the session as of the snapshot's version.
    pub(super) fn snapshot(&self, id: SessionId) -> String {
        self.meta(id) + ":snapshot"
    }

    /// String: what the session will have been; outlives the others.
    pub(super) fn tombstone(&self, id: SessionId) -> String {
        self.meta(id) + ":tombstone"
    }

    /// In the order in which the scripts know them.
    pub(super) fn of_session(&self, id: SessionId) -> [String; 4] {
        [self.meta(id), self.log(id), self.snapshot(id), self.tombstone(id)]
    }

    /// String: the id of the session with this code. In a slot of its own.
    pub(super) fn code(&self, code: &str) -> String {
        format!("{}code:{code}", self.prefix)
    }

    pub(super) fn code_of(&self, code: JoinCode) -> String {
        self.code(code.as_str())
    }

    /// The sharded channel of a session; named like its hash.
    pub(super) fn channel(&self, id: SessionId) -> String {
        self.meta(id)
    }

    /// Hash: the record of a running instance, for as long as its lease.
    pub(super) fn instance(&self, id: InstanceId) -> String {
        format!("{}instance:{id}", self.prefix)
    }

    /// Sorted set, score = end of the lease: the instances. One of all.
    pub(super) fn instances(&self) -> String {
        format!("{}instances", self.prefix)
    }

    /// String: somebody does that just now, or has lately.
    pub(super) fn turn(&self, what: &str) -> String {
        format!("{}turn:{what}", self.prefix)
    }

    /// String: the record of a socket that has a place.
    pub(super) fn connection(&self, socket: SocketId) -> String {
        format!("{}connection:{socket}", self.prefix)
    }

    /// Sorted set, score = end of the lease: the sockets of a session.
    pub(super) fn connections(&self, id: SessionId) -> String {
        self.meta(id) + ":connections"
    }

    /// Sorted set, score = end of the longest lease: the players of a session
    /// who are connected.
    pub(super) fn online(&self, id: SessionId) -> String {
        self.meta(id) + ":online"
    }

    /// The two, in the order in which the scripts know them.
    pub(super) fn of_connections(&self, id: SessionId) -> [String; 2] {
        [self.connections(id), self.online(id)]
    }

    /// Hash: how a socket comes back. Named by the SHA-256 of the private id,
    /// so that no list of keys gives a secret away.
    pub(super) fn recovery(&self, id: PrivateId) -> String {
        let digest = Sha256::digest(id.expose());
        format!("{}recovery:{}", self.prefix, URL_SAFE_NO_PAD.encode(digest))
    }

    pub(super) fn session_of_channel(&self, channel: &[u8]) -> Option<SessionId> {
        let name = str::from_utf8(channel).ok()?;
        let id = name.strip_prefix(&self.prefix)?.strip_prefix("session:{")?;
        id.strip_suffix('}')?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_names_of_a_session_have_its_hash_tag() {
        let keys = Keys::new("poker:".to_owned());
        let id = SessionId::from_random([5; 10]);
        for key in keys.of_session(id).iter().chain([&keys.channel(id)]) {
            let tag = key.split_once('{').and_then(|(_, rest)| rest.split_once('}'));
            assert_eq!(tag.map(|(tag, _)| tag), Some(id.as_str()), "{key}");
        }
        assert_eq!(keys.session_of_channel(keys.channel(id).as_bytes()), Some(id));
        assert_eq!(keys.session_of_channel(b"poker:session:{x}"), None);
        for key in [keys.connections(id), keys.online(id)] {
            assert!(key.starts_with(&format!("{}:", keys.meta(id))), "{key}");
        }
        assert_eq!(keys.code_of(JoinCode::from_random([0; 5])), "poker:code:00000000");
    }

    #[test]
    fn the_key_of_a_recovery_does_not_tell_the_secret() {
        let id = PrivateId::from_random([7; 15]);
        let key = Keys::new("poker:".to_owned()).recovery(id);
        assert_eq!(key.len(), "poker:recovery:".len() + 43);
        assert!(!key.contains(id.expose()));
    }
}
