//! Why something did not happen, as clients read it: the codes of the
//! catalogue, §4, sorted by blame.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::Serialize;

use crate::api::field::BadField;
#[cfg(feature = "server")]
use crate::api::schema::ErrorCode;
use crate::poker::ids::{RoundId, StoryId};
use crate::poker::refusal::{Refusal, Required};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The rules say no.
    Refused(Refusal),
    /// The request cannot be read.
    BadField(BadField),
    UnknownEvent,
    PayloadTooLarge {
        bytes_max: usize,
    },
    AlreadyJoinedOther,
    RateLimited {
        retry_after_s: u32,
    },
    /// Ours, and worth another try.
    ServerBusy {
        retry_after_s: u32,
    },
    StateUnavailable {
        retry_after_s: u32,
    },
    ServerShutdown {
        retry_after_s: u32,
    },
    /// Ours, and a defect; `id` finds it in the log.
    Internal {
        id: u64,
    },
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<BadField> for Failure {
    fn from(bad: BadField) -> Self {
        Self::BadField(bad)
    }
}

/// The codes that the rules know nothing of.
macro_rules! codes {
    ($($failure:pat => $code:literal,)*) => {
        impl Failure {
            const OWN_CODES: &[&str] = &[$($code,)*];

            pub const fn code(&self) -> &'static str {
                match self {
                    Self::Refused(refusal) => refusal.code(),
                    $($failure => $code,)*
                }
            }
        }
    };
}

codes! {
    Self::BadField(_) => "BAD_REQUEST",
    Self::UnknownEvent => "UNKNOWN_EVENT",
    Self::PayloadTooLarge { .. } => "PAYLOAD_TOO_LARGE",
    Self::AlreadyJoinedOther => "ALREADY_JOINED_OTHER",
    Self::RateLimited { .. } => "RATE_LIMITED",
    Self::ServerBusy { .. } => "SERVER_BUSY",
    Self::StateUnavailable { .. } => "STATE_UNAVAILABLE",
    Self::ServerShutdown { .. } => "SERVER_SHUTDOWN",
    Self::Internal { .. } => "INTERNAL",
}

