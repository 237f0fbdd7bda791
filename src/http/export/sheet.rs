//! What an export says, whatever its format.

use std::fmt;

use serde::Serialize;
use utoipa::ToSchema;

use crate::api::results::VoteResult;
use crate::api::round::{Revealed, RoundSummaryInfo};
use crate::api::settings::DeckInfo;
use crate::api::snapshot::SessionStatus;
use crate::api::story::StoryInfo;
use crate::api::time::Iso;
use crate::poker::ids::{JoinCode, Millis, SessionId};
use crate::poker::session::Session;
use crate::poker::view::StoryView;

/// The stories of a session with their revealed rounds.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct Sheet<'a> {
    pub(super) session_id: SessionId,
    pub(super) code: JoinCode,
    pub(super) name: &'a str,
    pub(super) status: SessionStatus,
    pub(super) opened_at: Iso,
    pub(super) exported_at: Iso,
    pub(super) deck: DeckInfo<'a>,
    pub(super) stories: Vec<StoryResults<'a>>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct StoryResults<'a> {
    #[serde(flatten)]
    pub(super) story: StoryInfo<'a>,
    /// Oldest first. Rounds that nobody revealed are only counted, in `rounds`.
    pub(super) revealed_rounds: Vec<RoundSummaryInfo<'a>>,
}

/// The views a sheet borrows from.
pub(super) struct Views(Vec<StoryView>);

impl Views {
    pub(super) fn new(session: &Session) -> Self {
        Self(session.story_views())
    }
}

impl<'a> Sheet<'a> {
    pub(super) fn new(session: &'a Session, views: &'a Views, now: Millis) -> Self {
        let finished = || session.history.iter().filter(|round| round.results.is_some());
        let stories = views.0.iter().map(|view| {
            let rounds = finished().filter(|round| round.story == view.id);
            let current = running(session).filter(|round| round.story_id == view.id);
            StoryResults {
                story: StoryInfo::from(view),
                revealed_rounds: rounds.map(RoundSummaryInfo::from).chain(current).collect(),
            }
        });
        Self {
            session_id: session.id,
            code: session.code,
            name: session.settings.name.as_str(),
            status: session.status.into(),
            opened_at: Iso(session.opened_at),
            exported_at: Iso(now.max(session.touched_at)),
            deck: DeckInfo::from(session.deck()),
            stories: stories.collect(),
        }
    }
}

impl<'a> StoryResults<'a> {
    /// What the story came to the last time its cards were turned.
    pub(super) fn latest(&self) -> Option<&Revealed<'a>> {
        self.revealed_rounds.last().and_then(|round| round.revealed.as_ref())
    }
}

/// The running round, once its cards are turned.
fn running(session: &Session) -> Option<RoundSummaryInfo<'_>> {
    let round = &session.round;
    let results = round.results()?;
    Some(RoundSummaryInfo {
        story_id: round.story,
        round_id: round.id,
        started_at: Iso(round.started_at),
        ended_at: Iso(results.revealed_at),
        vote_count: session.vote_count(),
        is_revealed: true,
        revealed: Some(Revealed::from(results)),
    })
}

/// `Ann: 5; Bob: 8 (first 3); Cy: no vote`
pub(super) struct Votes<'a>(pub(super) &'a [VoteResult<'a>]);

impl fmt::Display for Votes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, vote) in self.0.iter().enumerate() {
            if 0 < place {
                f.write_str("; ")?;
            }
            if let Some(name) = vote.player_name {
                write!(f, "{name}: ")?;
            }
            f.write_str(vote.value.unwrap_or("no vote"))?;
            if let Some(initial) = vote.initial_value {
                write!(f, " (first {initial})")?;
            }
        }
        Ok(())
    }
}
