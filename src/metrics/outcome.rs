//! What became of an event, as coarse as a label has to be.

use crate::api::failure::Failure;
use crate::poker::refusal::Refusal;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Acknowledged: committed, if it changed anything.
    Ok,
    /// The sender may not do that: not this seat, not in this session.
    Forbidden,
    /// There is no such session, story or player; or no more.
    Gone,
    /// The game has moved on, or is not as far.
    Stale,
    /// What was sent cannot be read, or names what cannot be.
    Bad,
    RateLimited,
    /// Ours.
    Failed,
}

impl Outcome {
    pub const ALL: &[Self] = &[
        Self::Ok,
        Self::Forbidden,
        Self::Gone,
        Self::Stale,
        Self::Bad,
        Self::RateLimited,
        Self::Failed,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Forbidden => "forbidden",
            Self::Gone => "gone",
            Self::Stale => "stale",
            Self::Bad => "bad",
            Self::RateLimited => "rate_limited",
            Self::Failed => "failed",
        }
    }
}

impl From<&Failure> for Outcome {
    fn from(failure: &Failure) -> Self {
        match failure {
            Failure::Refused(refusal) => refusal.into(),
            Failure::BadField(_) | Failure::UnknownEvent | Failure::PayloadTooLarge { .. } => {
                Self::Bad
            }
            Failure::AlreadyJoinedOther => Self::Stale,
            Failure::RateLimited { .. } => Self::RateLimited,
            Failure::ServerBusy { .. }
            | Failure::StateUnavailable { .. }
            | Failure::ServerShutdown { .. }
            | Failure::Internal { .. } => Self::Failed,
        }
    }
}

impl From<&Refusal> for Outcome {
    fn from(refusal: &Refusal) -> Self {
        match refusal {
            Refusal::BadValue { .. }
            | Refusal::NameRequired
            | Refusal::InvalidCard { .. }
            | Refusal::InvalidDeck(_) => Self::Bad,
            Refusal::NotJoined
            | Refusal::SessionLocked
            | Refusal::PasswordRequired
            | Refusal::PasswordInvalid
            | Refusal::InvalidPlayerToken
            | Refusal::PlayerRemoved
            | Refusal::Forbidden { .. }
            | Refusal::SpectatorCannotVote => Self::Forbidden,
            Refusal::SessionNotFound
            | Refusal::SessionExpired
            | Refusal::SessionEnded
            | Refusal::PlayerNotFound
            | Refusal::StoryNotFound => Self::Gone,
            Refusal::SessionFull { .. }
            | Refusal::StaleStory { .. }
            | Refusal::StaleRound { .. }
            | Refusal::RoundRevealed
            | Refusal::NoVoteToChange
            | Refusal::NoVotes
            | Refusal::ConfidenceDisabled
            | Refusal::StoryLimit { .. }
            | Refusal::StoryActive
            | Refusal::TimerNotRunning
            | Refusal::TimerNotPaused
            | Refusal::DeckInUse => Self::Stale,
        }
    }
}
