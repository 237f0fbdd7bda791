//! One round of a scenario: start, rage, heal, let it settle, judge.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use cardroom::planted::Bug;

use crate::checker::check;
use crate::history::History;
use crate::nemesis::Nemesis;
use crate::random::Random;
use crate::rolling::Rolling;
use crate::scenario::Scenario;
use crate::swarm::{Orders, Swarm};
use crate::verdict::Verdict;
use crate::world::{Plan, World, folder};

/// What is judged, and where.
pub(crate) struct Setting {
    pub(crate) binary: PathBuf,
    /// Its settings, as TOML.
    pub(crate) known: String,
    /// Where histories are kept.
    pub(crate) root: PathBuf,
    /// tests/clients
    pub(crate) clients: PathBuf,
}

pub(crate) struct Round {
    pub(crate) seed: u64,
    pub(crate) verdict: Verdict,
    pub(crate) schedule: Vec<String>,
    /// What the table has no column for.
    pub(crate) remark: Option<String>,
    pub(crate) folder: PathBuf,
}

/// Presence settles, timers run out, and the last head check is made.
const QUIET_MS: u64 = 4_000;
const SETTLE_MS: u64 = 60_000;

pub(crate) async fn play(
    setting: &Setting,
    scenario: &Scenario,
    seed: u64,
    seconds: u64,
    bug: Option<Bug>,
) -> Result<Round, String> {
    let folder = folder(&setting.root, scenario.name, seed)?;
    let plan = Plan {
        binary: &setting.binary,
        known: &setting.known,
        folder: &folder,
        instances: scenario.instances,
        persistence: scenario.persistence,
        has_sentinels: scenario.has_sentinels,
        has_front: scenario.has_front,
        bug,
        settings: scenario.settings,
    };
    let mut world = World::start(&plan).await?;
    let orders = orders(setting, scenario, &world, &folder, seed);
    let log = File::create(folder.join("swarm.log")).map_err(|error| error.to_string())?;
    let mut swarm = Swarm::start(&setting.clients, &orders, Stdio::from(log)).await?;

    let mut random = Random::new(seed);
    scenario.nemesis.rage(&mut world, &mut random, Duration::from_secs(seconds)).await?;
    if scenario.nemesis != Nemesis::Nothing {
        world.heal().await?;
    }
    swarm.stop().await?;
    let sessions = world.sessions().await?;
    let World { truth, redis, .. } = &mut world;
    truth.read(redis.primary(), sessions.into_iter()).await?;
    swarm.end().await?;

    let mut history = History::default();
    history.read(&folder.join("nemesis.jsonl"))?;
    history.read(&orders.history)?;
    let mut verdict = check(&history, &world.truth, scenario.leniency);
    let remark = (scenario.nemesis == Nemesis::Roll).then(|| {
        let rolling = Rolling::of(&history);
        rolling.judge(scenario, &mut verdict);
        rolling.to_string()
    });
    for index in world.crashed() {
        verdict.violated("crash", || format!("instance {index} ended by itself"));
    }
    if let Some(max) = scenario.lag_ms_max
        && max < verdict.lag_ms_max
    {
        let lag = verdict.lag_ms_max;
        verdict.violated("lag", || format!("a client was {lag} ms behind, {max} are allowed"));
    }
    world.end().await;
    Ok(Round { seed, verdict, schedule: world.schedule().to_vec(), remark, folder })
}

fn orders(
    setting: &Setting,
    scenario: &Scenario,
    world: &World,
    folder: &Path,
    seed: u64,
) -> Orders {
    // Without a relay between instances, polling needs to stay where it began.
    let is_relayed = setting.known.contains("shared_secret");
    let transports = match scenario.has_front && !is_relayed {
        true => vec!["websocket"],
        false => vec!["websocket", "polling", "upgrade"],
    };
    Orders {
        tag: "a".to_owned(),
        seed,
        history: folder.join("swarm.jsonl"),
        urls: world.urls(),
        transports,
        sessions: scenario.sessions,
        players_per_session: scenario.players_per_session,
        is_open: seed.is_multiple_of(2),
        think_ms: scenario.think_ms,
        reconnection_delay_ms: 200,
        drop_every_ms: scenario.drop_every_ms,
        settle_ms: SETTLE_MS,
        quiet_ms: QUIET_MS,
    }
}
