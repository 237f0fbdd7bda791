//! What the directory is to be told: what is here, and what has changed since
//! it was told last.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::mem::take;
use std::sync::Arc;

use crate::connection::Socket;
use crate::poker::ids::SessionId;
use crate::protocol::{PrivateId, SocketId};
use crate::store::directory::{ConnectionRecord, RecoverablePlace, RecoveryRecord};
use crate::table::socket_state::SeatLimits;

/// Changes of each kind that wait to be told. What does not fit is told with
/// the next renewal, or ends with its lease.
const CHANGES_MAX: usize = 8_192;

/// A renewal goes in so many parts, so that Redis is never busy with one.
pub(super) const SHARES: u64 = 10;

#[derive(Default)]
pub(super) struct Ledger {
    sockets: HashMap<SocketId, TrackedSocket>,
    recoverable: HashMap<PrivateId, Recoverable>,
    changes: Changed,
    /// The lost ones that were told last: that may not have arrived yet.
    telling: Vec<RecoveryRecord>,
}

/// By id, not as records: what is told is what is true then.
#[derive(Default)]
struct Changed {
    came: HashSet<SocketId>,
    left: Vec<ConnectionRecord>,
    kept: HashSet<PrivateId>,
    lost: Vec<RecoveryRecord>,
    forgotten: Vec<PrivateId>,
}

pub(super) struct TrackedSocket {
    pub(super) record: ConnectionRecord,
    /// Tells two places of one socket apart.
    pub(super) serial: u64,
    pub(super) activity: Arc<SeatLimits>,
}

pub(super) struct Recoverable {
    pub(super) record: RecoveryRecord,
    pub(super) serial: u64,
    pub(super) socket: Option<Socket>,
}

/// What is to be told now.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct News {
    pub(super) left: Vec<ConnectionRecord>,
    pub(super) came: Vec<ConnectionRecord>,
    pub(super) recoverable: Vec<RecoveryRecord>,
    pub(super) forgotten: Vec<PrivateId>,
}

impl TrackedSocket {
    fn record(&self) -> ConnectionRecord {
        let last_activity = self.record.last_activity.max(self.activity.last_event_at());
        ConnectionRecord { last_activity, ..self.record.clone() }
    }
}

impl Ledger {
    pub(super) fn enter(&mut self, socket: TrackedSocket) {
        let id = socket.record.socket;
        self.sockets.insert(id, socket);
        if self.changes.came.len() < CHANGES_MAX {
            self.changes.came.insert(id);
        }
    }

    pub(super) fn leave(&mut self, id: SocketId, serial: u64) {
        if self.sockets.get(&id).is_none_or(|socket| socket.serial != serial) {
            // It has taken a place again meanwhile.
            return;
        }
        let Some(socket) = self.sockets.remove(&id) else { return };
        self.changes.came.remove(&id);
        if self.changes.left.len() < CHANGES_MAX {
            self.changes.left.push(socket.record);
        }
    }

    /// Told already: the next renewal writes it again. Too late, if the socket
    /// has been claimed since.
    pub(super) fn hold(&mut self, recoverable: Recoverable) {
        let RecoveryRecord { id, claims, .. } = recoverable.record;
        if self.recoverable.get(&id).is_none_or(|known| known.record.claims <= claims) {
            self.recoverable.insert(id, recoverable);
        }
    }

    pub(super) fn holder(&self, id: PrivateId) -> Option<Socket> {
        self.recoverable.get(&id)?.socket.clone()
    }

    /// The socket of `id` has taken a place, or left it, which is not told yet.
    pub(super) fn sit(&mut self, id: PrivateId, claims: u32, place: Option<RecoverablePlace>) {
        let is_it = |record: &RecoveryRecord| (record.id, record.claims) == (id, claims);
        let here = self.recoverable.get_mut(&id).map(|known| &mut known.record);
        if let Some(record) = here.filter(|record| is_it(record)) {
            record.place = place;
            return;
        }
        let lost = self.changes.lost.iter_mut().chain(&mut self.telling);
        lost.filter(|record| is_it(record)).for_each(|record| record.place = place);
    }

    /// The place of a socket that is here, or was until a moment ago, unless
    /// it has been claimed since.
    pub(super) fn place_of(&self, id: PrivateId, claims: u32) -> Option<RecoverablePlace> {
        let here = self.recoverable.get(&id).map(|known| &known.record);
        let lost = self.changes.lost.iter().chain(&self.telling);
        let mut those = here.into_iter().chain(lost);
        those.find(|record| (record.id, record.claims) == (id, claims))?.place
    }

    pub(super) fn keep(&mut self, recoverable: Recoverable) {
        let id = recoverable.record.id;
        self.hold(recoverable);
        if self.changes.kept.len() < CHANGES_MAX {
            self.changes.kept.insert(id);
        }
    }

    /// Written once more, so that the whole window is left.
    pub(super) fn lose(&mut self, id: PrivateId) {
        let Some(recoverable) = self.recoverable.remove(&id) else { return };
        if self.changes.lost.len() < CHANGES_MAX {
            self.changes.lost.push(recoverable.record);
        }
    }

