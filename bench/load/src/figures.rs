//! What a run measured, by name.

use std::collections::BTreeMap;

use crate::wrong::Wrongs;

/// The lines of a scenario in the table, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Metric {
    DeliveriesPerSecond,
    CpuPerDelivery,
    WakesPerVote,
    AckP50,
    AckP99,
    FanOutP50,
    FanOutP99,
    RedisCpuPerVote,
    ScriptsPerVote,
    ConnectsPerSecond,
    CpuPerConnect,
    ResidentPerConnection,
    RedisPerSession,
    BackAfter,
    RecoveredShare,
    RedisCpuPerConnect,
    ScriptsPerConnect,
    RedisBusy,
    StartToAnswer,
    AgedJoinP50,
    NewJoinP50,
    AgedJoinP99,
    NewJoinP99,
    AgedFirstJoin,
    NewFirstJoin,
    AgedCpuPerJoin,
    NewCpuPerJoin,
    AgedJoinBytes,
    NewJoinBytes,
    /// Of any kind; the report says which.
    Wrong,
}

/// What was measured once.
#[derive(Default)]
pub(crate) struct Figures {
    pub(crate) values: BTreeMap<Metric, f64>,
    pub(crate) wrongs: Wrongs,
    /// What the server says about it.
    pub(crate) remark: String,
}

impl Figures {
    pub(crate) fn insert(&mut self, metric: Metric, value: f64) {
        self.values.insert(metric, value);
    }

    /// What was wrong, of all that was looked at.
    pub(crate) fn judged(mut self, wrongs: Wrongs) -> Self {
        self.insert(Metric::Wrong, wrongs.count() as f64);
        self.wrongs = wrongs;
        self
    }
}

impl Metric {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::DeliveriesPerSecond => "deliveries/s",
            Self::CpuPerDelivery => "server CPU µs per delivery",
            Self::WakesPerVote => "server wake-ups per vote",
            Self::AckP50 => "p50 ms vote → ack",
            Self::AckP99 => "p99 ms vote → ack",
            Self::FanOutP50 => "p50 ms vote → everybody",
            Self::FanOutP99 => "p99 ms vote → everybody",
            Self::RedisCpuPerVote => "Redis CPU µs per vote",
            Self::ScriptsPerVote => "Redis scripts per vote",
            Self::ConnectsPerSecond => "connects with join /s",
            Self::CpuPerConnect => "server CPU µs per connect",
            Self::ResidentPerConnection => "RSS KiB per idle connection",
            Self::RedisPerSession => "Redis KiB per session",
            Self::BackAfter => "all back after s",
            Self::RecoveredShare => "recovered %",
            Self::RedisCpuPerConnect => "Redis CPU µs per connect",
            Self::ScriptsPerConnect => "Redis scripts per connect",
            Self::RedisBusy => "Redis busy meanwhile, ms",
            Self::StartToAnswer => "start → answer ms",
            Self::AgedJoinP50 => "p50 ms join, aged",
            Self::NewJoinP50 => "p50 ms join, new",
            Self::AgedJoinP99 => "p99 ms join, aged",
            Self::NewJoinP99 => "p99 ms join, new",
            Self::AgedFirstJoin => "first join elsewhere ms, aged",
            Self::NewFirstJoin => "first join elsewhere ms, new",
            Self::AgedCpuPerJoin => "server CPU µs per join and leave, aged",
            Self::NewCpuPerJoin => "server CPU µs per join and leave, new",
            Self::AgedJoinBytes => "KiB per answer, aged",
            Self::NewJoinBytes => "KiB per answer, new",
            Self::Wrong => "wrong",
        }
    }

    /// Whether a quotient with another server says something.
    pub(crate) const fn has_ratio(self) -> bool {
        !matches!(
            self,
            Self::Wrong
                | Self::RecoveredShare
                | Self::ScriptsPerVote
                | Self::ScriptsPerConnect
                | Self::AgedJoinBytes
                | Self::NewJoinBytes
        )
    }
}
