//! What somebody wants. Commands are typed and within their limits already;
//! whether they may happen is for [`crate::poker::decide`] to say.

use compact_str::CompactString;

use crate::poker::ids::{InstanceId, PlayerId, RequestId, RoundId, StoryId};
use crate::poker::names::{Avatar, Emoji, FinalEstimate, PlayerName};
use crate::poker::session::PasswordHash;
use crate::poker::settings::SettingsPatch;
use crate::poker::story::StoryText;
use crate::poker::tally::Confidence;
use crate::poker::timer::OnExpire;

#[derive(Clone, PartialEq, Eq)]
pub struct Command {
    pub by: Actor,
    /// Given by the client; its outcome is remembered and replayed.
    pub request: Option<RequestId>,
    pub action: Action,
}

/// Who acts; never taken from a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    Seat(PlayerId),
    /// Somebody without a seat yet.
    Visitor,
    /// The server itself: deadlines and presence.
    House,
}

#[derive(Clone, PartialEq, Eq)]
pub enum Action {
    // Seats and presence.
    Join(Join),
    /// An instance lost its last socket of a seat.
    Depart {
        player: PlayerId,
        instance: InstanceId,
        manner: Departure,
    },
    /// An instance is gone with every socket it held.
    ForgetInstance {
        instance: InstanceId,
    },
    /// The earliest deadline that is due takes effect.
    Elapse,
    UpdatePlayer(PlayerEdit),
    SetSpectator {
        player: PlayerId,
        is_spectator: bool,
    },
    SetAway {
        is_away: bool,
    },
    RemovePlayer {
        player: PlayerId,
        ban: bool,
    },
    Promote {
        player: PlayerId,
    },
    Demote {
        player: PlayerId,
    },
    Transfer {
        player: PlayerId,
    },
    /// `None`: everybody who has not voted.
    Nudge {
        player: Option<PlayerId>,
    },
    React {
        emoji: Emoji,
    },

    // The round.
    SubmitVote(Ballot),
    ChangeVote(Ballot),
    RetractVote {
        aim: Aim,
    },
    Reveal {
        aim: Aim,
    },
    CancelCountdown,
    Reset {
        aim: Aim,
        new_story: Option<StoryText>,
    },
    RestoreRound {
        round: RoundId,
    },

    // Stories.
    UpdateStory(StoryEdit),
    CreateStory {
        text: StoryText,
        after: Option<StoryId>,
        client_ref: Option<CompactString>,
    },
    ImportStories {
        texts: Vec<StoryText>,
    },
    DeleteStory {
        story: StoryId,
    },
    ReorderStory {
        story: StoryId,
        before: Option<StoryId>,
    },
    ActivateStory {
        story: StoryId,
        round: Option<RoundId>,
    },
    FinalizeStory {
        story: StoryId,
        estimate: Option<FinalEstimate>,
    },

    // The timer.
    StartTimer {
        seconds: Option<u16>,
        on_expire: Option<OnExpire>,
        story: Option<StoryId>,
    },
    StopTimer,
    PauseTimer,
    ResumeTimer,
    ExtendTimer {
        seconds: i32,
    },

    // The session.
    Configure {
        patch: SettingsPatch,
        password: PasswordChange,
        force: bool,
    },
    Lock {
        is_locked: bool,
    },
    End,
}

#[derive(Clone, PartialEq, Eq)]
pub struct Join {
    pub claim: Claim,
    pub name: Option<PlayerName>,
    pub avatar: Option<Avatar>,
    pub is_spectator: Option<bool>,
    pub password: PasswordCheck,
    /// Where the socket is; `None` for a seat that is only reserved over HTTP.
    pub instance: Option<InstanceId>,
}

/// On what grounds somebody asks for a seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// A verified token.
    Token { player: PlayerId, generation: u32 },
    /// A bare player id, and whether the configuration lets it count.
    Bare { player: PlayerId, reclaim: Reclaim },
    /// Nothing; the id was minted for the new seat.
    New { player: PlayerId },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reclaim {
    Token,
    Open,
}

/// Compared outside: hashing is slow on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordCheck {
    Absent,
    Wrong,
    Right,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PasswordChange {
    Keep,
    Remove,
    Set(PasswordHash),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Departure {
    /// Said goodbye: no grace period.
    Leaving,
    /// The socket went away.
    Disconnected,
    /// The instance sent its clients to another one.
    Drained,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PlayerEdit {
    pub name: Option<PlayerName>,
    pub avatar: Option<Avatar>,
    pub is_spectator: Option<bool>,
}

/// A vote on its way to the table; hidden like the vote itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Ballot {
    pub story: StoryId,
    pub round: Option<RoundId>,
    /// As typed; the deck decides which card it is.
    pub value: CompactString,
    pub confidence: Option<Confidence>,
}

/// What the sender believes to be current; a stale belief is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Aim {
    pub story: Option<StoryId>,
    pub round: Option<RoundId>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoryEdit {
    /// `None`: the current story.
    pub story: Option<StoryId>,
    /// Fields that are `None` stay as they are.
    pub text: StoryText,
}

impl Command {
    pub const fn by_seat(player: PlayerId, action: Action) -> Self {
        Self { by: Actor::Seat(player), request: None, action }
    }

    pub const fn by_house(action: Action) -> Self {
        Self { by: Actor::House, request: None, action }
    }
}
