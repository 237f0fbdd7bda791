//! The updates of the sessions that somebody here follows.
//!
//! What this instance commits, its subscribers hear at once. What others
//! commit arrives as a doorbell that names only the new position; the log
//! behind the last known one is then read, once for all subscribers here. So
//! whatever comes first, comes twice or does not come at all, the updates of
//! a session are in order and without a gap, or its subscribers are told.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::broadcast;

use crate::poker::event::Event;
use crate::poker::ids::SessionId;
use crate::store::codec::encode_event;
use crate::store::contract::{Entry, Position, UPDATES_WAITING_MAX, Update};

/// What was heard recently is kept, for a Redis that loses it: so many entries
/// and bytes of a session at the most.
const RECENT_MAX: usize = 256;
const RECENT_BYTES_MAX: usize = 1_048_576;

#[derive(Debug, Default)]
pub(super) struct Channels {
    channels: Mutex<HashMap<SessionId, Channel>>,
}

#[derive(Debug)]
struct Channel {
    updates: broadcast::Sender<Update>,
    /// Up to here the subscribers were told; `None` until it is known.
    told: Option<Position>,
    recent: Recent,
    /// Commits of this instance that wait for their reply.
    own_commits: usize,
    /// The doorbell of an own commit rang before its reply came.
    owed: Option<Position>,
    /// The log is being read, or has to be read once more.
    reading: Reading,
}

/// The last entries that are known, without a gap, and their sizes.
#[derive(Debug, Default)]
struct Recent {
    entries: VecDeque<(Entry, usize)>,
    bytes: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    No,
    Once,
    Again,
}

/// Whether somebody must read the log now, with `begin_read` … `end_read`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(super) enum Next {
    Read,
    Nothing,
}

impl Channels {
    /// A receiver, and whether updates reach this channel already.
    pub(super) fn join(&self, id: SessionId) -> (broadcast::Receiver<Update>, bool) {
        let mut channels = self.lock();
        let channel = channels.entry(id).or_insert_with(Channel::new);
        (channel.updates.subscribe(), channel.told.is_some())
    }

    /// Subscribers are told what lies behind `head`.
    pub(super) fn anchor(&self, id: SessionId, head: Position) {
        if let Some(channel) = self.lock().get_mut(&id) {
            channel.told.get_or_insert(head);
        }
    }

    pub(super) fn ids(&self) -> Vec<SessionId> {
        self.lock().keys().copied().collect()
    }

    /// Forgets the channels that nobody listens to any more.
    pub(super) fn sweep(&self) -> Vec<SessionId> {
        let mut channels = self.lock();
        let idle = |channel: &Channel| {
            channel.updates.receiver_count() == 0
                && channel.own_commits == 0
                && channel.reading == Reading::No
        };
        let gone: Vec<SessionId> =
            channels.iter().filter(|(_, channel)| idle(channel)).map(|(id, _)| *id).collect();
        for id in &gone {
            channels.remove(id);
        }
        gone
    }

    pub(super) fn has(&self, id: SessionId) -> bool {
        self.lock().contains_key(&id)
    }

    pub(super) fn begin_commit(&self, id: SessionId) {
        if let Some(channel) = self.lock().get_mut(&id) {
            channel.own_commits += 1;
        }
    }

    /// `committed` is `None` when the commit was not accepted, or nobody knows.
    pub(super) fn end_commit(
        &self,
        id: SessionId,
        committed: Option<(Position, Arc<[Entry]>)>,
    ) -> Next {
        let mut channels = self.lock();
        let Some(channel) = channels.get_mut(&id) else { return Next::Nothing };
        channel.own_commits = channel.own_commits.saturating_sub(1);
        let mut behind = None;
        if let Some((previous, entries)) = committed {
            channel.recent.add(&entries);
            if channel.told == Some(previous) {
                channel.tell(previous, entries);
            } else {
                // Somebody else's commit lies between; it is read with this.
                behind = entries.last().map(|entry| entry.position);
            }
        }
        if channel.own_commits == 0 {
            behind = channel.owed.take().or(behind);
        }
        channel.want(behind)
    }

