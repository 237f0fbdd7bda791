//! Every rule of the game: `decide` says what a command makes happen, or why
//! it may not. Pure; nothing here changes anything.
//!
//! One function per command, grouped by what it is about; the sentence above
//! each is the rule. What follows from a fact by itself (auto-reveal, the
//! stopped timer, an acting host) is in [`crate::poker::consequence`].

mod deadline;
mod guard;
mod player;
mod presence;
mod round;
mod session;
mod story;
mod timer;

pub(super) use deadline::acting_host_due;
pub use deadline::next_deadline;
pub(super) use player::handed_over;

use crate::poker::command::{Action, Command};
use crate::poker::event::Fact;
use crate::poker::ids::Millis;
use crate::poker::refusal::Refusal;
use crate::poker::reply::Reply;
use crate::poker::session::Session;

/// What a command makes happen. No facts: accepted, and nothing changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    pub facts: Vec<Fact>,
    pub reply: Reply,
}

impl Decision {
    const fn nothing(reply: Reply) -> Self {
        Self { facts: Vec::new(), reply }
    }

    fn fact(fact: Fact) -> Self {
        Self { facts: vec![fact], reply: Reply::Done }
    }

    fn facts(facts: Vec<Fact>) -> Self {
        Self { facts, reply: Reply::Done }
    }

    fn replying(mut self, reply: Reply) -> Self {
        self.reply = reply;
        self
    }
}

pub fn decide(session: &Session, command: &Command, now: Millis) -> Result<Decision, Refusal> {
    let by = command.by;
    match &command.action {
        // The house's own commands know no refusal.
        Action::Elapse => Ok(deadline::elapse(session, now)),
        Action::Depart { player, instance, manner } => {
            Ok(presence::depart(session, *player, *instance, *manner, now))
        }
        Action::ForgetInstance { instance } => {
            Ok(presence::forget_instance(session, *instance, now))
        }

        _ if guard::is_closed(session, now) => Err(guard::closed(session)),
        Action::Join(join) => presence::join(session, join, now),

        Action::SetAway { is_away } => presence::set_away(session, by, *is_away),
        Action::UpdatePlayer(edit) => player::update(session, by, edit),
        Action::SetSpectator { player, is_spectator } => {
            player::set_spectator(session, by, *player, *is_spectator)
        }
        Action::RemovePlayer { player, ban } => player::remove(session, by, *player, *ban),
        Action::Promote { player } => player::promote(session, by, *player),
        Action::Demote { player } => player::demote(session, by, *player),
        Action::Transfer { player } => player::transfer(session, by, *player),
        Action::Nudge { player } => player::nudge(session, by, *player, now),
        Action::React { emoji } => player::react(session, by, *emoji),

        Action::SubmitVote(ballot) => round::submit(session, by, ballot, now),
        Action::ChangeVote(ballot) => round::change(session, by, ballot, now),
        Action::RetractVote { aim } => round::retract(session, by, *aim),
        Action::Reveal { aim } => round::reveal(session, by, *aim, now),
        Action::CancelCountdown => round::cancel_countdown(session, by, now),
        Action::Reset { aim, new_story } => {
            round::reset(session, by, *aim, new_story.as_ref(), now)
        }
        Action::RestoreRound { round } => round::restore(session, by, *round, now),

        Action::UpdateStory(edit) => story::update(session, by, edit, now),
        Action::CreateStory { text, after, client_ref } => {
            story::create(session, by, text, *after, client_ref.as_ref(), now)
        }
        Action::ImportStories { texts } => story::import(session, by, texts, now),
        Action::DeleteStory { story } => story::delete(session, by, *story, now),
        Action::ReorderStory { story, before } => story::reorder(session, by, *story, *before, now),
        Action::ActivateStory { story, round } => story::activate(session, by, *story, *round, now),
        Action::FinalizeStory { story, estimate } => {
            story::finalize(session, by, *story, estimate.as_ref(), now)
        }

        Action::StartTimer { seconds, on_expire, story } => {
            timer::start(session, by, *seconds, *on_expire, *story, now)
        }
        Action::StopTimer => timer::stop(session, by, now),
        Action::PauseTimer => timer::pause(session, by, now),
        Action::ResumeTimer => timer::resume(session, by, now),
        Action::ExtendTimer { seconds } => timer::extend(session, by, *seconds, now),

        Action::Configure { patch, password, force } => {
            session::configure(session, by, patch, password, *force, now)
        }
        Action::Lock { is_locked } => session::lock(session, by, *is_locked),
        Action::End => session::end(session, by),
    }
}
