//! From a domain event to the server events that tell of it.
//!
//! The projection is per room, never per player: who voted, never what. It
//! needs the event alone, so that a replay shows what was shown live.

use serde::Serialize;
use smallvec::SmallVec;

use crate::api::failure::Failure;
use crate::api::offset::{Mark, Offset};
use crate::api::player::PlayerInfo;
use crate::api::results::{ConsensusData, VoteResult};
use crate::api::round::RoundState;
use crate::api::server_event::{
    CardsRevealed, GameReset, LeftReason, PlayerJoined, PlayerLeft, PlayerNudged, PlayerPromoted,
    PlayerRemoved, PlayerStatusChanged, PlayerUpdated, ReactionReceived, RevealCountdown,
    ServerEvent, SessionEnded, SessionExpiring, SessionUpdated, StoriesChanged, StoryActivated,
    StoryCreated, StoryDeleted, StoryUpdated, TimerUpdated, VoteMine, VoteSubmitted,
};
use crate::api::settings::SessionSettings;
use crate::api::story::StoryInfo;
use crate::api::time::Iso;
use crate::api::timer::TimerState;
use crate::poker::event::{EndReason, Event, Fact, HostReason};
use crate::poker::ids::{PlayerId, RoundId, SessionId, StoryId};
use crate::poker::refusal::Refusal;
use crate::poker::round::{Results, Vote};
use crate::poker::view::{Counts, StoryView};
use crate::protocol::{Draft, Encoded};

/// The namespace the game is played in.
pub const NAMESPACE: &str = "/";

/// A message and whom it is for.
#[derive(Debug, Clone)]
pub struct Outgoing {
    pub audience: Audience,
    pub message: Encoded,
    /// May be lost on the way to somebody who is behind.
    pub is_volatile: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    Everybody,
    EverybodyBut(PlayerId),
    /// All sockets of one seat.
    Player(PlayerId),
    /// All sockets of one seat but the one that sent the command.
    OtherTabs(PlayerId),
}

/// Most facts are told in one message, some in two.
pub type Messages = SmallVec<[Outgoing; 2]>;

/// What is told of `event`, without offsets; nothing of facts that concern nobody.
pub fn project(session: SessionId, event: &Event) -> Messages {
    project_heard(session, event, None, &|_| true)
}

/// What is told of an event that stands in the log at `mark`: each message
/// says how far whoever has received it has come.
pub fn project_at(session: SessionId, event: &Event, mark: Mark) -> Messages {
    project_heard(session, event, Some(mark), &|_| true)
}

/// The messages about one event, one begun after the other is finished: they
/// are all written in the same place.
struct Telling<'a> {
    messages: Messages,
    /// Of the event, written or not.
    count: u32,
    /// Lacks its offset: nobody knows yet whether it is the last.
    begun: Option<(Audience, Draft)>,
    mark: Option<Mark>,
    is_volatile: bool,
    is_heard: &'a dyn Fn(Audience) -> bool,
}

impl Telling<'_> {
    fn send(&mut self, audience: Audience, name: &str, payload: &impl Serialize) {
        self.finish(self.mark.and_then(|mark| mark.within(self.count)));
        self.count = self.count.saturating_add(1);
        if !(self.is_heard)(audience) {
            return;
        }
        // Only a map with keys that are no strings could fail, and there is none.
        let draft = Draft::event(NAMESPACE, name, payload).ok();
        self.begun = draft.map(|draft| (audience, draft));
    }

    fn finish(&mut self, offset: Option<Offset>) {
        let Some((audience, draft)) = self.begun.take() else { return };
        let message = match offset {
            Some(offset) => draft.finish_at(&offset),
            None => draft.finish(),
        };
        self.messages.push(Outgoing { audience, message, is_volatile: self.is_volatile });
    }
}