    pub(super) fn forget(&mut self, id: PrivateId) {
        self.recoverable.remove(&id);
        self.changes.lost.retain(|record| record.id != id);
        self.telling.retain(|record| record.id != id);
        if self.changes.forgotten.len() < CHANGES_MAX {
            self.changes.forgotten.push(id);
        }
    }

    /// Somebody else has claimed the socket of `id`: what is here is a relic.
    pub(super) fn superseded(&mut self, id: PrivateId, claims: u32) -> Option<Socket> {
        self.recoverable.get(&id).filter(|known| known.record.claims <= claims)?;
        self.recoverable.remove(&id)?.socket
    }

    /// What has changed.
    pub(super) fn news(&mut self) -> News {
        let changes = take(&mut self.changes);
        self.telling.clone_from(&changes.lost);
        let came = changes.came.iter().filter_map(|id| self.sockets.get(id));
        let kept = changes.kept.iter().filter_map(|id| self.recoverable.get(id));
        News {
            left: self.without_returned(changes.left),
            came: came.map(TrackedSocket::record).collect(),
            recoverable: kept.map(|kept| kept.record.clone()).chain(changes.lost).collect(),
            forgotten: changes.forgotten,
        }
    }

    /// All that is here.
    pub(super) fn all(&self) -> News {
        self.those(|_| true)
    }

    /// One part of all that is here; `SHARES` of them are everything. The
    /// sockets of a session are in the same: one script writes them.
    pub(super) fn share(&self, number: u64) -> News {
        self.those(|lot| lot % SHARES == number % SHARES)
    }

    fn those(&self, is_one: impl Fn(u64) -> bool) -> News {
        let sockets = self.sockets.values().filter(|socket| is_one(lot(socket.record.session)));
        let kept = self.recoverable.values().filter(|kept| is_one(kept.serial));
        News {
            came: sockets.map(TrackedSocket::record).collect(),
            recoverable: kept.map(|kept| kept.record.clone()).collect(),
            ..News::default()
        }
    }

    /// What was to be told and was not. Who left unnoticed goes with the
    /// lease, who came is told with the next renewal; but what was forgotten
    /// must not be found again.
    pub(super) fn untold(&mut self, news: News) {
        self.changes.forgotten.extend(news.forgotten);
        self.changes.forgotten.truncate(CHANGES_MAX);
    }

    /// Everybody leaves at once.
    pub(super) fn close(&mut self) -> News {
        for (_, socket) in self.sockets.drain() {
            self.changes.left.push(socket.record);
        }
        let ids: Vec<PrivateId> = self.recoverable.keys().copied().collect();
        ids.into_iter().for_each(|id| self.lose(id));
        self.news()
    }

    /// One that left a place and took the same again has not left.
    fn without_returned(&self, mut left: Vec<ConnectionRecord>) -> Vec<ConnectionRecord> {
        left.retain(|record| {
            self.sockets.get(&record.socket).is_none_or(|socket| {
                (socket.record.session, socket.record.player) != (record.session, record.player)
            })
        });
        left
    }
}