    /// The log of `id` is said to reach up to `position`.
    pub(super) fn ring(&self, id: SessionId, position: Position, is_own: bool) -> Next {
        let mut channels = self.lock();
        let Some(channel) = channels.get_mut(&id) else { return Next::Nothing };
        if is_own && 0 < channel.own_commits {
            channel.owed = Some(position);
            return Next::Nothing;
        }
        channel.want(Some(position))
    }

    /// Something may have been missed, whatever it was.
    pub(super) fn doubt(&self, id: SessionId) -> Next {
        self.lock().get_mut(&id).map_or(Next::Nothing, Channel::read)
    }

    /// From where to read; `None` ends the reading.
    pub(super) fn begin_read(&self, id: SessionId) -> Option<Position> {
        let mut channels = self.lock();
        let channel = channels.get_mut(&id)?;
        channel.reading = Reading::Once;
        if channel.told.is_none() {
            channel.reading = Reading::No;
        }
        channel.told
    }

    /// The log behind `previous`.
    pub(super) fn heard(&self, id: SessionId, previous: Position, entries: Vec<Entry>) {
        if let Some(channel) = self.lock().get_mut(&id) {
            if channel.told == Some(previous) && !entries.is_empty() {
                channel.tell(previous, entries.into());
            } else if channel.told != Some(previous) {
                // An own commit came first: read on from there.
                channel.reading = Reading::Again;
            }
        }
    }

    /// The log no longer leads on from where the subscribers are: they are
    /// told that they missed something. Updates go on behind `head`.
    pub(super) fn broke(&self, id: SessionId, head: Option<Position>) {
        if let Some(channel) = self.lock().get_mut(&id) {
            channel.updates = broadcast::Sender::new(UPDATES_WAITING_MAX);
            channel.told = head;
        }
    }

    pub(super) fn told(&self, id: SessionId) -> Option<Position> {
        self.lock().get(&id)?.told
    }

    /// These are in the log; the subscribers may not have been told yet.
    pub(super) fn remember(&self, id: SessionId, entries: &[Entry]) {
        if let Some(channel) = self.lock().get_mut(&id) {
            channel.recent.add(entries);
        }
    }

    /// The last entries up to `position`, without a gap; none if it is not
    /// among those that are known.
    pub(super) fn recent(&self, id: SessionId, position: Position) -> Vec<Entry> {
        let channels = self.lock();
        let Some(Channel { recent, .. }) = channels.get(&id) else { return Vec::new() };
        let known = recent.index(position).map_or(0, |index| index + 1);
        let known = recent.entries.iter().take(known);
        known.map(|(entry, _)| entry.clone()).collect()
    }

    pub(super) fn end_read(&self, id: SessionId) -> Next {
        let mut channels = self.lock();
        let Some(channel) = channels.get_mut(&id) else { return Next::Nothing };
        let next = if channel.reading == Reading::Again { Next::Read } else { Next::Nothing };
        channel.reading = if next == Next::Read { Reading::Once } else { Reading::No };
        next
    }

