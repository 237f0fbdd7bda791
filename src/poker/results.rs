//! Turning the cards: the one place where votes become readable for all.

use crate::poker::ids::{Millis, PlayerId};
use crate::poker::round::{Results, RevealReason, RevealedVote, Vote};
use crate::poker::session::Session;
use crate::poker::tally::{Tally, tally};

/// The results of the running round if it is revealed now.
pub fn results(
    session: &Session,
    by: Option<PlayerId>,
    reason: RevealReason,
    at: Millis,
) -> Results {
    let votes: Vec<(PlayerId, &Vote)> =
        session.round.votes.iter().map(|(player, vote)| (*player, vote)).collect();
    Results {
        votes: revealed_votes(session, &votes),
        tally: count(session, &votes),
        revealed_at: at,
        revealed_by: by,
        reason,
    }
}

/// The results after one voter changed the vote in a revealed round.
pub(super) fn revealed_again(
    session: &Session,
    before: &Results,
    player: PlayerId,
    changed: &Vote,
) -> Results {
    let votes: Vec<(PlayerId, &Vote)> = session
        .round
        .votes
        .iter()
        .map(|(voter, vote)| (*voter, if *voter == player { changed } else { vote }))
        .collect();
    Results {
        votes: revealed_votes(session, &votes),
        tally: count(session, &votes),
        ..before.clone()
    }
}

fn count(session: &Session, votes: &[(PlayerId, &Vote)]) -> Tally {
    let ballots = votes.iter().map(|(player, vote)| {
        let vote = vote.disclose();
        (*player, vote.card, vote.confidence)
    });
    let mut tally = tally(session.deck(), ballots, session.settings.consensus_percent);
    if session.settings.anonymous {
        tally.outliers.clear();
    }
    tally
}

/// In the order of the table; anonymous ones in the order of the deck, so
/// that a place in the list says nothing about a person.
fn revealed_votes(session: &Session, votes: &[(PlayerId, &Vote)]) -> Vec<RevealedVote> {
    let is_anonymous = session.settings.anonymous;
    let mut seats: Vec<_> = session.seats.values().collect();
    seats.sort_by_key(|seat| (seat.joined_at, seat.id));

    let mut revealed = Vec::with_capacity(seats.len());
    for seat in seats {
        let vote =
            votes.iter().find(|(player, _)| *player == seat.id).map(|(_, vote)| vote.disclose());
        let passed = session.settings.list_passes && session.is_eligible(seat);
        if vote.is_none() && !passed {
            continue;
        }
        revealed.push(RevealedVote {
            player: (!is_anonymous).then_some(seat.id),
            name: (!is_anonymous).then(|| seat.name.clone()),
            card: vote.as_ref().map(|vote| vote.card.clone()),
            confidence: vote.as_ref().and_then(|vote| vote.confidence),
            initial: vote.as_ref().and_then(|vote| vote.initial.cloned()),
            cast_at: vote.filter(|_| !is_anonymous).map(|vote| vote.cast_at),
        });
    }
    if is_anonymous {
        let place = |vote: &RevealedVote| {
            let index = vote.card.as_ref().and_then(|card| session.deck().index_of(card));
            // Those who passed come last.
            (index.unwrap_or(usize::MAX), vote.confidence)
        };
        revealed.sort_by_key(place);
    }
    revealed
}