/// The same without what nobody here would hear; with offsets if there is a
/// `mark`, which are those of all messages.
pub fn project_heard(
    session: SessionId,
    event: &Event,
    mark: Option<Mark>,
    is_heard: &dyn Fn(Audience) -> bool,
) -> Messages {
    let is_volatile = event.fact.is_volatile();
    let mut out =
        Telling { messages: Messages::new(), count: 0, begun: None, mark, is_volatile, is_heard };
    let (seq, server_time) = (event.seq, event.at);
    match &event.fact {
        Fact::SeatTaken { instance: None, .. }
        | Fact::StatusSettled { announce: false, .. }
        | Fact::Opened(_)
        | Fact::SeatConnected { .. }
        | Fact::SeatDisconnected { .. }
        | Fact::SeatForgotten { .. }
        | Fact::AwaySet { .. }
        | Fact::Dismissed => {}

        Fact::SeatTaken { player, player_count, .. }
        | Fact::SeatReturned { player, player_count, .. } => everybody(
            &mut out,
            &PlayerJoined {
                player: PlayerInfo::from(&**player),
                player_count: *player_count,
                seq,
                server_time,
            },
        ),
        Fact::StatusSettled { player, is_online, is_away, last_seen_at, .. } => everybody(
            &mut out,
            &PlayerStatusChanged {
                player_id: *player,
                is_online: *is_online,
                is_away: *is_away,
                last_seen_at: Iso(*last_seen_at),
                seq,
                server_time,
            },
        ),
        Fact::SeatLeft { player, reason, player_count } => everybody(
            &mut out,
            &PlayerLeft {
                player_id: *player,
                player_count: *player_count,
                reason: (*reason).into(),
                seat_kept: true,
                seq,
                server_time,
            },
        ),
        Fact::SeatRemoved { player, player_count, .. } => {
            let removed = Failure::from(Refusal::PlayerRemoved).session_error(None);
            out.send(Audience::Player(*player), "session:error", &removed);
            everybody(
                &mut out,
                &PlayerRemoved {
                    player_id: *player,
                    removed_by: event.by,
                    player_count: *player_count,
                    seq,
                    server_time,
                },
            );
            // For clients that know no removal. Under the same `seq`: it is
            // the same fact, and whoever counts passes over it.
            everybody(
                &mut out,
                &PlayerLeft {
                    player_id: *player,
                    player_count: *player_count,
                    reason: LeftReason::Removed,
                    seat_kept: false,
                    seq,
                    server_time,
                },
            );
        }
        Fact::SeatUpdated { player } => everybody(
            &mut out,
            &PlayerUpdated { player: PlayerInfo::from(&**player), seq, server_time },
        ),
        Fact::HostChanged { new, previous, reason } => everybody(
            &mut out,
            &PlayerPromoted {
                new_host: new.as_deref().map(PlayerInfo::from),
                previous_host: previous.as_deref().map(PlayerInfo::from),
                acting: matches!(reason, HostReason::Disconnected | HostReason::ActingLeft),
                reason: (*reason).into(),
                seq,
                server_time,
            },
        ),
        Fact::Nudged { players } => {
            for player in players {
                let nudge = PlayerNudged { by: event.by, server_time };
                tell(&mut out, Audience::Player(*player), &nudge);
            }
        }
        Fact::Reacted { player, emoji } => {
            let reaction = ReactionReceived { player_id: *player, emoji: *emoji, server_time };
            everybody(&mut out, &reaction);
        }

        Fact::VoteCast { player, story, round, vote, counts } => {
            everybody(&mut out, &vote_submitted(event, *player, true, *story, *round, *counts));
            vote_mine(&mut out, *player, *story, *round, Some(vote));
        }
        Fact::VoteDropped { player, story, round, counts } => {
            everybody(&mut out, &vote_submitted(event, *player, false, *story, *round, *counts));
            vote_mine(&mut out, *player, *story, *round, None);
        }
        Fact::CountdownStarted { round, reveal_at } => everybody(
            &mut out,
            &RevealCountdown {
                round_id: *round,
                reveal_at: Some(*reveal_at),
                cancelled: false,
                seq,
                server_time,
            },
        ),
        Fact::CountdownCancelled { round } => everybody(
            &mut out,
            &RevealCountdown {
                round_id: *round,
                reveal_at: None,
                cancelled: true,
                seq,
                server_time,
            },
        ),
        Fact::Revealed { story, round, results } => {
            everybody(&mut out, &cards_revealed(event, *story, *round, results));
        }
        Fact::VoteAmended { player, story, round, vote, results } => {
            everybody(
                &mut out,
                &CardsRevealed {
                    changed_by: (!results.is_anonymous()).then_some(*player),
                    ..cards_revealed(event, *story, *round, results)
                },
            );
            vote_mine(&mut out, *player, *story, *round, Some(vote));
        }
        Fact::RoundRestored { story, round, results } => everybody(
            &mut out,
            &CardsRevealed { restored: true, ..cards_revealed(event, *story, *round, results) },
        ),
        Fact::RoundReset { story, round, timer, .. } => everybody(
            &mut out,
            &GameReset {
                story_id: round.story,
                round_id: round.id,
                story: StoryInfo::from(&**story),
                round: RoundState::from(&**round),
                timer: TimerState::at(timer, event.at),
                seq,
                server_time,
            },
        ),

        Fact::StoryUpdated { story } => {
            let updated = StoryUpdated { story: StoryInfo::from(&**story), seq, server_time };
            everybody(&mut out, &updated);
        }
        Fact::StoryCreated { view, client_ref, .. } => {
            let created = |client_ref| StoryCreated {
                story: StoryInfo::from(&**view),
                client_ref,
                seq,
                server_time,
            };
            match (client_ref, event.by) {
                (Some(client_ref), Some(author)) => {
                    tell(&mut out, Audience::EverybodyBut(author), &created(None));
                    tell(&mut out, Audience::Player(author), &created(Some(client_ref)));
                }
                _ => everybody(&mut out, &created(None)),
            }
        }
        Fact::StoriesImported { views, .. } | Fact::StoriesReordered { views, .. } => {
            everybody(&mut out, &stories_changed(event, views));
        }
        Fact::StoryDeleted { story } => {
            everybody(&mut out, &StoryDeleted { story_id: *story, seq, server_time });
        }
        Fact::StoryActivated { story, previous, round, timer } => everybody(
            &mut out,
            &StoryActivated {
                story: StoryInfo::from(&**story),
                previous_active_story_id: *previous,
                round: RoundState::from(&**round),
                timer: TimerState::at(timer, event.at),
                seq,
                server_time,
            },
        ),

        Fact::TimerChanged { timer } => everybody(
            &mut out,
            &TimerUpdated { timer: TimerState::at(timer, event.at), seq, server_time },
        ),

        Fact::Configured { settings, password, changed } => everybody(
            &mut out,
            &SessionUpdated {
                settings: SessionSettings::new(settings, password.is_some()),
                changed,
                by: event.by,
                seq,
                server_time,
            },
        ),
        Fact::ExpiryAnnounced { expires_at } => {
            everybody(&mut out, &SessionExpiring { expires_at: Iso(*expires_at), seq, server_time })
        }
        Fact::Ended { reason } => everybody(
            &mut out,
            &SessionEnded {
                reason: *reason,
                by: event.by,
                export_url: (*reason == EndReason::Ended)
                    .then(|| format!("/api/v1/sessions/{session}/export?format=csv")),
                seq,
                server_time,
            },
        ),
    }
    out.finish(mark.map(Mark::end));
    out.messages
}

