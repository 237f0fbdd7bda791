//! What Redis holds in the end: the witness of everything that happened.

use std::collections::{BTreeMap, HashMap};

use redis::Value;

use cardroom::poker::event::{Event, Fact};
use cardroom::poker::evolve::evolve;
use cardroom::poker::ids::SessionId;
use cardroom::poker::session::Session;
use cardroom::store::codec::{decode_event, decode_session};

use crate::redis_process::RedisProcess;

#[derive(Default)]
pub(crate) struct Truth {
    pub(crate) sessions: BTreeMap<SessionId, SessionLog>,
    /// Entries as they were before Redis was emptied, by session and version.
    archive: HashMap<SessionId, BTreeMap<u64, Entry>>,
}

#[derive(Default)]
pub(crate) struct SessionLog {
    /// In the order of the log.
    pub(crate) entries: Vec<Entry>,
    pub(crate) version: u64,
    pub(crate) nonce: u64,
    pub(crate) snapshot: Option<(u64, Session)>,
}

#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) version: u64,
    pub(crate) nonce: u64,
    pub(crate) event: Event,
}

/// Told of every step of a session from its opening on.
pub(crate) trait Visitor {
    fn before(&mut self, _state: &Session, _entry: &Entry) {}
    fn after(&mut self, _state: &Session, _entry: &Entry) {}
}

impl Truth {
    /// Keeps the log as it is now: Redis is about to be emptied, and what
    /// comes back may begin with a snapshot.
    pub(crate) async fn archive(
        &mut self,
        redis: &mut RedisProcess,
        sessions: &[SessionId],
    ) -> Result<(), String> {
        for id in sessions {
            let entries = entries(redis, *id).await?;
            let kept = self.archive.entry(*id).or_default();
            kept.extend(entries.into_iter().map(|entry| (entry.version, entry)));
        }
        Ok(())
    }

    pub(crate) async fn read(
        &mut self,
        redis: &mut RedisProcess,
        sessions: impl Iterator<Item = SessionId>,
    ) -> Result<(), String> {
        for id in sessions {
            let key = key(id);
            let meta = redis.ask(&["HMGET", &key, "version", "nonce", "snapshot"]).await?;
            let meta: Vec<Option<u64>> = meta;
            let part = |index: usize| meta.get(index).copied().flatten();
            let snapshot: Option<Vec<u8>> = redis.ask(&["GET", &format!("{key}:snapshot")]).await?;
            let snapshot = snapshot.and_then(|bytes| decode_session(&bytes).ok());
            let entries = entries(redis, id).await?;
            let first = entries.first().map_or(u64::MAX, |entry| entry.version);
            let mut whole: Vec<Entry> = Vec::new();
            if let Some(kept) = self.archive.get(&id) {
                whole.extend(kept.range(..first).map(|(_, entry)| entry.clone()));
            }
            whole.extend(entries);
            let log = SessionLog {
                entries: whole,
                version: part(0).unwrap_or_default(),
                nonce: part(1).unwrap_or_default(),
                snapshot: part(2).zip(snapshot),
            };
            self.sessions.insert(id, log);
        }
        Ok(())
    }
}

impl SessionLog {
    /// Shows every step and returns the end; `None` when the log does not
    /// begin with an opening.
    pub(crate) fn walk(&self, visitors: &mut [&mut dyn Visitor]) -> Option<Session> {
        let mut state: Option<Session> = None;
        for entry in &self.entries {
            match (&mut state, &entry.event.fact) {
                (None, Fact::Opened(opening)) => {
                    state = Some(Session::open(opening, entry.event.at));
                }
                (None, _) => return None,
                (Some(session), _) => {
                    visitors.iter_mut().for_each(|visitor| visitor.before(session, entry));
                    evolve(session, &entry.event);
                }
            }
            if let Some(session) = &state {
                visitors.iter_mut().for_each(|visitor| visitor.after(session, entry));
            }
        }
        state
    }
}

fn key(id: SessionId) -> String {
    format!("session:{{{id}}}")
}

async fn entries(redis: &mut RedisProcess, id: SessionId) -> Result<Vec<Entry>, String> {
    let key = format!("{}:log", key(id));
    let rows: Vec<(String, HashMap<String, Value>)> =
        redis.ask(&["XRANGE", &key, "-", "+"]).await?;
    let decoded = rows.into_iter().map(|(place, fields)| {
        let (version, nonce) = place.split_once('-')?;
        let Some(Value::BulkString(bytes)) = fields.get("e") else { return None };
        let event = decode_event(bytes).ok()?;
        Some(Entry { version: version.parse().ok()?, nonce: nonce.parse().ok()?, event })
    });
    decoded
        .collect::<Option<Vec<Entry>>>()
        .ok_or_else(|| format!("a log of {id} that is unreadable"))
}