/// A number that is always the same for a session, and spread evenly.
fn lot(session: SessionId) -> u64 {
    let mut hasher = DefaultHasher::new();
    session.as_str().hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::poker::ids::{InstanceId, Millis, PlayerId};
    use crate::store::Position;

    fn socket(number: u8, player: u8, serial: u64) -> TrackedSocket {
        let record = ConnectionRecord {
            socket: SocketId::from_random([number; 15]),
            session: SessionId::from_random([1; 10]),
            player: PlayerId::from_random([player; 16]),
            instance: InstanceId(1),
            connected_at: Millis(5),
            last_activity: Millis(5),
        };
        TrackedSocket { record, serial, activity: Arc::default() }
    }

    fn recovery(number: u8, claims: u32) -> Recoverable {
        let record = RecoveryRecord {
            id: PrivateId::from_random([number; 15]),
            socket: SocketId::from_random([number; 15]),
            owner: InstanceId(1),
            claims,
            place: None,
        };
        Recoverable { record, serial: number.into(), socket: None }
    }

    #[test]
    fn news_are_told_once_and_everything_again() {
        let mut ledger = Ledger::default();
        ledger.enter(socket(1, 1, 0));
        ledger.keep(recovery(1, 0));
        let news = ledger.news();
        assert_eq!((news.came.len(), news.recoverable.len()), (1, 1));
        assert_eq!(ledger.news(), News::default());
        assert_eq!(ledger.all(), news);
        assert_eq!(ledger.all(), news);
    }

    #[test]
    fn the_shares_are_everything() {
        let mut ledger = Ledger::default();
        for number in 0..250 {
            let mut one = socket(number, 1, number.into());
            one.record.session = SessionId::from_random([number / 5; 10]);
            ledger.enter(one);
            ledger.keep(recovery(number, 0));
        }
        let shares: Vec<News> = (0..SHARES).map(|number| ledger.share(number)).collect();
        assert!(shares.iter().all(|share| share.recoverable.len() == 25));
        assert!(shares.iter().all(|share| (5..=60).contains(&share.came.len())));
        assert_eq!(shares.iter().map(|share| share.came.len()).sum::<usize>(), 250);
        let session = |record: &ConnectionRecord| record.session;
        for share in &shares {
            for session in share.came.iter().map(session) {
                let together = share.came.iter().filter(|record| record.session == session);
                assert_eq!(together.count(), 5, "a session is written at once");
            }
        }
    }

    #[test]
    fn who_came_and_left_is_only_said_to_have_left() {
        let mut ledger = Ledger::default();
        ledger.enter(socket(1, 1, 0));
        ledger.leave(socket(1, 1, 0).record.socket, 0);
        let news = ledger.news();
        assert_eq!((news.came.len(), news.left.len()), (0, 1));
        assert_eq!(ledger.all(), News::default());
    }

    #[test]
    fn a_place_that_is_taken_again_is_not_left() {
        let mut ledger = Ledger::default();
        let id = socket(1, 1, 0).record.socket;
        ledger.enter(socket(1, 1, 0));
        ledger.leave(id, 0);
        ledger.enter(socket(1, 1, 1));
        // The first place is dropped late.
        ledger.leave(id, 0);
        let news = ledger.news();
        assert_eq!((news.came.len(), news.left.len()), (1, 0));
        // In the place of another player, the first one was left.
        ledger.leave(id, 1);
        ledger.enter(socket(1, 2, 2));
        let news = ledger.news();
        assert_eq!((news.came.len(), news.left.len()), (1, 1));
    }

    #[test]
    fn what_is_lost_is_written_once_more_and_what_is_forgotten_never() {
        let mut ledger = Ledger::default();
        let id = recovery(1, 0).record.id;
        ledger.keep(recovery(1, 0));
        ledger.lose(id);
        assert_eq!(ledger.news().recoverable.len(), 1);
        assert_eq!(ledger.all(), News::default());

        ledger.keep(recovery(1, 0));
        ledger.lose(id);
        ledger.forget(id);
        let news = ledger.news();
        assert_eq!((news.recoverable.len(), news.forgotten.as_slice()), (0, &[id][..]));
        ledger.untold(news);
        assert_eq!(ledger.news().forgotten, [id]);
    }

    #[test]
    fn a_place_is_known_before_it_is_told() {
        let mut ledger = Ledger::default();
        let id = recovery(1, 0).record.id;
        let place = RecoverablePlace {
            session: SessionId::from_random([1; 10]),
            player: PlayerId::from_random([1; 16]),
            generation: 0,
            joined_at: Position { epoch: 1, version: 1, nonce: 1 },
        };
        ledger.hold(recovery(1, 0));
        assert_eq!(ledger.place_of(id, 0), None);
        ledger.sit(id, 1, Some(place));
        assert_eq!(ledger.place_of(id, 0), None, "that was another socket");
        ledger.sit(id, 0, Some(place));
        assert_eq!(ledger.place_of(id, 0), Some(place));
        ledger.lose(id);
        assert_eq!(ledger.place_of(id, 0), Some(place));
        assert_eq!(ledger.place_of(id, 1), None, "it has been elsewhere since");
        assert_eq!(ledger.news().recoverable[0].place, Some(place));
        assert_eq!(ledger.place_of(id, 0), Some(place), "being told");
        ledger.sit(id, 0, None);
        assert_eq!(ledger.place_of(id, 0), None, "left, although it is told otherwise");
    }

    #[test]
    fn what_is_written_late_does_not_replace_who_came_back() {
        let mut ledger = Ledger::default();
        let id = recovery(1, 0).record.id;
        ledger.hold(recovery(1, 1));
        ledger.hold(recovery(1, 0));
        ledger.keep(recovery(1, 0));
        ledger.lose(id);
        assert_eq!(ledger.news().recoverable[0].claims, 1);
    }

    #[test]
    fn a_newer_claim_of_ours_is_not_superseded_by_an_older_one() {
        let mut ledger = Ledger::default();
        let id = recovery(1, 0).record.id;
        ledger.keep(recovery(1, 2));
        ledger.superseded(id, 1);
        assert_eq!(ledger.all().recoverable.len(), 1);
        ledger.superseded(id, 2);
        assert_eq!(ledger.all().recoverable.len(), 0);
    }

    #[test]
    fn too_many_changes_are_left_to_the_renewal() {
        let mut ledger = Ledger::default();
        for number in 0..=CHANGES_MAX as u64 {
            let mut one = socket(1, 1, number);
            let mut bytes = [0; 15];
            bytes[..8].copy_from_slice(&number.to_be_bytes());
            one.record.socket = SocketId::from_random(bytes);
            ledger.enter(one);
        }
        assert_eq!(ledger.news().came.len(), CHANGES_MAX);
        assert_eq!(ledger.all().came.len(), CHANGES_MAX + 1);
    }
}
