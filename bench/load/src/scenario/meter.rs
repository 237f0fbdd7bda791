//! What a target uses while something is done to it.

use std::time::Duration;

use tokio::time::Instant;

use crate::figures::{Figures, Metric};
use crate::target::Target;

/// What it had used at the beginning.
pub(super) struct Meter {
    begin: Instant,
    cpu: Duration,
    redis_cpu: Duration,
    sleeps: u64,
    scripts: u64,
}

/// What it has used since.
pub(super) struct Used {
    pub(super) took: Duration,
    pub(super) cpu: Duration,
    /// Each is followed by a wake-up.
    pub(super) sleeps: u64,
    /// `None`: it has no Redis.
    pub(super) redis: Option<RedisUsed>,
}

pub(super) struct RedisUsed {
    pub(super) cpu: Duration,
    pub(super) scripts: u64,
}

impl Meter {
    pub(super) async fn start(target: &Target) -> Self {
        let scripts = target.redis_scripts().await;
        let (cpu, redis_cpu) = (target.cpu(), target.redis_cpu());
        let sleeps = target.sleeps();
        Self { begin: Instant::now(), cpu, redis_cpu, sleeps, scripts }
    }

    pub(super) async fn used(&self, target: &Target) -> Used {
        let took = self.begin.elapsed();
        let (cpu, redis_cpu) = (target.cpu() - self.cpu, target.redis_cpu() - self.redis_cpu);
        let sleeps = target.sleeps().saturating_sub(self.sleeps);
        let redis = if target.kind.has_redis() {
            Some(RedisUsed { cpu: redis_cpu, scripts: target.redis_scripts().await - self.scripts })
        } else {
            None
        };
        Used { took, cpu, sleeps, redis }
    }
}

impl Used {
    /// What each of `connects` cost.
    pub(super) fn per_connect(&self, connects: usize, figures: &mut Figures) {
        let connects = connects as f64;
        figures.insert(Metric::CpuPerConnect, micros(self.cpu) / connects);
        if let Some(redis) = &self.redis {
            figures.insert(Metric::RedisCpuPerConnect, micros(redis.cpu) / connects);
            figures.insert(Metric::ScriptsPerConnect, redis.scripts as f64 / connects);
        }
    }
}

pub(super) fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
