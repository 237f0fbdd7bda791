//! `SessionSettings` and `Deck` of the catalogue, §3.

use std::sync::LazyLock;

use serde::Serialize;

use crate::api::results::Decimal;
use crate::api::written::Written;
use crate::poker::card::{Card, Special};
use crate::poker::deck::{Deck, DeckKind, Preset};
use crate::poker::settings::{Holders, Permissions, Settings};
use crate::poker::timer::OnExpire;

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SessionSettings<'a> {
    pub name: &'a str,
    #[cfg_attr(feature = "server", schema(value_type = DeckInfo<'a>))]
    pub deck: Written<DeckInfo<'a>>,
    pub auto_reveal: bool,
    pub reveal_countdown_ms: u32,
    pub allow_change_after_reveal: bool,
    pub anonymous: bool,
    pub confidence: bool,
    pub list_passes: bool,
    pub timer_seconds: u16,
    pub timer_auto_start: bool,
    pub timer_on_expire: OnExpire,
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
            deck: deck_info(&settings.deck),
            auto_reveal: settings.auto_reveal,
            reveal_countdown_ms: settings.reveal_countdown_ms,
            allow_change_after_reveal: settings.allow_change_after_reveal,
            anonymous: settings.anonymous,
            confidence: settings.confidence,
            list_passes: settings.list_passes,
            timer_seconds: settings.timer_seconds,
            timer_auto_start: settings.timer_auto_start,
            timer_on_expire: settings.timer_on_expire,
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
    pub reveal: Holders,
    pub reset: Holders,
    pub story: Holders,
    pub timer: Holders,
}

impl From<Permissions> for PermissionsInfo {
    fn from(permissions: Permissions) -> Self {
        Self {
            reveal: permissions.reveal,
            reset: permissions.reset,
            story: permissions.story,
            timer: permissions.timer,
        }
    }
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct DeckInfo<'a> {
    pub id: &'a str,
    pub name: &'a str,
    pub kind: DeckKind,
    pub cards: Vec<CardInfo<'a>>,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct CardInfo<'a> {
    pub value: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(nullable = false))]
    pub special: Option<Special>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(nullable = false))]
    pub numeric: Option<Decimal<3>>,
}

impl<'a> From<&'a Deck> for DeckInfo<'a> {
    fn from(deck: &'a Deck) -> Self {
        let card = |card: &'a Card| CardInfo {
            value: card.as_str(),
            special: card.special(),
            numeric: match deck.kind() {
                DeckKind::Numeric => card.thousandths().map(|value| Decimal(value.into())),
                DeckKind::Ordinal => None,
            },
        };
        Self {
            id: deck.id(),
            name: deck.name(),
            kind: deck.kind(),
            cards: deck.cards().iter().map(card).collect(),
        }
    }
}

/// The presets never change: their cards are written once and for all.
fn deck_info(deck: &Deck) -> Written<DeckInfo<'_>> {
    static DECKS: LazyLock<[Deck; Preset::ALL.len()]> =
        LazyLock::new(|| Preset::ALL.map(Deck::preset));
    static WRITTEN: LazyLock<[Written<DeckInfo<'static>>; Preset::ALL.len()]> =
        LazyLock::new(|| DECKS.each_ref().map(|deck| DeckInfo::from(deck).into()));

    let number = DECKS.iter().position(|preset| preset == deck);
    let preset = number.and_then(|number| WRITTEN.get(number));
    preset.cloned().unwrap_or_else(|| DeckInfo::from(deck).into())
}
