//! What is being estimated.

use crate::poker::ids::{Millis, StoryId};
use crate::poker::names::{Description, FinalEstimate, Link, StoryKey, StoryTitle};
use crate::poker::round::Round;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Story {
    pub id: StoryId,
    pub text: StoryText,
    pub final_estimate: Option<FinalEstimate>,
    /// Finished rounds of this story.
    pub rounds: u32,
    pub was_revealed: bool,
    pub updated_at: Millis,
    /// The unfinished round that waits while another story is played.
    pub parked: Option<Box<Round>>,
}

/// What people write about a story. The first story of a session has no title.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StoryText {
    pub title: Option<StoryTitle>,
    pub description: Option<Description>,
    pub key: Option<StoryKey>,
    pub link: Option<Link>,
}

impl Story {
    pub const fn new(id: StoryId, text: StoryText, at: Millis) -> Self {
        Self {
            id,
            text,
            final_estimate: None,
            rounds: 0,
            was_revealed: false,
            updated_at: at,
            parked: None,
        }
    }
}
