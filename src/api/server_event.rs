//! What the server says: the payloads of the server events.
//!
//! Every broadcast carries `seq` and `serverTime` (epoch milliseconds).

use serde::Serialize;

use crate::api::player::PlayerInfo;
use crate::api::results::{ConsensusData, VoteResult};
use crate::api::round::RoundState;
use crate::api::settings::SessionSettings;
use crate::api::story::StoryInfo;
use crate::api::time::Iso;
use crate::api::timer::TimerState;
use crate::poker::ids::{Millis, PlayerId, RoundId, StoryId};

/// A payload with its name on the wire.
pub trait ServerEvent: Serialize {
    const NAME: &'static str;
}

macro_rules! server_events {
    ($(
        $(#[$doc:meta])*
        $wire:literal $name:ident $(<$life:lifetime>)? {
            $($(#[$field_doc:meta])* $field:ident: $type:ty,)*
        }
    )*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Serialize)]
            #[serde(rename_all = "camelCase")]
            pub struct $name $(<$life>)? {
                $($(#[$field_doc])* pub $field: $type,)*
            }

            impl $(<$life>)? ServerEvent for $name $(<$life>)? {
                const NAME: &'static str = $wire;
            }
        )*

        /// The names of all server events with a payload of their own.
        pub const NAMES: &[&str] = &[$($wire,)*];
    };
}

server_events! {
    "player:joined" PlayerJoined<'a> {
        player: PlayerInfo<'a>,
        player_count: u32,
        seq: u64,
        server_time: Millis,
    }

    "player:left" PlayerLeft {
        player_id: PlayerId,
        player_count: u32,
        /// `left`, `disconnected` or `removed`.
        reason: &'static str,
        seat_kept: bool,
        seq: u64,
        server_time: Millis,
    }

    "player:removed" PlayerRemoved {
        player_id: PlayerId,
        removed_by: Option<PlayerId>,
        player_count: u32,
        seq: u64,
        server_time: Millis,
    }

    "player:updated" PlayerUpdated<'a> {
        player: PlayerInfo<'a>,
        seq: u64,
        server_time: Millis,
    }

    /// Somebody became host, or acts as host; `newHost` is `null` when nobody
    /// is left to act.
    "player:promoted" PlayerPromoted<'a> {
        new_host: Option<PlayerInfo<'a>>,
        previous_host: Option<PlayerInfo<'a>>,
        acting: bool,
        /// `disconnected`, `returned`, `left` or `transfer`.
        reason: &'static str,
        seq: u64,
        server_time: Millis,
    }

    "player:status_changed" PlayerStatusChanged {
        player_id: PlayerId,
        is_online: bool,
        is_away: bool,
        last_seen_at: Iso,
        seq: u64,
        server_time: Millis,
    }

    /// To the nudged only; takes no `seq`.
    "player:nudged" PlayerNudged {
        by: Option<PlayerId>,
        server_time: Millis,
    }

    /// Volatile; takes no `seq`.
    "reaction:received" ReactionReceived {
        player_id: PlayerId,
        emoji: &'static str,
        server_time: Millis,
    }

    /// Who voted, never what. A change looks like a first vote.
    "vote:submitted" VoteSubmitted {
        player_id: PlayerId,
        has_voted: bool,
        vote_count: u32,
        eligible_count: u32,
        total_players: u32,
        story_id: StoryId,
        round_id: RoundId,
        seq: u64,
        server_time: Millis,
    }

    /// To the voter's own sockets only; takes no `seq`.
    "vote:mine" VoteMine<'a> {
        story_id: StoryId,
        round_id: RoundId,
        value: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        confidence: Option<u8>,
    }

    "reveal:countdown" RevealCountdown {
        round_id: RoundId,
        #[serde(skip_serializing_if = "Option::is_none")]
        reveal_at: Option<Millis>,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        cancelled: bool,
        seq: u64,
        server_time: Millis,
    }

    "cards:revealed" CardsRevealed<'a> {
        story_id: StoryId,
        round_id: RoundId,
        votes: Vec<VoteResult<'a>>,
        consensus: ConsensusData<'a>,
        revealed_by: Option<PlayerId>,
        revealed_at: Iso,
        /// `manual`, `auto` or `timer`.
        reason: &'static str,
        /// Who changed a vote after the reveal; not told in anonymous mode.
        #[serde(skip_serializing_if = "Option::is_none")]
        changed_by: Option<PlayerId>,
        /// The round was brought back after a reset.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        restored: bool,
        seq: u64,
        server_time: Millis,
    }

    /// The whole new round, so that no client keeps old votes.
    "game:reset" GameReset<'a> {
        story_id: StoryId,
        round_id: RoundId,
        story: StoryInfo<'a>,
        round: RoundState<'a>,
        timer: TimerState,
        seq: u64,
        server_time: Millis,
    }

    "story:updated" StoryUpdated<'a> {
        story: StoryInfo<'a>,
        seq: u64,
        server_time: Millis,
    }

    "story:created" StoryCreated<'a> {
        story: StoryInfo<'a>,
        /// To the author only.
        #[serde(skip_serializing_if = "Option::is_none")]
        client_ref: Option<&'a str>,
        seq: u64,
        server_time: Millis,
    }

    "story:deleted" StoryDeleted {
        story_id: StoryId,
        seq: u64,
        server_time: Millis,
    }

    "story:activated" StoryActivated<'a> {
        story: StoryInfo<'a>,
        previous_active_story_id: StoryId,
        round: RoundState<'a>,
        timer: TimerState,
        seq: u64,
        server_time: Millis,
    }

    "stories:changed" StoriesChanged<'a> {
        stories: Vec<StoryInfo<'a>>,
        seq: u64,
        server_time: Millis,
    }

    "timer:updated" TimerUpdated {
        timer: TimerState,
        seq: u64,
        server_time: Millis,
    }

    "session:updated" SessionUpdated<'a> {
        settings: SessionSettings<'a>,
        changed: &'a [&'static str],
        by: Option<PlayerId>,
        seq: u64,
        server_time: Millis,
    }

    "session:expiring" SessionExpiring {
        expires_at: Iso,
        seq: u64,
        server_time: Millis,
    }

    "session:ended" SessionEnded {
        /// `ended` or `expired`.
        reason: &'static str,
        by: Option<PlayerId>,
        #[serde(skip_serializing_if = "Option::is_none")]
        export_url: Option<String>,
        seq: u64,
        server_time: Millis,
    }
}

/// Names of the server events that are answers and have their payload
/// elsewhere: [`crate::api::ack`], [`crate::api::failure`], the limits.
pub const ANSWER_NAMES: &[&str] =
    &["session:joined", "session:error", "heartbeat:response", "rate:limit", "connection:error"];
