//! A command from end to end: decide, evolve, and what follows.

use crate::poker::command::{Actor, Command};
use crate::poker::consequence::consequences;
use crate::poker::decide::decide;
use crate::poker::event::{Event, Fact};
use crate::poker::evolve::evolve;
use crate::poker::ids::{Millis, PlayerId};
use crate::poker::refusal::Refusal;
use crate::poker::reply::Reply;
use crate::poker::session::Session;

/// Far more than any command entails; a chain this long would be a defect in
/// the rules, and it is cut rather than followed for ever.
const EVENTS_PER_COMMAND_MAX: usize = 256;

/// An accepted command. No events: nothing changed, and nothing is committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Played {
    pub events: Vec<Event>,
    pub reply: Reply,
}

/// Plays `command` on `session`, which is changed only if it is accepted.
///
/// A command sent again under the same `requestId` gets the reply of the
/// first time and has no second effect.
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
    let mut facts = decision.facts;
    let mut actor = by;
    let mut request = command.request.clone().map(|request| (request, decision.reply.clone()));
    while !facts.is_empty() && events.len() < EVENTS_PER_COMMAND_MAX {
        let first = events.len();
        let last = facts.len() - 1;
        for (index, fact) in facts.into_iter().enumerate() {
            let mut event = record(session, fact, actor, now);
            if index == last {
                event.request = request.take();
            }
            evolve(session, &event);
            events.push(event);
        }
        // What follows is nobody's doing, and sees everything that was decided.
        actor = None;
        facts = events[first..]
            .iter()
            .flat_map(|event| consequences(session, &event.fact, now))
            .collect();
    }
    Ok(Played { events, reply: decision.reply })
}

fn remembered(session: &Session, command: &Command, by: Option<PlayerId>) -> Option<Reply> {
    let request = command.request.as_ref()?;
    session.seats.get(&by?)?.outcome_of(request).cloned()
}

fn record(session: &Session, fact: Fact, by: Option<PlayerId>, now: Millis) -> Event {
    let seq = session.seq + u64::from(fact.is_announced());
    Event { at: now, seq, by, request: None, fact }
}
