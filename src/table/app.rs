//! The table as the application of the sockets.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde::Serialize;
use tokio::sync::{oneshot, watch};

use crate::api::ack::{Ack, HeartbeatResponse, HistoryPage, Refused, Synced};
use crate::api::client_event::{self, EventName, HistoryGet, SessionCreate, SessionJoin};
use crate::api::failure::Failure;
use crate::api::field::{BadField, Confidential};
use crate::api::projection::NAMESPACE;
use crate::api::round::RoundSummaryInfo;
use crate::api::settings_edit::{PasswordEdit, SettingsEdit};
use crate::api::snapshot::Scene;
use crate::connection::{App, ConnectRejected, ConnectRequest, Progress, Socket};
use crate::limits::{Exceeded, Limit};
use crate::poker::command::{Action, Claim, Join, PasswordChange, PasswordCheck};
use crate::poker::ids::{RequestId, RoundId, SessionId};
use crate::poker::refusal::Refusal;
use crate::poker::session::Session;
use crate::protocol::CloseReason;
use crate::protocol::socketio::Event;
use crate::table::answer::{Answer, Sender, tell, tell_error};
use crate::table::handle::{Job, JoinAnswer};
use crate::table::intent::Intent;
use crate::table::reception::{CreateRequest, JoinRequest, hash_password};
use crate::table::registry::Table;
use crate::table::socket_state::{Phase, Place, SeatExceeded, SocketState};

/// Rounds on one page of `history:get`.
const HISTORY_PAGE_ROUNDS: usize = 20;

