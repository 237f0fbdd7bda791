//! Coming, going, coming back.

use crate::poker::command::{Actor, Claim, Departure, Join, PasswordCheck, PlayerEdit, Reclaim};
use crate::poker::decide::{Decision, guard, player};
use crate::poker::event::{Fact, LeaveReason};
use crate::poker::ids::{InstanceId, Millis, PlayerId};
use crate::poker::names::{PlayerName, distinct, same};
use crate::poker::refusal::Refusal;
use crate::poker::reply::Reply;
use crate::poker::seat::{Role, Seat};
use crate::poker::session::Session;
use crate::poker::view::PlayerView;

/// Who holds a seat comes back to it, locked or full as the session may be;
/// everybody else gets a new seat, if there is one to be had.
pub(super) fn join(session: &Session, join: &Join, now: Millis) -> Result<Decision, Refusal> {
    let (Claim::New { player: claimed }
    | Claim::Token { player: claimed, .. }
    | Claim::Bare { player: claimed, .. }) = join.claim;
    if session.was_removed(claimed) {
        return Err(Refusal::PlayerRemoved);
    }
    match (join.claim, session.seats.get(&claimed)) {
        (Claim::Token { player, generation }, _) => {
            Ok(return_to(session, session.seat_of_token(player, generation)?, join, now))
        }
        // Without a token, a seat is given back only where the configuration
        // says so, and never while somebody sits on it.
        (Claim::Bare { reclaim: Reclaim::Open, .. }, Some(seat)) if !seat.is_online() => {
            check_password(session, join.password)?;
            Ok(return_to(session, seat, join, now))
        }
        // The first use of an id binds it to the token that is minted for it.
        (Claim::New { .. } | Claim::Bare { .. }, None) => take_seat(session, join, claimed, now),
        _ => Err(Refusal::InvalidPlayerToken),
    }
}

fn take_seat(
    session: &Session,
    join: &Join,
    player: PlayerId,
    now: Millis,
) -> Result<Decision, Refusal> {
    if session.settings.locked {
        return Err(Refusal::SessionLocked);
    }
    check_password(session, join.password)?;
    let Some(name) = &join.name else {
        return Err(Refusal::NameRequired);
    };
    if session.is_banned(name) {
        return Err(Refusal::PlayerRemoved);
    }
    let max_players = session.settings.max_players;
    if u32::from(max_players) <= session.player_count() {
        return Err(Refusal::SessionFull { max_players });
    }

    let mut facts = Vec::new();
    if session.keeps_too_many() {
        let forgotten = session.surplus_seat().ok_or(Refusal::SessionFull { max_players })?;
        facts.push(Fact::SeatForgotten { player: forgotten });
    }
    let is_here = join.instance.is_some();
    facts.push(Fact::SeatTaken {
        player: Box::new(PlayerView {
            id: player,
            name: unique(session, name),
            avatar: join.avatar.clone().unwrap_or_default(),
            role: Role::Player,
            is_spectator: join.is_spectator.unwrap_or(false),
            is_host: false,
            is_acting_host: false,
            is_online: is_here,
            is_away: false,
            has_voted: session.round.has_vote_of(player),
            joined_at: now,
            last_seen_at: now,
        }),
        instance: join.instance,
        player_count: session.player_count() + u32::from(is_here),
    });
    Ok(Decision::facts(facts).replying(Reply::Joined { player }))
}

fn return_to(session: &Session, seat: &Seat, join: &Join, now: Millis) -> Decision {
    let edit = PlayerEdit {
        name: join.name.clone(),
        avatar: join.avatar.clone(),
        is_spectator: join.is_spectator,
    };
    let reply = Reply::Joined { player: seat.id };
    let instance = join.instance.filter(|instance| !seat.instances.contains(instance));
    let Some(instance) = instance else {
        return Decision::facts(player::edited(session, seat, &edit)).replying(reply);
    };
    // Whoever arrives is here by the time that the edit is shown.
    let mut arrived = seat.clone();
    arrived.connect(instance, now);
    let mut facts = vec![if seat.is_at_table() {
        Fact::SeatConnected { player: seat.id, instance }
    } else {
        Fact::SeatReturned {
            player: Box::new(session.player_view(&arrived)),
            instance,
            player_count: session.player_count() + 1,
        }
    }];
    facts.extend(player::edited(session, &arrived, &edit));
    Decision::facts(facts).replying(reply)
}

