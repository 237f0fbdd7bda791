//! The way to Redis on a short leash.
//!
//! Nothing is connected before it is needed: a function starts while Redis is
//! away. What was connected may have died while the function was frozen, which
//! no error says: a call that fails by a connection that was kept is made once
//! more with a new one.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cardroom::store::redis::{Durability, RedisOptions};
use cardroom::store::{RedisStore, StoreError};
use secrecy::SecretString;
use tokio::time::timeout;

use crate::environment::{
    BadSetting, Environment, KEY_PREFIX, REDIS_COMMAND_TIMEOUT_MS, REDIS_CONNECT_TIMEOUT_MS,
    REDIS_URL,
};
use crate::secrets::{SecretError, Secrets};

const CONNECT_TIMEOUT: Duration = Duration::from_millis(300);
const COMMAND_TIMEOUT: Duration = Duration::from_millis(200);

/// Where the sessions are, for one function.
pub struct Sessions {
    secrets: Arc<Secrets>,
    key_prefix: String,
    connect_timeout: Duration,
    command_timeout: Duration,
    kept: Mutex<Option<Kept>>,
}

#[derive(Clone)]
struct Kept {
    store: Arc<RedisStore>,
    /// The URL it was connected with.
    url: Arc<SecretString>,
}

/// Why there is no answer. Says nothing of the URL.
#[derive(Debug, thiserror::Error)]
pub enum Away {
    #[error("no redis.url: {0}")]
    NoUrl(#[from] SecretError),
    #[error("no connection: {0}")]
    NoConnection(String),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("no answer within {} ms", .0.as_millis())]
    Late(Duration),
}

impl Sessions {
    pub fn new(environment: &Environment, secrets: Arc<Secrets>) -> Result<Self, BadSetting> {
        let time = |name, default| environment.milliseconds(name, default);
        Ok(Self {
            secrets,
            key_prefix: environment.get(KEY_PREFIX).unwrap_or_default().to_owned(),
            connect_timeout: time(REDIS_CONNECT_TIMEOUT_MS, CONNECT_TIMEOUT)?,
            command_timeout: time(REDIS_COMMAND_TIMEOUT_MS, COMMAND_TIMEOUT)?,
            kept: Mutex::default(),
        })
    }

    /// From the first question to the last answer, connecting included: what
    /// was kept may have died, and all begins anew.
    fn total_timeout(&self) -> Duration {
        2 * (self.connect_timeout + self.command_timeout)
    }

    /// What `question` finds, which may be asked twice.
    pub async fn ask<T, F>(&self, question: impl Fn(Arc<RedisStore>) -> F) -> Result<T, Away>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let url = self.secrets.read(REDIS_URL).await?;
        let asking = async {
            if let Some(store) = self.kept(&url) {
                match question(store).await {
                    Err(StoreError::Unavailable(_)) => self.forget(),
                    result => return Ok(result?),
                }
            }
            let store = self.connect(url).await?;
            let result = question(store).await;
            if result.is_err() {
                self.forget();
            }
            Ok(result?)
        };
        let total_timeout = self.total_timeout();
        let result = timeout(total_timeout, asking).await;
        if result.is_err() {
            self.forget();
        }
        result.unwrap_or(Err(Away::Late(total_timeout)))
    }

    async fn connect(&self, url: Arc<SecretString>) -> Result<Arc<RedisStore>, Away> {
        let options = RedisOptions {
            key_prefix: self.key_prefix.clone(),
            connect_timeout: self.connect_timeout,
            command_timeout: self.command_timeout,
            durability: Durability::Fast,
            ..RedisOptions::new(SecretString::clone(&url))
        };
        match RedisStore::visit(options).await {
            Ok(store) => {
                let store = Arc::new(store);
                let kept = Kept { store: Arc::clone(&store), url };
                *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(kept);
                Ok(store)
            }
            Err(error) => {
                // The password may have been changed.
                self.secrets.doubt(REDIS_URL);
                Err(Away::NoConnection(error.to_string()))
            }
        }
    }

    /// The connection that was made with this URL.
    fn kept(&self, url: &Arc<SecretString>) -> Option<Arc<RedisStore>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
        Arc::ptr_eq(&kept.url, url).then_some(kept.store)
    }

    fn forget(&self) {
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn total(environment: &Environment) -> Duration {
        let secrets = Arc::new(Secrets::new(environment.clone()));
        Sessions::new(environment, secrets).expect("good settings").total_timeout()
    }

    #[test]
    fn a_second_is_waited_unless_a_deployment_says_otherwise() {
        assert_eq!(total(&Environment::default()), Duration::from_secs(1));
        let given = [(REDIS_CONNECT_TIMEOUT_MS, "1000"), (REDIS_COMMAND_TIMEOUT_MS, "500")];
        assert_eq!(total(&Environment::from(given)), Duration::from_secs(3));
    }
}
