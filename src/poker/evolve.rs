//! What a fact does to the state. Total, and without a single rule: whatever
//! was decided is carried out.

use std::collections::{BTreeSet, VecDeque};

use crate::poker::event::{EndReason, Event, Fact, HostReason};
use crate::poker::ids::{InstanceId, Millis, PlayerId, RequestId, RoundId, StoryId};
use crate::poker::reply::Reply;
use crate::poker::round::{Phase, Results, Round, RoundSummary, Vote};
use crate::poker::seat::{Announced, OUTCOMES_MAX, Presence, Role, Seat};
use crate::poker::session::{Removed, Restorable, Session, Status};
use crate::poker::story::Story;
use crate::poker::timer::{Timer, TimerPhase};
use crate::poker::view::PlayerView;

pub fn evolve(session: &mut Session, event: &Event) {
    let at = event.at;
    session.touched_at = at;
    session.seq = event.seq;
    apply(session, &event.fact, at);
    if let Some(by) = event.by
        && session.is_open()
    {
        session.refresh(at);
        if let Some(seat) = session.seats.get_mut(&by) {
            seat.last_seen_at = at;
        }
    }
    if let Some((request, reply)) = &event.request
        && let Some(by) = event.by
    {
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
            session.wear(player);
            session.connect(player.id, *instance, at);
            session.refresh(at);
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
        Fact::AwaySet { player, is_away } => {
            let coalesce_ms = session.policy.away_coalesce_ms;
            if let Some(seat) = session.seats.get_mut(player) {
                seat.is_away = *is_away;
                seat.announced.due.get_or_insert(at.add_ms(coalesce_ms));
            }
        }
        Fact::StatusSettled { player, is_online, is_away, .. } => {
            if let Some(seat) = session.seats.get_mut(player) {
                seat.announced = Announced { is_online: *is_online, is_away: *is_away, due: None };
            }
        }
        Fact::SeatLeft { player, .. } => {
            let kept_until = at.add_ms(session.policy.seat_kept_ms);
            if let Some(seat) = session.seats.get_mut(player) {
                let since = seat.offline_since().unwrap_or(at);
                seat.presence = Presence::Away { since, kept_until };
                seat.announced = Announced { is_online: false, is_away: false, due: None };
                seat.is_away = false;
            }
        }
        Fact::SeatRemoved { player, banned_name, .. } => {
            session.drop_seat(*player);
            session
                .removed
                .push_back(Removed { player: *player, banned_name: banned_name.clone() });
            let removed_max = usize::from(session.policy.removed_seats_max);
            truncate_front(&mut session.removed, removed_max);
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
            session.amend(*player, vote.clone(), results);
        }
        Fact::RoundReset { new_story, round, timer, .. } => {
            session.archive_round(at);
            session.stories.extend(new_story.as_deref().cloned());
            session.note_story_id(new_story.as_deref());
            session.begin(Round::new(round.id, round.story, at), timer);
        }
        Fact::RoundRestored { round, .. } => session.restore(*round),

        Fact::StoryUpdated { story } => {
            let place = session.stories.iter_mut().find(|known| known.id == story.id);
            if let Some(known) = place {
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
            session.stories.sort_by_key(|story| order.iter().position(|id| *id == story.id));
        }
        Fact::StoryDeleted { story } => session.stories.retain(|known| known.id != *story),
        Fact::StoryActivated { story, timer, .. } => session.activate(story.id, timer, at),

        Fact::TimerChanged { timer } => session.timer = timer.clone(),

        Fact::Configured { settings, password, changed } => {
            session.settings = *settings.clone();
            session.password.clone_from(password);
            if changed.contains(&"deck") {
                // Cards of the old deck mean nothing on the new one.
                for story in &mut session.stories {
                    story.parked = None;
                }
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

    fn remember(&mut self, player: PlayerId, request: RequestId, reply: Reply) {
        if let Some(seat) = self.seats.get_mut(&player)
            && seat.outcome_of(&request).is_none()
        {
            seat.outcomes.push_back((request, reply));
            truncate_front(&mut seat.outcomes, OUTCOMES_MAX);
        }
    }

    fn take_seat(&mut self, player: &PlayerView, instance: Option<InstanceId>, at: Millis) {
        let presence = match instance {
            Some(_) => Presence::Online { since: at },
            None => {
                let kept_until = at.add_ms(self.policy.seat_kept_ms);
                Presence::Away { since: at, kept_until }
            }
        };
        let seat = Seat {
            id: player.id,
            name: player.name.clone(),
            avatar: player.avatar.clone(),
            role: player.role,
            is_spectator: player.is_spectator,
            joined_at: at,
            last_seen_at: at,
            generation: 0,
            instances: BTreeSet::from_iter(instance),
            presence,
            is_away: false,
            announced: Announced { is_online: instance.is_some(), is_away: false, due: None },
            nudged_at: None,
            in_history: false,
            outcomes: VecDeque::new(),
        };
        self.seats.insert(player.id, seat);
    }

    /// The part of a seat that its view shows and its holder can change.
    fn wear(&mut self, player: &PlayerView) {
        if let Some(seat) = self.seats.get_mut(&player.id) {
            seat.name = player.name.clone();
            seat.avatar = player.avatar.clone();
            seat.is_spectator = player.is_spectator;
            seat.role = player.role;
        }
    }

    fn connect(&mut self, player: PlayerId, instance: InstanceId, at: Millis) {
        let coalesce_ms = self.policy.online_coalesce_ms;
        if let Some(seat) = self.seats.get_mut(&player) {
            seat.instances.insert(instance);
            seat.last_seen_at = at;
            if !seat.is_online() {
                seat.presence = Presence::Online { since: at };
                seat.is_away = false;
                seat.announced.due.get_or_insert(at.add_ms(coalesce_ms));
            }
        }
    }

    fn disconnect(
        &mut self,
        player: PlayerId,
        instance: InstanceId,
        leaves_at: Millis,
        at: Millis,
    ) {
        let coalesce_ms = self.policy.online_coalesce_ms;
        if let Some(seat) = self.seats.get_mut(&player) {
            seat.instances.remove(&instance);
            seat.last_seen_at = at;
            if seat.instances.is_empty() && seat.is_online() {
                seat.presence = Presence::Grace { since: at, leaves_at };
                seat.announced.due.get_or_insert(at.add_ms(coalesce_ms));
            }
        }
    }

    fn drop_seat(&mut self, player: PlayerId) {
        self.seats.remove(&player);
        if !self.round.is_revealed() {
            self.round.votes.remove(&player);
        }
        for story in &mut self.stories {
            if let Some(parked) = &mut story.parked {
                parked.votes.remove(&player);
            }
        }
    }

    fn change_host(&mut self, new: Option<PlayerId>, reason: HostReason) {
        match reason {
            HostReason::Disconnected | HostReason::ActingLeft => self.acting_host = new,
            HostReason::Returned => self.acting_host = None,
            HostReason::Left | HostReason::Transfer => {
                let Some(new) = new else { return };
                if let Some(previous) = self.seats.get_mut(&self.host) {
                    previous.role = Role::Facilitator;
                }
                if let Some(next) = self.seats.get_mut(&new) {
                    next.role = Role::Host;
                }
                self.host = new;
                self.acting_host = None;
            }
        }
    }

    fn reveal(&mut self, results: &Results) {
        self.round.phase = Phase::Revealed(Box::new(results.clone()));
        let story = self.round.story;
        if let Some(story) = self.stories.iter_mut().find(|known| known.id == story) {
            story.was_revealed = true;
        }
    }

    fn amend(&mut self, player: PlayerId, vote: Vote, results: &Results) {
        self.round.votes.insert(player, vote);
        self.round.phase = Phase::Revealed(Box::new(results.clone()));
    }

    /// Puts the running round into the history. What was never revealed
    /// leaves its counts behind, and its values are gone.
    fn archive_round(&mut self, at: Millis) {
        let next = Round::new(self.round.id, self.round.story, at);
        let round = std::mem::replace(&mut self.round, next);
        let is_untouched = round.votes.is_empty() && !round.is_revealed();
        if is_untouched {
            return;
        }
        let is_revealed = round.is_revealed();
        if is_revealed {
            for player in round.votes.keys() {
                if let Some(seat) = self.seats.get_mut(player) {
                    seat.in_history = true;
                }
            }
        }
        if let Some(story) = self.stories.iter_mut().find(|known| known.id == round.story) {
            story.rounds += 1;
        }
        self.history.push_back(RoundSummary {
            id: round.id,
            story: round.story,
            started_at: round.started_at,
            ended_at: at,
            vote_count: round.votes.len() as u32,
            results: round.results().cloned().map(Box::new),
            voters: round.votes.keys().copied().collect(),
        });
        let rounds_max = usize::from(self.policy.history_rounds_max);
        truncate_front(&mut self.history, rounds_max);
        self.restorable = is_revealed.then(|| Box::new(Restorable { round, replaced_at: at }));
    }

    fn begin(&mut self, round: Round, timer: &Timer) {
        self.next_round = self.next_round.max(round.id.0.saturating_add(1));
        self.round = round;
        self.timer = timer.clone();
    }

    fn restore(&mut self, round: RoundId) {
        let Some(restorable) = self.restorable.take_if(|known| known.round.id == round) else {
            return;
        };
        self.history.retain(|summary| summary.id != round);
        let story = restorable.round.story;
        if let Some(story) = self.stories.iter_mut().find(|known| known.id == story) {
            story.rounds = story.rounds.saturating_sub(1);
        }
        self.round = restorable.round;
    }

    fn activate(&mut self, story: StoryId, timer: &Timer, at: Millis) {
        let round = self.round_of(story, at);
        if self.round.is_revealed() {
            self.archive_round(at);
        } else if !self.round.votes.is_empty() {
            let mut parked = self.round.clone();
            parked.phase = Phase::Voting;
            let left = parked.story;
            if let Some(left) = self.stories.iter_mut().find(|known| known.id == left) {
                left.parked = Some(Box::new(parked));
            }
        }
        self.restorable = None;
        if let Some(story) = self.stories.iter_mut().find(|known| known.id == story) {
            story.parked = None;
        }
        self.begin(round, timer);
    }

    fn note_story_id(&mut self, story: Option<&Story>) {
        if let Some(story) = story {
            self.next_story = self.next_story.max(story.id.0.saturating_add(1));
        }
    }

    /// The values of votes that were never revealed are destroyed.
    fn end(&mut self, reason: EndReason, at: Millis) {
        self.status = match reason {
            EndReason::Ended => Status::Ended { at, dismissed: false },
            EndReason::Expired => Status::Expired { at },
        };
        if !self.round.is_revealed() {
            self.round.votes.clear();
            self.round.phase = Phase::Voting;
        }
        for story in &mut self.stories {
            story.parked = None;
        }
        if let TimerPhase::Running { .. } | TimerPhase::Paused { .. } = self.timer.phase {
            self.timer = Timer::idle();
        }
    }
}

fn truncate_front<T>(items: &mut VecDeque<T>, items_max: usize) {
    while items_max < items.len() {
        items.pop_front();
    }
}
