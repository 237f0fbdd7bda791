//! What a fact does to the state. Total, and without a single rule: whatever
//! was decided is carried out.

mod history;
mod round;
mod seat;

use crate::poker::event::{EndReason, Event, Fact};
use crate::poker::ids::Millis;
use crate::poker::round::{Phase, Round};
use crate::poker::seat::Announced;
use crate::poker::session::{Session, Status};
use crate::poker::story::Story;
use crate::poker::timer::Timer;

pub fn evolve(session: &mut Session, event: &Event) {
    // What is not in the log must not be in the state: a replay lacks it.
    if event.fact.is_volatile() {
        return;
    }
    let at = event.at;
    session.touched_at = at;
    session.seq = event.seq;
    apply(session, &event.fact, at);
    let Some(by) = event.by else { return };
    if session.is_open() {
        session.refresh(at);
    }
    if let Some((request, reply)) = &event.request {
        session.remember(by, request.clone(), reply.clone());
    }
}

fn apply(session: &mut Session, fact: &Fact, at: Millis) {
    match fact {
        Fact::Opened(_) | Fact::Reacted { .. } => {}

        Fact::SeatTaken { player, instance, .. } => {
            session.take_seat(player, *instance, at);
            session.refresh(at);
        }
        Fact::SeatReturned { player, instance, .. } => {
            session.connect(player.id, *instance, at);
            session.refresh(at);
            // `player:joined` tells it all: no `player:status_changed` after.
            if let Some(seat) = session.seats.get_mut(&player.id) {
                seat.announced = Announced { is_online: true, is_away: false, due: None };
            }
        }
        Fact::SeatConnected { player, instance } => {
            session.connect(*player, *instance, at);
            session.refresh(at);
        }
        Fact::SeatDisconnected { player, instance, leaves_at } => {
            session.disconnect(*player, *instance, *leaves_at, at);
        }
        Fact::AwaySet { player, is_away } => session.set_away(*player, *is_away, at),
        Fact::StatusSettled { player, is_online, is_away, .. } => {
            if let Some(seat) = session.seats.get_mut(player) {
                seat.announced = Announced { is_online: *is_online, is_away: *is_away, due: None };
            }
        }
        Fact::SeatLeft { player, .. } => session.leave(*player, at),
        Fact::SeatRemoved { player, banned_name, .. } => {
            session.remove_seat(*player, banned_name.clone());
        }
        Fact::SeatForgotten { player } => session.drop_seat(*player),
        Fact::SeatUpdated { player } => session.wear(player),
        Fact::HostChanged { new, reason, .. } => {
            session.change_host(new.as_deref().map(|player| player.id), *reason);
        }
        Fact::Nudged { players } => {
            for player in players {
                if let Some(seat) = session.seats.get_mut(player) {
                    seat.nudged_at = Some(at);
                }
            }
        }

        Fact::VoteCast { player, vote, .. } => {
            session.round.votes.insert(*player, vote.clone());
        }
        Fact::VoteDropped { player, .. } => {
            session.round.votes.remove(player);
        }
        Fact::CountdownStarted { reveal_at, .. } => {
            session.round.phase = Phase::Countdown { reveal_at: *reveal_at };
        }
        Fact::CountdownCancelled { .. } => session.round.phase = Phase::Voting,
        Fact::Revealed { results, .. } => session.reveal(results),
        Fact::VoteAmended { player, vote, results, .. } => {
            session.round.votes.insert(*player, vote.clone());
            session.round.phase = Phase::Revealed(results.clone());
        }
        Fact::RoundReset { new_story, round, timer, .. } => {
            session.archive_round(at);
            session.stories.extend(new_story.as_deref().cloned());
            session.note_story_id(new_story.as_deref());
            session.begin(Round::new(round.id, round.story, at), timer);
        }
        Fact::RoundRestored { round, .. } => session.restore(*round),

        Fact::StoryUpdated { story } => {
            if let Some(known) = session.stories.iter_mut().find(|known| known.id == story.id) {
                known.text = story.text.clone();
                known.final_estimate.clone_from(&story.final_estimate);
                known.updated_at = story.updated_at;
            }
        }
        Fact::StoryCreated { story, view, .. } => {
            let index = (view.order_index as usize).min(session.stories.len());
            session.stories.insert(index, Story::clone(story));
            session.note_story_id(Some(story));
        }
        Fact::StoriesImported { stories, .. } => {
            session.stories.extend(stories.iter().cloned());
            session.note_story_id(stories.last());
        }
        Fact::StoriesReordered { order, .. } => {
            let place = |story: &Story| order.iter().position(|id| *id == story.id);
            session.stories.sort_by_cached_key(place);
        }
        Fact::StoryDeleted { story } => session.delete_story(*story),
        Fact::StoryActivated { story, timer, .. } => session.activate(story.id, timer, at),

        Fact::TimerChanged { timer } => session.timer = timer.clone(),

        Fact::Configured { settings, password, changed } => {
            session.settings = *settings.clone();
            session.password.clone_from(password);
            if changed.contains(&"deck") {
                session.discard_cards_of_old_deck();
            }
        }
        Fact::ExpiryAnnounced { .. } => session.expiry_announced = true,
        Fact::Ended { reason } => session.end(*reason, at),
        Fact::Dismissed => {
            if let Status::Ended { dismissed, .. } = &mut session.status {
                *dismissed = true;
            }
        }
    }
}

impl Session {
    /// Joins and accepted mutations keep a session alive; idle sockets do not.
    fn refresh(&mut self, at: Millis) {
        self.expires_at = at.add_ms(self.policy.session_ttl_ms);
        self.expiry_announced = false;
    }

    fn note_story_id(&mut self, story: Option<&Story>) {
        if let Some(story) = story {
            self.next_story = self.next_story.max(story.id.0.saturating_add(1));
        }
    }

    fn end(&mut self, reason: EndReason, at: Millis) {
        self.status = match reason {
            EndReason::Ended => Status::Ended { at, dismissed: false },
            EndReason::Expired => Status::Expired { at },
        };
        self.destroy_hidden_votes();
        if self.timer.is_live() {
            self.timer = Timer::idle();
        }
    }
}
