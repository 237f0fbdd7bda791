//! What HTTP says when something went wrong: RFC 9457 problem documents, and
//! the status of each code.
//!
//! The codes are those of the catalogue, §4; HTTP adds a few that only it can
//! get wrong. `code` is for programs, `title` is the same for every occurrence
//! of a code, `detail` is for the person in front of this one.

use std::borrow::Cow;

use serde::Serialize;

use crate::api::failure::{Details, Failure};
use crate::poker::refusal::Refusal;

/// The body of every answer that is no success, `application/problem+json`.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ProblemDocument {
    /// `urn:cardroom:problem:` and the code.
    #[serde(rename = "type")]
    pub kind: String,
    pub title: String,
    pub status: u16,
    pub detail: Cow<'static, str>,
    /// Stable; of the catalogue, §4, or one of `NOT_FOUND`,
    /// `METHOD_NOT_ALLOWED`, `UNSUPPORTED_MEDIA_TYPE`, `ORIGIN_NOT_ALLOWED`,
    /// `UNAUTHORIZED` and `REQUEST_TIMEOUT`.
    pub code: &'static str,
    /// The path of the field that was refused, such as `settings.deck`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<Cow<'static, str>>,
    /// Seconds; also the header `Retry-After`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(nullable = false))]
    pub details: Option<Details>,
}

impl ProblemDocument {
    pub fn new(status: u16, code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind: format!("urn:cardroom:problem:{code}"),
            title: title(code),
            status,
            detail: detail.into(),
            code,
            field: None,
            retry_after: None,
            details: None,
        }
    }

    /// The value of `WWW-Authenticate`, where the status asks for one
    /// (RFC 6750, §3).
    pub fn challenge(&self) -> Option<&'static str> {
        (self.status == 401).then_some("Bearer realm=\"cardroom\", error=\"invalid_token\"")
    }
}

impl From<&Failure> for ProblemDocument {
    fn from(failure: &Failure) -> Self {
        Self {
            field: failure.field(),
            retry_after: failure.retry_after_s(),
            details: failure.details(),
            ..Self::new(status(failure), failure.code(), failure.message())
        }
    }
}

/// The status of each code of the catalogue, by who has to do what next.
pub const fn status(failure: &Failure) -> u16 {
    match failure {
        Failure::Refused(refusal) => status_of_refusal(refusal),
        Failure::BadField(_) | Failure::UnknownEvent => 400,
        Failure::PayloadTooLarge { .. } => 413,
        Failure::AlreadyJoinedOther => 409,
        Failure::RateLimited { .. } => 429,
        Failure::ServerBusy { .. }
        | Failure::StateUnavailable { .. }
        | Failure::ServerShutdown { .. } => 503,
        Failure::Internal { .. } => 500,
    }
}

const fn status_of_refusal(refusal: &Refusal) -> u16 {
    match refusal {
        // Ask differently.
        Refusal::BadValue { .. }
        | Refusal::NameRequired
        | Refusal::InvalidCard { .. }
        | Refusal::InvalidDeck(_) => 400,

        // Say who you are.
        Refusal::NotJoined | Refusal::InvalidPlayerToken => 401,

        // Not for you. A password is asked for in the body, not by a
        // challenge, so 401 would mislead browsers.
        Refusal::PasswordRequired
        | Refusal::PasswordInvalid
        | Refusal::PlayerRemoved
        | Refusal::Forbidden { .. }
        | Refusal::SpectatorCannotVote => 403,

        // There is none; there was one.
        Refusal::SessionNotFound | Refusal::PlayerNotFound | Refusal::StoryNotFound => 404,
        Refusal::SessionExpired | Refusal::SessionEnded => 410,

        // Not as things stand.
        Refusal::SessionLocked => 423,
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
        | Refusal::DeckInUse => 409,
    }
}

/// `SESSION_NOT_FOUND` → `Session not found`.
fn title(code: &str) -> String {
    let mut title = code.replace('_', " ").to_ascii_lowercase();
    if let Some(first) = title.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    title
}
