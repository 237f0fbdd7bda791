//! The rules say no. Codes and their meaning: the catalogue, §4.

use thiserror::Error;

use crate::poker::card::Card;
use crate::poker::deck::DeckError;
use crate::poker::ids::{RoundId, StoryId};
use crate::poker::word::words;

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    #[error("{field} must be {expected}")]
    BadValue { field: &'static str, expected: &'static str },
    #[error("Join a session first")]
    NotJoined,
    #[error("Session not found")]
    SessionNotFound,
    #[error("This session has expired")]
    SessionExpired,
    #[error("This session has ended")]
    SessionEnded,
    #[error("This session is locked")]
    SessionLocked,
    #[error("This session is full")]
    SessionFull { max_players: u16 },
    #[error("This session needs a password")]
    PasswordRequired,
    #[error("The password is wrong")]
    PasswordInvalid,
    #[error("A name is needed to take a seat")]
    NameRequired,
    #[error("The player token is missing or not valid")]
    InvalidPlayerToken,
    #[error("This seat was removed from the session")]
    PlayerRemoved,
    #[error("No such player")]
    PlayerNotFound,
    #[error("Not allowed: this needs {required}")]
    Forbidden { required: Required },
    #[error("Spectators cannot vote")]
    SpectatorCannotVote,
    #[error("The story has changed")]
    StaleStory { current_story: StoryId, round: RoundId },
    #[error("The round has changed")]
    StaleRound { round: RoundId },
    #[error("The cards are revealed already")]
    RoundRevealed,
    #[error("There is no vote to change")]
    NoVoteToChange,
    #[error("Nobody has voted yet")]
    NoVotes,
    #[error("This card is not in the deck")]
    InvalidCard { cards: Vec<Card> },
    #[error("Confidence is switched off in this session")]
    ConfidenceDisabled,
    #[error("No such story")]
    StoryNotFound,
    #[error("The list is full")]
    StoryLimit { stories_max: u16 },
    #[error("The current story cannot be deleted")]
    StoryActive,
    #[error("The timer is not running")]
    TimerNotRunning,
    #[error("The timer is not paused")]
    TimerNotPaused,
    #[error("This deck cannot be used: {0}")]
    InvalidDeck(#[from] DeckError),
    #[error("There are votes on this deck; use force to start a new round")]
    DeckInUse,
}

/// What `details.required` names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Required {
    Host,
    Facilitator,
    Reveal,
    Reset,
    Story,
    Timer,
    /// The rule forbids it to everybody (the host as the target, say).
    AnotherTarget,
    /// Switched off in the settings.
    Reactions,
}

words! { Required {
    Host "host",
    Facilitator "facilitator",
    Reveal "reveal",
    Reset "reset",
    Story "story",
    Timer "timer",
    AnotherTarget "another target",
    Reactions "reactions",
} }

impl std::fmt::Display for Required {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The stable codes on the wire.
macro_rules! codes {
    ($($refusal:pat => $code:literal,)*) => {
        impl Refusal {
            pub const CODES: &[&str] = &[$($code,)*];

            pub const fn code(&self) -> &'static str {
                match self {
                    $($refusal => $code,)*
                }
            }
        }
    };
}

codes! {
    Self::BadValue { .. } => "BAD_REQUEST",
    Self::NotJoined => "NOT_JOINED",
    Self::SessionNotFound => "SESSION_NOT_FOUND",
    Self::SessionExpired => "SESSION_EXPIRED",
    Self::SessionEnded => "SESSION_ENDED",
    Self::SessionLocked => "SESSION_LOCKED",
    Self::SessionFull { .. } => "SESSION_FULL",
    Self::PasswordRequired => "PASSWORD_REQUIRED",
    Self::PasswordInvalid => "PASSWORD_INVALID",
    Self::NameRequired => "NAME_REQUIRED",
    Self::InvalidPlayerToken => "INVALID_PLAYER_TOKEN",
    Self::PlayerRemoved => "PLAYER_REMOVED",
    Self::PlayerNotFound => "PLAYER_NOT_FOUND",
    Self::Forbidden { .. } => "FORBIDDEN",
    Self::SpectatorCannotVote => "SPECTATOR_CANNOT_VOTE",
    Self::StaleStory { .. } => "STALE_STORY",
    Self::StaleRound { .. } => "STALE_ROUND",
    Self::RoundRevealed => "ROUND_REVEALED",
    Self::NoVoteToChange => "NO_VOTE_TO_CHANGE",
    Self::NoVotes => "NO_VOTES",
    Self::InvalidCard { .. } => "INVALID_CARD",
    Self::ConfidenceDisabled => "CONFIDENCE_DISABLED",
    Self::StoryNotFound => "STORY_NOT_FOUND",
    Self::StoryLimit { .. } => "STORY_LIMIT",
    Self::StoryActive => "STORY_ACTIVE",
    Self::TimerNotRunning => "TIMER_NOT_RUNNING",
    Self::TimerNotPaused => "TIMER_NOT_PAUSED",
    Self::InvalidDeck(_) => "INVALID_DECK",
    Self::DeckInUse => "DECK_IN_USE",
}
