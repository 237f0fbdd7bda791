//! What was committed, told: to the members, and to whoever waits for an answer.

use secrecy::{ExposeSecret, SecretString};
use smallvec::SmallVec;

use crate::api::ack::{Ack, Joined};
use crate::api::failure::Failure;
use crate::api::offset::{Mark, Offset};
use crate::api::projection::{Audience, Messages, NAMESPACE, project, project_heard};
use crate::api::snapshot::Scene;
use crate::connection::Socket;
use crate::identity::Claims;
use crate::metrics::Outcome;
use crate::poker::command::{Action, Claim, Command, Departure, Join};
use crate::poker::event::{EndReason, Event, Fact};
use crate::poker::ids::{Millis, PlayerId};
use crate::poker::reply::Reply;
use crate::protocol::{Draft, Encoded, SocketId};
use crate::store::directory::RecoverablePlace;
use crate::store::{Entry, Position};
use crate::table::answer::Answer;
use crate::table::handle::JoinAnswer;
use crate::table::recovery_failure::RecoveryFailure;
use crate::table::session_task::SessionTask;
use crate::table::session_task::batch::{Turn, Waiting};
use crate::table::socket_state::{Place, SocketState};

type Answered = SmallVec<[Socket; 4]>;

impl SessionTask {
    /// Tells the members what was committed, in order, and answers.
    /// `entries` are those of the events that are not volatile.
    pub(super) async fn deliver(&mut self, events: &[Event], entries: &[Entry], turns: Vec<Turn>) {
        let mut entries = entries.iter();
        let mut events = events.iter().enumerate().peekable();
        let mut answered = Answered::new();
        let mut newcomers = Vec::new();
        for turn in turns {
            while let Some((index, event)) = events.next_if(|(index, _)| *index < turn.events.end) {
                let is_own = turn.events.contains(&index) && self.is_answered(&turn);
                let origin = turn.work.origin.filter(|_| is_own);
                self.show_next(event, &mut entries, origin).await;
            }
            match turn.work.is_join() {
                true => newcomers.push(turn),
                false => answered.extend(self.answer(turn)),
            }
        }
        for (_, event) in events {
            self.show_next(event, &mut entries, None).await;
        }
        // Their snapshots hold all of it, each other's seats as well.
        for turn in newcomers {
            answered.extend(self.answer(turn));
        }
        // All that this commit has to say to a connection is one write.
        self.members.flush();
        answered.iter().for_each(|socket| socket.outbox().flush());
    }

    /// Whether the sender learns from the answer what its other tabs are told:
    /// not if another connection has taken its place over.
    fn is_answered(&self, turn: &Turn) -> bool {
        match &turn.work.waiting {
            Waiting::Answer(Answer::Socket(sender)) => self.members.holds(&sender.socket),
            _ => true,
        }
    }

    async fn show_next(
        &mut self,
        event: &Event,
        entries: &mut std::slice::Iter<'_, Entry>,
        origin: Option<SocketId>,
    ) {
        if event.fact.is_volatile() {
            for outgoing in project(self.handle.id, event) {
                self.members.tell(&outgoing, origin);
            }
            // Others are told if it can be done; nobody waits for it.
            let _ = self.shared.store.whisper(self.handle.id, event.clone()).await;
        } else if let Some(entry) = entries.next() {
            self.show(entry, origin).await;
        }
    }

    pub(super) async fn show(&mut self, entry: &Entry, origin: Option<SocketId>) {
        let is_heard = |audience| self.members.hears(audience, origin);
        for outgoing in self.tellings(entry, self.told, &is_heard) {
            self.members.tell(&outgoing, origin);
        }
        self.told = entry.position;
        if let Some(overheard) = &mut self.overheard {
            overheard.push(entry.clone());
        }
        let delay_ms = self.shared.store.now().since(entry.event.at);
        self.shared.options.metrics.game.updated(delay_ms);
        self.part(&entry.event.fact);
    }

    /// What is told of an entry, with offsets if sockets can be recovered.
    pub(super) fn tellings(
        &self,
        entry: &Entry,
        before: Position,
        is_heard: &dyn Fn(Audience) -> bool,
    ) -> Messages {
        let Position { version, nonce, .. } = entry.position;
        let is_next = before.version.checked_add(1) == Some(version);
        let mark = Mark { version, nonce, nonce_before: is_next.then_some(before.nonce) };
        let mark = self.shared.options.recovery.is_on().then_some(mark);
        project_heard(self.handle.id, &entry.event, mark, is_heard)
    }

