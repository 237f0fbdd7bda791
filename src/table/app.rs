//! The table as the application of the sockets.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio::sync::oneshot;
use tokio::time::Instant;
use tracing::{debug_span, field};

use crate::api::ack::{Ack, HeartbeatResponse, HistoryPage, Refused, Synced};
use crate::api::client_event::{self, EventName};
use crate::api::failure::Failure;
use crate::api::field::BadField;
use crate::api::field_types::Confidential;
use crate::api::projection::NAMESPACE;
use crate::api::settings_edit::{PasswordEdit, SettingsEdit};
use crate::api::snapshot::Scene;
use crate::connection::{App, ConnectRejected, ConnectRequest, Progress, Socket};
use crate::poker::command::{Action, PasswordChange};
use crate::poker::ids::{Millis, RequestId};
use crate::poker::refusal::Refusal;
use crate::poker::session::Session;
use crate::protocol::CloseReason;
use crate::protocol::socketio::Event;
use crate::table::answer::{Answer, Sender, tell, tell_error};
use crate::table::attempts::{Admitted, TooMany};
use crate::table::handle::{Asked, Job};
use crate::table::intent::Intent;
use crate::table::joining::decided;
use crate::table::reception::hash_password;
use crate::table::recovery::depart;
use crate::table::recovery_failure::RecoveryFailure;
use crate::table::registry::Table;
use crate::table::socket_state::{Phase, Place, SocketState};

impl App for Table {
    fn recovers(&self) -> bool {
        self.is_recovering()
    }

    fn connect(&self, request: ConnectRequest) -> BoxFuture<'static, Result<(), ConnectRejected>> {
        let (socket, earlier) = (request.socket.clone(), request.earlier.clone());
        let accepted = accept(request);
        if accepted.is_err() || !self.is_recovering() {
            return Box::pin(async move { accepted });
        }
        let table = self.clone();
        Box::pin(async move {
            let recovered = match &earlier {
                Some(earlier) => table.try_recover(&socket, earlier).await,
                None => Err(RecoveryFailure::UnknownId),
            };
            if let Err(failure) = recovered {
                let is_away = failure == RecoveryFailure::StoreAway;
                table.make_recoverable(&socket, is_away).await;
            }
            Ok(())
        })
    }

    fn connected(&self, socket: &Socket) {
        let Some(state) = socket.state::<SocketState>() else { return };
        let auth = state.take_auth();
        if !state.is_outside() {
            // Recovered: it sits where it sat.
            return;
        }
        self.wait_in_lobby(socket);
        // A handshake that names a session joins at once.
        if let Some(auth) = auth
            && let Some(joining) = state.begin_join()
        {
            let (table, socket) = (self.clone(), socket.clone());
            tokio::spawn(async move { table.join_from_handshake(socket, *auth, joining).await });
        }
    }

    fn event(&self, socket: &Socket, event: Event<'_>) -> Progress {
        let Some(name) = EventName::parse(event.name) else {
            let unknown = Failure::UnknownEvent;
            match event.ack {
                Some(id) => {
                    let _ = socket.ack(id, &Refused::from(&unknown));
                }
                None => tell_error(socket, &unknown, Some(event.name)),
            }
            self.shared.options.metrics.game.unknown_events.increment();
            self.count_rejected(socket);
            return Progress::Done;
        };
        let span = debug_span!(
            "command",
            name = name.as_str(),
            socket.id = %socket.id(),
            outcome = field::Empty
        );
        let _inside = span.enter();
        let sender = Sender {
            socket: socket.clone(),
            event: name,
            ack: event.ack,
            rejected: Vec::new(),
            read_at: Instant::now(),
            span: span.clone(),
            metrics: Arc::clone(&self.shared.options.metrics),
        };
        let parsed = if event.attachments.is_empty() {
            client_event::parse(name, event.arguments)
        } else {
            Err(binary().into())
        };
        match parsed.and_then(|(event, request)| Ok((Intent::of(event)?, request))) {
            Ok((intent, request)) => self.dispatch(sender, intent, request),
            Err(failure) => {
                self.refuse(&sender, &failure);
                Progress::Done
            }
        }
    }

    fn disconnect(&self, socket: &Socket, reason: CloseReason) {
        depart(socket, reason);
        self.lost_recoverable(socket, reason);
    }
}

