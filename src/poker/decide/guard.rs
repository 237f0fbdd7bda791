//! The conditions that several rules share.

use crate::poker::command::{Actor, Aim};
use crate::poker::ids::{Millis, PlayerId};
use crate::poker::refusal::{Refusal, Required};
use crate::poker::seat::Seat;
use crate::poker::session::{Session, Status};

/// A session is over when it says so, and once its time is up even if nobody
/// has noticed yet: no command brings it back.
pub(super) fn is_closed(session: &Session, now: Millis) -> bool {
    !session.is_open() || session.expires_at <= now
}

/// Why a session that is over takes no command.
pub(super) const fn closed(session: &Session) -> Refusal {
    match session.status {
        Status::Open | Status::Expired { .. } => Refusal::SessionExpired,
        Status::Ended { .. } => Refusal::SessionEnded,
    }
}

/// The seat that acts.
pub(super) fn seat(session: &Session, by: Actor) -> Result<&Seat, Refusal> {
    let Actor::Seat(player) = by else {
        return Err(Refusal::NotJoined);
    };
    match session.seats.get(&player) {
        Some(seat) => Ok(seat),
        None if session.was_removed(player) => Err(Refusal::PlayerRemoved),
        None => Err(Refusal::NotJoined),
    }
}

/// The seat that acts, where only its presence gives the act a meaning.
pub(super) fn seat_at_table(session: &Session, by: Actor) -> Result<&Seat, Refusal> {
    let seat = seat(session, by)?;
    if seat.is_at_table() { Ok(seat) } else { Err(Refusal::NotJoined) }
}

/// The seat that is meant: one at the table.
pub(super) fn target(session: &Session, player: PlayerId) -> Result<&Seat, Refusal> {
    session.seats.get(&player).filter(|seat| seat.is_at_table()).ok_or(Refusal::PlayerNotFound)
}

/// A permission from the settings: held by its holders, by host and
/// facilitators, and by everybody while no facilitator is there.
pub(super) fn permitted(
    session: &Session,
    by: Actor,
    required: Required,
    now: Millis,
) -> Result<&Seat, Refusal> {
    let seat = seat(session, by)?;
    let permissions = &session.settings.permissions;
    let holders = match required {
        Required::Reveal => permissions.reveal,
        Required::Reset => permissions.reset,
        Required::Story => permissions.story,
        Required::Timer => permissions.timer,
        Required::Host | Required::Facilitator | Required::AnotherTarget | Required::Reactions => {
            return Err(Refusal::Forbidden { required });
        }
    };
    if session.permits(holders, seat.id, now) {
        Ok(seat)
    } else {
        Err(Refusal::Forbidden { required })
    }
}

pub(super) fn facilitator(session: &Session, by: Actor) -> Result<&Seat, Refusal> {
    let seat = seat(session, by)?;
    if session.facilitates(seat.id) {
        Ok(seat)
    } else {
        Err(Refusal::Forbidden { required: Required::Facilitator })
    }
}

pub(super) fn host(session: &Session, by: Actor) -> Result<&Seat, Refusal> {
    let seat = seat(session, by)?;
    if session.is_host(seat.id) {
        Ok(seat)
    } else {
        Err(Refusal::Forbidden { required: Required::Host })
    }
}

/// Whether the sender looks at the story and round that are current.
pub(super) fn current(session: &Session, aim: Aim) -> Result<(), Refusal> {
    let round = session.round.id;
    if aim.story.is_some_and(|story| story != session.round.story) {
        return Err(Refusal::StaleStory { current_story: session.round.story, round });
    }
    if aim.round.is_some_and(|aimed| aimed != round) {
        return Err(Refusal::StaleRound { round });
    }
    Ok(())
}