    pub(super) fn whisper(&self, id: SessionId, event: Event) {
        if let Some(channel) = self.lock().get(&id) {
            let _ = channel.updates.send(Update::Whispered(Arc::new(event)));
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SessionId, Channel>> {
        // Every change is made in one step.
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Channel {
    fn new() -> Self {
        Self {
            updates: broadcast::Sender::new(UPDATES_WAITING_MAX),
            told: None,
            recent: Recent::default(),
            own_commits: 0,
            owed: None,
            reading: Reading::No,
        }
    }

    fn tell(&mut self, previous: Position, entries: Arc<[Entry]>) {
        self.told = entries.last().map(|entry| entry.position).or(self.told);
        self.recent.add(&entries);
        // Nobody listening is no error.
        let _ = self.updates.send(Update::Committed { previous, entries });
    }

    /// Reads if `position` is news.
    fn want(&mut self, position: Option<Position>) -> Next {
        let (Some(position), Some(told)) = (position, self.told) else { return Next::Nothing };
        let is_known =
            position == told || (position.epoch == told.epoch && position.version < told.version);
        if is_known { Next::Nothing } else { self.read() }
    }

    fn read(&mut self) -> Next {
        match self.reading {
            Reading::No => {
                self.reading = Reading::Once;
                Next::Read
            }
            Reading::Once | Reading::Again => {
                self.reading = Reading::Again;
                Next::Nothing
            }
        }
    }
}

impl Recent {
    fn add(&mut self, entries: &[Entry]) {
        for entry in entries {
            if self.knows(entry.position) {
                continue;
            }
            self.cut(entry.position);
            let follows = self.entries.back().is_none_or(|(last, _)| {
                last.position.epoch == entry.position.epoch
                    && last.position.version + 1 == entry.position.version
            });
            if !follows {
                *self = Self::default();
            }
            let bytes = encode_event(&entry.event).len();
            self.bytes += bytes;
            self.entries.push_back((entry.clone(), bytes));
            while RECENT_MAX < self.entries.len() || RECENT_BYTES_MAX < self.bytes {
                let Some((_, bytes)) = self.entries.pop_front() else { break };
                self.bytes -= bytes;
            }
        }
    }

    fn knows(&self, position: Position) -> bool {
        self.index(position).is_some()
    }

    fn index(&self, position: Position) -> Option<usize> {
        let first = self.entries.front()?.0.position.version;
        let index = usize::try_from(position.version.checked_sub(first)?).ok()?;
        (self.entries.get(index)?.0.position == position).then_some(index)
    }

    /// Forgets what another history has at and behind the place of `position`.
    fn cut(&mut self, position: Position) {
        while let Some((entry, bytes)) = self.entries.back()
            && position.version <= entry.position.version
        {
            self.bytes -= bytes;
            self.entries.pop_back();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::poker::event::Fact;
    use crate::poker::ids::{Millis, PlayerId};

    const ID: [u8; 10] = [1; 10];

    fn at(version: u64) -> Position {
        Position { epoch: 1, version, nonce: version }
    }

    fn entries(versions: impl IntoIterator<Item = u64>) -> Vec<Entry> {
        let fact = Fact::AwaySet { player: PlayerId::from_random([1; 16]), is_away: true };
        let event = Event { at: Millis(1), seq: 0, by: None, request: None, fact };
        let at_version = |version| Entry { position: at(version), event: event.clone() };
        versions.into_iter().map(at_version).collect()
    }

    fn followed() -> (Channels, SessionId, broadcast::Receiver<Update>) {
        let channels = Channels::default();
        let id = SessionId::from_random(ID);
        let (receiver, is_known) = channels.join(id);
        assert!(!is_known);
        channels.anchor(id, at(1));
        (channels, id, receiver)
    }

    fn versions(receiver: &mut broadcast::Receiver<Update>) -> Vec<(u64, u64)> {
        let mut versions = Vec::new();
        while let Ok(Update::Committed { previous, entries }) = receiver.try_recv() {
            let last = entries.last().map_or(0, |entry| entry.position.version);
            versions.push((previous.version, last));
        }
        versions
    }

    #[test]
    fn an_own_commit_is_told_once_and_read_never() {
        for bell_comes_first in [true, false] {
            let (channels, id, mut receiver) = followed();
            channels.begin_commit(id);
            if bell_comes_first {
                assert_eq!(channels.ring(id, at(2), true), Next::Nothing);
            }
            let committed = Some((at(1), entries([2]).into()));
            assert_eq!(channels.end_commit(id, committed), Next::Nothing);
            assert_eq!(channels.ring(id, at(2), true), Next::Nothing);
            assert_eq!(versions(&mut receiver), [(1, 2)]);
        }
    }

    #[test]
    fn an_own_commit_without_reply_is_read() {
        let (channels, id, _receiver) = followed();
        channels.begin_commit(id);
        assert_eq!(channels.ring(id, at(2), true), Next::Nothing);
        assert_eq!(channels.end_commit(id, None), Next::Read);
    }

    #[test]
    fn a_foreign_commit_is_read_once_for_all_bells() {
        let (channels, id, mut receiver) = followed();
        assert_eq!(channels.ring(id, at(2), false), Next::Read);
        assert_eq!(channels.begin_read(id), Some(at(1)));
        assert_eq!(channels.ring(id, at(3), false), Next::Nothing);
        channels.heard(id, at(1), entries(2..=3));
        assert_eq!(channels.end_read(id), Next::Read);
        assert_eq!(channels.begin_read(id), Some(at(3)));
        channels.heard(id, at(3), Vec::new());
        assert_eq!(channels.end_read(id), Next::Nothing);
        assert_eq!(channels.ring(id, at(3), false), Next::Nothing);
        assert_eq!(versions(&mut receiver), [(1, 3)]);
    }

    #[test]
    fn an_own_commit_behind_a_foreign_one_waits_for_it() {
        let (channels, id, mut receiver) = followed();
        channels.begin_commit(id);
        let committed = Some((at(2), entries([3]).into()));
        assert_eq!(channels.end_commit(id, committed), Next::Read);
        assert_eq!(channels.begin_read(id), Some(at(1)));
        channels.heard(id, at(1), entries(2..=3));
        assert_eq!(channels.end_read(id), Next::Nothing);
        assert_eq!(versions(&mut receiver), [(1, 3)]);
    }

    #[test]
    fn a_log_that_does_not_lead_on_is_noticed() {
        let (channels, id, mut receiver) = followed();
        channels.broke(id, Some(at(900)));
        assert_eq!(receiver.try_recv().err(), Some(broadcast::error::TryRecvError::Closed));
        let (mut receiver, is_known) = channels.join(id);
        assert!(is_known);
        channels.begin_commit(id);
        let committed = Some((at(900), entries([901]).into()));
        assert_eq!(channels.end_commit(id, committed), Next::Nothing);
        assert_eq!(versions(&mut receiver), [(900, 901)]);
    }

    #[test]
    fn what_was_told_last_is_remembered_without_a_gap() {
        let (channels, id, _receiver) = followed();
        let recent = |version| {
            let entries = channels.recent(id, at(version));
            entries.iter().map(|entry| entry.position.version).collect::<Vec<_>>()
        };
        channels.heard(id, at(1), entries(2..=400));
        assert_eq!(recent(400), (145..=400).collect::<Vec<_>>());
        assert_eq!(recent(150), (145..=150).collect::<Vec<_>>());
        assert_eq!(recent(100), Vec::<u64>::new());
        // What is known twice is known once; another history replaces it.
        channels.remember(id, &entries(399..=401));
        assert_eq!(recent(401).len(), 256);
        let other =
            Entry { position: Position { nonce: 7, ..at(400) }, ..entries([400])[0].clone() };
        channels.remember(id, std::slice::from_ref(&other));
        assert_eq!((recent(401), recent(399).len()), (Vec::<u64>::new(), 254));
        assert_eq!(channels.recent(id, other.position).len(), 255);
        channels.remember(id, &entries([400]));
        // A history that goes on elsewhere has nothing to do with it.
        channels.broke(id, Some(at(900)));
        assert_eq!(recent(400).len(), 255);
        channels.heard(id, at(900), entries(901..=902));
        assert_eq!(recent(902), [901, 902]);
    }

    #[test]
    fn a_channel_goes_with_its_last_subscriber() {
        let (channels, id, receiver) = followed();
        let (second, is_known) = channels.join(id);
        assert!(is_known);
        drop(receiver);
        assert_eq!(channels.sweep(), []);
        drop(second);
        assert_eq!(channels.sweep(), [id]);
        assert!(!channels.has(id));
    }
}
