//! What everybody at the table may see of the state, as plain values.
//!
//! Events carry these, so that an event can be shown (live, on replay, on
//! another instance) without the state it came from. No view holds a vote
//! before the reveal.

use crate::poker::ids::{Millis, PlayerId, RoundId, StoryId};
use crate::poker::names::{Avatar, FinalEstimate, PlayerName};
use crate::poker::round::{Phase, Results, Round};
use crate::poker::seat::{Role, Seat};
use crate::poker::session::Session;
use crate::poker::story::{Story, StoryText};
use crate::poker::word::words;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlayerView {
    pub id: PlayerId,
    pub name: PlayerName,
    pub avatar: Avatar,
    pub role: Role,
    pub is_spectator: bool,
    pub is_host: bool,
    pub is_acting_host: bool,
    pub is_online: bool,
    pub is_away: bool,
    pub has_voted: bool,
    pub joined_at: Millis,
    pub last_seen_at: Millis,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoryView {
    pub id: StoryId,
    pub text: StoryText,
    pub final_estimate: Option<FinalEstimate>,
    pub order_index: u32,
    pub is_active: bool,
    pub status: StoryStatus,
    pub rounds: u32,
    pub updated_at: Millis,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoryStatus {
    Pending,
    Voting,
    Revealed,
    Estimated,
    Skipped,
}

words! { StoryStatus {
    Pending "pending",
    Voting "voting",
    Revealed "revealed",
    Estimated "estimated",
    Skipped "skipped",
} }

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoundView {
    pub id: RoundId,
    pub story: StoryId,
    pub phase: Phase,
    pub counts: Counts,
    pub voted: Vec<PlayerId>,
    pub started_at: Millis,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    pub votes: u32,
    pub eligible: u32,
}

impl RoundView {
    pub const fn results(&self) -> Option<&Results> {
        match &self.phase {
            Phase::Revealed(results) => Some(results),
            Phase::Voting | Phase::Countdown { .. } => None,
        }
    }
}

impl Session {
    pub fn counts(&self) -> Counts {
        Counts { votes: self.vote_count(), eligible: self.eligible_count() }
    }

    pub fn player_view(&self, seat: &Seat) -> PlayerView {
        PlayerView {
            id: seat.id,
            name: seat.name.clone(),
            avatar: seat.avatar.clone(),
            role: seat.role,
            is_spectator: seat.is_spectator,
            is_host: self.is_host(seat.id),
            is_acting_host: self.acting_host == Some(seat.id),
            is_online: seat.is_online(),
            is_away: seat.is_away,
            has_voted: self.round.has_vote_of(seat.id),
            joined_at: seat.joined_at,
            last_seen_at: seat.last_seen_at,
        }
    }

    pub fn player_views(&self) -> Vec<PlayerView> {
        self.players().into_iter().map(|seat| self.player_view(seat)).collect()
    }

    pub fn story_views(&self) -> Vec<StoryView> {
        (0u32..).zip(&self.stories).map(|(index, story)| self.view_at(index, story)).collect()
    }

    pub fn story_view(&self, id: StoryId) -> Option<StoryView> {
        (0u32..)
            .zip(&self.stories)
            .find(|(_, story)| story.id == id)
            .map(|(index, story)| self.view_at(index, story))
    }

    pub fn round_view(&self) -> RoundView {
        self.view_of_round(&self.round)
    }

    /// How a story that is not in the list yet will be shown at its end.
    pub(super) fn view_of_new(&self, story: &Story, is_active: bool) -> StoryView {
        let order_index = u32::try_from(self.stories.len()).unwrap_or(u32::MAX);
        let status = if is_active { StoryStatus::Voting } else { StoryStatus::Pending };
        StoryView { order_index, is_active, status, ..shown(order_index, story, &self.round) }
    }

    /// How the current story will be shown once `round` has replaced its
    /// running round.
    pub(super) fn current_story_view_in(&self, round: &Round) -> StoryView {
        let mut view = shown(0, self.current_story(), round);
        let index = self.stories.iter().position(|story| story.id == round.story);
        view.order_index = index.unwrap_or(0) as u32;
        let was_touched = !self.round.votes.is_empty() || self.round.is_revealed();
        view.rounds += u32::from(was_touched);
        view
    }

    /// How a story is shown while `running` is the running round.
    pub(super) fn story_view_in(&self, id: StoryId, running: &Round) -> Option<StoryView> {
        let index = self.stories.iter().position(|story| story.id == id)?;
        Some(shown(index as u32, &self.stories[index], running))
    }

    /// How the story at `index` is shown with another estimate.
    pub(super) fn view_with_estimate(
        &self,
        index: usize,
        estimate: Option<&FinalEstimate>,
        at: Millis,
    ) -> StoryView {
        let story = Story {
            final_estimate: estimate.cloned(),
            updated_at: at,
            ..self.stories[index].clone()
        };
        self.view_at(index as u32, &story)
    }

    /// How `round` will be shown once it runs.
    pub(super) fn view_of_round(&self, round: &Round) -> RoundView {
        RoundView {
            id: round.id,
            story: round.story,
            phase: round.phase.clone(),
            counts: Counts {
                votes: round.votes.len() as u32,
                eligible: self.seats.eligible_count(round),
            },
            voted: round.votes.keys().copied().collect(),
            started_at: round.started_at,
        }
    }

    fn view_at(&self, order_index: u32, story: &Story) -> StoryView {
        shown(order_index, story, &self.round)
    }
}

fn shown(order_index: u32, story: &Story, running: &Round) -> StoryView {
    let is_active = story.id == running.story;
    let status = match () {
        () if story.final_estimate.is_some() => StoryStatus::Estimated,
        () if is_active && running.is_revealed() => StoryStatus::Revealed,
        () if is_active => StoryStatus::Voting,
        () if story.was_revealed => StoryStatus::Revealed,
        () if story.parked.is_some() || 0 < story.rounds => StoryStatus::Skipped,
        () => StoryStatus::Pending,
    };
    StoryView {
        id: story.id,
        text: story.text.clone(),
        final_estimate: story.final_estimate.clone(),
        order_index,
        is_active,
        status,
        rounds: story.rounds,
        updated_at: story.updated_at,
    }
}
