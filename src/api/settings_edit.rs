//! The settings a client asks for, at the opening or later.

#[cfg(feature = "server")]
use utoipa::openapi::{OneOfBuilder, RefOr, Schema};

use crate::api::deck_choice::DeckChoice;
use crate::api::field::{Field, Reading, Scalar, expected};
use crate::api::field_types::{Confidential, Threshold};
use crate::api::payload::payload;
#[cfg(feature = "server")]
use crate::api::schema;
use crate::poker::ids::RequestId;
use crate::poker::names::SessionName;
use crate::poker::refusal::Refusal;
use crate::poker::settings::{Holders, SettingsPatch};
use crate::poker::timer::OnExpire;

payload! {
    /// Partial settings. `preset` is applied first, single values prevail.
    pub struct SettingsEdit {
        request_id "requestId": Option<RequestId>,
        preset "preset": Option<Preset>,
        name "name": Option<SessionName>,
        deck "deck": Option<DeckChoice>,
        auto_reveal "autoReveal": Option<bool>,
        reveal_countdown_ms "revealCountdownMs": Option<u32>,
        allow_change_after_reveal "allowChangeAfterReveal": Option<bool>,
        anonymous "anonymous": Option<bool>,
        confidence "confidence": Option<bool>,
        list_passes "listPasses": Option<bool>,
        timer_seconds "timerSeconds": Option<u16>,
        timer_auto_start "timerAutoStart": Option<bool>,
        timer_on_expire "timerOnExpire": Option<OnExpire>,
        consensus_threshold "consensusThreshold": Option<Threshold>,
        permissions "permissions": Option<PermissionsEdit>,
        locked "locked": Option<bool>,
        max_players "maxPlayers": Option<u16>,
        reactions "reactions": Option<bool>,
        password "password": PasswordEdit,
        /// Lets a deck change end a round that has votes.
        force "force": Option<bool>,
    }

    pub struct PermissionsEdit {
        reveal "reveal": Option<Holders>,
        reset "reset": Option<Holders>,
        story "story": Option<Holders>,
        timer "timer": Option<Holders>,
    }
}

impl SettingsEdit {
    /// The changes, without password and force.
    pub fn patch(&self) -> Result<SettingsPatch, Refusal> {
        let preset = self.preset.map(|Preset::Open| Holders::Everyone);
        let holders = |chosen: fn(&PermissionsEdit) -> Option<Holders>| {
            self.permissions.as_ref().and_then(chosen).or(preset)
        };
        Ok(SettingsPatch {
            name: self.name.clone(),
            deck: self.deck.clone().map(DeckChoice::deck).transpose()?,
            auto_reveal: self.auto_reveal,
            reveal_countdown_ms: self.reveal_countdown_ms,
            allow_change_after_reveal: self.allow_change_after_reveal,
            anonymous: self.anonymous,
            confidence: self.confidence,
            list_passes: self.list_passes,
            timer_seconds: self.timer_seconds,
            timer_auto_start: self.timer_auto_start,
            timer_on_expire: self.timer_on_expire,
            consensus_percent: self.consensus_threshold.map(|threshold| threshold.0),
            reveal: holders(|permissions| permissions.reveal),
            reset: holders(|permissions| permissions.reset),
            story: holders(|permissions| permissions.story),
            timer: holders(|permissions| permissions.timer),
            locked: self.locked,
            max_players: self.max_players,
            reactions: self.reactions,
        })
    }
}

/// A bundle of settings under one name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    Open,
}

impl Field for Preset {
    const EXPECTED: &'static str = "\"open\"";

    #[cfg(feature = "server")]
    fn shape() -> RefOr<Schema> {
        schema::one_of(&["open"]).into()
    }

    fn read(scalar: Scalar<'_>) -> Reading<Self> {
        match scalar {
            Scalar::Text("open") => Ok(Self::Open),
            _ => Err(expected::<Self>()),
        }
    }
}

impl Field for Holders {
    const EXPECTED: &'static str = "\"everyone\" or \"facilitators\"";

    #[cfg(feature = "server")]
    fn shape() -> RefOr<Schema> {
        <Self as utoipa::PartialSchema>::schema()
    }

    fn read(scalar: Scalar<'_>) -> Reading<Self> {
        match scalar {
            Scalar::Text("everyone") => Ok(Self::Everyone),
            Scalar::Text("facilitators") => Ok(Self::Facilitators),
            _ => Err(expected::<Self>()),
        }
    }
}

/// A new password of 4 to 128 characters.
pub type NewPassword = Confidential<4, 128>;

/// Left out: it stays; `null`: there is none any more.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum PasswordEdit {
    #[default]
    Keep,
    Remove,
    Set(NewPassword),
}

impl Field for PasswordEdit {
    const EXPECTED: &'static str = "text of 4 to 128 characters, or null";

    #[cfg(feature = "server")]
    fn shape() -> RefOr<Schema> {
        let null = schema::null();
        OneOfBuilder::new().item(NewPassword::shape()).item(null).into()
    }

    fn read(scalar: Scalar<'_>) -> Reading<Self> {
        match scalar {
            Scalar::Null => Ok(Self::Remove),
            scalar => NewPassword::read(scalar).map(Self::Set),
        }
    }

    fn absent() -> Option<Self> {
        Some(Self::Keep)
    }
}