/// Only the main namespace is played in; its `auth` may name a session.
fn accept(mut request: ConnectRequest) -> Result<(), ConnectRejected> {
    if request.socket.namespace() != NAMESPACE {
        return Err(ConnectRejected::new("Invalid namespace"));
    }
    let auth = client_event::parse_auth(&mut request.auth).map_err(|failure| ConnectRejected {
        message: failure.message(),
        data: serde_json::to_value(failure.body()).ok(),
    })?;
    let auth = auth.session_id.is_some().then(|| Box::new(auth));
    request.socket.set_state(SocketState::new(auth));
    Ok(())
}

impl Table {
    fn dispatch(&self, sender: Sender, intent: Intent, request: Option<RequestId>) -> Progress {
        let Some(state) = sender.socket.state::<SocketState>() else {
            return Progress::Done;
        };
        match (state.phase(), intent) {
            // What follows a join waits for it: order is kept.
            (Phase::Joining(joining), intent) => {
                let table = self.clone();
                Progress::Wait(Box::pin(async move {
                    decided(joining).await;
                    if let Progress::Wait(rest) = table.dispatch(sender, intent, request) {
                        rest.await;
                    }
                }))
            }
            (Phase::Gone, _) => Progress::Done,

            (Phase::Outside { .. }, Intent::Create(create)) => self.create_from(sender, *create),
            (Phase::Outside { .. }, Intent::Join(join)) => self.join_from(sender, *join, request),
            (Phase::Outside { has_left: true }, Intent::Leave) => {
                sender.ack(&Ack::unnumbered(serde_json::Map::new()));
                Progress::Done
            }
            (Phase::Outside { .. }, _) => {
                self.refuse(&sender, &Refusal::NotJoined.into());
                Progress::Done
            }

            (Phase::Inside(place), intent) => self.inside(place, sender, intent, request),
        }
    }

    /// An event of a member. The common path, a command: no future; the store
    /// counts the attempt with the commit.
    fn inside(
        &self,
        place: Place,
        sender: Sender,
        intent: Intent,
        request: Option<RequestId>,
    ) -> Progress {
        let limit = self.shared.options.rate_limit(sender.event);
        let now = self.shared.store.now();
        let intent = match intent {
            // These have budgets of their own.
            Intent::Join(join) => return self.join_again(place, sender, *join, request),
            Intent::Create(_) => {
                self.refuse(&sender, &Failure::AlreadyJoinedOther);
                return Progress::Done;
            }
            intent => intent,
        };
        if let Err(exceeded) = place.limits.admit(sender.event, limit, now) {
            self.rate_limited(&sender, TooMany { limit, exceeded });
            return Progress::Done;
        }
        let admitted = Admitted {
            player: place.player,
            event: sender.event,
            limit,
            at: now,
            limits: Arc::clone(&place.limits),
        };
        let origin = Some(sender.socket.id());
        let (sender, action) = match intent {
            Intent::Act(action) => (sender, action),
            Intent::Import { action, rejected } => (Sender { rejected, ..sender }, action),
            Intent::Leave => return self.leave(place, sender, admitted),
            intent => return self.once_counted(place, sender, intent, request, admitted),
        };
        let job = Job::Command {
            command: Self::command(place.player, request, action),
            answer: Answer::Socket(sender),
            origin,
            attempt: Asked::Admitted(admitted),
        };
        self.hand_over(place, job)
    }

    /// What leads to no commit, or costs something before it: done when the
    /// store has counted it.
    fn once_counted(
        &self,
        place: Place,
        sender: Sender,
        intent: Intent,
        request: Option<RequestId>,
        admitted: Admitted,
    ) -> Progress {
        let table = self.clone();
        Progress::Wait(Box::pin(async move {
            let counted = table.shared.count_one(place.session.id, &admitted).await;
            if let Err(too_many) = counted {
                return table.rate_limited(&sender, too_many);
            }
            if let Progress::Wait(rest) = table.counted(place, sender, intent, request) {
                rest.await;
            }
        }))
    }

