//! Votes, reveal, reset.

use crate::poker::card::Card;
use crate::poker::command::{Actor, Aim, Ballot};
use crate::poker::decide::{Decision, guard};
use crate::poker::event::Fact;
use crate::poker::ids::{Millis, RoundId};
use crate::poker::refusal::{Refusal, Required};
use crate::poker::reply::Reply;
use crate::poker::results::{results, revealed_again};
use crate::poker::round::{Phase, RevealReason, Round, Vote};
use crate::poker::seat::Seat;
use crate::poker::session::Session;
use crate::poker::story::{Story, StoryText};
use crate::poker::tally::Confidence;
use crate::poker::view::{Counts, StoryView};

/// A voter plays a card of the deck on the current story until the reveal;
/// playing again replaces the vote, playing the same again changes nothing.
pub(super) fn submit(
    session: &Session,
    by: Actor,
    ballot: &Ballot,
    now: Millis,
) -> Result<Decision, Refusal> {
    let seat = voter(session, by, ballot)?;
    if session.round.is_revealed() {
        return Err(Refusal::RoundRevealed);
    }
    let card = card(session, ballot)?;
    Ok(cast(session, seat, card, ballot.confidence, now))
}

/// As submit, for somebody who has voted in this round: a change that comes
/// late must not land in the next round. After the reveal it is possible when
/// the settings say so; the card of the reveal stays on record.
pub(super) fn change(
    session: &Session,
    by: Actor,
    ballot: &Ballot,
    now: Millis,
) -> Result<Decision, Refusal> {
    let seat = voter(session, by, ballot)?;
    let may_change = !session.round.is_revealed() || session.settings.allow_change_after_reveal;
    if !may_change {
        return Err(Refusal::RoundRevealed);
    }
    let Some(vote) = session.round.votes.get(&seat.id) else {
        return Err(Refusal::NoVoteToChange);
    };
    let card = card(session, ballot)?;
    let Phase::Revealed(before) = &session.round.phase else {
        return Ok(cast(session, seat, card, ballot.confidence, now));
    };

    let reply = voted(session, &card, ballot.confidence);
    if vote.says(&card, ballot.confidence) {
        return Ok(Decision::nothing(reply));
    }
    let vote = vote.amended(card, ballot.confidence, now);
    let results = revealed_again(session, before, seat.id, &vote);
    Ok(Decision::fact(Fact::VoteAmended {
        player: seat.id,
        story: session.round.story,
        round: session.round.id,
        vote,
        results: Box::new(results),
    })
    .replying(reply))
}

/// A voter takes the vote back until the reveal, which also stops a
/// countdown: not everybody has voted any more.
pub(super) fn retract(session: &Session, by: Actor, aim: Aim) -> Result<Decision, Refusal> {
    let seat = guard::seat(session, by)?;
    guard::current(session, aim)?;
    if session.round.is_revealed() {
        return Err(Refusal::RoundRevealed);
    }
    if !session.round.has_vote_of(seat.id) {
        return Ok(Decision::nothing(Reply::Done));
    }
    let mut facts = vec![drop_vote(session, seat)];
    if session.is_counting_down() {
        facts.push(Fact::CountdownCancelled { round: session.round.id });
    }
    Ok(Decision::facts(facts))
}

/// Somebody who may reveal turns the cards, once at least one lies there.
pub(super) fn reveal(
    session: &Session,
    by: Actor,
    aim: Aim,
    now: Millis,
) -> Result<Decision, Refusal> {
    let seat = guard::permitted(session, by, Required::Reveal, now)?;
    guard::current(session, aim)?;
    let round = session.round.id;
    if session.round.is_revealed() {
        return Ok(Decision::nothing(Reply::Revealed { round, already: true }));
    }
    if session.round.votes.is_empty() {
        return Err(Refusal::NoVotes);
    }
    Ok(Decision::fact(Fact::Revealed {
        story: session.round.story,
        round,
        results: Box::new(results(session, Some(seat.id), RevealReason::Manual, now)),
    })
    .replying(Reply::Revealed { round, already: false }))
}

/// Somebody who may reveal stops the countdown; without one there is nothing
/// to stop.
pub(super) fn cancel_countdown(
    session: &Session,
    by: Actor,
    now: Millis,
) -> Result<Decision, Refusal> {
    guard::permitted(session, by, Required::Reveal, now)?;
    Ok(if session.is_counting_down() {
        Decision::fact(Fact::CountdownCancelled { round: session.round.id })
    } else {
        Decision::nothing(Reply::Done)
    })
}

/// Somebody who may reset puts the round away and starts another one, on the
/// same story or on a new one. A round that nobody touched stays.
pub(super) fn reset(
    session: &Session,
    by: Actor,
    aim: Aim,
    new_story: Option<&StoryText>,
    now: Millis,
) -> Result<Decision, Refusal> {
    guard::permitted(session, by, Required::Reset, now)?;
    guard::current(session, aim)?;
    let is_untouched = session.round.votes.is_empty() && !session.round.is_revealed();
    let reply = |round: &Round| Reply::NewRound { story: round.story, round: round.id };
    let Some(text) = new_story else {
        return Ok(if is_untouched {
            Decision::nothing(reply(&session.round))
        } else {
            let round = Round::new(RoundId(session.next_round), session.round.story, now);
            Decision::fact(new_round(session, &round, None, now)).replying(reply(&round))
        });
    };
    if usize::from(session.policy.stories_max) <= session.stories.len() {
        return Err(Refusal::StoryLimit { stories_max: session.policy.stories_max });
    }
    let story = Story::new(session.next_story_id(), text.clone(), now);
    let round = Round::new(RoundId(session.next_round), story.id, now);
    Ok(Decision::fact(new_round(session, &round, Some(story), now)).replying(reply(&round)))
}

