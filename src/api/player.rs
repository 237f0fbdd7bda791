//! `PlayerInfo` of the catalogue, §3.

use serde::Serialize;

use crate::api::time::Iso;
use crate::poker::ids::PlayerId;
use crate::poker::seat::Role;
use crate::poker::view::PlayerView;

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct PlayerInfo<'a> {
    pub id: PlayerId,
    pub name: &'a str,
    pub avatar: &'a str,
    pub is_spectator: bool,
    /// Whether the seat exists; false only in history.
    pub is_active: bool,
    pub is_host: bool,
    pub joined_at: Iso,
    pub last_seen_at: Iso,
    pub role: Role,
    pub is_online: bool,
    pub is_away: bool,
    pub has_voted: bool,
    pub is_acting_host: bool,
}

impl<'a> From<&'a PlayerView> for PlayerInfo<'a> {
    fn from(view: &'a PlayerView) -> Self {
        Self {
            id: view.id,
            name: view.name.as_str(),
            avatar: view.avatar.as_str(),
            is_spectator: view.is_spectator,
            is_active: true,
            is_host: view.is_host,
            joined_at: Iso(view.joined_at),
            last_seen_at: Iso(view.last_seen_at),
            role: view.role,
            is_online: view.is_online,
            is_away: view.is_away,
            has_voted: view.has_voted,
            is_acting_host: view.is_acting_host,
        }
    }
}
