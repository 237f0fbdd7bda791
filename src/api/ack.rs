//! What the sender of an event is told: `{ok: true, seq, …}` or
//! `{ok: false, error}`.

use std::borrow::Cow;

use serde::{Serialize, Serializer};

use crate::api::failure::{Failure, FailureBody};
use crate::api::player::PlayerInfo;
use crate::api::round::RoundSummaryInfo;
use crate::api::settings::SessionSettings;
use crate::api::snapshot::{Scene, SessionSnapshot};
use crate::api::story::StoryInfo;
use crate::api::timer::TimerState;
use crate::api::written::Written;
use crate::poker::ids::{JoinCode, Millis, PlayerId, RoundId, SessionId, StoryId};
use crate::poker::reply::Reply;
use crate::poker::session::Session;
use crate::poker::tally::Confidence;

/// An acknowledgement of success; `seq` is the session's after the event.
#[derive(Debug, Serialize)]
pub struct Ack<T> {
    ok: Always<true>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seq: Option<u64>,
    #[serde(flatten)]
    body: T,
}

impl<T> Ack<T> {
    pub const fn new(seq: u64, body: T) -> Self {
        Self { ok: Always, seq: Some(seq), body }
    }

    /// For an event that belongs to no session.
    pub const fn unnumbered(body: T) -> Self {
        Self { ok: Always, seq: None, body }
    }
}

/// An acknowledgement of failure.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct Refused {
    #[cfg_attr(feature = "server", schema(inline))]
    ok: Always<false>,
    error: FailureBody,
}

impl From<&Failure> for Refused {
    fn from(failure: &Failure) -> Self {
        Self { ok: Always, error: failure.body() }
    }
}

/// A flag that can be nothing else.
#[derive(Debug, Clone, Copy)]
pub struct Always<const FLAG: bool>;

impl<const FLAG: bool> Serialize for Always<FLAG> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bool(FLAG)
    }
}

/// What an accepted command adds to its acknowledgement.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum ReplyBody<'a> {
    Done(Done),
    Named(Named<'a>),
    Voted(Voted<'a>),
    Revealed(CardsTurned),
    NewRound(NewRound),
    Story(AboutStory),
    Imported(Imported<'a>),
    Nudged(Nudged<'a>),
}

/// Nothing to add.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct Done {}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct Named<'a> {
    /// As it is now: a name that was taken has got a number.
    pub name: &'a str,
}

/// The sender's own vote, as it was taken.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Voted<'a> {
    pub story_id: StoryId,
    pub round_id: RoundId,
    pub value: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(nullable = false))]
    pub confidence: Option<Confidence>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct CardsTurned {
    pub round_id: RoundId,
    /// Nothing was told: somebody else was faster.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub already_revealed: bool,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct NewRound {
    pub story_id: StoryId,
    pub round_id: RoundId,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct AboutStory {
    pub story_id: StoryId,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Imported<'a> {
    pub story_ids: &'a [StoryId],
    /// The rows that were left out, and why.
    pub rejected: Vec<RejectedRow>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Nudged<'a> {
    /// Who was reached; whoever was nudged a moment ago is left out.
    pub player_ids: &'a [PlayerId],
}

/// A row of an import that makes no story. Rows count from 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct RejectedRow {
    pub row: usize,
    pub reason: Cow<'static, str>,
}

impl<'a> ReplyBody<'a> {
    pub fn new(reply: &'a Reply, rejected: Vec<RejectedRow>) -> Self {
        match reply {
            // A join is answered with a snapshot instead.
            Reply::Done | Reply::Joined { .. } => Self::Done(Done {}),
            Reply::Named { name } => Self::Named(Named { name: name.as_str() }),
            Reply::Voted { story, round, card, confidence } => Self::Voted(Voted {
                story_id: *story,
                round_id: *round,
                value: card.as_str(),
                confidence: *confidence,
            }),
            Reply::Revealed { round, already } => {
                Self::Revealed(CardsTurned { round_id: *round, already_revealed: *already })
            }
            Reply::NewRound { story, round } => {
                Self::NewRound(NewRound { story_id: *story, round_id: *round })
            }
            Reply::Story { story } => Self::Story(AboutStory { story_id: *story }),
            Reply::Imported { stories } => {
                Self::Imported(Imported { story_ids: stories, rejected })
            }
            Reply::Nudged { players } => Self::Nudged(Nudged { player_ids: players }),
        }
    }
}

/// The answer to a join, and the event `session:joined`. It goes to one
/// socket only: it holds the token of the seat.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Joined<'a> {
    pub session_id: SessionId,
    pub code: JoinCode,
    #[cfg_attr(feature = "server", schema(required, value_type = Option<PlayerInfo<'a>>))]
    pub player: Written<Option<PlayerInfo<'a>>>,
    #[cfg_attr(feature = "server", schema(value_type = Vec<PlayerInfo<'a>>))]
    pub players: Written<Vec<PlayerInfo<'a>>>,
    #[cfg_attr(feature = "server", schema(value_type = Vec<StoryInfo<'a>>))]
    pub stories: Written<Vec<StoryInfo<'a>>>,
    #[cfg_attr(feature = "server", schema(required, value_type = Option<StoryInfo<'a>>))]
    pub current_story: Written<Option<StoryInfo<'a>>>,
    pub timer: TimerState,
    #[cfg_attr(feature = "server", schema(value_type = SessionSettings<'a>))]
    pub config: Written<SessionSettings<'a>>,
    pub player_token: &'a str,
    pub snapshot: SessionSnapshot<'a>,
}

impl<'a> Joined<'a> {
    pub fn new(scene: &'a Scene<'a>, player: PlayerId, player_token: &'a str) -> Self {
        let snapshot = scene.snapshot(player);
        Self {
            session_id: snapshot.session_id,
            code: snapshot.code,
            player: snapshot.player.clone(),
            players: snapshot.players.clone(),
            stories: snapshot.stories.clone(),
            current_story: snapshot.current_story.clone(),
            timer: scene.timer(),
            config: snapshot.settings.clone(),
            player_token,
            snapshot,
        }
    }
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct Synced<'a> {
    pub snapshot: SessionSnapshot<'a>,
}

/// A page of finished rounds, oldest first.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct HistoryPage<'a> {
    pub rounds: Vec<RoundSummaryInfo<'a>>,
    /// Ask with this for the rounds before these.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(nullable = false))]
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
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct HeartbeatResponse {
    pub timestamp: i64,
    pub server_time: Millis,
}
