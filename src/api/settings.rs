//! `SessionSettings` and `Deck` of the catalogue, §3.

use serde::Serialize;

use crate::api::results::Decimal;
use crate::api::timer::on_expire_name;
use crate::poker::card::{Card, Special};
use crate::poker::deck::{Deck, DeckKind};
use crate::poker::settings::{Holders, Permissions, Settings};

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SessionSettings<'a> {
    pub name: &'a str,
    pub deck: DeckInfo<'a>,
    pub auto_reveal: bool,
    pub reveal_countdown_ms: u32,
    pub allow_change_after_reveal: bool,
    pub anonymous: bool,
    pub confidence: bool,
    pub list_passes: bool,
    pub timer_seconds: u16,
    pub timer_auto_start: bool,
    pub timer_on_expire: &'static str,
    pub consensus_threshold: Decimal<2>,
    pub permissions: PermissionsInfo,
    pub locked: bool,
    pub password_protected: bool,
    pub max_players: u16,
    pub reactions: bool,
}

impl<'a> SessionSettings<'a> {
    pub fn new(settings: &'a Settings, is_password_protected: bool) -> Self {
        Self {
            name: settings.name.as_str(),
            deck: DeckInfo::from(&settings.deck),
            auto_reveal: settings.auto_reveal,
            reveal_countdown_ms: settings.reveal_countdown_ms,
            allow_change_after_reveal: settings.allow_change_after_reveal,
            anonymous: settings.anonymous,
            confidence: settings.confidence,
            list_passes: settings.list_passes,
            timer_seconds: settings.timer_seconds,
            timer_auto_start: settings.timer_auto_start,
            timer_on_expire: on_expire_name(settings.timer_on_expire),
            consensus_threshold: Decimal(settings.consensus_percent.into()),
            permissions: PermissionsInfo::from(settings.permissions),
            locked: settings.locked,
            password_protected: is_password_protected,
            max_players: settings.max_players,
            reactions: settings.reactions,
        }
    }
}

#[derive(Debug, Clone, Copy, Serialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct PermissionsInfo {
    pub reveal: &'static str,
    pub reset: &'static str,
    pub story: &'static str,
    pub timer: &'static str,
}

impl From<Permissions> for PermissionsInfo {
    fn from(permissions: Permissions) -> Self {
        const fn name(holders: Holders) -> &'static str {
            match holders {
                Holders::Everyone => "everyone",
                Holders::Facilitators => "facilitators",
            }
        }
        Self {
            reveal: name(permissions.reveal),
            reset: name(permissions.reset),
            story: name(permissions.story),
            timer: name(permissions.timer),
        }
    }
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct DeckInfo<'a> {
    pub id: &'a str,
    pub name: &'a str,
    pub kind: &'static str,
    pub cards: Vec<CardInfo<'a>>,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct CardInfo<'a> {
    pub value: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub special: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub numeric: Option<Decimal<3>>,
}

impl<'a> From<&'a Deck> for DeckInfo<'a> {
    fn from(deck: &'a Deck) -> Self {
        let card = |card: &'a Card| CardInfo {
            value: card.as_str(),
            special: card.special().map(|special| match special {
                Special::Unknown => "unknown",
                Special::Break => "break",
                Special::Infinite => "infinite",
            }),
            numeric: match deck.kind() {
                DeckKind::Numeric => card.thousandths().map(|value| Decimal(value.into())),
                DeckKind::Ordinal => None,
            },
        };
        Self {
            id: deck.id(),
            name: deck.name(),
            kind: deck.kind().as_str(),
            cards: deck.cards().iter().map(card).collect(),
        }
    }
}
