//! Everything that runs in a round: Redis, the instances, the proxies around
//! them; and all that can be done to them, written down as it is done.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cardroom::api::client_event::EventName;
use cardroom::planted::{Bug, VARIABLE};
use cardroom::poker::ids::SessionId;

use crate::clock::now_ns;
use crate::fault_proxy::{FaultProxy, Mode};
use crate::front::Front;
use crate::instance::Instance;
use crate::redis_process::Persistence;
use crate::redis_site::RedisSite;
use crate::truth::Truth;

pub(crate) struct World {
    pub(crate) redis: RedisSite,
    pub(crate) instances: Vec<Instance>,
    /// Between each instance and Redis.
    pub(crate) redis_proxies: Vec<FaultProxy>,
    /// Between the clients and each instance.
    pub(crate) client_proxies: Vec<FaultProxy>,
    front: Option<Front>,
    pub(crate) truth: Truth,
    history: File,
    schedule: Vec<String>,
    started: u64,
}

/// How a world is built.
pub(crate) struct Plan<'a> {
    pub(crate) binary: &'a Path,
    /// What the binary knows; see [`known_settings`].
    pub(crate) known: &'a str,
    pub(crate) folder: &'a Path,
    pub(crate) instances: usize,
    pub(crate) persistence: Persistence,
    /// A primary, two replicas and three sentinels instead of one server.
    pub(crate) has_sentinels: bool,
    /// One address for all instances, without stickiness.
    pub(crate) has_front: bool,
    pub(crate) bug: Option<Bug>,
    pub(crate) settings: &'a [&'a str],
}

/// Longer than any drain.
const ROLL_TIMEOUT: Duration = Duration::from_secs(120);

impl World {
    pub(crate) async fn start(plan: &Plan<'_>) -> Result<Self, String> {
        let folder = plan.folder;
        let redis = match plan.has_sentinels {
            true => RedisSite::sentinel(folder, plan.persistence).await?,
            false => RedisSite::single(folder, plan.persistence).await?,
        };
        let history = File::create(folder.join("nemesis.jsonl"));
        let history = history.map_err(|error| format!("a history: {error}"))?;
        let mut world = Self {
            redis,
            instances: Vec::new(),
            redis_proxies: Vec::new(),
            client_proxies: Vec::new(),
            front: None,
            truth: Truth::default(),
            history,
            schedule: Vec::new(),
            started: now_ns(),
        };
        for index in 0..plan.instances {
            let to_redis = FaultProxy::start(world.redis.port()).await?;
            let environment =
                plan.bug.map(|bug| (VARIABLE, bug.name())).into_iter().collect::<Vec<_>>();
            let log = folder.join(format!("instance-{index}.log"));
            let link = format!("redis://127.0.0.1:{}", to_redis.port);
            let settings = settings(plan, &world.redis.url().unwrap_or(link));
            let mut instance = Instance::new(plan.binary, &settings, environment, log);
            instance.start().await?;
            world.client_proxies.push(FaultProxy::start(instance.port).await?);
            world.redis_proxies.push(to_redis);
            world.instances.push(instance);
        }
        if plan.has_front {
            let ports = world.instances.iter().map(|instance| instance.port).collect();
            world.front = Some(Front::start(ports, &folder.join("front.log")).await?);
        }
        world.started = now_ns();
        Ok(world)
    }

    /// Where clients connect: one address in front of all, or one of each.
    pub(crate) fn urls(&self) -> Vec<String> {
        let url = |port: u16| format!("http://127.0.0.1:{port}");
        match &self.front {
            Some(front) => vec![url(front.port)],
            None => self.client_proxies.iter().map(|proxy| url(proxy.port)).collect(),
        }
    }

    pub(crate) fn schedule(&self) -> &[String] {
        &self.schedule
    }

    /// Writes down what is done, before it is.
    pub(crate) fn note(&mut self, what: &str) {
        let t = now_ns();
        let line = serde_json::json!({"t": t, "c": "nemesis", "k": "fault", "what": what});
        // The judge misses it if it cannot be written, and says so.
        let _ = writeln!(self.history, "{line}");
        self.schedule.push(format!("{:>7} ms  {what}", t.saturating_sub(self.started) / 1_000_000));
    }

