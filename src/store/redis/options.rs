//! Where Redis is, and how long anybody waits for it.

use std::time::Duration;

use secrecy::SecretString;

#[derive(Debug, Clone)]
pub struct RedisOptions {
    /// `redis://[user:password@]host:port[/database]`; it may hold a password.
    pub url: SecretString,
    /// In front of every key and channel, for a Redis that others use too.
    pub key_prefix: String,
    pub connect_timeout: Duration,
    /// From a command to its reply; its outcome is unknown afterwards.
    pub command_timeout: Duration,
    /// How long `is_ready` waits for a PONG.
    pub ready_timeout: Duration,
    /// Events younger than this are never trimmed from a log.
    pub replay_window: Duration,
}

impl RedisOptions {
    pub fn new(url: SecretString) -> Self {
        Self {
            url,
            key_prefix: String::new(),
            connect_timeout: Duration::from_secs(2),
            command_timeout: Duration::from_secs(1),
            ready_timeout: Duration::from_millis(500),
            replay_window: Duration::from_secs(5 * 60),
        }
    }
}
