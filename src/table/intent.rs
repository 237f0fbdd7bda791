//! From a client event to the command it stands for.

use crate::api::ack::RejectedRow;
use crate::api::client_event::{ClientEvent, HistoryGet, SessionCreate, SessionJoin};
use crate::api::failure::Failure;
use crate::api::field::BadField;
use crate::api::settings_edit::{PasswordEdit, SettingsEdit};
use crate::poker::command::{Action, Aim, Ballot, PlayerEdit, StoryEdit};
use crate::table::story_import;

/// What the table does with an event.
pub(super) enum Intent {
    Create(Box<SessionCreate>),
    Join(Box<SessionJoin>),
    Leave,
    /// The whole session, as the sender may see it.
    Sync,
    History(HistoryGet),
    Heartbeat {
        timestamp: i64,
    },
    /// Settings, whose password is hashed first.
    Configure(Box<SettingsEdit>),
    Act(Action),
    Import {
        action: Action,
        rejected: Vec<RejectedRow>,
    },
}

impl Intent {
    /// What is wrong with an event beyond its single fields is said here.
    pub(super) fn of(event: ClientEvent) -> Result<Self, Failure> {
        let action = match event {
            ClientEvent::SessionCreate(create) => return Ok(Self::Create(create)),
            ClientEvent::SessionJoin(join) => return Ok(Self::Join(join)),
            ClientEvent::SessionLeave(_) => return Ok(Self::Leave),
            ClientEvent::SessionSync(_) => return Ok(Self::Sync),
            ClientEvent::HistoryGet(get) => return Ok(Self::History(get)),
            ClientEvent::Heartbeat(beat) => {
                return Ok(Self::Heartbeat { timestamp: beat.timestamp });
            }
            ClientEvent::SessionConfigure(edit) => return Self::configure(edit),
            ClientEvent::StoryImport(import) => {
                let rows = story_import::read(import.format, &import.data.0)?;
                let action = Action::ImportStories { texts: rows.texts };
                return Ok(Self::Import { action, rejected: rows.rejected });
            }

            ClientEvent::SessionLock(lock) => Action::Lock { is_locked: lock.locked },
            ClientEvent::SessionEnd(_) => Action::End,

            ClientEvent::PlayerUpdate(update) => {
                let edit = PlayerEdit {
                    name: update.name,
                    avatar: update.avatar,
                    is_spectator: update.is_spectator,
                };
                if edit == PlayerEdit::default() {
                    return Err(nothing_to_change("name, avatar or isSpectator").into());
                }
                Action::UpdatePlayer(edit)
            }
            ClientEvent::PlayerSetSpectator(set) => {
                Action::SetSpectator { player: set.player_id, is_spectator: set.is_spectator }
            }
            ClientEvent::PlayerRemove(remove) => {
                Action::RemovePlayer { player: remove.player_id, ban: remove.ban.unwrap_or(false) }
            }
            ClientEvent::PlayerPromote(target) => Action::Promote { player: target.player_id },
            ClientEvent::PlayerDemote(target) => Action::Demote { player: target.player_id },
            ClientEvent::PlayerTransfer(target) => Action::Transfer { player: target.player_id },
            ClientEvent::PlayerNudge(nudge) => Action::Nudge { player: nudge.player_id },
            ClientEvent::PresenceSet(presence) => Action::SetAway { is_away: presence.away },
            ClientEvent::ReactionSend(reaction) => Action::React { emoji: reaction.emoji },

            ClientEvent::VoteSubmit(vote) => Action::SubmitVote(ballot(vote)),
            ClientEvent::VoteChange(vote) => Action::ChangeVote(ballot(vote)),
            ClientEvent::VoteRetract(retract) => Action::RetractVote {
                aim: Aim { story: Some(retract.story_id), round: retract.round_id },
            },
            ClientEvent::CardsReveal(aim) => {
                Action::Reveal { aim: Aim { story: aim.story_id, round: aim.round_id } }
            }
            ClientEvent::CountdownCancel(_) => Action::CancelCountdown,
            ClientEvent::GameReset(reset) => Action::Reset {
                aim: Aim { story: reset.story_id, round: reset.round_id },
                new_story: reset.new_story.map(|story| story.text()),
            },
            ClientEvent::RoundRestore(restore) => Action::RestoreRound { round: restore.round_id },

            ClientEvent::StoryUpdate(update) => {
                Action::UpdateStory(StoryEdit { story: update.story_id, text: update.text() })
            }
            ClientEvent::StoryCreate(create) => Action::CreateStory {
                text: create.text(),
                after: create.after_id,
                client_ref: create.client_ref.map(|client_ref| client_ref.0),
            },
            ClientEvent::StoryDelete(delete) => Action::DeleteStory { story: delete.story_id },
            ClientEvent::StoryReorder(reorder) => {
                Action::ReorderStory { story: reorder.story_id, before: reorder.before_id }
            }
            ClientEvent::StoryActivate(activate) => {
                Action::ActivateStory { story: activate.story_id, round: activate.round_id }
            }
            ClientEvent::StoryFinalize(finalize) => {
                Action::FinalizeStory { story: finalize.story_id, estimate: finalize.value.0 }
            }

            ClientEvent::TimerStart(start) => Action::StartTimer {
                seconds: start.duration.map(|seconds| seconds.0),
                on_expire: start.on_expire,
                story: start.story_id,
            },
            ClientEvent::TimerStop(_) => Action::StopTimer,
            ClientEvent::TimerPause(_) => Action::PauseTimer,
            ClientEvent::TimerResume(_) => Action::ResumeTimer,
            ClientEvent::TimerExtend(extend) => Action::ExtendTimer { seconds: extend.seconds.0 },
        };
        Ok(Self::Act(action))
    }

    fn configure(edit: Box<SettingsEdit>) -> Result<Self, Failure> {
        let is_empty = edit.patch()? == Default::default() && edit.password == PasswordEdit::Keep;
        if is_empty {
            return Err(nothing_to_change("a setting").into());
        }
        Ok(Self::Configure(edit))
    }
}

fn ballot(vote: crate::api::client_event::Vote) -> Ballot {
    Ballot {
        story: vote.story_id,
        round: vote.round_id,
        value: vote.value.0,
        confidence: vote.confidence,
    }
}

fn nothing_to_change(expected: &str) -> BadField {
    BadField { field: "".into(), problem: format!("must hold {expected}").into() }
}
