//! `StoryInfo` of the catalogue, §3.

use serde::Serialize;

use crate::api::time::Iso;
use crate::poker::ids::StoryId;
use crate::poker::view::{StoryStatus, StoryView};

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct StoryInfo<'a> {
    pub id: StoryId,
    /// Empty for the story a session begins with.
    pub title: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(nullable = false))]
    pub description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(nullable = false))]
    pub final_estimate: Option<&'a str>,
    pub order_index: u32,
    pub is_active: bool,
    pub status: StoryStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(nullable = false))]
    pub key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(nullable = false))]
    pub link: Option<&'a str>,
    pub rounds: u32,
    pub updated_at: Iso,
}

impl<'a> From<&'a StoryView> for StoryInfo<'a> {
    fn from(view: &'a StoryView) -> Self {
        let text = &view.text;
        Self {
            id: view.id,
            title: text.title.as_ref().map_or("", |title| title.as_str()),
            description: text.description.as_ref().map(|text| text.as_str()),
            final_estimate: view.final_estimate.as_ref().map(|estimate| estimate.as_str()),
            order_index: view.order_index,
            is_active: view.is_active,
            status: view.status,
            key: text.key.as_ref().map(|key| key.as_str()),
            link: text.link.as_ref().map(|link| link.as_str()),
            rounds: view.rounds,
            updated_at: Iso(view.updated_at),
        }
    }
}
