//! Finished rounds: put away, and brought back.

use std::collections::VecDeque;

use crate::poker::ids::{Millis, PlayerId, RoundId};
use crate::poker::round::{Round, RoundSummary};
use crate::poker::session::{Restorable, Session};

impl Session {
    /// Puts the running round into the history. What was never revealed
    /// leaves its counts behind, and its values are gone.
    pub(super) fn archive_round(&mut self, at: Millis) {
        let next = Round::new(self.round.id, self.round.story, at);
        let round = std::mem::replace(&mut self.round, next);
        let is_untouched = round.votes.is_empty() && !round.is_revealed();
        if is_untouched {
            return;
        }
        if let Some(story) = self.stories.iter_mut().find(|known| known.id == round.story) {
            story.rounds += 1;
        }
        let is_revealed = round.is_revealed();
        let voters: Vec<PlayerId> =
            if is_revealed { round.votes.keys().copied().collect() } else { Vec::new() };
        if !is_revealed {
            self.forget_votes_on(round.story);
        }
        self.history.push_back(RoundSummary {
            id: round.id,
            story: round.story,
            started_at: round.started_at,
            ended_at: at,
            vote_count: round.votes.len() as u32,
            results: round.results().cloned().map(Box::new),
            voters: voters.clone(),
        });
        self.mark_voters(&voters);
        let rounds_max = usize::from(self.policy.history_rounds_max);
        for dropped in truncate_front(&mut self.history, rounds_max) {
            self.mark_voters(&dropped.voters);
        }
        self.restorable = is_revealed.then(|| Box::new(Restorable { round, replaced_at: at }));
    }

    /// The running round makes way; the rule is that nobody voted in it.
    pub(super) fn restore(&mut self, round: RoundId) {
        let Some(restorable) = self.restorable.take_if(|known| known.round.id == round) else {
            return;
        };
        let Restorable { round, .. } = *restorable;
        self.history.retain(|summary| summary.id != round.id);
        let voters: Vec<PlayerId> = round.votes.keys().copied().collect();
        self.mark_voters(&voters);
        if let Some(story) = self.stories.iter_mut().find(|known| known.id == round.story) {
            story.rounds = story.rounds.saturating_sub(1);
        }
        self.round = round;
    }

    /// Notes for each of `voters` whether the history holds a vote of theirs.
    fn mark_voters(&mut self, voters: &[PlayerId]) {
        for player in voters {
            let in_history = self.history_has_vote_of(*player);
            if let Some(seat) = self.seats.get_mut(player) {
                seat.in_history = in_history;
            }
        }
    }

    pub(super) fn history_has_vote_of(&self, player: PlayerId) -> bool {
        // The latest rounds first: whoever is here has voted in one of them.
        self.history.iter().rev().any(|round| round.voters.contains(&player))
    }
}

/// Drops the oldest items beyond `items_max`.
pub(super) fn truncate_front<T>(items: &mut VecDeque<T>, items_max: usize) -> Vec<T> {
    let surplus = items.len().saturating_sub(items_max);
    items.drain(..surplus).collect()
}
