//! Which store an instance keeps its sessions in.

use std::sync::Arc;
#[cfg(feature = "redis")]
use std::time::Duration;

#[cfg(feature = "redis")]
use tracing::info;

use crate::clock::Clock;
use crate::config::{self, Config};
use crate::server::instance::StartError;
#[cfg(feature = "redis")]
use crate::store::RedisStore;
#[cfg(feature = "redis")]
use crate::store::redis::{Durability, RedisOptions};
use crate::store::{Directory, MemoryStore, SessionStore};

/// What instances share: one store under both of its contracts.
pub struct Stores {
    pub sessions: Arc<dyn SessionStore>,
    pub directory: Arc<dyn Directory>,
}

impl Stores {
    /// One store as both.
    pub fn of<S: SessionStore + Directory>(store: S) -> Self {
        let store = Arc::new(store);
        Self { sessions: Arc::clone(&store) as _, directory: store }
    }
}

/// Redis where one is configured, else the embedded store.
pub async fn open_store(config: &Config) -> Result<Stores, StartError> {
    if config.redis.url.is_empty() {
        return Ok(Stores::of(MemoryStore::new(Clock::system(), config.limits.sessions_max)));
    }
    #[cfg(feature = "redis")]
    {
        let redis = &config.redis;
        let store = RedisStore::connect(RedisOptions {
            url: redis.url.secret().clone(),
            sentinel_user: Some(redis.sentinel_user.clone()).filter(|user| !user.is_empty()),
            sentinel_password: Some(redis.sentinel_password.secret().clone())
                .filter(|_| !redis.sentinel_password.is_empty()),
            tls_ca_file: Some(redis.tls_ca_file.clone())
                .filter(|file| !file.is_empty())
                .map(Into::into),
            key_prefix: redis.key_prefix.clone(),
            connect_timeout: Duration::from_millis(redis.connect_timeout_ms),
            command_timeout: Duration::from_millis(redis.command_timeout_ms),
            ready_timeout: Duration::from_millis(redis.ready_timeout_ms),
            replay_window: Duration::from_secs(redis.replay_window_seconds),
            durability: match redis.durability {
                config::Durability::Auto => Durability::Auto,
                config::Durability::Fast => Durability::Fast,
                config::Durability::Strict => Durability::Strict,
            },
            wait_replicas: redis.wait_replicas,
        });
        let store = store.await?;
        info!(redis.url = ?redis.url, "sessions live in Redis");
        Ok(Stores::of(store))
    }
    #[cfg(not(feature = "redis"))]
    Err(StartError::NoRedis)
}
