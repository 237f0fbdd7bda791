//! Turning the cards: the one place where votes become readable for all.

use crate::poker::card::Card;
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
    let is_anonymous = session.settings.anonymous;
    Results {
        votes: revealed_votes(session, is_anonymous),
        tally: count(session, &votes, is_anonymous),
        revealed_at: at,
        revealed_by: by,
        reason,
    }
}

/// The results after one voter changed the vote in a revealed round. The list
/// stays as it was revealed (who was there, who is named) but for that vote.
pub(super) fn revealed_again(
    session: &Session,
    before: &Results,
    player: PlayerId,
    changed: &Vote,
) -> Results {
    let mut votes = before.votes.clone();
    let old = session.round.votes.get(&player).map(Vote::disclose);
    // An anonymous entry is found by its content: equal ones are the same.
    let place = votes.iter().position(|entry| match entry.player {
        Some(voter) => voter == player,
        None => old.as_ref().is_some_and(|old| {
            entry.card.as_ref() == Some(old.card)
                && entry.confidence == old.confidence
                && entry.initial.as_ref() == old.initial
        }),
    });
    if let Some(entry) = place.and_then(|place| votes.get_mut(place)) {
        *entry = RevealedVote { player: entry.player, name: entry.name.take(), ..bare(changed) };
        entry.cast_at = entry.player.map(|_| changed.disclose().cast_at);
    }
    let is_anonymous = before.is_anonymous();
    if is_anonymous {
        in_deck_order(session, &mut votes);
    }
    let ballots: Vec<(PlayerId, &Vote)> = session
        .round
        .votes
        .iter()
        .map(|(voter, vote)| (*voter, if *voter == player { changed } else { vote }))
        .collect();
    Results {
        votes,
        tally: count(session, &ballots, is_anonymous),
        revealed_at: before.revealed_at,
        revealed_by: before.revealed_by,
        reason: before.reason,
    }
}

fn count(session: &Session, votes: &[(PlayerId, &Vote)], is_anonymous: bool) -> Tally {
    let ballots = votes.iter().map(|(player, vote)| {
        let vote = vote.disclose();
        (*player, vote.card, vote.confidence)
    });
    let mut tally = tally(session.deck(), ballots, session.settings.consensus_percent);
    if is_anonymous {
        tally.outliers.clear();
    }
    tally
}

/// In the order of the table.
fn revealed_votes(session: &Session, is_anonymous: bool) -> Vec<RevealedVote> {
    let mut seats: Vec<_> = session.seats.values().collect();
    seats.sort_by_key(|seat| (seat.joined_at, seat.id));
    let listed = seats.into_iter().filter_map(|seat| {
        let vote = session.round.votes.get(&seat.id);
        let has_passed = session.settings.list_passes && session.is_eligible(seat);
        let entry = match vote {
            Some(vote) => bare(vote),
            None if has_passed => PASS,
            None => return None,
        };
        if is_anonymous {
            return Some(entry);
        }
        Some(RevealedVote {
            player: Some(seat.id),
            name: Some(seat.name.clone()),
            cast_at: vote.map(|vote| vote.disclose().cast_at),
            ..entry
        })
    });
    let mut votes: Vec<RevealedVote> = listed.collect();
    if is_anonymous {
        in_deck_order(session, &mut votes);
    }
    votes
}

/// A vote without its voter.
fn bare(vote: &Vote) -> RevealedVote {
    let vote = vote.disclose();
    RevealedVote {
        player: None,
        name: None,
        card: Some(vote.card.clone()),
        confidence: vote.confidence,
        initial: vote.initial.cloned(),
        cast_at: None,
    }
}

const PASS: RevealedVote = RevealedVote {
    player: None,
    name: None,
    card: None,
    confidence: None,
    initial: None,
    cast_at: None,
};

/// Anonymous votes lie in the order of the deck, by everything that they
/// show, so that a place in the list says nothing about a person. Those who
/// passed come last.
fn in_deck_order(session: &Session, votes: &mut [RevealedVote]) {
    let index = |card: Option<&Card>| card.and_then(|card| session.deck().index_of(card));
    votes.sort_by_key(|vote| {
        let place = index(vote.card.as_ref()).unwrap_or(usize::MAX);
        (place, vote.confidence, index(vote.initial.as_ref()))
    });
}
