//! The numbers of the table; only the top of the program knows where they
//! were configured.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::api::client_event::EventName;
use crate::limits::Limit;
use crate::metrics::Metrics;
use crate::poker::command::Reclaim;
use crate::poker::ids::InstanceId;
use crate::poker::policy::Policy;

#[derive(Debug, Clone)]
pub struct TableOptions {
    /// Where what happens is counted.
    pub metrics: Arc<Metrics>,
    /// Fixed for each session when it is opened.
    pub policy: Policy,
    pub reclaim: Reclaim,
    /// From a connection to its first join.
    pub join_timeout: Duration,
    pub token_ttl_ms: u64,
    /// How long a session that has ended or expired is remembered.
    pub tombstone_ttl_ms: u64,
    /// Overrides of the events' own limits.
    pub rate_limits: BTreeMap<EventName, Limit>,
    /// Failed joins per network: guards join codes and passwords.
    pub failed_joins: Limit,
    /// Failed joins of everybody together.
    pub failed_joins_in_all: Limit,
    /// Sessions opened per network.
    pub creates: Limit,
    /// The same, in an hour.
    pub creates_per_hour: Limit,
    /// Refused events of one socket, until it is closed.
    pub rejected: Limit,
    /// Jobs that may wait for one session; then its sockets wait.
    pub session_jobs_max: usize,
    /// Commands that may share one commit.
    pub batch_jobs_max: usize,
    /// How long a session without sockets stays in memory.
    pub idle: Duration,
    pub recovery: RecoveryOptions,
    /// Networks whose attempts are remembered.
    pub networks_max: usize,
    /// Seats whose joins are remembered.
    pub returns_max: usize,
    /// Sockets that may wait without having joined.
    pub waiting_sockets_max: usize,
    /// `host:port` for the other instances; empty: they do not reach this one.
    pub advertised_address: String,
    /// Drawn anew without it.
    pub instance: Option<InstanceId>,
    /// The name under which a scheduler runs this instance, if one does.
    pub task: Option<String>,
    /// How long after its last sign of life an instance counts as dead.
    pub lease: Duration,
    /// Between two signs of life; a third of the lease at the most.
    pub renew: Duration,
}

/// How sockets that were lost come back.
#[derive(Debug, Clone, Copy)]
pub struct RecoveryOptions {
    /// For so long after its connection; 0: never.
    pub window_ms: u64,
    /// Entries of the log that are replayed at the most.
    pub replay_entries_max: usize,
    /// What is replayed may have so many bytes, and one message more.
    pub replay_bytes_max: usize,
    /// Unknown private ids per network; then none is looked for any more. A
    /// network may be all that is behind one load balancer, and each CONNECT
    /// costs the directory as much, so this is only against floods.
    pub failed: Limit,
}

impl RecoveryOptions {
    pub const fn is_on(&self) -> bool {
        0 < self.window_ms
    }
}

impl Default for RecoveryOptions {
    fn default() -> Self {
        Self {
            window_ms: 120_000,
            replay_entries_max: 1_000,
            replay_bytes_max: 1 << 20,
            failed: Limit::per_minute(3_000),
        }
    }
}

impl Default for TableOptions {
    fn default() -> Self {
        Self {
            metrics: Arc::default(),
            policy: Policy::default(),
            reclaim: Reclaim::Token,
            join_timeout: Duration::from_secs(45),
            token_ttl_ms: 24 * 60 * 60 * 1_000,
            tombstone_ttl_ms: 7 * 24 * 60 * 60 * 1_000,
            rate_limits: BTreeMap::new(),
            failed_joins: Limit { attempts_max: 20, window_ms: 600_000 },
            failed_joins_in_all: Limit::per_minute(1_000),
            creates: Limit::per_minute(10),
            creates_per_hour: Limit { attempts_max: 60, window_ms: 3_600_000 },
            rejected: Limit::per_minute(200),
            session_jobs_max: 1_024,
            batch_jobs_max: 64,
            idle: Duration::from_secs(60),
            recovery: RecoveryOptions::default(),
            networks_max: 100_000,
            returns_max: 100_000,
            waiting_sockets_max: 100_000,
            advertised_address: String::new(),
            instance: None,
            task: None,
            lease: Duration::from_secs(15),
            renew: Duration::from_secs(5),
        }
    }
}

impl TableOptions {
    pub fn rate_limit(&self, event: EventName) -> Limit {
        self.rate_limits
            .get(&event)
            .copied()
            .unwrap_or_else(|| Limit::per_minute(event.accepted_per_minute().into()))
    }
}
