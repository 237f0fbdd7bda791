//! What the server says: the payloads of the server events.
//!
//! Every broadcast carries `seq` and `serverTime` (epoch milliseconds).

use std::borrow::Cow;

use serde::Serialize;

#[cfg(feature = "server")]
use crate::api::ack::{HeartbeatResponse, Joined};
use crate::api::failure::Failure;
#[cfg(feature = "server")]
use crate::api::failure::SessionError;
use crate::api::player::PlayerInfo;
use crate::api::results::{ConsensusData, VoteResult};
use crate::api::round::RoundState;
#[cfg(feature = "server")]
use crate::api::schema::{self, Described, ErrorCode};
use crate::api::settings::SessionSettings;
use crate::api::story::StoryInfo;
use crate::api::time::Iso;
use crate::api::timer::TimerState;
use crate::poker::event::{EndReason, HostReason, LeaveReason};
use crate::poker::ids::{Millis, PlayerId, RoundId, StoryId};
use crate::poker::names::Emoji;
use crate::poker::round::RevealReason;
use crate::poker::tally::Confidence;
use crate::poker::word::words;

/// A payload with its name on the wire.
pub trait ServerEvent: Serialize {
    const NAME: &'static str;
}

macro_rules! server_events {
    ($(
        $(#[doc = $doc:literal])*
        $wire:literal $name:ident $(<$life:lifetime>)? {
            $($(#[$field_doc:meta])* $field:ident: $type:ty,)*
        }
    )*) => {
        $(
            $(#[doc = $doc])*
            #[derive(Debug, Clone, Serialize)]
            #[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
            #[serde(rename_all = "camelCase")]
            pub struct $name $(<$life>)? {
                $($(#[$field_doc])* pub $field: $type,)*
            }

            impl $(<$life>)? ServerEvent for $name $(<$life>)? {
                const NAME: &'static str = $wire;
            }
        )*

        /// Every server event with a payload of its own, described.
        #[cfg(feature = "server")]
        #[expect(elided_lifetimes_in_paths, reason = "some have none")]
        fn own_events() -> Vec<ServerEventDescription> {
            vec![$(ServerEventDescription {
                name: $wire,
                about: schema::about(concat!($($doc, "\n",)*)),
                payload: Described::of::<$name>(),
            },)*]
        }
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
        reason: LeftReason,
        seat_kept: bool,
        seq: u64,
        server_time: Millis,
    }

    "player:removed" PlayerRemoved {
        player_id: PlayerId,
        #[cfg_attr(feature = "server", schema(required))]
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
        #[cfg_attr(feature = "server", schema(required))]
        new_host: Option<PlayerInfo<'a>>,
        #[cfg_attr(feature = "server", schema(required))]
        previous_host: Option<PlayerInfo<'a>>,
        acting: bool,
        reason: PromotedReason,
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
        #[cfg_attr(feature = "server", schema(required))]
        by: Option<PlayerId>,
        server_time: Millis,
    }

    /// Volatile; takes no `seq`.
    "reaction:received" ReactionReceived {
        player_id: PlayerId,
        emoji: Emoji,
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
        #[cfg_attr(feature = "server", schema(required))]
        value: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "server", schema(nullable = false))]
        confidence: Option<Confidence>,
    }

    "reveal:countdown" RevealCountdown {
        round_id: RoundId,
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "server", schema(nullable = false))]
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
        #[cfg_attr(feature = "server", schema(required))]
        revealed_by: Option<PlayerId>,
        revealed_at: Iso,
        reason: RevealReason,
        /// Who changed a vote after the reveal; not told in anonymous mode.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "server", schema(nullable = false))]
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
        #[cfg_attr(feature = "server", schema(nullable = false))]
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
        #[cfg_attr(feature = "server", schema(required))]
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
        reason: EndReason,
        #[cfg_attr(feature = "server", schema(required))]
        by: Option<PlayerId>,
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "server", schema(nullable = false))]
        export_url: Option<String>,
        seq: u64,
        server_time: Millis,
    }

    /// To the sender of too many, at most once a second for each event.
    "rate:limit" RateLimited {
        event: &'static str,
        /// Seconds.
        retry_after: u32,
        limit: u32,
        window_seconds: u64,
    }

    /// What usually precedes the end of a connection.
    "connection:error" ConnectionError {
        /// One sentence for people.
        error: Cow<'static, str>,
        #[cfg_attr(feature = "server", schema(value_type = ErrorCode))]
        code: &'static str,
        /// Seconds until it makes sense to connect again.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "server", schema(nullable = false))]
        retry_after: Option<u32>,
    }
}

impl From<&Failure> for ConnectionError {
    fn from(failure: &Failure) -> Self {
        Self {
            error: failure.message(),
            code: failure.code(),
            retry_after: failure.retry_after_s(),
        }
    }
}

/// Why somebody is not at the table any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeftReason {
    Left,
    Disconnected,
    Removed,
}

words! { LeftReason {
    Left "left",
    Disconnected "disconnected",
    Removed "removed",
} }

impl From<LeaveReason> for LeftReason {
    fn from(reason: LeaveReason) -> Self {
        match reason {
            LeaveReason::Left => Self::Left,
            LeaveReason::Disconnected => Self::Disconnected,
        }
    }
}

/// Why there is another host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PromotedReason {
    Disconnected,
    Returned,
    Left,
    Transfer,
}

words! { PromotedReason {
    Disconnected "disconnected",
    Returned "returned",
    Left "left",
    Transfer "transfer",
} }

impl From<HostReason> for PromotedReason {
    fn from(reason: HostReason) -> Self {
        match reason {
            HostReason::Disconnected => Self::Disconnected,
            HostReason::Returned => Self::Returned,
            HostReason::Left | HostReason::ActingLeft => Self::Left,
            HostReason::Transfer => Self::Transfer,
        }
    }
}

/// A server event, for those who write clients.
#[cfg(feature = "server")]
pub struct ServerEventDescription {
    pub name: &'static str,
    pub about: Option<String>,
    pub payload: Described,
}

/// Every server event. Those that are answers have their payload elsewhere:
/// [`crate::api::ack`], [`crate::api::failure`].
#[cfg(feature = "server")]
pub fn descriptions() -> Vec<ServerEventDescription> {
    let mut all = own_events();
    all.extend([
        ServerEventDescription {
            name: "session:joined",
            about: schema::about("The same as the answer to a join."),
            payload: Described::of::<Joined<'static>>(),
        },
        ServerEventDescription {
            name: "session:error",
            about: schema::about("A failure that nobody awaits the answer of."),
            payload: Described::of::<SessionError>(),
        },
        ServerEventDescription {
            name: "heartbeat:response",
            about: schema::about("The same as the answer to a heartbeat."),
            payload: Described::of::<HeartbeatResponse>(),
        },
    ]);
    all
}
