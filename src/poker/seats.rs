//! The seats of a session, and what is true of all of them together: added up
//! once after a seat has changed, not with every vote.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Deref;
use std::sync::OnceLock;

use smallvec::SmallVec;

use crate::poker::ids::{InstanceId, Millis, PlayerId, RequestId};
use crate::poker::reply::Reply;
use crate::poker::round::Round;
use crate::poker::seat::{Presence, Seat};

/// Ordered by id; reads like the map that it is. Whoever changes a seat asks
/// for it by [`Seats::get_mut`], and the sums are forgotten.
#[derive(Clone, Default)]
pub struct Seats {
    by_id: BTreeMap<PlayerId, Seat>,
    sums: OnceLock<Box<Sums>>,
}

/// Nothing in it depends on anything but the seats.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Sums {
    online: u32,
    at_table: u32,
    /// Players at the table who may vote.
    voters_at_table: u32,
    /// Players elsewhere; they count where they have left a vote behind.
    voters_elsewhere: Box<[PlayerId]>,
    /// Seats that are only kept.
    away: Box<[PlayerId]>,
    next_leave: Option<(Millis, PlayerId)>,
    next_status: Option<(Millis, PlayerId)>,
    /// Where there are sockets; in order, each once.
    instances: SmallVec<[InstanceId; 2]>,
}

impl Seats {
    pub fn get_mut(&mut self, player: &PlayerId) -> Option<&mut Seat> {
        self.sums.take();
        self.by_id.get_mut(player)
    }

    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut Seat> {
        self.sums.take();
        self.by_id.values_mut()
    }

    pub fn insert(&mut self, seat: Seat) {
        self.sums.take();
        self.by_id.insert(seat.id, seat);
    }

    pub fn remove(&mut self, player: &PlayerId) -> Option<Seat> {
        self.sums.take();
        self.by_id.remove(player)
    }

    /// What a seat remembers of its requests; no sum depends on it.
    pub fn outcomes_mut(&mut self, player: &PlayerId) -> Option<&mut VecDeque<(RequestId, Reply)>> {
        self.by_id.get_mut(player).map(|seat| &mut seat.outcomes)
    }

    pub fn is_anybody_online(&self) -> bool {
        self.sums().online > 0
    }

    pub fn at_table_count(&self) -> u32 {
        self.sums().at_table
    }

    /// How many are [eligible](crate::poker::session::Session::is_eligible) in
    /// a round.
    pub fn eligible_count(&self, round: &Round) -> u32 {
        let sums = self.sums();
        let left_behind = sums.voters_elsewhere.iter().filter(|player| round.has_vote_of(**player));
        sums.voters_at_table + left_behind.count() as u32
    }

    /// Seats that nobody sits on and that are kept for their players.
    pub fn away(&self) -> impl Iterator<Item = &Seat> {
        self.sums().away.iter().filter_map(|player| self.by_id.get(player))
    }

    /// Who leaves the table next if he does not come back, and when.
    pub fn next_leave(&self) -> Option<(Millis, PlayerId)> {
        self.sums().next_leave
    }

    /// Whose presence is told next, and when.
    pub fn next_status(&self) -> Option<(Millis, PlayerId)> {
        self.sums().next_status
    }

    /// The instances that hold sockets of these seats; in order, each once.
    pub fn instances(&self) -> &[InstanceId] {
        &self.sums().instances
    }

    fn sums(&self) -> &Sums {
        self.sums.get_or_init(|| Box::new(Sums::of(self.by_id.values())))
    }
}

impl Sums {
    fn of<'a>(seats: impl Iterator<Item = &'a Seat>) -> Self {
        let mut sums = Self::default();
        let (mut voters_elsewhere, mut away) = (Vec::new(), Vec::new());
        let earlier = |one: Option<_>, other| one.into_iter().chain([other]).min();
        for seat in seats {
            sums.online += u32::from(seat.is_online());
            sums.at_table += u32::from(seat.is_at_table());
            match (seat.is_spectator, seat.is_at_table()) {
                (true, _) => {}
                (false, true) => sums.voters_at_table += 1,
                (false, false) => voters_elsewhere.push(seat.id),
            }
            match seat.presence {
                Presence::Grace { leaves_at, .. } => {
                    sums.next_leave = earlier(sums.next_leave, (leaves_at, seat.id));
                }
                Presence::Away { .. } => away.push(seat.id),
                Presence::Online { .. } | Presence::Unclaimed => {}
            }
            if let Some(due) = seat.announced.due {
                sums.next_status = earlier(sums.next_status, (due, seat.id));
            }
            for instance in &seat.instances {
                if let Err(place) = sums.instances.binary_search(instance) {
                    sums.instances.insert(place, *instance);
                }
            }
        }
        sums.voters_elsewhere = voters_elsewhere.into();
        sums.away = away.into();
        sums
    }
}

impl Deref for Seats {
    type Target = BTreeMap<PlayerId, Seat>;

    fn deref(&self) -> &Self::Target {
        &self.by_id
    }
}

impl From<BTreeMap<PlayerId, Seat>> for Seats {
    fn from(by_id: BTreeMap<PlayerId, Seat>) -> Self {
        Self { by_id, sums: OnceLock::new() }
    }
}

impl PartialEq for Seats {
    fn eq(&self, other: &Self) -> bool {
        self.by_id == other.by_id
    }
}

impl Eq for Seats {}

impl std::fmt::Debug for Seats {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.by_id.fmt(f)
    }
}