impl Failure {
    /// Every code there is.
    pub fn codes() -> BTreeSet<&'static str> {
        Refusal::CODES.iter().chain(Self::OWN_CODES).copied().collect()
    }

    /// One sentence for people.
    pub fn message(&self) -> Cow<'static, str> {
        match self {
            Self::Refused(refusal) => refusal.to_string().into(),
            Self::BadField(bad) if bad.field.is_empty() => {
                format!("The payload {}", bad.problem).into()
            }
            Self::BadField(bad) => format!("{} {}", bad.field, bad.problem).into(),
            Self::UnknownEvent => "There is no such event".into(),
            Self::PayloadTooLarge { bytes_max } => {
                format!("The payload is larger than {bytes_max} bytes").into()
            }
            Self::AlreadyJoinedOther => "This socket is in another session; leave it first".into(),
            Self::RateLimited { .. } => "Too many of these; try again later".into(),
            Self::ServerBusy { .. } => "The server is busy; try again".into(),
            Self::StateUnavailable { .. } => "The session cannot be reached; try again".into(),
            Self::ServerShutdown { .. } => "The server is going away; reconnect".into(),
            Self::Internal { .. } => "Something went wrong on our side".into(),
        }
    }

    pub fn field(&self) -> Option<Cow<'static, str>> {
        match self {
            Self::BadField(bad) if !bad.field.is_empty() => Some(bad.field.clone()),
            Self::Refused(Refusal::BadValue { field, .. }) => Some((*field).into()),
            _ => None,
        }
    }

    /// Seconds until another try makes sense.
    pub const fn retry_after_s(&self) -> Option<u32> {
        match self {
            Self::RateLimited { retry_after_s }
            | Self::ServerBusy { retry_after_s }
            | Self::StateUnavailable { retry_after_s }
            | Self::ServerShutdown { retry_after_s } => Some(*retry_after_s),
            _ => None,
        }
    }

    /// What a client needs to put itself right.
    pub fn details(&self) -> Option<Details> {
        let details = match self {
            Self::Internal { id } => Details { id: Some(format!("{id:016x}")), ..NO_DETAILS },
            Self::Refused(refusal) => match refusal {
                Refusal::Forbidden { required } => {
                    Details { required: Some(*required), ..NO_DETAILS }
                }
                Refusal::StaleStory { current_story, round } => Details {
                    current_story_id: Some(*current_story),
                    round_id: Some(*round),
                    ..NO_DETAILS
                },
                Refusal::StaleRound { round } => Details { round_id: Some(*round), ..NO_DETAILS },
                Refusal::InvalidCard { cards } => {
                    let cards = cards.iter().map(|card| card.as_str().to_owned()).collect();
                    Details { cards: Some(cards), ..NO_DETAILS }
                }
                Refusal::SessionFull { max_players } => {
                    Details { max_players: Some(*max_players), ..NO_DETAILS }
                }
                Refusal::StoryLimit { stories_max } => {
                    Details { stories_max: Some(*stories_max), ..NO_DETAILS }
                }
                _ => return None,
            },
            _ => return None,
        };
        Some(details)
    }

    pub fn body(&self) -> FailureBody {
        FailureBody {
            code: self.code(),
            message: self.message(),
            field: self.field(),
            retry_after: self.retry_after_s(),
            details: self.details(),
        }
    }

    /// `session:error`: what a client is told that asked for no
    /// acknowledgement.
    pub fn session_error(&self, event: Option<&str>) -> SessionError {
        let body = self.body();
        SessionError {
            error: body.message,
            code: body.code,
            event: event.map(str::to_owned),
            field: body.field,
            retry_after: body.retry_after,
            details: body.details,
        }
    }
}

/// What a client needs to put itself right; which of these are there depends
/// on the code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Details {
    /// `FORBIDDEN`: who may.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(nullable = false))]
    pub required: Option<Required>,
    /// `STALE_STORY`: what is voted on now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(nullable = false))]
    pub current_story_id: Option<StoryId>,
    /// `STALE_STORY`, `STALE_ROUND`: the round that runs now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(nullable = false))]
    pub round_id: Option<RoundId>,
    /// `INVALID_CARD`: those of the deck.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(nullable = false))]
    pub cards: Option<Vec<String>>,
    /// `SESSION_FULL`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(nullable = false))]
    pub max_players: Option<u16>,
    /// `STORY_LIMIT`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(nullable = false))]
    pub stories_max: Option<u16>,
    /// `INTERNAL`: finds the defect in the server's log.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(nullable = false))]
    pub id: Option<String>,
}

const NO_DETAILS: Details = Details {
    required: None,
    current_story_id: None,
    round_id: None,
    cards: None,
    max_players: None,
    stories_max: None,
    id: None,
};

/// The `error` of a failed acknowledgement.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct FailureBody {
    #[cfg_attr(feature = "server", schema(value_type = ErrorCode))]
    pub code: &'static str,
    /// One sentence for people.
    pub message: Cow<'static, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(nullable = false))]
    /// The path of the field that is wrong: `settings.deck`.
    pub field: Option<Cow<'static, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(nullable = false))]
    /// Seconds until another try makes sense.
    pub retry_after: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(nullable = false))]
    pub details: Option<Details>,
}

/// What is told of a failure that nobody awaits.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SessionError {
    /// One sentence for people.
    pub error: Cow<'static, str>,
    #[cfg_attr(feature = "server", schema(value_type = ErrorCode))]
    pub code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(nullable = false))]
    pub event: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(nullable = false))]
    /// The path of the field that is wrong: `settings.deck`.
    pub field: Option<Cow<'static, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(nullable = false))]
    /// Seconds until another try makes sense.
    pub retry_after: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(nullable = false))]
    pub details: Option<Details>,
}
