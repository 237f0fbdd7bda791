//! What time alone brings about. Deadlines are state: whoever serves the
//! session when one is due commits its effect, and exactly one wins.

use crate::poker::consequence::next_acting_host;
use crate::poker::decide::{Decision, presence};
use crate::poker::event::{EndReason, Fact, LeaveReason};
use crate::poker::ids::{Millis, PlayerId};
use crate::poker::reply::Reply;
use crate::poker::results::results;
use crate::poker::round::{Phase, RevealReason};
use crate::poker::seat::Seat;
use crate::poker::session::{Session, Status};
use crate::poker::timer::{Timer, TimerPhase};

/// Ordered by what happens first among equals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Deadline {
    Timer,
    Countdown,
    Leave(PlayerId),
    Status(PlayerId),
    ActingHost,
    Forget(PlayerId),
    ExpiryNotice,
    Expiry,
    Dismissal,
}

/// When the next thing happens by itself.
pub fn next_deadline(session: &Session) -> Option<Millis> {
    earliest(session).map(|(at, _)| at)
}

/// The earliest deadline, if it is due.
pub(super) fn elapse(session: &Session, now: Millis) -> Decision {
    match earliest(session) {
        Some((at, deadline)) if at <= now => Decision::facts(effect(session, deadline, at)),
        _ => Decision::nothing(Reply::Done),
    }
}

fn effect(session: &Session, deadline: Deadline, due: Millis) -> Vec<Fact> {
    match deadline {
        Deadline::Countdown if session.round.votes.is_empty() => {
            vec![Fact::CountdownCancelled { round: session.round.id }]
        }
        Deadline::Countdown => vec![Fact::Revealed {
            story: session.round.story,
            round: session.round.id,
            results: Box::new(results(session, None, RevealReason::Auto, due)),
        }],
        Deadline::Timer => {
            let phase = TimerPhase::Expired { ended_at: due };
            vec![Fact::TimerChanged { timer: Timer { phase, ..session.timer.clone() } }]
        }
        Deadline::Leave(player) => of_seat(session, player, |seat| {
            presence::left(session, seat, LeaveReason::Disconnected)
        }),
        Deadline::Status(player) => of_seat(session, player, |seat| Fact::StatusSettled {
            player,
            is_online: seat.is_online(),
            is_away: seat.is_away,
            last_seen_at: seat.last_seen_at,
            announce: (seat.announced.is_online, seat.announced.is_away)
                != (seat.is_online(), seat.is_away),
        }),
        Deadline::ActingHost => next_acting_host(session).into_iter().collect(),
        Deadline::Forget(player) => vec![Fact::SeatForgotten { player }],
        Deadline::ExpiryNotice => {
            vec![Fact::ExpiryAnnounced { expires_at: session.expires_at }]
        }
        Deadline::Expiry => vec![Fact::Ended { reason: EndReason::Expired }],
        Deadline::Dismissal => vec![Fact::Dismissed],
    }
}

fn of_seat(session: &Session, player: PlayerId, fact: impl Fn(&Seat) -> Fact) -> Vec<Fact> {
    session.seats.get(&player).map(fact).into_iter().collect()
}

fn earliest(session: &Session) -> Option<(Millis, Deadline)> {
    match session.status {
        Status::Open => open_deadlines(session).min(),
        Status::Ended { at, dismissed: false } => {
            Some((at.add_ms(session.policy.ended_linger_ms), Deadline::Dismissal))
        }
        Status::Ended { dismissed: true, .. } | Status::Expired { .. } => None,
    }
}

fn open_deadlines(session: &Session) -> impl Iterator<Item = (Millis, Deadline)> {
    let countdown = match session.round.phase {
        Phase::Countdown { reveal_at } => Some((reveal_at, Deadline::Countdown)),
        Phase::Voting | Phase::Revealed(_) => None,
    };
    let timer = match session.timer.phase {
        TimerPhase::Running { ends_at } => Some((ends_at, Deadline::Timer)),
        TimerPhase::Idle | TimerPhase::Paused { .. } | TimerPhase::Expired { .. } => None,
    };
    // A life shorter than the notice would announce its end after each command.
    let notice_ms = session.policy.expiry_notice_ms.min(session.policy.session_ttl_ms / 2);
    let notice = (!session.expiry_announced && session.seats.is_anybody_online())
        .then(|| session.expires_at.saturating_sub_ms(notice_ms))
        .map(|at| (at, Deadline::ExpiryNotice));
    let leave = session.seats.next_leave().map(|(at, player)| (at, Deadline::Leave(player)));
    let status = session.seats.next_status().map(|(at, player)| (at, Deadline::Status(player)));
    let once = [
        countdown,
        timer,
        leave,
        status,
        acting_host_due(session).map(|at| (at, Deadline::ActingHost)),
        notice,
        Some((session.expires_at, Deadline::Expiry)),
    ];
    let forgotten = session.forgettable_seats().map(|(seat, at)| (at, Deadline::Forget(seat.id)));
    once.into_iter().flatten().chain(forgotten)
}

/// When somebody starts to act for the absent host: after the grace period,
/// and only if somebody is there to do it.
pub(in crate::poker) fn acting_host_due(session: &Session) -> Option<Millis> {
    let absent_since = session.seats.get(&session.host)?.offline_since()?;
    let acting_is_there = session
        .acting_host
        .and_then(|acting| session.seats.get(&acting))
        .is_some_and(Seat::is_at_table);
    (!acting_is_there && session.seats.is_anybody_online())
        .then(|| absent_since.add_ms(session.policy.host_grace_ms))
}
