//! How a socket takes a place: by its handshake, by `session:join`, or with a
//! session of its own.

use tokio::sync::{oneshot, watch};

use crate::api::client_event::{EventName, SessionCreate, SessionJoin};
use crate::api::failure::Failure;
use crate::api::field::BadField;
use crate::api::settings_edit::PasswordEdit;
use crate::connection::{Progress, Socket};
use crate::poker::command::{Claim, Join, PasswordCheck};
use crate::poker::ids::{RequestId, SessionId};
use crate::poker::refusal::Refusal;
use crate::table::answer::{Sender, tell_error};
use crate::table::attempts::TooMany;
use crate::table::ending::end;
use crate::table::handle::{Job, JoinAnswer};
use crate::table::reception::CreateRequest;
use crate::table::registry::Table;
use crate::table::socket_state::{Place, SocketState};

impl Table {
    pub(super) fn join_from(
        &self,
        sender: Sender,
        join: SessionJoin,
        request: Option<RequestId>,
    ) -> Progress {
        let Some(state) = sender.socket.state::<SocketState>() else {
            return Progress::Done;
        };
        if join.session_id.is_none() {
            self.refuse(&sender, &BadField::missing("sessionId").into());
            return Progress::Done;
        }
        let limit = self.shared.returns.limit();
        if let Err(exceeded) = state.count_join(limit, self.shared.store.now()) {
            self.rate_limited(&sender, TooMany { limit, exceeded });
            return Progress::Done;
        }
        let Some(joining) = state.begin_join() else {
            return Progress::Done;
        };
        let table = self.clone();
        Progress::Wait(Box::pin(async move {
            let socket = sender.socket.clone();
            let from = socket.handshake().peer.ip();
            let seated = match table.admit_join(from, token_of(&join)).await {
                Ok(_turn) => {
                    let seated =
                        table.take_place(socket.clone(), join, request, Some(sender)).await;
                    table.count_guess(from, &seated).await;
                    seated.is_ok()
                }
                Err(too_many) => {
                    table.rate_limited(&sender, too_many);
                    false
                }
            };
            end_join(&socket, seated, joining);
        }))
    }

    pub(super) async fn join_from_handshake(
        &self,
        socket: Socket,
        auth: SessionJoin,
        joining: watch::Sender<()>,
    ) {
        let from = socket.handshake().peer.ip();
        let request = auth.request_id.clone();
        let seated = match self.admit_join(from, token_of(&auth)).await {
            Ok(_turn) => {
                let seated = self.take_place(socket.clone(), auth, request, None).await;
                self.count_guess(from, &seated).await;
                seated
            }
            Err(too_many) => {
                self.tell_rate_limit(&socket, EventName::SessionJoin, too_many);
                Err(too_many.into())
            }
        };
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
        Ok((id, self.prepare_join(id, join.into()).await?))
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
        let joined = socket.clone();
        let sent = self.send(id, Box::new(Job::Join { join, request, socket, answer })).await;
        if let Err(failure) = sent {
            if let Some(sender) = sender {
                sender.refuse(&failure);
            }
            return Err(failure);
        }
        let seated = decided.await;
        let place = seated.unwrap_or(Err(Failure::StateUnavailable { retry_after_s: 1 }))?;
        self.place_taken(&joined, place).await;
        Ok(())
    }

    /// A second join of the same socket: a fresh snapshot of the same session.
    pub(super) fn join_again(
        &self,
        place: Place,
        sender: Sender,
        join: SessionJoin,
        request: Option<RequestId>,
    ) -> Progress {
        let table = self.clone();
        Progress::Wait(Box::pin(async move {
            if let Err(too_many) = table.admit_return(place.session.id, place.player).await {
                return table.rate_limited(&sender, too_many);
            }
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

    pub(super) fn create_from(&self, sender: Sender, create: SessionCreate) -> Progress {
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
        let request = match create_request(create) {
            Ok(request) => request,
            Err(failure) => {
                self.refuse(&sender, &failure);
                return false;
            }
        };
        if let Err(too_many) = self.admit_create(from).await {
            self.rate_limited(&sender, too_many);
            return false;
        }
        let created = match self.open(request).await {
            Ok(created) => created,
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

fn token_of(join: &SessionJoin) -> Option<&str> {
    join.player_token.as_ref().map(|token| token.0.as_str())
}

fn end_join(socket: &Socket, is_seated: bool, joining: watch::Sender<()>) {
    if !is_seated && let Some(state) = socket.state::<SocketState>() {
        state.stay_outside(false);
    }
    drop(joining);
}

/// Returns when a join is decided.
pub(super) async fn decided(mut joining: watch::Receiver<()>) {
    // Ends with an error, when the sender is dropped: that is the signal.
    while joining.changed().await.is_ok() {}
}
