//! What was committed, told: to the members, and to whoever waits for an answer.

use secrecy::{ExposeSecret, SecretString};

use crate::api::ack::{Ack, Joined};
use crate::api::failure::Failure;
use crate::api::projection::{NAMESPACE, project};
use crate::api::snapshot::Scene;
use crate::connection::Socket;
use crate::identity::Claims;
use crate::poker::command::Departure;
use crate::poker::event::{EndReason, Event, Fact};
use crate::poker::ids::{Millis, PlayerId};
use crate::poker::reply::Reply;
use crate::protocol::{Encoded, SocketId};
use crate::table::handle::JoinAnswer;
use crate::table::session_task::SessionTask;
use crate::table::session_task::batch::{Turn, Waiting};
use crate::table::socket_state::{Place, SocketState};

impl SessionTask {
    /// Tells the members what was committed, in order, and answers.
    pub(super) async fn deliver(&mut self, events: &[Event], turns: Vec<Turn>) {
        let mut shown = 0;
        for turn in turns {
            for (index, event) in events.iter().enumerate().take(turn.events.end).skip(shown) {
                let is_own = turn.events.contains(&index);
                self.show(event, turn.work.origin.filter(|_| is_own)).await;
            }
            shown = turn.events.end;
            self.answer(turn);
        }
        for event in events.iter().skip(shown) {
            self.show(event, None).await;
        }
    }

    pub(super) async fn show(&mut self, event: &Event, origin: Option<SocketId>) {
        for outgoing in project(self.handle.id, event) {
            self.members.tell(&outgoing, origin);
        }
        if event.fact.is_volatile() {
            // Others are told if it can be done; nobody waits for it.
            let _ = self.shared.store.whisper(self.handle.id, event.clone()).await;
        }
        self.part(&event.fact);
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

    fn answer(&mut self, turn: Turn) {
        let Turn { work, outcome, seq, .. } = turn;
        match (work.waiting, outcome) {
            (Waiting::Answer(answer), Ok(reply)) => answer.done(seq, reply),
            (Waiting::Answer(answer), Err(refusal)) => answer.failed(refusal.into()),
            (Waiting::Look(look), _) => look(&self.session, self.shared.store.now()),
            (Waiting::Join { socket, answer }, Ok(Reply::Joined { player })) => {
                self.seat(&socket, player, answer);
            }
            (Waiting::Join { answer, .. }, Ok(_)) => {
                answer.failed(Failure::Internal { id: self.position.nonce });
            }
            (Waiting::Join { answer, .. }, Err(refusal)) => answer.failed(refusal.into()),
        }
    }

    /// The socket becomes a member, and learns all that it may see.
    fn seat(&mut self, socket: &Socket, player: PlayerId, answer: JoinAnswer) {
        let limits = self.members.add(socket, player);
        let place = Place { session: self.handle.clone(), player, limits };
        let is_here = socket.state::<SocketState>().is_some_and(|state| state.enter(place));
        if !is_here {
            // The connection ended during the join: it departs right away.
            self.handle.departed(socket.id(), Departure::Disconnected);
            return;
        }
        let now = self.shared.store.now();
        let token = self.token(player, now);
        let scene = Scene::new(&self.session, now);
        let joined = Joined::new(&scene, player, token.expose_secret());
        let event = Encoded::event_with(NAMESPACE, "session:joined", &joined);
        let ack = answer
            .sender
            .as_ref()
            .and_then(|sender| sender.ack)
            .map(|id| Encoded::ack_with(NAMESPACE, id, &Ack::new(self.session.seq, joined)));
        // A message of its own each, and one place in the outbox: a large
        // session must not fill it twice.
        let messages: Vec<Encoded> =
            [Some(event), ack].into_iter().flatten().filter_map(Result::ok).collect();
        let _ = socket.emit(Encoded::joined(&messages));
        let _ = answer.outcome.send(Ok(()));
    }

    fn token(&self, player: PlayerId, now: Millis) -> SecretString {
        let generation = self.session.seats.get(&player).map_or(0, |seat| seat.generation);
        self.shared.keyring.mint(&Claims {
            session: self.handle.id,
            player,
            generation,
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
