//! Bodies of HTTP requests that are no client event as well.

use crate::api::client_event::{SessionText, TokenText};
use crate::api::deck_choice::DeckChoice;
use crate::api::payload::payload;
use crate::api::settings_edit::{NewPassword, SettingsEdit};
use crate::poker::names::{Avatar, PlayerName, SessionName};

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