    pub(crate) async fn kill_instance(&mut self, index: usize) {
        self.note(&format!("instance {index} kill -9"));
        if let Some(instance) = self.instances.get_mut(index) {
            instance.kill().await;
        }
    }

    /// SIGTERM, and a new process once it has ended by itself. Its exit status
    /// stands in the history.
    pub(crate) async fn roll_instance(&mut self, index: usize) -> Result<(), String> {
        self.note(&format!("instance {index} SIGTERM"));
        let Some(instance) = self.instances.get_mut(index) else {
            return Err(format!("no instance {index}"));
        };
        let status = instance.end(ROLL_TIMEOUT).await;
        self.note(&format!("instance {index} ended with {status:?}"));
        self.start_instance(index).await
    }

    pub(crate) async fn start_instance(&mut self, index: usize) -> Result<(), String> {
        match self.instances.get_mut(index) {
            Some(instance) => instance.start().await?,
            None => return Err(format!("no instance {index}")),
        }
        self.note(&format!("instance {index} is back"));
        Ok(())
    }

    pub(crate) fn pause_instance(&mut self, index: usize) {
        self.note(&format!("instance {index} SIGSTOP"));
        if let Some(process) = self.instances.get(index).and_then(Instance::process) {
            process.pause();
        }
    }

    pub(crate) fn resume_instance(&mut self, index: usize) {
        if let Some(process) = self.instances.get(index).and_then(Instance::process) {
            process.resume();
        }
        self.note(&format!("instance {index} SIGCONT"));
    }

    pub(crate) async fn kill_redis(&mut self) {
        self.note("redis kill -9");
        self.redis.primary().kill().await;
    }

    pub(crate) async fn start_redis(&mut self) -> Result<(), String> {
        self.redis.heal().await?;
        self.note("redis answers");
        Ok(())
    }

    pub(crate) fn pause_redis(&mut self) {
        self.note("redis SIGSTOP");
        self.redis.primary_process().into_iter().for_each(crate::process::Process::pause);
    }

    pub(crate) fn resume_redis(&mut self) {
        self.redis.primary_process().into_iter().for_each(crate::process::Process::resume);
        self.note("redis SIGCONT");
    }

    /// Nobody reaches the primary, which lives on.
    pub(crate) fn isolate_redis(&mut self) {
        self.note("redis primary cut off");
        self.redis.primary_proxy().into_iter().for_each(|proxy| proxy.set(Mode::Stalled));
    }

    /// Waits until another primary takes over.
    pub(crate) async fn fail_over(&mut self) -> Result<(), String> {
        self.redis.failed_over().await?;
        self.note("redis answers elsewhere");
        Ok(())
    }

    pub(crate) async fn heal_redis(&mut self) -> Result<(), String> {
        self.redis.heal().await?;
        self.note("redis servers are back");
        self.redis.wait_until_whole().await
    }

    /// Keeps what Redis holds for the judge, while nobody may write.
    pub(crate) async fn archive(&mut self) -> Result<(), String> {
        let () = self.redis.primary().ask(&["CLIENT", "PAUSE", "20000", "WRITE"]).await?;
        let sessions = self.sessions().await?;
        self.truth.archive(self.redis.primary(), &sessions).await
    }

    pub(crate) async fn flush(&mut self) -> Result<(), String> {
        self.archive().await?;
        self.note("redis FLUSHALL");
        // In one piece, so that nobody's write comes between.
        self.redis.primary().ask_together(&[&["CLIENT", "UNPAUSE"], &["FLUSHALL"]]).await
    }

    /// The sessions that Redis holds now.
    pub(crate) async fn sessions(&mut self) -> Result<Vec<SessionId>, String> {
        let keys: Vec<String> = self.redis.primary().ask(&["KEYS", "session:*:log"]).await?;
        let ids = keys
            .iter()
            .filter_map(|key| key.strip_prefix("session:{")?.strip_suffix("}:log")?.parse().ok());
        Ok(ids.collect())
    }

