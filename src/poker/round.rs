//! One round of votes on one story.

use std::collections::BTreeMap;
use std::fmt;

use crate::poker::card::Card;
use crate::poker::ids::{Millis, PlayerId, RoundId, StoryId};
use crate::poker::names::PlayerName;
use crate::poker::tally::{Confidence, Tally};
use crate::poker::word::words;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Round {
    pub id: RoundId,
    pub story: StoryId,
    pub phase: Phase,
    pub votes: BTreeMap<PlayerId, Vote>,
    pub started_at: Millis,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    Voting,
    /// Everybody has voted; the cards turn at `reveal_at` unless cancelled.
    Countdown {
        reveal_at: Millis,
    },
    Revealed(Box<Results>),
}

/// A vote that nobody but its voter may see.
///
/// There is no `Serialize` and no `Display`, and `Debug` shows nothing: a
/// value leaves this type only through [`Vote::disclose`], which the reveal
/// and the voter's own view call.
#[derive(Clone, PartialEq, Eq)]
pub struct Vote {
    card: Card,
    confidence: Option<Confidence>,
    /// The card at the reveal, once it was changed afterwards.
    initial: Option<Card>,
    cast_at: Millis,
}

/// The readable content of a vote; see [`Vote::disclose`].
#[derive(Clone, PartialEq, Eq)]
pub struct Disclosed<'a> {
    pub card: &'a Card,
    pub confidence: Option<Confidence>,
    pub initial: Option<&'a Card>,
    pub cast_at: Millis,
}

impl Vote {
    pub const fn new(card: Card, confidence: Option<Confidence>, cast_at: Millis) -> Self {
        Self { card, confidence, initial: None, cast_at }
    }

    /// This vote after a change that followed the reveal.
    pub fn amended(&self, card: Card, confidence: Option<Confidence>, at: Millis) -> Self {
        let initial = self.initial.as_ref().unwrap_or(&self.card);
        let initial = (*initial != card).then(|| initial.clone());
        Self { card, confidence, initial, cast_at: at }
    }

    /// For the voter, for the store and for the reveal; for nobody else.
    pub const fn disclose(&self) -> Disclosed<'_> {
        Disclosed {
            card: &self.card,
            confidence: self.confidence,
            initial: self.initial.as_ref(),
            cast_at: self.cast_at,
        }
    }

    /// A vote as the store kept it.
    pub const fn restored(
        card: Card,
        confidence: Option<Confidence>,
        initial: Option<Card>,
        cast_at: Millis,
    ) -> Self {
        Self { card, confidence, initial, cast_at }
    }

    pub fn says(&self, card: &Card, confidence: Option<Confidence>) -> bool {
        self.card == *card && self.confidence == confidence
    }
}

impl fmt::Debug for Vote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vote(hidden)")
    }
}

/// A revealed round: everybody sees this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Results {
    pub votes: Vec<RevealedVote>,
    pub tally: Tally,
    pub revealed_at: Millis,
    /// `None` when nobody asked: countdown or timer.
    pub revealed_by: Option<PlayerId>,
    pub reason: RevealReason,
}

impl Results {
    /// Whether the votes were revealed without names. Fixed by the reveal:
    /// the setting may be another one by now. A reveal lists at least a vote.
    pub fn is_anonymous(&self) -> bool {
        self.votes.iter().any(|vote| vote.player.is_none())
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevealedVote {
    /// `None` in anonymous mode, like the name and the time.
    pub player: Option<PlayerId>,
    pub name: Option<PlayerName>,
    /// `None`: could have voted and did not.
    pub card: Option<Card>,
    pub confidence: Option<Confidence>,
    pub initial: Option<Card>,
    pub cast_at: Option<Millis>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RevealReason {
    Manual,
    Auto,
    Timer,
}

words! { RevealReason {
    Manual "manual",
    Auto "auto",
    Timer "timer",
} }

/// A finished round. What was never revealed left only counts behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoundSummary {
    pub id: RoundId,
    pub story: StoryId,
    pub started_at: Millis,
    pub ended_at: Millis,
    pub vote_count: u32,
    pub results: Option<Box<Results>>,
    /// Whose votes it holds: nobody's when it was never revealed. Their seats
    /// are kept for as long as it is.
    pub voters: Vec<PlayerId>,
}

impl Round {
    pub const fn new(id: RoundId, story: StoryId, at: Millis) -> Self {
        Self { id, story, phase: Phase::Voting, votes: BTreeMap::new(), started_at: at }
    }

    pub const fn results(&self) -> Option<&Results> {
        match &self.phase {
            Phase::Revealed(results) => Some(results),
            Phase::Voting | Phase::Countdown { .. } => None,
        }
    }

    pub const fn is_revealed(&self) -> bool {
        matches!(self.phase, Phase::Revealed(_))
    }

    pub fn has_vote_of(&self, player: PlayerId) -> bool {
        self.votes.contains_key(&player)
    }
}
