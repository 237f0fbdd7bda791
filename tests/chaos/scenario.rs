//! The scenarios, one row each.

use cardroom::planted::Bug;

use crate::checker::Leniency;
use crate::nemesis::Nemesis;
use crate::redis_process::Persistence;

pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) nemesis: Nemesis,
    pub(crate) persistence: Persistence,
    pub(crate) has_sentinels: bool,
    pub(crate) instances: usize,
    pub(crate) sessions: usize,
    pub(crate) players_per_session: usize,
    /// One address in front of all instances, no stickiness.
    pub(crate) has_front: bool,
    pub(crate) think_ms: u64,
    /// How long the faults last: in `make chaos`, and in `make test` (0: not
    /// a part of it).
    pub(crate) seconds: u64,
    pub(crate) short_seconds: u64,
    /// Rounds of `make chaos`.
    pub(crate) rounds: usize,
    pub(crate) drop_every_ms: u64,
    pub(crate) settings: &'static [&'static str],
    pub(crate) leniency: Leniency,
    /// A client of this scenario may be so far behind at the most.
    pub(crate) lag_ms_max: Option<u64>,
    /// The share of all reconnects that one second may have; only of a
    /// rolling restart.
    pub(crate) reconnects_per_second_max: Option<f64>,
    /// It shows what is promised only with these settings in the binary.
    pub(crate) needs: &'static [&'static str],
    /// The planted bugs that it must catch.
    pub(crate) catches: &'static [Bug],
}

/// Heartbeats that notice a half-open connection in seconds. They are also all
/// that helps engine.io-client when its upgrade breaks between the probe and
/// the end of the pause: it polls no more, and waits for the next heartbeat.
const BRISK: &[&str] = &["engine.ping_interval_ms=3000", "engine.ping_timeout_ms=4000"];

const PLAIN: Scenario = Scenario {
    name: "",
    nemesis: Nemesis::Nothing,
    persistence: Persistence::Nothing,
    has_sentinels: false,
    instances: 3,
    sessions: 4,
    players_per_session: 9,
    has_front: false,
    think_ms: 600,
    seconds: 30,
    short_seconds: 0,
    rounds: 1,
    drop_every_ms: 0,
    settings: &[],
    leniency: Leniency { goes_back: false },
    lag_ms_max: None,
    reconnects_per_second_max: None,
    needs: &[],
    catches: &[],
};

