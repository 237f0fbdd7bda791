//! Bodies of HTTP requests that are no client event as well, and of the answer
//! that the server and the function outside of it both give.

use serde::Serialize;

use crate::api::client_event::{SessionText, TokenText};
use crate::api::deck_choice::DeckChoice;
use crate::api::payload::payload;
use crate::api::settings_edit::{NewPassword, SettingsEdit};
use crate::api::snapshot::Can;
use crate::api::time::Iso;
use crate::poker::ids::{Millis, PlayerId, SessionId};
use crate::poker::names::{Avatar, PlayerName, SessionName};
use crate::poker::seat::{Role, Seat};
use crate::poker::session::Session;

payload! {
    /// What a session begins with; everything but the name has a default.
    pub struct NewSession {
        name "name": SessionName,
        deck "deck": Option<DeckChoice>,
        settings "settings": Option<SettingsEdit>,
        password "password": Option<NewPassword>,
        /// How the host is called until it says otherwise.
        player_name "playerName": Option<PlayerName>,
        avatar "avatar": Option<Avatar>,
    }

    /// Does this token open a seat of this session?
    pub struct TokenCheck {
        session_id "sessionId": SessionText,
        player_token "playerToken": TokenText,
    }
}

/// The seat that a token opens.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ValidToken {
    /// Always true; a token that is not valid is a problem.
    valid: bool,
    pub session_id: SessionId,
    pub player_id: PlayerId,
    pub role: Role,
    /// What the holder may do as things stand.
    pub can: Can,
    /// The earlier of the token's end and the session's.
    pub expires_at: Iso,
}

impl ValidToken {
    pub fn new(session: &Session, seat: &Seat, until: Millis, now: Millis) -> Self {
        let can = Can::of(session, seat.id, now);
        Self::of(session.id, seat.id, seat.role, can, Iso(until))
    }

    pub const fn of(
        session_id: SessionId,
        player_id: PlayerId,
        role: Role,
        can: Can,
        expires_at: Iso,
    ) -> Self {
        Self { valid: true, session_id, player_id, role, can, expires_at }
    }
}
