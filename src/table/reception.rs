//! Opening sessions, taking seats, and looking in from outside: what both
//! HTTP and the sockets ask for.

use std::net::IpAddr;

use secrecy::SecretString;
use tokio::sync::oneshot;

use crate::api::client_event::{EventName, SessionJoin};
use crate::api::failure::Failure;
use crate::identity::{Claims, password};
use crate::poker::command::{Action, Actor, Claim, Command, Join, PasswordCheck, Reclaim};
use crate::poker::deck::Deck;
use crate::poker::ids::{JoinCode, Millis, PlayerId, RequestId, SessionId, SessionRef};
use crate::poker::names::{Avatar, PlayerName, SessionName};
use crate::poker::refusal::Refusal;
use crate::poker::reply::Reply;
use crate::poker::session::{Opening, PasswordHash, Session};
use crate::poker::settings::{Settings, SettingsPatch};
use crate::store::{Lifetime, StoreError, Tombstone};
use crate::table::answer::Answer;
use crate::table::entropy;
use crate::table::handle::{Asked, Executed, Job};
use crate::table::registry::{Table, unavailable};
use crate::table::socket_state::Place;

/// Ids drawn for one session until one is free; a second draw is next to
/// impossible already.
const DRAWS_MAX: usize = 4;

/// What a session begins with.
#[derive(Debug, Clone)]
pub struct CreateRequest {
    pub name: SessionName,
    pub deck: Option<Deck>,
    pub patch: SettingsPatch,
    pub password: Option<String>,
    /// The host's; `Host` until the holder of the token joins with a name.
    pub player_name: Option<PlayerName>,
    pub avatar: Option<Avatar>,
}

/// A session that nobody has joined yet.
#[derive(Debug, Clone)]
pub struct Created {
    pub session: SessionId,
    pub code: JoinCode,
    pub host: PlayerId,
    /// The player token of the host's seat.
    pub host_token: SecretString,
    pub expires_at: Millis,
}

/// Who asks for a seat.
#[derive(Debug, Clone, Default)]
pub struct JoinRequest {
    pub token: Option<String>,
    pub player: Option<PlayerId>,
    pub name: Option<PlayerName>,
    pub avatar: Option<Avatar>,
    pub is_spectator: Option<bool>,
    pub password: Option<String>,
}

/// What a client says in `session:join`, in the handshake and over HTTP alike.
impl From<SessionJoin> for JoinRequest {
    fn from(join: SessionJoin) -> Self {
        Self {
            token: join.player_token.map(|token| token.0),
            player: join.player_id,
            name: join.player_name,
            avatar: join.avatar,
            is_spectator: join.is_spectator,
            password: join.password.map(|password| password.0),
        }
    }
}

/// A seat that waits for its socket.
#[derive(Debug, Clone)]
pub struct Seated {
    pub session: SessionId,
    pub player: PlayerId,
    pub token: SecretString,
}

/// Whom a token stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Authorised {
    pub session: SessionId,
    pub player: PlayerId,
}

impl Table {
    /// Opens a session; its host's seat waits for the holder of the token.
    pub async fn create(&self, request: CreateRequest, from: IpAddr) -> Result<Created, Failure> {
        self.admit_create(from).await?;
        self.open(request).await
    }

    pub(super) async fn open(&self, request: CreateRequest) -> Result<Created, Failure> {
        let shared = &self.shared;
        let now = shared.store.now();
        let policy = shared.options.policy.clone();
        request.patch.check(&policy)?;
        let settings = Settings::new(request.name, request.deck.unwrap_or_default());
        let settings =
            Settings { max_players: settings.max_players.min(policy.players_max), ..settings };
        let (settings, _) = request.patch.applied_to(&settings);
        let password = match request.password {
            Some(password) => Some(hash_password(password).await?),
            None => None,
        };
        let kept_until = now.add_ms(policy.session_ttl_ms);
        let lifetime = Lifetime {
            kept_until,
            tombstone: Tombstone::Expired,
            tombstone_until: kept_until.add_ms(shared.options.tombstone_ttl_ms),
        };
        for _ in 0..DRAWS_MAX {
            let opening = Opening {
                id: entropy::session_id(),
                code: entropy::join_code(),
                policy: policy.clone(),
                settings: settings.clone(),
                password: password.clone(),
                host: entropy::player_id(),
                host_name: request.player_name.clone().unwrap_or_else(host_name),
                host_avatar: request.avatar.clone().unwrap_or_default(),
            };
            match shared.store.create(opening, lifetime).await {
                Err(StoreError::Exists) => {}
                Err(error) => return Err(unavailable(&error)),
                Ok(loaded) => {
                    let session = loaded.session;
                    return Ok(Created {
                        session: session.id,
                        code: session.code,
                        host: session.host,
                        host_token: self.token(session.id, session.host, 0, now),
                        expires_at: session.expires_at,
                    });
                }
            }
        }
        Err(Failure::StateUnavailable { retry_after_s: 1 })
    }