    pub(crate) async fn tell_redis(&mut self, words: &[&str]) -> Result<(), String> {
        self.note(&format!("redis {}", words.join(" ")));
        self.redis.primary().ask::<redis::Value>(words).await.map(drop)
    }

    pub(crate) fn set_redis_proxy(&mut self, index: usize, mode: Mode) {
        self.note(&format!("link of instance {index} to redis: {mode:?}"));
        self.redis_proxies.get(index).into_iter().for_each(|proxy| proxy.set(mode));
    }

    pub(crate) fn cut_redis_proxy(&mut self, index: usize) {
        self.note(&format!("link of instance {index} to redis: cut"));
        self.redis_proxies.get(index).into_iter().for_each(FaultProxy::cut);
    }

    pub(crate) fn set_client_proxy(&mut self, index: usize, mode: Mode) {
        self.note(&format!("link of the clients to instance {index}: {mode:?}"));
        self.client_proxies.get(index).into_iter().for_each(|proxy| proxy.set(mode));
    }

    pub(crate) fn cut_client_proxy(&mut self, index: usize) {
        self.note(&format!("link of the clients to instance {index}: cut"));
        self.client_proxies.get(index).into_iter().for_each(FaultProxy::cut);
    }

    /// Everything works again.
    pub(crate) async fn heal(&mut self) -> Result<(), String> {
        for proxy in self.redis_proxies.iter().chain(&self.client_proxies) {
            proxy.set(Mode::Pass);
        }
        for index in 0..self.instances.len() {
            let is_running =
                self.instances.get(index).is_some_and(|instance| instance.process().is_some());
            if is_running {
                self.instances
                    .get(index)
                    .and_then(Instance::process)
                    .into_iter()
                    .for_each(crate::process::Process::resume);
            } else {
                self.start_instance(index).await?;
            }
        }
        match self.redis.primary_process() {
            Some(_) => self.redis.heal().await?,
            None => self.start_redis().await?,
        }
        self.redis.wait_until_whole().await?;
        self.note("healed");
        Ok(())
    }

    pub(crate) fn crashed(&mut self) -> Vec<usize> {
        let crashed =
            |(index, instance): (usize, &mut Instance)| instance.has_crashed().then_some(index);
        self.instances.iter_mut().enumerate().filter_map(crashed).collect()
    }

    pub(crate) async fn end(&mut self) {
        for instance in &mut self.instances {
            instance.kill().await;
        }
        self.redis.end().await;
    }
}

fn settings(plan: &Plan<'_>, redis_url: &str) -> Vec<String> {
    let mut settings: Vec<String> = [
        "server.drain_seconds=0",
        "log.level=info",
        "redis.replay_window_seconds=3600",
        "auth.token_keys=[{kid=\"chaos\", secret=\"chaos-chaos-chaos-chaos-chaos-chaos\"}]",
        "limits.failed_joins_max=100000",
        "limits.failed_joins_per_minute_max=1000000",
        "limits.rejected_events_max=100000",
        "limits.sessions_per_address_hour_max=100000",
    ]
    .map(str::to_owned)
    .into();
    settings.push(format!("redis.url={redis_url}"));
    settings.extend(EventName::ALL.iter().map(|event| {
        let event = event.as_str();
        format!("rate_limits.{event}=100000")
    }));
    if plan.known.contains("shared_secret") {
        settings.push("instances.shared_secret=chaos-chaos-chaos-chaos-chaos-chaos".to_owned());
    }
    settings.extend(plan.settings.iter().map(|setting| (*setting).to_owned()));
    settings
}

/// The settings that a binary has, with their defaults, as TOML.
pub(crate) async fn known_settings(binary: &Path) -> Result<String, String> {
    let output = tokio::process::Command::new(binary).arg("--print-config").output().await;
    let output = output.map_err(|error| format!("run {}: {error}", binary.display()))?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

pub(crate) async fn pause_ms(ms: u64) {
    tokio::time::sleep(Duration::from_millis(ms)).await;
}

/// A folder of its own for a round.
pub(crate) fn folder(root: &Path, scenario: &str, seed: u64) -> Result<PathBuf, String> {
    let folder = root.join(format!("{scenario}-{seed}"));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(folder)
}