    fn counted(
        &self,
        place: Place,
        sender: Sender,
        intent: Intent,
        request: Option<RequestId>,
    ) -> Progress {
        match intent {
            Intent::Configure(edit) => {
                Progress::Wait(Box::pin(configure(self.clone(), place, sender, *edit, request)))
            }
            Intent::Sync => {
                let player = place.player;
                self.show(place, move |session, now| {
                    let scene = Scene::new(session, now);
                    let snapshot = scene.snapshot(player);
                    sender.ack(&Ack::new(session.seq, Synced { snapshot }));
                })
            }
            Intent::History(get) => self.show(place, move |session, _| {
                let page = HistoryPage::before(session, get.cursor, get.story_id);
                sender.ack(&Ack::new(session.seq, page));
            }),
            Intent::Heartbeat { timestamp } => {
                let server_time = self.shared.store.now();
                let beat = HeartbeatResponse { timestamp, server_time };
                sender.ack(&Ack::unnumbered(beat));
                tell(&sender.socket, "heartbeat:response", &beat);
                Progress::Done
            }
            // Answered before, or handed over with their attempts.
            Intent::Join(_)
            | Intent::Create(_)
            | Intent::Leave
            | Intent::Act(_)
            | Intent::Import { .. } => Progress::Done,
        }
    }

    /// The socket is outside from now on, so that its end is no departure of
    /// its own; and what was begun is done, although the connection may end
    /// meanwhile.
    fn leave(&self, place: Place, sender: Sender, admitted: Admitted) -> Progress {
        let socket = sender.socket.clone();
        if let Some(state) = socket.state::<SocketState>() {
            state.stay_outside(true);
        }
        let table = self.clone();
        let leaving = tokio::spawn(async move {
            let counted = table.shared.count_one(place.session.id, &admitted).await;
            if let Err(too_many) = counted {
                let state = socket.state::<SocketState>();
                // Unless the connection has ended: then it leaves anyway.
                if state.is_some_and(|state| state.enter(place.clone())) {
                    return table.rate_limited(&sender, too_many);
                }
            }
            table.wait_in_lobby(&socket);
            table.place_left(&socket).await;
            let leave = Job::Leave { socket, answer: Answer::Socket(sender) };
            if let Progress::Wait(rest) = table.hand_over(place, leave) {
                rest.await;
            }
        });
        Progress::Wait(Box::pin(async move {
            let _ = leaving.await;
        }))
    }

    /// Answers with a part of the session. The connection waits for it: such
    /// answers are large, and one at a time cannot overflow the outbox.
    fn show(
        &self,
        place: Place,
        answer: impl FnOnce(&Session, Millis) + Send + 'static,
    ) -> Progress {
        let (answered, done) = oneshot::channel::<()>();
        let look = Job::Look(Box::new(move |session, now| {
            answer(session, now);
            drop(answered);
        }));
        let handed_over = self.hand_over(place, look);
        Progress::Wait(Box::pin(async move {
            if let Progress::Wait(rest) = handed_over {
                rest.await;
            }
            let _ = done.await;
        }))
    }

    /// To the session's task; a full queue makes this connection wait.
    pub(super) fn hand_over(&self, place: Place, job: Job) -> Progress {
        let Err(unsent) = place.session.try_send(Box::new(job)) else {
            return Progress::Done;
        };
        let table = self.clone();
        Progress::Wait(Box::pin(async move {
            // The task may have ended and be started again by this; if even
            // that fails, dropping the job is all that is left.
            let _ = table.send(place.session.id, unsent).await;
        }))
    }
}

/// The host's settings; a new password is hashed before they are decided on.
async fn configure(
    table: Table,
    place: Place,
    sender: Sender,
    edit: SettingsEdit,
    request: Option<RequestId>,
) {
    let patch = edit.patch();
    let password = match edit.password {
        PasswordEdit::Keep => Ok(PasswordChange::Keep),
        PasswordEdit::Remove => Ok(PasswordChange::Remove),
        PasswordEdit::Set(Confidential(password)) => {
            hash_password(password).await.map(PasswordChange::Set)
        }
    };
    let (patch, password) = match (patch, password) {
        (Ok(patch), Ok(password)) => (patch, password),
        (Err(refusal), _) => return table.refuse(&sender, &refusal.into()),
        (_, Err(failure)) => return table.refuse(&sender, &failure),
    };
    let action = Action::Configure { patch, password, force: edit.force.unwrap_or(false) };
    let origin = Some(sender.socket.id());
    let job = Job::Command {
        command: Table::command(place.player, request, action),
        answer: Answer::Socket(sender),
        origin,
        // Counted before the password was hashed.
        attempt: Asked::Nothing,
    };
    if let Progress::Wait(rest) = table.hand_over(place, job) {
        rest.await;
    }
}

fn binary() -> BadField {
    BadField { field: "".into(), problem: "must be JSON without attachments".into() }
}
