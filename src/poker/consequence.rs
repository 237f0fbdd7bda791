//! What follows from a fact by itself, within the same commit.

use crate::poker::decide::{acting_host_due, handed_over};
use crate::poker::event::{Fact, HostReason, LeaveReason};
use crate::poker::ids::{Millis, PlayerId};
use crate::poker::results::results;
use crate::poker::round::{Phase, RevealReason};
use crate::poker::seat::Seat;
use crate::poker::session::Session;
use crate::poker::timer::{OnExpire, Timer, TimerPhase};
use crate::poker::view::PlayerView;

/// The facts that `fact` entails; `session` has them applied already.
pub(super) fn consequences(session: &Session, fact: &Fact, now: Millis) -> Vec<Fact> {
    match fact {
        // A parked round may have been waiting for somebody who has left since.
        Fact::VoteCast { .. } | Fact::StoryActivated { .. } => auto_reveal(session, now),
        // Nobody waits for a spectator. A new name alone must not start a
        // countdown that somebody has just cancelled.
        Fact::SeatUpdated { player } if player.is_spectator => auto_reveal(session, now),
        Fact::Configured { changed, .. } if changed.contains(&"autoReveal") => {
            if session.settings.auto_reveal {
                auto_reveal(session, now)
            } else {
                cancelled(session, Session::is_counting_down)
            }
        }
        Fact::VoteDropped { .. } => cancelled(session, |session| {
            session.is_counting_down() && session.round.votes.is_empty()
        }),
        Fact::SeatLeft { player, reason, .. } => {
            let mut facts = host_left(session, *player, *reason);
            facts.extend(auto_reveal(session, now));
            facts
        }
        Fact::SeatRemoved { player, .. } => {
            let mut facts = host_left(session, *player, LeaveReason::Left);
            facts.extend(auto_reveal(session, now));
            facts
        }
        Fact::Revealed { .. } | Fact::RoundRestored { .. } if session.timer.is_live() => {
            vec![Fact::TimerChanged { timer: Timer::idle() }]
        }
        Fact::TimerChanged { timer } => timer_reveal(session, timer),
        Fact::SeatTaken { instance: Some(_), .. }
        | Fact::SeatReturned { .. }
        | Fact::SeatConnected { .. } => somebody_came(session, now),
        _ => Vec::new(),
    }
}

/// Once everybody who may vote has voted, the cards turn: after the
/// countdown, or at once where there is none. An empty table reveals nothing.
fn auto_reveal(session: &Session, now: Millis) -> Vec<Fact> {
    let is_due = session.settings.auto_reveal
        && session.round.phase == Phase::Voting
        && session.everybody_voted();
    if !is_due {
        return Vec::new();
    }
    let round = session.round.id;
    match session.settings.reveal_countdown_ms {
        0 => vec![Fact::Revealed {
            story: session.round.story,
            round,
            results: Box::new(results(session, None, RevealReason::Auto, now)),
        }],
        countdown_ms => {
            let reveal_at = now.add_ms(u64::from(countdown_ms));
            vec![Fact::CountdownStarted { round, reveal_at }]
        }
    }
}

/// A countdown stops when it leads to nothing, or is no longer wanted.
fn cancelled(session: &Session, is_due: impl Fn(&Session) -> bool) -> Vec<Fact> {
    let round = session.round.id;
    is_due(session).then_some(Fact::CountdownCancelled { round }).into_iter().collect()
}

/// An expired timer turns the cards where it was set to, if there are any.
fn timer_reveal(session: &Session, timer: &Timer) -> Vec<Fact> {
    let TimerPhase::Expired { ended_at } = timer.phase else {
        return Vec::new();
    };
    let is_due = timer.on_expire == OnExpire::Reveal
        && !session.round.is_revealed()
        && !session.round.votes.is_empty();
    if !is_due {
        return Vec::new();
    }
    vec![Fact::Revealed {
        story: session.round.story,
        round: session.round.id,
        results: Box::new(results(session, None, RevealReason::Timer, ended_at)),
    }]
}

/// The host is back, so nobody acts any more; or the host has been away for
/// long enough that the first to come acts at once.
fn somebody_came(session: &Session, now: Millis) -> Vec<Fact> {
    let host_is_here = session.seats.get(&session.host).is_some_and(Seat::is_online);
    if host_is_here {
        return match session.acting_host {
            Some(acting) => {
                vec![host_changed(session, Some(session.host), Some(acting), HostReason::Returned)]
            }
            None => Vec::new(),
        };
    }
    match acting_host_due(session) {
        Some(due) if due <= now => next_acting_host(session).into_iter().collect(),
        _ => Vec::new(),
    }
}

/// A host who leaves for good hands over at once; so does an acting host,
/// whatever the manner of leaving.
fn host_left(session: &Session, player: PlayerId, reason: LeaveReason) -> Vec<Fact> {
    if session.acting_host == Some(player) {
        let heir = successor(session).map(|seat| seat.id);
        return vec![host_changed(session, heir, Some(player), HostReason::ActingLeft)];
    }
    if session.host == player && reason == LeaveReason::Left {
        return successor(session)
            .map(|heir| handed_over(session, heir, HostReason::Left))
            .into_iter()
            .collect();
    }
    Vec::new()
}

/// The fact that somebody acts for the absent host from now on.
pub(super) fn next_acting_host(session: &Session) -> Option<Fact> {
    let heir = successor(session)?;
    Some(host_changed(session, Some(heir.id), Some(session.host), HostReason::Disconnected))
}

/// Who follows a host: the co-facilitator who has been online the longest,
/// else the voter who joined first, else the spectator who did.
fn successor(session: &Session) -> Option<&Seat> {
    let online =
        || session.seats.values().filter(|seat| seat.is_online() && seat.id != session.host);
    let facilitator = online()
        .filter(|seat| seat.is_facilitator())
        .min_by_key(|seat| (seat.online_since(), seat.joined_at, seat.id));
    facilitator.or_else(|| online().min_by_key(|seat| (seat.is_spectator, seat.joined_at, seat.id)))
}

/// `new` becomes acting host (or the host is host alone again).
fn host_changed(
    session: &Session,
    new: Option<PlayerId>,
    previous: Option<PlayerId>,
    reason: HostReason,
) -> Fact {
    let acting = new.filter(|player| *player != session.host);
    let view = |player: PlayerId| {
        session.seats.get(&player).map(|seat| {
            Box::new(PlayerView {
                is_host: player == session.host || acting == Some(player),
                is_acting_host: acting == Some(player),
                ..session.player_view(seat)
            })
        })
    };
    Fact::HostChanged { new: new.and_then(view), previous: previous.and_then(view), reason }
}
