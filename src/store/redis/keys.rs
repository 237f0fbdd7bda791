//! The names of everything in Redis. All keys and the channel of a session
//! share the hash tag `{id}`, so that a script may touch them in a cluster.
//! Only validated ids become part of a name.

use crate::poker::ids::{JoinCode, SessionId};

#[derive(Debug, Clone)]
pub(super) struct Keys {
    prefix: String,
}

impl Keys {
    pub(super) const fn new(prefix: String) -> Self {
        Self { prefix }
    }

    /// Hash: epoch, version and nonce of the tail, the snapshot's version,
    /// the join code and how long it is kept.
    pub(super) fn meta(&self, id: SessionId) -> String {
        format!("{}session:{{{id}}}", self.prefix)
    }

    /// Stream, id `version-nonce`: `e` the event, `t` when it was appended.
    pub(super) fn log(&self, id: SessionId) -> String {
        format!("{}:log", self.meta(id))
    }

    /// String: the session as of the snapshot's version.
    pub(super) fn snapshot(&self, id: SessionId) -> String {
        format!("{}:snapshot", self.meta(id))
    }

    /// String: what the session will have been; outlives the others.
    pub(super) fn tombstone(&self, id: SessionId) -> String {
        format!("{}:tombstone", self.meta(id))
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
        assert_eq!(keys.code_of(JoinCode::from_random([0; 5])), "poker:code:00000000");
    }
}