    /// Lets go of the sockets that a fact ends.
    fn part(&mut self, fact: &Fact) {
        let leaving = match fact {
            Fact::SeatRemoved { player, .. } => self.members.remove_seat(*player),
            Fact::Dismissed | Fact::Ended { reason: EndReason::Expired } => {
                self.members.remove_all()
            }
            Fact::SeatForgotten { player } => {
                self.members.remove_seat(*player);
                return;
            }
            _ => return,
        };
        for socket in leaving {
            if let Some(state) = socket.state::<SocketState>() {
                state.stay_outside(true);
            }
            // Not the engine level: coming back by itself would be futile.
            socket.disconnect();
        }
    }

    /// Returns the socket that has its answer queued, if there is one.
    fn answer(&mut self, turn: Turn) -> Option<Socket> {
        let Turn { work, outcome, seq, .. } = turn;
        match (work.waiting, outcome) {
            (Waiting::Answer(answer), Ok(reply)) => return answer.done(seq, reply),
            (Waiting::Answer(answer), Err(refusal)) => answer.failed(refusal.into()),
            (Waiting::Look(look), _) => look(&self.session, self.shared.store.now()),
            (Waiting::Join { socket, answer }, Ok(Reply::Joined { player })) => {
                self.count_join(&work.command);
                self.seat(&socket, player, answer);
            }
            (Waiting::Join { answer, .. }, Ok(_)) => {
                answer.failed(Failure::Internal { id: self.position.nonce });
            }
            (Waiting::Join { answer, .. }, Err(refusal)) => answer.failed(refusal.into()),
            (Waiting::Recover(recovery), Ok(_)) => self.recover(*recovery),
            (Waiting::Recover(recovery), Err(refusal)) => {
                recovery.failed(RecoveryFailure::of_refusal(&refusal));
            }
        }
        None
    }

    fn count_join(&self, command: &Option<Command>) {
        let game = &self.shared.options.metrics.game;
        match command.as_ref().map(|command| &command.action) {
            Some(Action::Join(Join { claim: Claim::New { .. }, .. })) => game.newcomer_joined(),
            _ => game.returned(),
        }
    }

    /// The socket becomes a member, and learns all that it may see.
    fn seat(&mut self, socket: &Socket, player: PlayerId, answer: JoinAnswer) {
        let limits = self.members.add(socket, player);
        let place = Place { session: self.handle.clone(), player, limits };
        let is_here = socket.state::<SocketState>().is_some_and(|state| state.enter(place));
        if !is_here {
            // The connection ended during the join: it departs right away.
            self.handle.departed(socket.clone(), Departure::Disconnected);
            return;
        }
        let recoverable = self.recoverable_place(player);
        if let Some(record) = socket.state::<SocketState>().and_then(SocketState::recovery) {
            // Before the client hears of it: it may be back at once.
            self.shared.tracker.sits(record.id, record.claims, Some(recoverable));
        }
        let now = self.shared.store.now();
        let token = self.token(player, now);
        let scene = Scene::new(&self.session, now);
        let joined = Joined::new(&scene, player, token.expose_secret());
        let event = Draft::event(NAMESPACE, "session:joined", &joined);
        let event = event.map(|draft| match self.shared.options.recovery.is_on() {
            true => draft.finish_at(&self.snapshot_offset()),
            false => draft.finish(),
        });
        let ack = answer
            .sender
            .as_ref()
            .and_then(|sender| sender.ack)
            .map(|id| Encoded::ack_with(NAMESPACE, id, &Ack::new(self.session.seq, joined)));
        // A message of its own each, and one place in the outbox: a large
        // session must not fill it twice.
        let messages: Vec<Encoded> =
            [Some(event), ack].into_iter().flatten().filter_map(Result::ok).collect();
        let _ = socket.queue(Encoded::joined(&messages));
        if let Some(sender) = &answer.sender {
            sender.count(Outcome::Ok);
        }
        let _ = answer.outcome.send(Ok(recoverable));
    }

    /// Whoever has been shown the session has been told all up to here.
    fn snapshot_offset(&self) -> Offset {
        let Position { version, nonce, .. } = self.position;
        Mark { version, nonce, nonce_before: None }.end()
    }

    fn recoverable_place(&self, player: PlayerId) -> RecoverablePlace {
        RecoverablePlace {
            session: self.handle.id,
            player,
            generation: self.generation(player),
            joined_at: self.position,
        }
    }

    fn generation(&self, player: PlayerId) -> u32 {
        self.session.seats.get(&player).map_or(0, |seat| seat.generation)
    }

    fn token(&self, player: PlayerId, now: Millis) -> SecretString {
        self.shared.keyring.mint(&Claims {
            session: self.handle.id,
            player,
            generation: self.generation(player),
            issued: now,
            expires: now.add_ms(self.shared.options.token_ttl_ms),
        })
    }
}

impl JoinAnswer {
    pub(in crate::table) fn failed(self, failure: Failure) {
        if let Some(sender) = &self.sender {
            sender.refuse(&failure);
        }
        let _ = self.outcome.send(Err(failure));
    }
}