const fn check_password(session: &Session, password: PasswordCheck) -> Result<(), Refusal> {
    match (&session.password, password) {
        (None, _) | (Some(_), PasswordCheck::Right) => Ok(()),
        (Some(_), PasswordCheck::Absent) => Err(Refusal::PasswordRequired),
        (Some(_), PasswordCheck::Wrong) => Err(Refusal::PasswordInvalid),
    }
}

fn unique(session: &Session, name: &PlayerName) -> PlayerName {
    distinct(name.clone(), session.seats.values().map(|seat| &seat.name))
}

/// Who leaves is gone at once; who only lost the connection keeps the place
/// at the table for the grace period. Another instance with a socket of the
/// same seat keeps it online.
pub(super) fn depart(
    session: &Session,
    player: PlayerId,
    instance: InstanceId,
    manner: Departure,
    now: Millis,
) -> Decision {
    let Some(seat) = session.seats.get(&player).filter(|seat| seat.instances.contains(&instance))
    else {
        return Decision::nothing(Reply::Done);
    };
    let grace_ms = match manner {
        Departure::Leaving => 0,
        Departure::Disconnected => session.policy.disconnect_grace_ms,
        Departure::Drained => session.policy.drain_grace_ms,
    };
    let is_last = seat.instances.len() == 1;
    let mut facts =
        vec![Fact::SeatDisconnected { player, instance, leaves_at: now.add_ms(grace_ms) }];
    // At a session that is over nobody is left to be told.
    if is_last && manner == Departure::Leaving && session.is_open() {
        facts.push(left(session, seat, LeaveReason::Left));
    }
    Decision::facts(facts)
}

/// The sockets of a dead instance are gone like any others.
pub(super) fn forget_instance(session: &Session, instance: InstanceId, now: Millis) -> Decision {
    let leaves_at = now.add_ms(session.policy.drain_grace_ms);
    let seats = session.seats.values().filter(|seat| seat.instances.contains(&instance));
    Decision::facts(
        seats.map(|seat| Fact::SeatDisconnected { player: seat.id, instance, leaves_at }).collect(),
    )
}

pub(super) fn left(session: &Session, seat: &Seat, reason: LeaveReason) -> Fact {
    Fact::SeatLeft {
        player: seat.id,
        reason,
        player_count: session.player_count() - u32::from(seat.is_at_table()),
    }
}

/// A player says "back in a minute", or "here again".
pub(super) fn set_away(session: &Session, by: Actor, is_away: bool) -> Result<Decision, Refusal> {
    let seat = guard::seat_at_table(session, by)?;
    Ok(if seat.is_away == is_away {
        Decision::nothing(Reply::Done)
    } else {
        Decision::fact(Fact::AwaySet { player: seat.id, is_away })
    })
}

impl Session {
    fn is_banned(&self, name: &PlayerName) -> bool {
        self.removed
            .iter()
            .filter_map(|removed| removed.banned_name.as_ref())
            .any(|banned| same(banned, name))
    }

    fn keeps_too_many(&self) -> bool {
        usize::from(self.policy.kept_seats_max) < self.kept_seats().count()
    }

    /// The kept seat that is missed the least: one without a vote in the
    /// history before one with, and then the one that has been empty the
    /// longest. A vote of an unfinished round is never thrown out like this.
    fn surplus_seat(&self) -> Option<PlayerId> {
        self.kept_seats()
            .filter(|seat| !self.has_vote_on_hand(seat.id))
            .min_by_key(|seat| (seat.in_history, seat.offline_since()))
            .map(|seat| seat.id)
    }

    /// The seats of people who left; the host's is kept in any case.
    fn kept_seats(&self) -> impl Iterator<Item = &Seat> {
        self.seats.away().filter(|seat| seat.id != self.host)
    }
}
