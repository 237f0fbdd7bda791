//! What the sender of an event is told: `{ok: true, seq, …}` or
//! `{ok: false, error}`.

use std::borrow::Cow;

use serde::Serialize;

use crate::api::failure::{Failure, FailureBody};
use crate::api::player::PlayerInfo;
use crate::api::round::RoundSummaryInfo;
use crate::api::settings::SessionSettings;
use crate::api::snapshot::{Scene, SessionSnapshot};
use crate::api::story::StoryInfo;
use crate::api::timer::TimerState;
use crate::poker::ids::{JoinCode, Millis, PlayerId, RoundId, SessionId, StoryId};
use crate::poker::reply::Reply;
use crate::poker::session::Session;
use crate::poker::tally::Confidence;

/// An acknowledgement of success; `seq` is the session's after the event.
#[derive(Debug, Serialize)]
pub struct Ack<T> {
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    seq: Option<u64>,
    #[serde(flatten)]
    body: T,
}

impl<T> Ack<T> {
    pub const fn new(seq: u64, body: T) -> Self {
        Self { ok: true, seq: Some(seq), body }
    }

    /// For an event that belongs to no session.
    pub const fn unnumbered(body: T) -> Self {
        Self { ok: true, seq: None, body }
    }
}

#[derive(Debug, Serialize)]
pub struct Refused {
    ok: bool,
    error: FailureBody,
}

impl From<&Failure> for Refused {
    fn from(failure: &Failure) -> Self {
        Self { ok: false, error: failure.body() }
    }
}

/// What an accepted command adds to its acknowledgement.
#[derive(Debug, Serialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
pub enum ReplyBody<'a> {
    Done {},
    Named {
        name: &'a str,
    },
    Voted {
        story_id: StoryId,
        round_id: RoundId,
        value: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        confidence: Option<u8>,
    },
    Revealed {
        round_id: RoundId,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        already_revealed: bool,
    },
    NewRound {
        story_id: StoryId,
        round_id: RoundId,
    },
    Story {
        story_id: StoryId,
    },
    Imported {
        story_ids: &'a [StoryId],
        /// The rows that were left out, and why.
        rejected: Vec<RejectedRow>,
    },
    Nudged {
        player_ids: &'a [PlayerId],
    },
}

/// A row of an import that makes no story. Rows count from 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RejectedRow {
    pub row: usize,
    pub reason: Cow<'static, str>,
}

impl<'a> ReplyBody<'a> {
    pub fn new(reply: &'a Reply, rejected: Vec<RejectedRow>) -> Self {
        match reply {
            // A join is answered with a snapshot instead.
            Reply::Done | Reply::Joined { .. } => Self::Done {},
            Reply::Named { name } => Self::Named { name: name.as_str() },
            Reply::Voted { story, round, card, confidence } => Self::Voted {
                story_id: *story,
                round_id: *round,
                value: card.as_str(),
                confidence: confidence.map(Confidence::get),
            },
            Reply::Revealed { round, already } => {
                Self::Revealed { round_id: *round, already_revealed: *already }
            }
            Reply::NewRound { story, round } => {
                Self::NewRound { story_id: *story, round_id: *round }
            }
            Reply::Story { story } => Self::Story { story_id: *story },
            Reply::Imported { stories } => Self::Imported { story_ids: stories, rejected },
            Reply::Nudged { players } => Self::Nudged { player_ids: players },
        }
    }
}

/// The answer to a join, and the event `session:joined`. It goes to one
/// socket only: it holds the token of the seat.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Joined<'a> {
    pub session_id: SessionId,
    pub code: JoinCode,
    pub player: Option<PlayerInfo<'a>>,
    pub players: Vec<PlayerInfo<'a>>,
    pub stories: Vec<StoryInfo<'a>>,
    pub current_story: Option<StoryInfo<'a>>,
    pub timer: TimerState,
    pub config: SessionSettings<'a>,
    pub player_token: &'a str,
    pub snapshot: SessionSnapshot<'a>,
}

impl<'a> Joined<'a> {
    pub fn new(scene: &'a Scene<'a>, player: PlayerId, player_token: &'a str) -> Self {
        let snapshot = scene.snapshot(player);
        Self {
            session_id: snapshot.session_id,
            code: snapshot.code,
            player: scene.player(player),
            players: scene.players(),
            stories: scene.stories(),
            current_story: scene.current_story(),
            timer: scene.timer(),
            config: scene.settings(),
            player_token,
            snapshot,
        }
    }
}

#[derive(Debug, Serialize)]
pub struct Synced<'a> {
    pub snapshot: SessionSnapshot<'a>,
}

/// A page of finished rounds, oldest first.
#[derive(Debug, Serialize)]
pub struct HistoryPage<'a> {
    pub rounds: Vec<RoundSummaryInfo<'a>>,
    /// Ask with this for the rounds before these.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<RoundId>,
}

impl<'a> HistoryPage<'a> {
    const ROUNDS_MAX: usize = 20;

    /// The latest finished rounds before the cursor, of one story if given.
    pub fn before(session: &'a Session, cursor: Option<RoundId>, story: Option<StoryId>) -> Self {
        let before = cursor.unwrap_or(RoundId(u32::MAX));
        let mut rounds: Vec<_> = session
            .history
            .iter()
            .rev()
            .filter(|round| round.id < before)
            .filter(|round| story.is_none_or(|story| round.story == story))
            .take(Self::ROUNDS_MAX + 1)
            .collect();
        let has_more = Self::ROUNDS_MAX < rounds.len();
        rounds.truncate(Self::ROUNDS_MAX);
        rounds.reverse();
        Self {
            cursor: rounds.first().filter(|_| has_more).map(|round| round.id),
            rounds: rounds.into_iter().map(RoundSummaryInfo::from).collect(),
        }
    }
}

#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HeartbeatResponse {
    pub timestamp: i64,
    pub server_time: Millis,
}
