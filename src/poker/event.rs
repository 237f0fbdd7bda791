//! What happened: the committed facts of a session.
//!
//! A fact carries everything that showing it needs, so that a replay needs no
//! state. Facts come out of `decide` and go into `evolve`; the log of a
//! session is the list of its events.

use compact_str::CompactString;

use crate::poker::ids::{InstanceId, Millis, PlayerId, RequestId, RoundId, StoryId};
use crate::poker::names::{Emoji, PlayerName};
use crate::poker::reply::Reply;
use crate::poker::round::{Results, Vote};
use crate::poker::session::{Opening, PasswordHash};
use crate::poker::settings::Settings;
use crate::poker::story::Story;
use crate::poker::timer::Timer;
use crate::poker::view::{Counts, PlayerView, RoundView, StoryView};
use crate::poker::word::words;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    pub at: Millis,
    /// The session's `seq` after this event; unchanged by unannounced facts.
    pub seq: u64,
    /// `None`: the server itself.
    pub by: Option<PlayerId>,
    /// On the last event that was decided (not entailed) for a command that
    /// was sent with a `requestId`.
    pub request: Option<(RequestId, Reply)>,
    pub fact: Fact,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    Opened(Box<Opening>),

    // Seats and presence.
    SeatTaken {
        player: Box<PlayerView>,
        instance: Option<InstanceId>,
        player_count: u32,
    },
    /// Back after `player:left`, or for the first time on a reserved seat.
    SeatReturned {
        player: Box<PlayerView>,
        instance: InstanceId,
        player_count: u32,
    },
    /// A socket at one more instance, of a seat that is at the table.
    SeatConnected {
        player: PlayerId,
        instance: InstanceId,
    },
    /// `leaves_at` counts when this was the seat's last instance.
    SeatDisconnected {
        player: PlayerId,
        instance: InstanceId,
        leaves_at: Millis,
    },
    AwaySet {
        player: PlayerId,
        is_away: bool,
    },
    /// `announce` is false when the change undid itself before it was told.
    StatusSettled {
        player: PlayerId,
        is_online: bool,
        is_away: bool,
        last_seen_at: Millis,
        announce: bool,
    },
    SeatLeft {
        player: PlayerId,
        reason: LeaveReason,
        player_count: u32,
    },
    SeatRemoved {
        player: PlayerId,
        banned_name: Option<PlayerName>,
        player_count: u32,
    },
    /// The time for which a seat was kept is over.
    SeatForgotten {
        player: PlayerId,
    },
    SeatUpdated {
        player: Box<PlayerView>,
    },
    HostChanged {
        new: Option<Box<PlayerView>>,
        previous: Option<Box<PlayerView>>,
        reason: HostReason,
    },
    Nudged {
        players: Vec<PlayerId>,
    },
    /// Volatile: shown, never stored.
    Reacted {
        player: PlayerId,
        emoji: Emoji,
    },

    // The round.
    VoteCast {
        player: PlayerId,
        story: StoryId,
        round: RoundId,
        vote: Vote,
        counts: Counts,
    },
    VoteDropped {
        player: PlayerId,
        story: StoryId,
        round: RoundId,
        counts: Counts,
    },
    CountdownStarted {
        round: RoundId,
        reveal_at: Millis,
    },
    CountdownCancelled {
        round: RoundId,
    },
    Revealed {
        story: StoryId,
        round: RoundId,
        results: Box<Results>,
    },
    VoteAmended {
        player: PlayerId,
        story: StoryId,
        round: RoundId,
        vote: Vote,
        results: Box<Results>,
    },
    RoundReset {
        new_story: Option<Box<Story>>,
        story: Box<StoryView>,
        round: Box<RoundView>,
        timer: Timer,
    },
    /// Followed by both stories when another one was current.
    RoundRestored {
        story: StoryId,
        round: RoundId,
        results: Box<Results>,
    },

    // Stories. The first field is what is stored, the views are what is shown.
    StoryUpdated {
        story: Box<StoryView>,
    },
    StoryCreated {
        story: Box<Story>,
        view: Box<StoryView>,
        client_ref: Option<CompactString>,
    },
    StoriesImported {
        stories: Vec<Story>,
        views: Vec<StoryView>,
    },
    StoriesReordered {
        order: Vec<StoryId>,
        views: Vec<StoryView>,
    },
    StoryDeleted {
        story: StoryId,
    },
    StoryActivated {
        story: Box<StoryView>,
        previous: StoryId,
        round: Box<RoundView>,
        timer: Timer,
    },

    // The timer.
    TimerChanged {
        timer: Timer,
    },

    // The session.
    Configured {
        settings: Box<Settings>,
        password: Option<PasswordHash>,
        changed: Vec<&'static str>,
    },
    ExpiryAnnounced {
        expires_at: Millis,
    },
    Ended {
        reason: EndReason,
    },
    /// The sockets that stayed for the export are closed.
    Dismissed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaveReason {
    Left,
    Disconnected,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostReason {
    /// An acting host while the host is away.
    Disconnected,
    /// The host is back; nobody acts any more.
    Returned,
    /// The host left for good; the new one is host by role.
    Left,
    Transfer,
    /// The acting host went away as well.
    ActingLeft,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndReason {
    Ended,
    Expired,
}

words! { EndReason {
    Ended "ended",
    Expired "expired",
} }

impl Fact {
    /// Whether the room is told, which is what `seq` counts. Clients apply
    /// `seq` + 1, so a fact that nobody sees must not take a number.
    pub const fn is_announced(&self) -> bool {
        match self {
            Self::SeatTaken { instance, .. } => instance.is_some(),
            Self::StatusSettled { announce, .. } => *announce,
            Self::Opened(_)
            | Self::SeatConnected { .. }
            | Self::SeatDisconnected { .. }
            | Self::AwaySet { .. }
            | Self::SeatForgotten { .. }
            | Self::Nudged { .. }
            | Self::Reacted { .. }
            | Self::Dismissed => false,
            _ => true,
        }
    }

    /// Shown to those who are there, and not part of the log.
    pub const fn is_volatile(&self) -> bool {
        matches!(self, Self::Reacted { .. })
    }
}
