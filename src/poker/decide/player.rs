//! Names, roles, seats that are taken away.

use crate::poker::command::{Actor, PlayerEdit};
use crate::poker::decide::{Decision, guard, round};
use crate::poker::event::{Fact, HostReason};
use crate::poker::ids::{Millis, PlayerId};
use crate::poker::names::{Emoji, distinct};
use crate::poker::refusal::{Refusal, Required};
use crate::poker::reply::Reply;
use crate::poker::seat::{Role, Seat};
use crate::poker::session::Session;
use crate::poker::view::PlayerView;

/// A player changes the own name, avatar or way of taking part. A name that
/// is taken gets a number; the reply says which name it became.
pub(super) fn update(session: &Session, by: Actor, edit: &PlayerEdit) -> Result<Decision, Refusal> {
    let seat = guard::seat(session, by)?;
    let facts = edited(session, seat, edit);
    let name = match facts.last() {
        Some(Fact::SeatUpdated { player }) => player.name.clone(),
        _ => seat.name.clone(),
    };
    Ok(Decision::facts(facts).replying(Reply::Named { name }))
}

/// A facilitator makes somebody watch, or vote again.
pub(super) fn set_spectator(
    session: &Session,
    by: Actor,
    player: PlayerId,
    is_spectator: bool,
) -> Result<Decision, Refusal> {
    guard::facilitator(session, by)?;
    let seat = guard::target(session, player)?;
    let edit = PlayerEdit { is_spectator: Some(is_spectator), ..PlayerEdit::default() };
    Ok(Decision::facts(edited(session, seat, &edit)))
}

/// The facts of an edit; none when nothing changes. Who becomes a spectator
/// loses the vote of a round that is not revealed.
pub(super) fn edited(session: &Session, seat: &Seat, edit: &PlayerEdit) -> Vec<Fact> {
    let mut view = session.player_view(seat);
    if let Some(name) = &edit.name
        && *name != seat.name
    {
        let others = session.seats.values().filter(|other| other.id != seat.id);
        view.name = distinct(name.clone(), others.map(|other| &other.name));
    }
    if let Some(avatar) = &edit.avatar {
        view.avatar = avatar.clone();
    }
    if let Some(is_spectator) = edit.is_spectator {
        view.is_spectator = is_spectator;
    }
    let mut facts = Vec::new();
    let loses_vote =
        view.is_spectator && !seat.is_spectator && view.has_voted && !session.round.is_revealed();
    if loses_vote {
        facts.push(round::drop_vote(session, seat));
        view.has_voted = false;
    }
    let is_same = view.name == seat.name
        && view.avatar == seat.avatar
        && view.is_spectator == seat.is_spectator;
    if !is_same {
        facts.push(Fact::SeatUpdated { player: Box::new(view) });
    }
    facts
}

/// A facilitator takes somebody's seat away, never the host's. The token of
/// the seat is worthless from then on; with a ban its name is, too.
pub(super) fn remove(
    session: &Session,
    by: Actor,
    player: PlayerId,
    ban: bool,
) -> Result<Decision, Refusal> {
    let actor = guard::facilitator(session, by)?;
    let seat = session.seats.get(&player).ok_or(Refusal::PlayerNotFound)?;
    if seat.id == session.host || seat.id == actor.id {
        return Err(Refusal::Forbidden { required: Required::AnotherTarget });
    }
    let mut facts = Vec::new();
    if session.round.has_vote_of(player) && !session.round.is_revealed() {
        facts.push(round::drop_vote(session, seat));
    }
    facts.push(Fact::SeatRemoved {
        player,
        banned_name: ban.then(|| seat.name.clone()),
        player_count: session.player_count() - u32::from(seat.is_at_table()),
    });
    Ok(Decision::facts(facts))
}

/// The host makes somebody a facilitator.
pub(super) fn promote(session: &Session, by: Actor, player: PlayerId) -> Result<Decision, Refusal> {
    guard::host(session, by)?;
    let seat = guard::target(session, player)?;
    Ok(match seat.role {
        Role::Player => Decision::fact(in_role(session, seat, Role::Facilitator)),
        Role::Facilitator | Role::Host => Decision::nothing(Reply::Done),
    })
}

