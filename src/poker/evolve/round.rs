//! What facts do to the running round and to those that wait for their story.

use crate::poker::ids::{Millis, RoundId, StoryId};
use crate::poker::reply::Reply;
use crate::poker::round::{Phase, Results, Round};
use crate::poker::session::Session;
use crate::poker::timer::Timer;

impl Session {
    /// The round that runs when `story` comes to the table: the parked one,
    /// with the votes of those who still vote here, or a new one.
    pub(in crate::poker) fn round_of(&self, story: StoryId, now: Millis) -> Round {
        let parked = self.story(story).and_then(|story| story.parked.as_deref());
        let Some(parked) = parked else {
            return Round::new(RoundId(self.next_round), story, now);
        };
        let mut round = parked.clone();
        // A new number, although the votes are old: whoever still aims at the
        // round that was left must not hit this one by accident.
        round.id = RoundId(self.next_round);
        round.phase = Phase::Voting;
        round
            .votes
            .retain(|player, _| self.seats.get(player).is_some_and(|seat| !seat.is_spectator));
        round
    }

    pub(super) fn begin(&mut self, round: Round, timer: &Timer) {
        self.next_round = self.next_round.max(round.id.0.saturating_add(1));
        self.round = round;
        self.timer = timer.clone();
    }

    pub(super) fn reveal(&mut self, results: &Results) {
        self.round.phase = Phase::Revealed(Box::new(results.clone()));
        let story = self.round.story;
        if let Some(story) = self.stories.iter_mut().find(|known| known.id == story) {
            story.was_revealed = true;
        }
    }

    pub(super) fn activate(&mut self, story: StoryId, timer: &Timer, at: Millis) {
        let round = self.round_of(story, at);
        if self.round.is_revealed() {
            self.archive_round(at);
        } else if !self.round.votes.is_empty() {
            let mut parked = self.round.clone();
            parked.phase = Phase::Voting;
            let left = parked.story;
            if let Some(left) = self.stories.iter_mut().find(|known| known.id == left) {
                left.parked = Some(Box::new(parked));
            }
        }
        self.restorable = None;
        if let Some(story) = self.stories.iter_mut().find(|known| known.id == story) {
            story.parked = None;
        }
        self.begin(round, timer);
    }

    pub(super) fn delete_story(&mut self, story: StoryId) {
        self.stories.retain(|known| known.id != story);
        self.forget_votes_on(story);
        // There is no story for its round to come back to.
        self.restorable.take_if(|restorable| restorable.round.story == story);
    }

    /// Cards of the old deck mean nothing on the new one.
    pub(super) fn discard_cards_of_old_deck(&mut self) {
        self.restorable = None;
        self.destroy_parked_votes();
    }

    /// The values of votes that were never revealed are gone for good.
    pub(super) fn destroy_hidden_votes(&mut self) {
        if !self.round.is_revealed() {
            self.round.votes.clear();
            self.round.phase = Phase::Voting;
            self.forget_votes_on(self.round.story);
        }
        self.destroy_parked_votes();
    }

    fn destroy_parked_votes(&mut self) {
        let parked = self.stories.iter_mut().filter(|story| story.parked.is_some());
        let stories: Vec<StoryId> = parked
            .map(|story| {
                story.parked = None;
                story.id
            })
            .collect();
        for story in stories {
            self.forget_votes_on(story);
        }
    }

    /// Remembered outcomes repeat a vote to its voter; without the value
    /// where the vote itself is destroyed.
    pub(super) fn forget_votes_on(&mut self, story: StoryId) {
        for seat in self.seats.values_mut() {
            for (_, reply) in &mut seat.outcomes {
                if matches!(reply, Reply::Voted { story: voted, .. } if *voted == story) {
                    *reply = Reply::Done;
                }
            }
        }
    }
}