pub(crate) const SCENARIOS: &[Scenario] = &[
    // Three instances quarrel over one session; connections come and go.
    Scenario {
        name: "contention",
        sessions: 1,
        players_per_session: 12,
        think_ms: 120,
        drop_every_ms: 300,
        seconds: 20,
        short_seconds: 6,
        catches: &[
            Bug::AckBeforeCommit,
            Bug::SkipTailCheck,
            Bug::ReplayOffByOne,
            Bug::DoubleApply,
            Bug::RevealFromStaleReplica,
            Bug::TrimBeyondSnapshot,
        ],
        ..PLAIN
    },
    // Small and slow enough that timers run out.
    Scenario {
        name: "timers",
        sessions: 8,
        players_per_session: 3,
        think_ms: 900,
        seconds: 20,
        short_seconds: 5,
        catches: &[Bug::TimerFiresTwice],
        ..PLAIN
    },
    // What clients send arrives, and the answers do not.
    Scenario {
        name: "acks",
        nemesis: Nemesis::LoseAcks,
        think_ms: 300,
        seconds: 20,
        short_seconds: 5,
        settings: BRISK,
        catches: &[Bug::ForgetRequests],
        ..PLAIN
    },
    // One instance is killed every few seconds.
    Scenario {
        name: "instances",
        nemesis: Nemesis::KillInstances,
        sessions: 12,
        has_front: true,
        think_ms: 2_000,
        settings: BRISK,
        seconds: 180,
        short_seconds: 8,
        needs: &["shared_secret", "[recovery]"],
        ..PLAIN
    },
    // Each instance in turn is told to end, drains and is started again, and
    // nobody notices more than one reconnect. A thousand sockets.
    Scenario {
        name: "rolling",
        nemesis: Nemesis::Roll,
        sessions: 100,
        players_per_session: 10,
        has_front: true,
        think_ms: 60_000,
        seconds: 200,
        settings: &["server.drain_seconds=60", "server.drain_notice_ms=2000"],
        reconnects_per_second_max: Some(0.1),
        needs: &["shared_secret", "[recovery]", "drain_notice_ms"],
        ..PLAIN
    },
    // The same for a few and in a hurry.
    Scenario {
        name: "rolling-few",
        nemesis: Nemesis::Roll,
        sessions: 6,
        players_per_session: 6,
        has_front: true,
        think_ms: 2_000,
        seconds: 30,
        short_seconds: 20,
        settings: &[
            "server.drain_seconds=5",
            "server.drain_notice_ms=1200",
            // For an upgrade that the end of an instance breaks.
            "engine.ping_interval_ms=5000",
            "engine.ping_timeout_ms=10000",
        ],
        needs: &["shared_secret", "[recovery]", "drain_notice_ms"],
        ..PLAIN
    },
    // Redis is killed and comes back with its append-only file.
    Scenario {
        name: "redis-aof",
        nemesis: Nemesis::KillRedis,
        persistence: Persistence::Aof,
        seconds: 12,
        short_seconds: 6,
        rounds: 20,
        ..PLAIN
    },
    // Redis is killed and comes back empty.
    Scenario {
        name: "redis-empty",
        nemesis: Nemesis::EmptyRedis,
        seconds: 12,
        short_seconds: 5,
        rounds: 20,
        needs: &["durability"],
        ..PLAIN
    },
    // Redis is emptied while it runs.
    Scenario {
        name: "flushall",
        nemesis: Nemesis::FlushAll,
        seconds: 12,
        short_seconds: 5,
        rounds: 20,
        needs: &["durability"],
        ..PLAIN
    },
    // The pub/sub connections are killed every second.
    Scenario {
        name: "pubsub",
        nemesis: Nemesis::KillPubSub,
        seconds: 60,
        short_seconds: 5,
        lag_ms_max: Some(2_000),
        ..PLAIN
    },
    // Instances and Redis stand still for a while.
    Scenario {
        name: "pause",
        nemesis: Nemesis::Pause,
        persistence: Persistence::Aof,
        seconds: 60,
        settings: BRISK,
        ..PLAIN
    },
    // The links are slow, cut, or half open.
    Scenario {
        name: "proxy",
        nemesis: Nemesis::Links,
        seconds: 60,
        short_seconds: 8,
        settings: BRISK,
        ..PLAIN
    },
    // The primary is killed, stopped or cut off, and a replica takes over.
    Scenario {
        name: "sentinel",
        nemesis: Nemesis::FailOver,
        persistence: Persistence::Aof,
        has_sentinels: true,
        seconds: 60,
        rounds: 3,
        // All of them: a primary that has one replica's consent may be
        // succeeded by the other.
        settings: &["redis.durability=strict", "redis.wait_replicas=2"],
        needs: &["durability"],
        ..PLAIN
    },
    // Redis forgets the scripts.
    Scenario { name: "scripts", nemesis: Nemesis::FlushScripts, seconds: 20, ..PLAIN },
    // Redis comes back as it was a while ago: what it took since is lost, but
    // nobody may go on from there without being told.
    Scenario {
        name: "rollback",
        nemesis: Nemesis::RollBack,
        persistence: Persistence::Saves,
        sessions: 6,
        players_per_session: 6,
        think_ms: 300,
        seconds: 8,
        rounds: 5,
        leniency: Leniency { goes_back: true },
        catches: &[Bug::DropNonceCheck],
        ..PLAIN
    },
];