/// The host makes a facilitator a player again. The host has no smaller role:
/// that takes a transfer.
pub(super) fn demote(session: &Session, by: Actor, player: PlayerId) -> Result<Decision, Refusal> {
    guard::host(session, by)?;
    let seat = guard::target(session, player)?;
    match seat.role {
        Role::Facilitator => Ok(Decision::fact(in_role(session, seat, Role::Player))),
        Role::Player => Ok(Decision::nothing(Reply::Done)),
        Role::Host => Err(Refusal::Forbidden { required: Required::AnotherTarget }),
    }
}

/// The host hands the session over and stays a facilitator.
pub(super) fn transfer(
    session: &Session,
    by: Actor,
    player: PlayerId,
) -> Result<Decision, Refusal> {
    guard::host(session, by)?;
    let seat = guard::target(session, player)?;
    if seat.id == session.host {
        return Ok(Decision::nothing(Reply::Done));
    }
    let mut facts = vec![handed_over(session, seat, HostReason::Transfer)];
    // Whoever acted so far acts no more, and the fact above names two others.
    let acted = session.acting_host.filter(|acting| *acting != player);
    if let Some(acted) = acted.and_then(|acting| session.seats.get(&acting)) {
        facts.push(Fact::SeatUpdated {
            player: Box::new(PlayerView {
                is_host: false,
                is_acting_host: false,
                ..session.player_view(acted)
            }),
        });
    }
    Ok(Decision::facts(facts))
}

/// The fact that `heir` is host by role from now on.
pub(in crate::poker) fn handed_over(session: &Session, heir: &Seat, reason: HostReason) -> Fact {
    let new = PlayerView {
        role: Role::Host,
        is_host: true,
        is_acting_host: false,
        ..session.player_view(heir)
    };
    let previous = session.seats.get(&session.host).map(|seat| {
        Box::new(PlayerView {
            role: Role::Facilitator,
            is_host: false,
            is_acting_host: false,
            ..session.player_view(seat)
        })
    });
    Fact::HostChanged { new: Some(Box::new(new)), previous, reason }
}

/// A facilitator reminds somebody, or everybody who has not voted; the same
/// person not twice within the interval.
pub(super) fn nudge(
    session: &Session,
    by: Actor,
    player: Option<PlayerId>,
    now: Millis,
) -> Result<Decision, Refusal> {
    guard::facilitator(session, by)?;
    let is_rested = |seat: &Seat| {
        seat.nudged_at.is_none_or(|at| session.policy.nudge_interval_ms <= now.since(at))
    };
    let players: Vec<PlayerId> = match player {
        Some(player) => {
            let seat = guard::target(session, player)?;
            is_rested(seat).then_some(seat.id).into_iter().collect()
        }
        None => session
            .players()
            .into_iter()
            .filter(|seat| session.is_eligible(seat) && !session.round.has_vote_of(seat.id))
            .filter(|seat| is_rested(seat))
            .map(|seat| seat.id)
            .collect(),
    };
    let reply = Reply::Nudged { players: players.clone() };
    Ok(if players.is_empty() {
        Decision::nothing(reply)
    } else {
        Decision::fact(Fact::Nudged { players }).replying(reply)
    })
}

/// Anybody at the table shows one of the twelve emoji, unless switched off.
pub(super) fn react(session: &Session, by: Actor, emoji: Emoji) -> Result<Decision, Refusal> {
    let seat = guard::seat_at_table(session, by)?;
    if !session.settings.reactions {
        return Err(Refusal::Forbidden { required: Required::Reactions });
    }
    Ok(Decision::fact(Fact::Reacted { player: seat.id, emoji }))
}

fn in_role(session: &Session, seat: &Seat, role: Role) -> Fact {
    Fact::SeatUpdated { player: Box::new(PlayerView { role, ..session.player_view(seat) }) }
}
