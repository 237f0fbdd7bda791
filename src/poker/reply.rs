//! What the sender of an accepted command is told.

use std::fmt;

use crate::poker::card::Card;
use crate::poker::ids::{PlayerId, RoundId, StoryId};
use crate::poker::names::PlayerName;
use crate::poker::tally::Confidence;

#[derive(Clone, PartialEq, Eq)]
pub enum Reply {
    Done,
    /// The seat that was joined, to be shown with a snapshot.
    Joined {
        player: PlayerId,
    },
    /// The name as it is after suffixing.
    Named {
        name: PlayerName,
    },
    /// The sender's own vote.
    Voted {
        story: StoryId,
        round: RoundId,
        card: Card,
        confidence: Option<Confidence>,
    },
    Revealed {
        round: RoundId,
        already: bool,
    },
    NewRound {
        story: StoryId,
        round: RoundId,
    },
    Story {
        story: StoryId,
    },
    Imported {
        stories: Vec<StoryId>,
    },
    Nudged {
        players: Vec<PlayerId>,
    },
}

impl fmt::Debug for Reply {
    /// Without the vote.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Done => "Done",
            Self::Joined { .. } => "Joined",
            Self::Named { .. } => "Named",
            Self::Voted { .. } => "Voted(hidden)",
            Self::Revealed { .. } => "Revealed",
            Self::NewRound { .. } => "NewRound",
            Self::Story { .. } => "Story",
            Self::Imported { .. } => "Imported",
            Self::Nudged { .. } => "Nudged",
        })
    }
}