    /// Reserves a seat, or recognises the holder of one, without a socket.
    pub async fn join(
        &self,
        session: SessionRef,
        request: JoinRequest,
        from: IpAddr,
    ) -> Result<Seated, Failure> {
        let _turn = self.admit_join(from, request.token.as_deref()).await?;
        let joined = async {
            let id = self.resolve(session).await?;
            let join = self.prepare_join(id, request).await?;
            let command = Command { by: Actor::Visitor, request: None, action: Action::Join(join) };
            let executed = self.perform(id, command, Asked::Nothing).await?;
            let Reply::Joined { player } = executed.reply else {
                return Err(Failure::Internal { id: 0 });
            };
            let (generation, now) = self
                .look(id, move |session, now| {
                    (session.seats.get(&player).map_or(0, |seat| seat.generation), now)
                })
                .await?;
            Ok(Seated { session: id, player, token: self.token(id, player, generation, now) })
        };
        let joined = joined.await;
        self.count_guess(from, &joined).await;
        joined
    }

    /// Looks at a session as it is between two commits.
    pub async fn read<T: Send + 'static>(
        &self,
        session: SessionRef,
        look: impl FnOnce(&Session, Millis) -> T + Send + 'static,
    ) -> Result<T, Failure> {
        let id = self.resolve(session).await?;
        self.look(id, look).await
    }

    /// Does something as the holder of a seat; see [`Table::authorise`]. It
    /// counts in that seat's budget like the `event` that does the same.
    pub async fn execute(
        &self,
        session: SessionId,
        by: PlayerId,
        event: EventName,
        action: Action,
    ) -> Result<Executed, Failure> {
        let attempt = Asked::OfSeat { player: by, event };
        self.perform(session, Command::by_seat(by, action), attempt).await
    }

    /// What a token claims, if it is ours and still valid.
    pub fn identify(&self, token: &str) -> Result<Claims, Failure> {
        Ok(self.shared.keyring.identify(token, self.shared.store.now())?)
    }

    /// Whom a token stands for in a session: the seat must still exist and
    /// the token be of its generation.
    pub async fn authorise(&self, token: &str, session: SessionRef) -> Result<Authorised, Failure> {
        let claims = self.identify(token)?;
        let id = self.resolve(session).await?;
        if claims.session != id {
            return Err(Refusal::InvalidPlayerToken.into());
        }
        let standing = self
            .look(id, move |session, _| {
                session.seat_of_token(claims.player, claims.generation).map(drop)
            })
            .await?;
        standing?;
        Ok(Authorised { session: id, player: claims.player })
    }

    /// Whether commands would be accepted now.
    pub async fn is_ready(&self) -> bool {
        self.shared.store.is_ready().await
    }

    /// Sessions in memory.
    pub fn sessions_served(&self) -> usize {
        self.shared.sessions.len()
    }

    pub(super) async fn resolve(&self, session: SessionRef) -> Result<SessionId, Failure> {
        match session {
            SessionRef::Id(id) => Ok(id),
            SessionRef::Code(code) => {
                let found = self.shared.store.resolve(code).await;
                found
                    .map_err(|error| unavailable(&error))?
                    .ok_or_else(|| Refusal::SessionNotFound.into())
            }
        }
    }

    /// Counts failures that look like guessing, and refuses who has too many:
    /// then the attempt is not made.
    pub async fn guarded<T>(
        &self,
        from: IpAddr,
        attempt: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        self.check_guesses(from).await?;
        let result = attempt.await;
        self.count_guess(from, &result).await;
        result
    }

    pub(super) async fn count_guess<T>(&self, from: IpAddr, result: &Result<T, Failure>) {
        let is_guess = matches!(
            result,
            Err(Failure::Refused(
                Refusal::SessionNotFound | Refusal::PasswordInvalid | Refusal::InvalidPlayerToken
            ))
        );
        if is_guess {
            self.guessed_wrong(from).await;
        }
    }

    /// The join as the rules want it: the token verified, the password
    /// compared. The instance is filled in by whoever has a socket.
    pub(super) async fn prepare_join(
        &self,
        id: SessionId,
        request: JoinRequest,
    ) -> Result<Join, Failure> {
        let reclaim: Reclaim = self.shared.options.reclaim;
        let claim = match (request.token, request.player) {
            (Some(token), _) => {
                let claims = self.identify(&token)?;
                if claims.session != id {
                    return Err(Refusal::InvalidPlayerToken.into());
                }
                Claim::Token { player: claims.player, generation: claims.generation }
            }
            (None, Some(player)) => Claim::Bare { player, reclaim },
            (None, None) => Claim::New { player: entropy::player_id() },
        };
        let password = match request.password {
            None => PasswordCheck::Absent,
            Some(password) => self.check_password(id, password).await?,
        };
        Ok(Join {
            claim,
            name: request.name,
            avatar: request.avatar,
            is_spectator: request.is_spectator,
            password,
            instance: None,
        })
    }

    pub(super) async fn perform(
        &self,
        id: SessionId,
        command: Command,
        attempt: Asked,
    ) -> Result<Executed, Failure> {
        let (caller, outcome) = oneshot::channel();
        let answer = Answer::Caller(caller);
        let job = Job::Command { command, answer, origin: None, attempt };
        self.send(id, Box::new(job)).await?;
        outcome.await.unwrap_or(Err(Failure::StateUnavailable { retry_after_s: 1 }))
    }

    /// A command of a client whose `requestId` is remembered.
    pub(super) fn command(by: PlayerId, request: Option<RequestId>, action: Action) -> Command {
        Command { by: Actor::Seat(by), request, action }
    }

    /// The claim with which the holder of a place would come back.
    pub(super) async fn own_claim(&self, place: &Place) -> Result<Claim, Failure> {
        let player = place.player;
        let generation = self
            .look(place.session.id, move |session, _| {
                session.seats.get(&player).map(|seat| seat.generation)
            })
            .await?;
        match generation {
            Some(generation) => Ok(Claim::Token { player, generation }),
            None => Err(Refusal::NotJoined.into()),
        }
    }

    async fn look<T: Send + 'static>(
        &self,
        id: SessionId,
        look: impl FnOnce(&Session, Millis) -> T + Send + 'static,
    ) -> Result<T, Failure> {
        let (sender, seen) = oneshot::channel();
        let job = Job::Look(Box::new(move |session, now| {
            let _ = sender.send(look(session, now));
        }));
        self.send(id, Box::new(job)).await?;
        seen.await.map_err(|_| Failure::StateUnavailable { retry_after_s: 1 })
    }

    async fn check_password(
        &self,
        id: SessionId,
        password: String,
    ) -> Result<PasswordCheck, Failure> {
        let Some(stored) = self.look(id, |session, _| session.password.clone()).await? else {
            return Ok(PasswordCheck::Absent);
        };
        let is_right = blocking(move || password::verify(&password, stored.phc())).await?;
        Ok(if is_right { PasswordCheck::Right } else { PasswordCheck::Wrong })
    }

    fn token(
        &self,
        session: SessionId,
        player: PlayerId,
        generation: u32,
        now: Millis,
    ) -> SecretString {
        let expires = now.add_ms(self.shared.options.token_ttl_ms);
        self.shared.keyring.mint(&Claims { session, player, generation, issued: now, expires })
    }
}

pub(super) async fn hash_password(password: String) -> Result<PasswordHash, Failure> {
    let salt = entropy::salt();
    blocking(move || PasswordHash::new(password::hash(&password, &salt))).await
}

/// Hashing is slow on purpose and must not hold up the connections.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work).await.map_err(|_| Failure::ServerBusy { retry_after_s: 1 })
}

fn host_name() -> PlayerName {
    "Host".parse().expect("a name within its limits")
}
