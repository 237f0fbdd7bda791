//! `RoundState` and `RoundSummary` of the catalogue, §3.

use serde::Serialize;

use crate::api::results::{ConsensusData, VoteResult};
#[cfg(feature = "server")]
use crate::api::schema::MaybeRevealed;
use crate::api::time::Iso;
use crate::poker::ids::{Millis, PlayerId, RoundId, StoryId};
use crate::poker::round::{Phase, Results, RoundSummary};
use crate::poker::view::RoundView;
use crate::poker::word::words;

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct RoundState<'a> {
    pub story_id: StoryId,
    pub round_id: RoundId,
    pub phase: PhaseName,
    pub vote_count: u32,
    pub eligible_count: u32,
    pub voted_player_ids: &'a [PlayerId],
    /// Epoch milliseconds, while counting down.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(nullable = false))]
    pub reveal_at: Option<Millis>,
    pub started_at: Iso,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(value_type = MaybeRevealed))]
    pub revealed: Option<Revealed<'a>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PhaseName {
    Voting,
    Countdown,
    Revealed,
}

words! { PhaseName {
    Voting "voting",
    Countdown "countdown",
    Revealed "revealed",
} }

/// The part of a round that exists only once it is revealed.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Revealed<'a> {
    pub revealed_at: Iso,
    /// `null`: nobody asked; the countdown or the timer did it.
    #[cfg_attr(feature = "server", schema(required))]
    pub revealed_by: Option<PlayerId>,
    pub votes: Vec<VoteResult<'a>>,
    pub consensus: ConsensusData<'a>,
}

impl<'a> From<&'a RoundView> for RoundState<'a> {
    fn from(view: &'a RoundView) -> Self {
        let (phase, reveal_at) = match &view.phase {
            Phase::Voting => (PhaseName::Voting, None),
            Phase::Countdown { reveal_at } => (PhaseName::Countdown, Some(*reveal_at)),
            Phase::Revealed(_) => (PhaseName::Revealed, None),
        };
        Self {
            story_id: view.story,
            round_id: view.id,
            phase,
            vote_count: view.counts.votes,
            eligible_count: view.counts.eligible,
            voted_player_ids: &view.voted,
            reveal_at,
            started_at: Iso(view.started_at),
            revealed: view.results().map(Revealed::from),
        }
    }
}

impl<'a> From<&'a Results> for Revealed<'a> {
    fn from(results: &'a Results) -> Self {
        Self {
            revealed_at: Iso(results.revealed_at),
            revealed_by: results.revealed_by,
            votes: results.votes.iter().map(VoteResult::from).collect(),
            consensus: ConsensusData::from(&results.tally),
        }
    }
}

/// A finished round. One that was never revealed has counts only.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct RoundSummaryInfo<'a> {
    pub story_id: StoryId,
    pub round_id: RoundId,
    pub started_at: Iso,
    pub ended_at: Iso,
    pub vote_count: u32,
    pub is_revealed: bool,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(value_type = MaybeRevealed))]
    pub revealed: Option<Revealed<'a>>,
}

impl<'a> From<&'a RoundSummary> for RoundSummaryInfo<'a> {
    fn from(summary: &'a RoundSummary) -> Self {
        Self {
            story_id: summary.story,
            round_id: summary.id,
            started_at: Iso(summary.started_at),
            ended_at: Iso(summary.ended_at),
            vote_count: summary.vote_count,
            is_revealed: summary.results.is_some(),
            revealed: summary.results.as_deref().map(Revealed::from),
        }
    }
}
