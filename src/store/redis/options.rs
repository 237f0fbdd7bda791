//! Where Redis is, and how long anybody waits for it.

use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;

#[derive(Debug, Clone)]
pub struct RedisOptions {
    /// It may hold a password. With TLS: `rediss`. The forms:
    /// * `redis://[user:password@]host:port[/database]`: one server, or any
    ///   one node of a cluster: it is asked what it is;
    /// * `redis://host:port,host:port`, also as several URLs with commas
    ///   between them, or `redis+cluster://host:port`: nodes of a cluster;
    /// * `redis+sentinel://[user:password@]host:port,host:port/name[/database]`:
    ///   sentinels, and the primary's name among them. User and password are
    ///   those of the primary.
    pub url: SecretString,
    /// Of the sentinels, where they want any.
    pub sentinel_user: Option<String>,
    pub sentinel_password: Option<SecretString>,
    /// Root certificates in PEM, instead of the system's.
    pub tls_ca_file: Option<PathBuf>,
    /// In front of every key and channel, for a Redis that others use too.
    pub key_prefix: String,
    pub connect_timeout: Duration,
    /// From a command to its reply; its outcome is unknown afterwards.
    pub command_timeout: Duration,
    /// How long `is_ready` waits for a PONG.
    pub ready_timeout: Duration,
    /// Events younger than this are never trimmed from a log.
    pub replay_window: Duration,
    pub durability: Durability,
    /// Replicas that have to have an event before anybody sees it, where
    /// durability is strict.
    pub wait_replicas: u32,
}

/// When an event counts as committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Strict where the URL names something that fails over: under Sentinel,
    /// and in a cluster with replicas. Else fast.
    Auto,
    /// When the primary has it: a failover may lose the last moments.
    Fast,
    /// When so many replicas have it as well: no failover to one of them
    /// loses what was acknowledged, and nobody saw what it loses.
    Strict,
}

impl RedisOptions {
    pub fn new(url: SecretString) -> Self {
        Self {
            url,
            sentinel_user: None,
            sentinel_password: None,
            tls_ca_file: None,
            key_prefix: String::new(),
            connect_timeout: Duration::from_secs(2),
            command_timeout: Duration::from_secs(1),
            ready_timeout: Duration::from_millis(500),
            replay_window: Duration::from_secs(5 * 60),
            durability: Durability::Auto,
            wait_replicas: 1,
        }
    }
}