impl App for Table {
    fn connect(&self, request: ConnectRequest) -> BoxFuture<'static, Result<(), ConnectRejected>> {
        let connected = accept(request);
        Box::pin(async move { connected })
    }

    fn connected(&self, socket: &Socket) {
        let Some(state) = socket.state::<SocketState>() else { return };
        self.wait_in_lobby(socket);
        // A handshake that names a session joins at once.
        if let Some(auth) = state.take_auth()
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
            self.count_rejected(socket);
            return Progress::Done;
        };
        let sender =
            Sender { socket: socket.clone(), event: name, ack: event.ack, rejected: Vec::new() };
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

    fn disconnect(&self, socket: &Socket, _: CloseReason) {
        if let Some(place) = socket.state::<SocketState>().and_then(SocketState::go) {
            place.session.departed(socket.id());
        }
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
            (Phase::Joining(decided), intent) => {
                let table = self.clone();
                Progress::Wait(Box::pin(async move {
                    wait_for(decided).await;
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

    /// An event of a member. The common path: no future, no allocation.
    fn inside(
        &self,
        place: Place,
        sender: Sender,
        intent: Intent,
        request: Option<RequestId>,
    ) -> Progress {
        let limit = self.shared.options.rate_limit(sender.event);
        let now = self.shared.store.now();
        let admitted = match sender.event {
            EventName::SessionJoin | EventName::SessionCreate => Ok(()),
            event => place.limits.admit(event, limit, now),
        };
        if let Err(SeatExceeded { exceeded, tell }) = admitted {
            self.rate_limited(&sender, limit, exceeded, tell);
            return Progress::Done;
        }
        let origin = Some(sender.socket.id());
        let player = place.player;
        let command = |sender, action, request| Job::Command {
            command: Self::command(player, request, action),
            answer: Answer::Socket(sender),
            origin,
        };
        let job = match intent {
            Intent::Act(action) => command(sender, action, request),
            Intent::Import { action, rejected } => {
                command(Sender { rejected, ..sender }, action, request)
            }
            Intent::Configure(edit) => {
                return Progress::Wait(Box::pin(configure(
                    self.clone(),
                    place,
                    sender,
                    *edit,
                    request,
                )));
            }
            Intent::Leave => {
                if let Some(state) = sender.socket.state::<SocketState>() {
                    state.stay_outside(true);
                }
                self.wait_in_lobby(&sender.socket);
                let socket = sender.socket.id();
                Job::Leave { socket, answer: Answer::Socket(sender) }
            }
            Intent::Sync => Job::Look(Box::new(move |session, now| {
                let scene = Scene::new(session, now);
                let snapshot = scene.snapshot(place.player);
                sender.ack(&Ack::new(session.seq, Synced { snapshot }));
            })),
            Intent::History(get) => Job::Look(Box::new(move |session, _| {
                sender.ack(&Ack::new(session.seq, history(session, &get)));
            })),
            Intent::Heartbeat { timestamp } => {
                let beat = HeartbeatResponse { timestamp, server_time: now };
                sender.ack(&Ack::unnumbered(beat));
                tell(&sender.socket, "heartbeat:response", &beat);
                return Progress::Done;
            }
            Intent::Join(join) => return self.join_again(place, sender, *join, request),
            Intent::Create(_) => {
                self.refuse(&sender, &Failure::AlreadyJoinedOther);
                return Progress::Done;
            }
        };
        self.hand_over(place, job)
    }

    /// To the session's task; a full queue makes this connection wait.
    fn hand_over(&self, place: Place, job: Job) -> Progress {
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

    fn join_from(&self, sender: Sender, join: SessionJoin, request: Option<RequestId>) -> Progress {
        let Some(state) = sender.socket.state::<SocketState>() else {
            return Progress::Done;
        };
        if join.session_id.is_none() {
            self.refuse(&sender, &BadField::missing("sessionId").into());
            return Progress::Done;
        }
        let limit = self.shared.options.rate_limit(EventName::SessionJoin);
        if let Err(exceeded) = state.admit_join(limit, self.shared.store.now()) {
            self.rate_limited(&sender, limit, exceeded, true);
            return Progress::Done;
        }
        let Some(joining) = state.begin_join() else {
            return Progress::Done;
        };
        let table = self.clone();
        Progress::Wait(Box::pin(async move {
            let socket = sender.socket.clone();
            let from = socket.handshake().peer.ip();
            let is_seated = match table.check_guesses(from) {
                Ok(()) => {
                    let seated =
                        table.take_place(socket.clone(), join, request, Some(sender)).await;
                    table.count_guess(from, &seated);
                    seated.is_ok()
                }
                Err(exceeded) => {
                    let limit = table.shared.failed_joins.limit();
                    table.rate_limited(&sender, limit, exceeded, true);
                    false
                }
            };
            end_join(&socket, is_seated, joining);
        }))
    }

    async fn join_from_handshake(
        &self,
        socket: Socket,
        auth: SessionJoin,
        joining: watch::Sender<()>,
    ) {
        let from = socket.handshake().peer.ip();
        let request = auth.request_id.clone();
        let seating = self.take_place(socket.clone(), auth, request, None);
        let seated = self.guarded(from, seating).await;
        end_join(&socket, seated.is_ok(), joining);
        let Err(failure) = seated else { return };
        tell_error(&socket, &failure, None);
        let is_final = matches!(
            failure,
            Failure::Refused(
                Refusal::SessionNotFound
                    | Refusal::SessionExpired
                    | Refusal::SessionEnded
                    | Refusal::PlayerRemoved
            )
        );
        if is_final {
            end(&socket);
        }
    }

    /// Seats a socket. With a `sender` the answer has been given when this
    /// returns; without one the caller gives it.
    async fn take_place(
        &self,
        socket: Socket,
        join: SessionJoin,
        request: Option<RequestId>,
        sender: Option<Sender>,
    ) -> Result<(), Failure> {
        let prepared = self.prepare_place(join).await;
        let (id, join) = match prepared {
            Ok(prepared) => prepared,
            Err(failure) => {
                if let Some(sender) = &sender {
                    sender.refuse(&failure);
                }
                return Err(failure);
            }
        };
        self.seat(id, join, request, socket, sender).await
    }

    async fn prepare_place(&self, join: SessionJoin) -> Result<(SessionId, Join), Failure> {
        let session = join.session_id.and_then(|text| text.0);
        let session = session.ok_or(Failure::Refused(Refusal::SessionNotFound))?;
        let id = self.resolve(session).await?;
        let wanted = JoinRequest {
            token: join.player_token.map(|token| token.0),
            player: join.player_id,
            name: join.player_name,
            avatar: join.avatar,
            is_spectator: join.is_spectator,
            password: join.password.map(|password| password.0),
        };
        Ok((id, self.prepare_join(id, wanted).await?))
    }

    async fn seat(
        &self,
        id: SessionId,
        join: Join,
        request: Option<RequestId>,
        socket: Socket,
        sender: Option<Sender>,
    ) -> Result<(), Failure> {
        let (outcome, decided) = oneshot::channel();
        let join = Join { instance: Some(self.shared.instance), ..join };
        let answer = JoinAnswer { sender: sender.clone(), outcome };
        let sent = self.send(id, Box::new(Job::Join { join, request, socket, answer })).await;
        if let Err(failure) = sent {
            if let Some(sender) = sender {
                sender.refuse(&failure);
            }
            return Err(failure);
        }
        decided.await.unwrap_or(Err(Failure::StateUnavailable { retry_after_s: 1 }))
    }

    /// A second join of the same socket: a fresh snapshot of the same session.
    fn join_again(
        &self,
        place: Place,
        sender: Sender,
        join: SessionJoin,
        request: Option<RequestId>,
    ) -> Progress {
        let limit = self.shared.options.rate_limit(EventName::SessionJoin);
        let admitted = sender
            .socket
            .state::<SocketState>()
            .map(|state| state.admit_join(limit, self.shared.store.now()));
        if let Some(Err(exceeded)) = admitted {
            self.rate_limited(&sender, limit, exceeded, true);
            return Progress::Done;
        }
        let table = self.clone();
        Progress::Wait(Box::pin(async move {
            let wanted = match join.session_id.and_then(|text| text.0) {
                Some(session) => table.resolve(session).await.ok(),
                None => None,
            };
            if wanted != Some(place.session.id) {
                table.refuse(&sender, &Failure::AlreadyJoinedOther);
                return;
            }
            let claim = table.own_claim(&place).await;
            let Ok(claim) = claim else {
                table.refuse(&sender, &Refusal::NotJoined.into());
                return;
            };
            let again = Join {
                claim,
                name: join.player_name,
                avatar: join.avatar,
                is_spectator: join.is_spectator,
                password: PasswordCheck::Absent,
                instance: None,
            };
            let socket = sender.socket.clone();
            // The answer has been given.
            let _ = table.seat(place.session.id, again, request, socket, Some(sender)).await;
        }))
    }

    fn create_from(&self, sender: Sender, create: SessionCreate) -> Progress {
        let Some(state) = sender.socket.state::<SocketState>() else {
            return Progress::Done;
        };
        let Some(joining) = state.begin_join() else {
            return Progress::Done;
        };
        let table = self.clone();
        Progress::Wait(Box::pin(async move {
            let socket = sender.socket.clone();
            let seated = table.open_and_join(sender, create).await;
            end_join(&socket, seated, joining);
        }))
    }

    async fn open_and_join(&self, sender: Sender, create: SessionCreate) -> bool {
        let from = sender.socket.handshake().peer.ip();
        let name = create.player_name.clone();
        let opened = match create_request(create) {
            Ok(request) => self.create(request, from).await,
            Err(failure) => Err(failure),
        };
        let created = match opened {
            Ok(created) => created,
            Err(Failure::RateLimited { retry_after_s }) => {
                let limit = self.shared.creates.limit();
                self.rate_limited(&sender, limit, Exceeded { retry_after_s }, true);
                return false;
            }
            Err(failure) => {
                self.refuse(&sender, &failure);
                return false;
            }
        };
        let join = Join {
            claim: Claim::Token { player: created.host, generation: 0 },
            name: Some(name),
            avatar: None,
            is_spectator: None,
            password: PasswordCheck::Absent,
            instance: None,
        };
        let socket = sender.socket.clone();
        self.seat(created.session, join, None, socket, Some(sender)).await.is_ok()
    }

    fn refuse(&self, sender: &Sender, failure: &Failure) {
        sender.refuse(failure);
        self.count_rejected(&sender.socket);
    }

    fn rate_limited(&self, sender: &Sender, limit: Limit, exceeded: Exceeded, is_told: bool) {
        if is_told {
            let told = RateLimited {
                event: sender.event.as_str(),
                retry_after: exceeded.retry_after_s,
                limit: limit.attempts_max,
                window_seconds: limit.window_seconds(),
            };
            tell(&sender.socket, "rate:limit", &told);
        }
        self.refuse(sender, &Failure::RateLimited { retry_after_s: exceeded.retry_after_s });
    }

    /// Whoever is refused again and again is not listening.
    fn count_rejected(&self, socket: &Socket) {
        let Some(state) = socket.state::<SocketState>() else { return };
        let limit = self.shared.options.rejected;
        let now = self.shared.store.now();
        if let Err(exceeded) = state.count_rejected(limit, now) {
            let failure = Failure::RateLimited { retry_after_s: exceeded.retry_after_s };
            tell_connection_error(socket, &failure);
            end(socket);
        }
    }

    fn wait_in_lobby(&self, socket: &Socket) {
        if let Some(surplus) = self.shared.lobby.enter(socket.clone()) {
            dismiss(&surplus);
        }
    }

    pub(super) fn watch_lobby(&self) {
        let lobby = Arc::clone(&self.shared.lobby);
        tokio::spawn(async move {
            loop {
                dismiss(&lobby.overdue().await);
            }
        });
    }
}

/// Closes a socket that has waited for too long without joining.
fn dismiss(socket: &Socket) {
    if socket.state::<SocketState>().is_some_and(SocketState::is_outside) {
        tell_connection_error(socket, &Refusal::NotJoined.into());
        end(socket);
    }
}

/// Ends a connection whose client should not come back by itself.
///
/// That is what leaving the namespace tells it (`41`), and a client then
/// closes the connection. It must not arrive together with the close packet
/// of the engine: over polling, clients take that for a broken transport. So
/// whoever does not close is closed a moment later.
fn end(socket: &Socket) {
    const CLIENT_CLOSES_WITHIN: Duration = Duration::from_secs(1);
    socket.disconnect();
    let socket = socket.clone();
    tokio::spawn(async move {
        tokio::time::sleep(CLIENT_CLOSES_WITHIN).await;
        socket.close(CloseReason::ForcedClose);
    });
}

/// `connection:error`: what usually precedes the end of a connection.
fn tell_connection_error(socket: &Socket, failure: &Failure) {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct ConnectionError {
        error: Cow<'static, str>,
        code: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_after: Option<u32>,
    }
    let error = ConnectionError {
        error: failure.message(),
        code: failure.code(),
        retry_after: failure.retry_after_s(),
    };
    tell(socket, "connection:error", &error);
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RateLimited {
    event: &'static str,
    retry_after: u32,
    limit: u32,
    window_seconds: u64,
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
    };
    if let Progress::Wait(rest) = table.hand_over(place, job) {
        rest.await;
    }
}

fn create_request(create: SessionCreate) -> Result<CreateRequest, Failure> {
    let (patch, settings_password) = match &create.settings {
        Some(settings) => (settings.patch()?, settings.password.clone()),
        None => Default::default(),
    };
    let deck = create.deck.map(|deck| deck.deck()).transpose().map_err(Refusal::from)?;
    let password = match (create.password, settings_password) {
        (Some(password), _) | (None, PasswordEdit::Set(password)) => Some(password.0),
        (None, PasswordEdit::Keep | PasswordEdit::Remove) => None,
    };
    Ok(CreateRequest {
        name: create.name,
        deck,
        patch,
        password,
        player_name: Some(create.player_name),
        avatar: create.avatar,
    })
}

/// The finished rounds before the cursor, the latest page of them.
fn history<'a>(session: &'a Session, get: &HistoryGet) -> HistoryPage<'a> {
    let before = get.cursor.unwrap_or(RoundId(u32::MAX));
    let mut rounds: Vec<_> = session
        .history
        .iter()
        .rev()
        .filter(|round| round.id < before)
        .filter(|round| get.story_id.is_none_or(|story| round.story == story))
        .take(HISTORY_PAGE_ROUNDS + 1)
        .collect();
    let has_more = HISTORY_PAGE_ROUNDS < rounds.len();
    rounds.truncate(HISTORY_PAGE_ROUNDS);
    rounds.reverse();
    HistoryPage {
        cursor: rounds.first().filter(|_| has_more).map(|round| round.id),
        rounds: rounds.into_iter().map(RoundSummaryInfo::from).collect(),
    }
}

fn end_join(socket: &Socket, is_seated: bool, joining: watch::Sender<()>) {
    if !is_seated && let Some(state) = socket.state::<SocketState>() {
        state.stay_outside(false);
    }
    drop(joining);
}

async fn wait_for(mut decided: watch::Receiver<()>) {
    // Ends with an error, when the sender is dropped: that is the signal.
    while decided.changed().await.is_ok() {}
}

fn binary() -> BadField {
    BadField { field: "".into(), problem: "must be JSON without attachments".into() }
}
