//! The question itself: `identity::standing`, asked of what Redis keeps.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cardroom::api::Failure;
use cardroom::api::rest::{TokenCheck, ValidToken};
use cardroom::clock::Clock;
use cardroom::identity::{Claims, Keyring};
use cardroom::poker::ids::{JoinCode, Millis, SessionRef};
use cardroom::poker::play::catch_up;
use cardroom::poker::refusal::Refusal;
use cardroom::store::{SessionStore, Stored, Tombstone};
use functions_support::environment::{BadSetting, Environment, TOKEN_KEYS, parse};
use functions_support::secrets::{SecretError, Secrets};
use functions_support::sessions::{Away, Sessions};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::guesses::Guesses;
use crate::recent::{Question, Recent};

/// What callers that heard 503 are asked to wait.
const RETRY_AFTER_S: u32 = 1;

pub(crate) struct Validation {
    secrets: Arc<Secrets>,
    sessions: Sessions,
    keys: Mutex<Option<Keys>>,
    recent: Mutex<Recent>,
    guesses: Mutex<Guesses>,
}

#[derive(Clone)]
struct Keys {
    ring: Arc<Keyring>,
    /// The secret they were read from.
    secret: Arc<SecretString>,
}

#[derive(Deserialize)]
struct TokenKey {
    kid: String,
    secret: SecretString,
}

/// Why nobody can say yes or no; for the log.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unknowable {
    #[error("no auth.token_keys: {0}")]
    NoKeys(#[from] SecretError),
    #[error("auth.token_keys cannot be used")]
    BadKeys,
    #[error("sessions: {0}")]
    Away(#[from] Away),
    #[error("the time that Lambda gives is over")]
    Deadline,
}

impl Validation {
    pub(crate) fn new(environment: Environment) -> Result<Self, BadSetting> {
        let secrets = Arc::new(Secrets::new(environment.clone()));
        let sessions = Sessions::new(&environment, Arc::clone(&secrets))?;
        Ok(Self {
            secrets,
            sessions,
            keys: Mutex::default(),
            recent: Mutex::default(),
            guesses: Mutex::default(),
        })
    }

    pub(crate) async fn of(&self, check: &TokenCheck) -> Result<ValidToken, Failure> {
        let asked = check.session_id.0.ok_or(Refusal::SessionNotFound)?;
        let token = check.player_token.0.as_str();
        // Frozen time does not pass for a monotonic clock, so it is asked anew.
        let now = Clock::system().now();
        let ring = self.keyring().await.map_err(unavailable)?;
        let claims = ring.identify(token, now)?;
        claims.may_be_for(asked)?;

        let question = Question::new(asked, token);
        let known = self.recent().find(&question, now);
        if let Some(valid) = known {
            return Ok(valid);
        }
        if let SessionRef::Code(code) = asked {
            self.check_code(code, &claims, now).await?;
        }
        let stored = self.sessions.ask(async |store| store.load(claims.session).await).await;
        let valid = judge(stored.map_err(unavailable)?, &claims, asked)?;
        self.recent().note(question, &valid, now);
        Ok(valid)
    }

    /// Codes are short: who holds some token must not find out by trying which
    /// sessions there are.
    async fn check_code(
        &self,
        code: JoinCode,
        claims: &Claims,
        now: Millis,
    ) -> Result<(), Failure> {
        if let Some(retry_after_s) = self.guesses().are_too_many(now) {
            return Err(Failure::RateLimited { retry_after_s });
        }
        let found = self.sessions.ask(async |store| store.resolve(code).await).await;
        let refusal = match found.map_err(unavailable)? {
            Some(id) if id == claims.session => return Ok(()),
            Some(_) => Refusal::InvalidPlayerToken,
            None => Refusal::SessionNotFound,
        };
        self.guesses().count(now);
        Err(refusal.into())
    }

    async fn keyring(&self) -> Result<Arc<Keyring>, Unknowable> {
        let secret = self.secrets.read(TOKEN_KEYS).await?;
        let kept = self.keys.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(keys) = kept
            && Arc::ptr_eq(&keys.secret, &secret)
        {
            return Ok(keys.ring);
        }
        let keys: Vec<TokenKey> = parse(secret.expose_secret()).ok_or(Unknowable::BadKeys)?;
        let pairs = keys.into_iter().map(|key| (key.kid, key.secret));
        let ring = Arc::new(Keyring::new(pairs).map_err(|_| Unknowable::BadKeys)?);
        let keys = Keys { ring: Arc::clone(&ring), secret };
        *self.keys.lock().unwrap_or_else(PoisonError::into_inner) = Some(keys);
        Ok(ring)
    }

    fn recent(&self) -> MutexGuard<'_, Recent> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn guesses(&self) -> MutexGuard<'_, Guesses> {
        self.guesses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn judge(stored: Stored, claims: &Claims, asked: SessionRef) -> Result<ValidToken, Refusal> {
    let mut session = match stored {
        Stored::Live(loaded) => loaded.session,
        Stored::Gone(Tombstone::Ended) => return Err(Refusal::SessionEnded),
        Stored::Gone(Tombstone::Expired) => return Err(Refusal::SessionExpired),
        Stored::Unknown => return Err(Refusal::SessionNotFound),
    };
    let now = Clock::system().now();
    // A session that nobody serves is as it was left.
    catch_up(&mut session, now);
    let standing = claims.standing(asked, &session)?;
    Ok(ValidToken::new(&session, standing.seat, standing.until, now))
}

pub(crate) fn unavailable(error: impl Into<Unknowable>) -> Failure {
    let error = error.into();
    tracing::warn!(%error, "nobody can say");
    Failure::StateUnavailable { retry_after_s: RETRY_AFTER_S }
}
