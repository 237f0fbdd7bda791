//! `SessionSnapshot` of the catalogue, §3: all that one seat may see.

use serde::Serialize;

use crate::api::player::PlayerInfo;
use crate::api::round::{RoundState, RoundSummaryInfo};
use crate::api::settings::SessionSettings;
use crate::api::story::StoryInfo;
use crate::api::time::Iso;
use crate::api::timer::TimerState;
use crate::api::written::Written;
use crate::poker::ids::{JoinCode, Millis, PlayerId, SessionId};
use crate::poker::session::{Session, Status};
use crate::poker::tally::Confidence;
use crate::poker::view::{PlayerView, RoundView, StoryView};
use crate::poker::word::words;

/// Rounds that a snapshot carries; `history:get` pages through the rest.
pub const SNAPSHOT_ROUNDS_MAX: usize = 20;

/// The views a snapshot borrows from.
pub struct Scene<'a> {
    session: &'a Session,
    now: Millis,
    players: Vec<PlayerView>,
    stories: Vec<StoryView>,
    round: RoundView,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SessionSnapshot<'a> {
    pub session_id: SessionId,
    pub code: JoinCode,
    pub seq: u64,
    pub server_time: Millis,
    pub status: SessionStatus,
    pub expires_at: Iso,
    #[cfg_attr(feature = "server", schema(value_type = SessionSettings<'a>))]
    pub settings: Written<SessionSettings<'a>>,
    #[cfg_attr(feature = "server", schema(required, value_type = Option<PlayerInfo<'a>>))]
    pub player: Written<Option<PlayerInfo<'a>>>,
    #[cfg_attr(feature = "server", schema(value_type = Vec<PlayerInfo<'a>>))]
    pub players: Written<Vec<PlayerInfo<'a>>>,
    pub player_count: u32,
    #[cfg_attr(feature = "server", schema(value_type = Vec<StoryInfo<'a>>))]
    pub stories: Written<Vec<StoryInfo<'a>>>,
    #[cfg_attr(feature = "server", schema(required, value_type = Option<StoryInfo<'a>>))]
    pub current_story: Written<Option<StoryInfo<'a>>>,
    pub round: RoundState<'a>,
    pub timer: TimerState,
    pub you: You<'a>,
    pub history: Vec<RoundSummaryInfo<'a>>,
    pub protocol: u8,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct You<'a> {
    pub player_id: PlayerId,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(nullable = false))]
    pub vote: Option<OwnVote<'a>>,
    pub can: Can,
}

/// The viewer's own vote; the only vote a snapshot holds before the reveal.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct OwnVote<'a> {
    pub value: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(nullable = false))]
    pub confidence: Option<Confidence>,
}

#[derive(Debug, Clone, Copy, Serialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct Can {
    pub reveal: bool,
    pub reset: bool,
    pub story: bool,
    pub timer: bool,
    pub manage: bool,
}

impl Can {
    /// What `player` may do as things stand.
    pub fn of(session: &Session, player: PlayerId, now: Millis) -> Self {
        let permissions = session.settings.permissions;
        Self {
            reveal: session.permits(permissions.reveal, player, now),
            reset: session.permits(permissions.reset, player, now),
            story: session.permits(permissions.story, player, now),
            timer: session.permits(permissions.timer, player, now),
            manage: session.facilitates(player),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionStatus {
    Open,
    Ended,
    Expired,
}

words! { SessionStatus {
    Open "open",
    Ended "ended",
    Expired "expired",
} }

impl From<Status> for SessionStatus {
    fn from(status: Status) -> Self {
        match status {
            Status::Open => Self::Open,
            Status::Ended { .. } => Self::Ended,
            Status::Expired { .. } => Self::Expired,
        }
    }
}

impl<'a> Scene<'a> {
    pub fn new(session: &'a Session, now: Millis) -> Self {
        Self {
            session,
            now: now.max(session.touched_at),
            players: session.player_views(),
            stories: session.story_views(),
            round: session.round_view(),
        }
    }

    pub fn players(&self) -> Vec<PlayerInfo<'_>> {
        self.players.iter().map(PlayerInfo::from).collect()
    }

    pub fn player(&self, id: PlayerId) -> Option<PlayerInfo<'_>> {
        self.players.iter().find(|player| player.id == id).map(PlayerInfo::from)
    }

    pub fn stories(&self) -> Vec<StoryInfo<'_>> {
        self.stories.iter().map(StoryInfo::from).collect()
    }

    pub fn current_story(&self) -> Option<StoryInfo<'_>> {
        self.stories.iter().find(|story| story.is_active).map(StoryInfo::from)
    }

    pub fn timer(&self) -> TimerState {
        TimerState::at(&self.session.timer, self.now)
    }

    pub fn settings(&self) -> SessionSettings<'_> {
        SessionSettings::new(&self.session.settings, self.session.password.is_some())
    }

    /// What `viewer` may see.
    pub fn snapshot(&self, viewer: PlayerId) -> SessionSnapshot<'_> {
        let session = self.session;
        let skipped = session.history.len().saturating_sub(SNAPSHOT_ROUNDS_MAX);
        SessionSnapshot {
            session_id: session.id,
            code: session.code,
            seq: session.seq,
            server_time: self.now,
            status: SessionStatus::from(session.status),
            expires_at: Iso(session.expires_at),
            settings: self.settings().into(),
            player: self.player(viewer).into(),
            players: self.players().into(),
            player_count: session.player_count(),
            stories: self.stories().into(),
            current_story: self.current_story().into(),
            round: RoundState::from(&self.round),
            timer: self.timer(),
            you: self.you(viewer),
            history: session.history.iter().skip(skipped).map(RoundSummaryInfo::from).collect(),
            protocol: 1,
        }
    }

    fn you(&self, viewer: PlayerId) -> You<'_> {
        let session = self.session;
        let vote = session.round.votes.get(&viewer).map(|vote| {
            let vote = vote.disclose();
            OwnVote { value: vote.card.as_str(), confidence: vote.confidence }
        });
        You { player_id: viewer, vote, can: Can::of(session, viewer, self.now) }
    }
}
