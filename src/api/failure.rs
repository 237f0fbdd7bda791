//! Why something did not happen, as clients read it: the codes of the
//! catalogue, §4, sorted by blame.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::json;

use crate::api::field::BadField;
use crate::poker::refusal::Refusal;

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

impl Failure {
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.code(),
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
    pub fn details(&self) -> Option<serde_json::Value> {
        let Self::Refused(refusal) = self else {
            return match self {
                Self::Internal { id } => Some(json!({ "id": format!("{id:016x}") })),
                _ => None,
            };
        };
        match refusal {
            Refusal::Forbidden { required } => Some(json!({ "required": required.as_str() })),
            Refusal::StaleStory { current_story, round } => {
                Some(json!({ "currentStoryId": current_story, "roundId": round }))
            }
            Refusal::StaleRound { round } => Some(json!({ "roundId": round })),
            Refusal::InvalidCard { cards } => {
                let cards: Vec<&str> = cards.iter().map(|card| card.as_str()).collect();
                Some(json!({ "cards": cards }))
            }
            Refusal::SessionFull { max_players } => Some(json!({ "maxPlayers": max_players })),
            Refusal::StoryLimit { stories_max } => Some(json!({ "storiesMax": stories_max })),
            _ => None,
        }
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

/// The `error` of a failed acknowledgement.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FailureBody {
    pub code: &'static str,
    pub message: Cow<'static, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<Cow<'static, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<serde_json::Value>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionError {
    pub error: Cow<'static, str>,
    pub code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<Cow<'static, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<serde_json::Value>,
}
