//! One participant of a session; survives its sockets.

use std::collections::{BTreeSet, VecDeque};

use crate::poker::ids::{InstanceId, Millis, PlayerId, RequestId};
use crate::poker::names::{Avatar, PlayerName};
use crate::poker::reply::Reply;
use crate::poker::word::words;

/// Outcomes remembered per seat, so that a command sent again has no second
/// effect.
pub const OUTCOMES_MAX: usize = 16;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seat {
    pub id: PlayerId,
    pub name: PlayerName,
    pub avatar: Avatar,
    pub role: Role,
    pub is_spectator: bool,
    pub joined_at: Millis,
    /// When this person's presence last changed: a socket that came or went,
    /// `away` set or unset. Votes leave no trace here, or an anonymous one
    /// would be given away by its time.
    pub last_seen_at: Millis,
    /// A token of an older generation no longer opens this seat.
    pub generation: u32,
    /// The instances that hold a socket of this seat; none: offline.
    pub instances: BTreeSet<InstanceId>,
    pub presence: Presence,
    pub is_away: bool,
    /// What the others were last told, and when they are told again.
    pub announced: Announced,
    pub nudged_at: Option<Millis>,
    /// Whether a round in the history holds a vote of this seat.
    pub in_history: bool,
    pub outcomes: VecDeque<(RequestId, Reply)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    Host,
    Facilitator,
    Player,
}

words! { Role {
    Host "host",
    Facilitator "facilitator",
    Player "player",
} }

/// Where a seat stands towards the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    Online {
        since: Millis,
    },
    /// The last socket is gone; still at the table until `leaves_at`.
    Grace {
        since: Millis,
        leaves_at: Millis,
    },
    /// Not at the table; the token opens the seat again until `kept_until`.
    Away {
        since: Millis,
        kept_until: Millis,
    },
    /// Reserved and never taken: a session opened over HTTP waits for its host.
    Unclaimed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Announced {
    pub is_online: bool,
    pub is_away: bool,
    pub due: Option<Millis>,
}

impl Announced {
    /// The first change sets the time; those that follow are told with it.
    pub(super) fn tell_by(&mut self, due: Millis) {
        self.due = self.due.or(Some(due));
    }
}

impl Seat {
    /// A socket of this seat is at `instance`. Who was gone is not away.
    pub(super) fn connect(&mut self, instance: InstanceId, at: Millis) {
        self.instances.insert(instance);
        self.last_seen_at = at;
        if !self.is_online() {
            self.presence = Presence::Online { since: at };
            self.is_away = false;
        }
    }

    /// Listed among the players, online or within the grace period.
    pub const fn is_at_table(&self) -> bool {
        matches!(self.presence, Presence::Online { .. } | Presence::Grace { .. })
    }

    pub const fn is_online(&self) -> bool {
        matches!(self.presence, Presence::Online { .. })
    }

    pub const fn online_since(&self) -> Option<Millis> {
        match self.presence {
            Presence::Online { since } => Some(since),
            _ => None,
        }
    }

    /// Since when nobody is on this seat. A seat that nobody ever took has
    /// been empty since the beginning of time, so no grace period applies.
    pub const fn offline_since(&self) -> Option<Millis> {
        match self.presence {
            Presence::Online { .. } => None,
            Presence::Grace { since, .. } | Presence::Away { since, .. } => Some(since),
            Presence::Unclaimed => Some(Millis(0)),
        }
    }

    /// Host or facilitator by role; an acting host is neither.
    pub const fn is_facilitator(&self) -> bool {
        matches!(self.role, Role::Host | Role::Facilitator)
    }

    pub fn outcome_of(&self, request: &RequestId) -> Option<&Reply> {
        self.outcomes.iter().find(|(known, _)| known == request).map(|(_, reply)| reply)
    }
}
