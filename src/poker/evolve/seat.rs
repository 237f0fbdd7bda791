//! What facts do to the seats.

use std::collections::{BTreeSet, VecDeque};

use crate::poker::event::HostReason;
use crate::poker::evolve::history::truncate_front;
use crate::poker::ids::{InstanceId, Millis, PlayerId, RequestId};
use crate::poker::names::PlayerName;
use crate::poker::reply::Reply;
use crate::poker::seat::{Announced, OUTCOMES_MAX, Presence, Role, Seat};
use crate::poker::session::{Removed, Session};
use crate::poker::view::PlayerView;

impl Session {
    pub(super) fn remember(&mut self, player: PlayerId, request: RequestId, reply: Reply) {
        let is_known = |seat: &Seat| seat.outcome_of(&request).is_some();
        if self.seats.get(&player).is_some_and(is_known) {
            return;
        }
        if let Some(outcomes) = self.seats.outcomes_mut(&player) {
            outcomes.push_back((request, reply));
            truncate_front(outcomes, OUTCOMES_MAX);
        }
    }

    pub(super) fn take_seat(
        &mut self,
        player: &PlayerView,
        instance: Option<InstanceId>,
        at: Millis,
    ) {
        let presence = match instance {
            Some(_) => Presence::Online { since: at },
            None => {
                let kept_until = at.add_ms(self.policy.seat_kept_ms);
                Presence::Away { since: at, kept_until }
            }
        };
        let seat = Seat {
            id: player.id,
            name: player.name.clone(),
            avatar: player.avatar.clone(),
            role: player.role,
            is_spectator: player.is_spectator,
            joined_at: at,
            last_seen_at: at,
            generation: 0,
            instances: BTreeSet::from_iter(instance),
            presence,
            is_away: false,
            announced: Announced { is_online: instance.is_some(), is_away: false, due: None },
            nudged_at: None,
            // Somebody whose seat was forgotten may come back under the same id.
            in_history: self.history_has_vote_of(player.id),
            outcomes: VecDeque::new(),
        };
        self.seats.insert(seat);
    }

    /// The part of a seat that its view shows and people can change.
    pub(super) fn wear(&mut self, player: &PlayerView) {
        if let Some(seat) = self.seats.get_mut(&player.id) {
            seat.name = player.name.clone();
            seat.avatar = player.avatar.clone();
            seat.is_spectator = player.is_spectator;
            seat.role = player.role;
        }
    }

    pub(super) fn connect(&mut self, player: PlayerId, instance: InstanceId, at: Millis) {
        let coalesce_ms = self.policy.online_coalesce_ms;
        if let Some(seat) = self.seats.get_mut(&player) {
            if !seat.is_online() {
                seat.announced.tell_by(at.add_ms(coalesce_ms));
            }
            seat.connect(instance, at);
        }
    }

    pub(super) fn disconnect(
        &mut self,
        player: PlayerId,
        instance: InstanceId,
        leaves_at: Millis,
        at: Millis,
    ) {
        let coalesce_ms = self.policy.online_coalesce_ms;
        if let Some(seat) = self.seats.get_mut(&player) {
            seat.instances.remove(&instance);
            seat.last_seen_at = at;
            if seat.instances.is_empty() && seat.is_online() {
                seat.presence = Presence::Grace { since: at, leaves_at };
                seat.announced.tell_by(at.add_ms(coalesce_ms));
            }
        }
    }

    pub(super) fn set_away(&mut self, player: PlayerId, is_away: bool, at: Millis) {
        let coalesce_ms = self.policy.away_coalesce_ms;
        if let Some(seat) = self.seats.get_mut(&player) {
            seat.is_away = is_away;
            seat.last_seen_at = at;
            seat.announced.tell_by(at.add_ms(coalesce_ms));
        }
    }

    pub(super) fn leave(&mut self, player: PlayerId, at: Millis) {
        let kept_until = at.add_ms(self.policy.seat_kept_ms);
        if let Some(seat) = self.seats.get_mut(&player) {
            let since = seat.offline_since().unwrap_or(at);
            seat.presence = Presence::Away { since, kept_until };
            // `player:left` tells it all: no `player:status_changed` after.
            seat.announced = Announced { is_online: false, is_away: false, due: None };
            seat.is_away = false;
        }
    }

    pub(super) fn remove_seat(&mut self, player: PlayerId, banned_name: Option<PlayerName>) {
        self.drop_seat(player);
        self.removed.push_back(Removed { player, banned_name });
        let removed_max = usize::from(self.policy.removed_seats_max);
        truncate_front(&mut self.removed, removed_max);
    }

    pub(super) fn drop_seat(&mut self, player: PlayerId) {
        self.seats.remove(&player);
        if !self.round.is_revealed() {
            self.round.votes.remove(&player);
        }
        for parked in self.stories.iter_mut().filter_map(|story| story.parked.as_deref_mut()) {
            parked.votes.remove(&player);
        }
    }

    pub(super) fn change_host(&mut self, new: Option<PlayerId>, reason: HostReason) {
        match reason {
            HostReason::Disconnected | HostReason::ActingLeft => self.acting_host = new,
            HostReason::Returned => self.acting_host = None,
            HostReason::Left | HostReason::Transfer => {
                let Some(new) = new else { return };
                if let Some(previous) = self.seats.get_mut(&self.host) {
                    previous.role = Role::Facilitator;
                }
                if let Some(next) = self.seats.get_mut(&new) {
                    next.role = Role::Host;
                }
                self.host = new;
                self.acting_host = None;
            }
        }
    }
}