fn vote_submitted(
    event: &Event,
    player_id: PlayerId,
    has_voted: bool,
    story_id: StoryId,
    round_id: RoundId,
    counts: Counts,
) -> VoteSubmitted {
    VoteSubmitted {
        player_id,
        has_voted,
        vote_count: counts.votes,
        eligible_count: counts.eligible,
        total_players: counts.eligible,
        story_id,
        round_id,
        seq: event.seq,
        server_time: event.at,
    }
}

fn vote_mine(
    out: &mut Telling<'_>,
    player: PlayerId,
    story_id: StoryId,
    round_id: RoundId,
    vote: Option<&Vote>,
) {
    let vote = vote.map(Vote::disclose);
    let mine = VoteMine {
        story_id,
        round_id,
        value: vote.as_ref().map(|vote| vote.card.as_str()),
        confidence: vote.and_then(|vote| vote.confidence),
    };
    tell(out, Audience::OtherTabs(player), &mine);
}

fn cards_revealed<'a>(
    event: &Event,
    story_id: StoryId,
    round_id: RoundId,
    results: &'a Results,
) -> CardsRevealed<'a> {
    CardsRevealed {
        story_id,
        round_id,
        votes: results.votes.iter().map(VoteResult::from).collect(),
        consensus: ConsensusData::from(&results.tally),
        revealed_by: results.revealed_by,
        revealed_at: Iso(results.revealed_at),
        reason: results.reason,
        changed_by: None,
        restored: false,
        seq: event.seq,
        server_time: event.at,
    }
}

fn stories_changed<'a>(event: &Event, views: &'a [StoryView]) -> StoriesChanged<'a> {
    let stories = views.iter().map(StoryInfo::from).collect();
    StoriesChanged { stories, seq: event.seq, server_time: event.at }
}

fn everybody<E: ServerEvent>(out: &mut Telling<'_>, payload: &E) {
    tell(out, Audience::Everybody, payload);
}

fn tell<E: ServerEvent>(out: &mut Telling<'_>, audience: Audience, payload: &E) {
    out.send(audience, E::NAME, payload);
}
