//! A command from end to end: decide, evolve, and what follows.

use crate::poker::command::{Action, Actor, Command};
use crate::poker::consequence::consequences;
use crate::poker::decide::{decide, next_deadline};
use crate::poker::event::{Event, Fact};
use crate::poker::evolve::evolve;
use crate::poker::ids::{Millis, PlayerId};
use crate::poker::refusal::Refusal;
use crate::poker::reply::Reply;
use crate::poker::session::Session;

/// Far more than any command entails; a chain this long would be a defect in
/// the rules, and it is cut rather than followed for ever.
const CONSEQUENCES_MAX: usize = 64;

/// Deadlines that one call of [`catch_up`] lets take effect; a few per seat
/// can be due at once. The rest waits for the next call.
const DEADLINES_MAX: usize = 4_096;

/// An accepted command. No events: nothing changed, and nothing is committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Played {
    pub events: Vec<Event>,
    pub reply: Reply,
}

/// Plays `command` on `session`, which is changed only if it is accepted.
///
/// A command sent again under the same `requestId` gets the reply of the
/// first time and has no second effect. Deadlines that are due come before
/// the command: the caller lets them take effect first, see [`catch_up`].
pub fn play(session: &mut Session, command: &Command, now: Millis) -> Result<Played, Refusal> {
    // Clocks of two instances differ; a session's time only moves forward.
    let now = now.max(session.touched_at);
    let by = match command.by {
        Actor::Seat(player) => Some(player),
        Actor::Visitor | Actor::House => None,
    };
    if let Some(reply) = remembered(session, command, by) {
        return Ok(Played { events: Vec::new(), reply });
    }
    let decision = decide(session, command, now)?;

    let mut events: Vec<Event> = Vec::with_capacity(decision.facts.len());
    let mut request = command.request.clone().map(|request| (request, decision.reply.clone()));
    let last = decision.facts.len().saturating_sub(1);
    for (index, fact) in decision.facts.into_iter().enumerate() {
        let mut event = record(session, fact, by, now);
        if index == last && !event.fact.is_volatile() {
            event.request = request.take();
        }
        evolve(session, &event);
        events.push(event);
    }

    // What follows is nobody's doing. Each consequence takes effect before
    // the next fact is looked at, so that two facts do not entail it twice.
    let decided = events.len();
    let mut looked_at = 0;
    while looked_at < events.len() && events.len() < decided + CONSEQUENCES_MAX {
        for fact in consequences(session, &events[looked_at].fact, now) {
            let event = record(session, fact, None, now);
            evolve(session, &event);
            events.push(event);
        }
        looked_at += 1;
    }
    Ok(Played { events, reply: decision.reply })
}

/// Lets every deadline that is due take effect, the earliest first, each at
/// its true time where that is shown (`endsAt`, `revealedAt`).
pub fn catch_up(session: &mut Session, now: Millis) -> Vec<Event> {
    let mut events = Vec::new();
    for _ in 0..DEADLINES_MAX {
        if next_deadline(session).is_none_or(|due| now < due) {
            break;
        }
        match play(session, &Command::by_house(Action::Elapse), now) {
            Ok(played) if !played.events.is_empty() => events.extend(played.events),
            _ => break,
        }
    }
    events
}

fn remembered(session: &Session, command: &Command, by: Option<PlayerId>) -> Option<Reply> {
    let request = command.request.as_ref()?;
    session.seats.get(&by?)?.outcome_of(request).cloned()
}

fn record(session: &Session, fact: Fact, by: Option<PlayerId>, now: Millis) -> Event {
    let seq = session.seq + u64::from(fact.is_announced());
    Event { at: now, seq, by, request: None, fact }
}