/// Somebody who may reset brings the revealed round back that a reset put
/// away a moment ago, as long as nobody has voted since.
pub(super) fn restore(
    session: &Session,
    by: Actor,
    round: RoundId,
    now: Millis,
) -> Result<Decision, Refusal> {
    guard::permitted(session, by, Required::Reset, now)?;
    let stale = Refusal::StaleRound { round: session.round.id };
    let Some(restorable) = &session.restorable else {
        return Err(stale);
    };
    let is_fresh = now.since(restorable.replaced_at) <= session.policy.restore_window_ms;
    let is_possible = restorable.round.id == round && is_fresh && session.round.votes.is_empty();
    let Some(results) = restorable.round.results().filter(|_| is_possible) else {
        return Err(stale);
    };
    let mut facts = vec![Fact::RoundRestored {
        story: restorable.round.story,
        round,
        results: Box::new(results.clone()),
    }];
    facts.extend(story_change(session, &restorable.round));
    Ok(Decision::facts(facts).replying(Reply::Revealed { round, already: false }))
}

/// Results alone do not say that another story is current: where a reset had
/// begun a new one, both are shown as they are once `round` is back.
fn story_change(session: &Session, round: &Round) -> Vec<Fact> {
    if round.story == session.round.story {
        return Vec::new();
    }
    let left = session.story_view_in(session.round.story, round);
    let back = session
        .story_view_in(round.story, round)
        .map(|view| StoryView { rounds: view.rounds.saturating_sub(1), ..view });
    let views = left.into_iter().chain(back);
    views.map(|view| Fact::StoryUpdated { story: Box::new(view) }).collect()
}

/// The fact that `round` replaces the running one.
pub(super) fn new_round(
    session: &Session,
    round: &Round,
    new_story: Option<Story>,
    now: Millis,
) -> Fact {
    let timer = session.timer_of_new_round(now);
    let story = match &new_story {
        Some(story) => session.view_of_new(story, true),
        None => session.current_story_view_in(round),
    };
    Fact::RoundReset {
        new_story: new_story.map(Box::new),
        story: Box::new(story),
        round: Box::new(session.view_of_round(round)),
        timer,
    }
}

/// The fact that a vote is taken off the table.
pub(super) fn drop_vote(session: &Session, seat: &Seat) -> Fact {
    let stays_eligible = seat.is_at_table();
    let counts = session.counts();
    Fact::VoteDropped {
        player: seat.id,
        story: session.round.story,
        round: session.round.id,
        counts: Counts {
            votes: counts.votes.saturating_sub(1),
            eligible: counts.eligible.saturating_sub(u32::from(!stays_eligible)),
        },
    }
}

/// Who may vote, on what is current.
fn voter<'a>(session: &'a Session, by: Actor, ballot: &Ballot) -> Result<&'a Seat, Refusal> {
    let seat = guard::seat(session, by)?;
    if seat.is_spectator {
        return Err(Refusal::SpectatorCannotVote);
    }
    guard::current(session, Aim { story: Some(ballot.story), round: ballot.round })?;
    Ok(seat)
}

/// The card that is meant, in the deck's own spelling.
fn card(session: &Session, ballot: &Ballot) -> Result<Card, Refusal> {
    let Some(card) = session.deck().find(&ballot.value) else {
        let cards = session.deck().cards().to_vec();
        return Err(Refusal::InvalidCard { cards });
    };
    if ballot.confidence.is_some() && !session.settings.confidence {
        return Err(Refusal::ConfidenceDisabled);
    }
    Ok(card.clone())
}

fn cast(
    session: &Session,
    seat: &Seat,
    card: Card,
    confidence: Option<Confidence>,
    now: Millis,
) -> Decision {
    let reply = voted(session, &card, confidence);
    let before = session.round.votes.get(&seat.id);
    if before.is_some_and(|vote| vote.says(&card, confidence)) {
        return Decision::nothing(reply);
    }
    let counts = session.counts();
    let is_first = u32::from(before.is_none());
    let was_eligible = session.is_eligible(seat);
    Decision::fact(Fact::VoteCast {
        player: seat.id,
        story: session.round.story,
        round: session.round.id,
        vote: Vote::new(card, confidence, now),
        counts: Counts {
            votes: counts.votes + is_first,
            eligible: counts.eligible + u32::from(!was_eligible),
        },
    })
    .replying(reply)
}

fn voted(session: &Session, card: &Card, confidence: Option<Confidence>) -> Reply {
    Reply::Voted {
        story: session.round.story,
        round: session.round.id,
        card: card.clone(),
        confidence,
    }
}
