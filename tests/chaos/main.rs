//! The judge: real instances, a real Redis and unmodified clients, faults, and
//! a checker that knows what should have happened. See README.md.

mod checker;
mod clock;
mod fault_proxy;
mod front;
mod history;
mod instance;
mod invariants;
mod nemesis;
#[path = "../support/ports.rs"]
mod ports;
mod process;
mod random;
mod redis_process;
mod redis_site;
mod report;
mod rolling;
mod round;
mod scenario;
mod swarm;
mod truth;
mod verdict;
mod world;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use futures_util::future::join_all;

use cardroom::planted::Bug;

use crate::report::say;
use crate::round::{Round, Setting, play};
use crate::scenario::{SCENARIOS, Scenario};
use crate::verdict::Verdict;
use crate::world::known_settings;

/// Plays planning poker while everything breaks, and judges what came of it.
#[derive(Debug, Parser)]
struct Arguments {
    /// Only these, separated by commas; `all` plays also what this server
    /// does not promise yet, `planted` only the planted bugs.
    #[arg(long)]
    scenario: Option<String>,

    /// Rounds of each scenario, instead of its own number.
    #[arg(long)]
    rounds: Option<usize>,

    /// How long the faults last, instead of the scenario's own time.
    #[arg(long)]
    seconds: Option<u64>,

    /// So many sessions, instead of the scenario's own number.
    #[arg(long)]
    sessions: Option<usize>,

    /// The first round's seed; the following rounds count on from it.
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// The short run, a part of `make test`.
    #[arg(long)]
    short: bool,

    /// A server that was built with the feature `planted-bugs`, to judge the
    /// judge: each of its bugs must be caught.
    #[arg(long, value_name = "BINARY")]
    planted: Option<PathBuf>,

    /// With `--planted`: only this one.
    #[arg(long)]
    bug: Option<String>,

    /// The server to judge; the one beside this program otherwise.
    #[arg(long)]
    binary: Option<PathBuf>,

    /// Keeps the histories of rounds that went well, too.
    #[arg(long)]
    keep: bool,
}

struct Score {
    passed: usize,
    failed: usize,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return complain(&error.to_string()),
    };
    match runtime.block_on(run(&arguments)) {
        Ok(Score { passed, failed }) => {
            say(&format!("{passed} passed, {failed} failed"));
            if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => complain(&error),
    }
}

fn complain(problem: &str) -> ExitCode {
    say(&format!("chaos: {problem}"));
    say("0 passed, 1 failed");
    ExitCode::FAILURE
}

async fn run(arguments: &Arguments) -> Result<Score, String> {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let built = own.parent().and_then(Path::parent).ok_or("a strange place to be in")?;
    let root = built.parent().unwrap_or(built).join("chaos");
    let clients = project.join("tests/clients");

    let mut score = Score { passed: 0, failed: 0 };
    if arguments.scenario.as_deref() != Some("planted") {
        let binary = arguments.binary.clone().unwrap_or_else(|| built.join("cardroom"));
        let setting = setting(&binary, &root, &clients).await?;
        judge(arguments, &setting, &mut score).await?;
    }
    let plants = matches!(arguments.scenario.as_deref(), None | Some("planted"));
    if let Some(binary) = arguments.planted.as_ref().filter(|_| plants) {
        let setting = setting(binary, &root, &clients).await?;
        plant(arguments, &setting, &mut score).await?;
    }
    Ok(score)
}

async fn setting(binary: &Path, root: &Path, clients: &Path) -> Result<Setting, String> {
    let binary = binary.canonicalize().map_err(|error| format!("{}: {error}", binary.display()))?;
    let known = known_settings(&binary).await?;
    Ok(Setting { binary, known, root: root.to_owned(), clients: clients.to_owned() })
}

/// The scenarios, with the server as it is.
async fn judge(arguments: &Arguments, setting: &Setting, score: &mut Score) -> Result<(), String> {
    let mut rows = Vec::new();
    let chosen = chosen(arguments, setting)?;
    // The short run is about time, the long one about figures.
    let at_once = if arguments.short { 2 } else { 1 };
    for group in chosen.chunks(at_once) {
        let playing = group.iter().map(|scenario| rounds(arguments, setting, scenario));
        let played = join_all(playing).await;
        for (scenario, sum) in group.iter().zip(played) {
            let (count, sum) = sum?;
            match sum.is_clean() {
                true => score.passed += 1,
                false => score.failed += 1,
            }
            rows.push(report::row(scenario.name, count, &sum));
        }
    }
    say(&report::head());
    rows.iter().for_each(|row| say(row));
    Ok(())
}

/// All rounds of a scenario: how many, and their figures together.
async fn rounds(
    arguments: &Arguments,
    setting: &Setting,
    scenario: &Scenario,
) -> Result<(usize, Verdict), String> {
    let count = match arguments.short {
        true => 1,
        false => arguments.rounds.unwrap_or(scenario.rounds),
    };
    let sessions = arguments.sessions.unwrap_or(scenario.sessions);
    // The short run shares its machine with the tests, and with another of its kind.
    let lag_ms_max = scenario.lag_ms_max.map(|ms| if arguments.short { 4 * ms } else { ms });
    let scenario = &Scenario { sessions, lag_ms_max, ..*scenario };
    let mut sum = Verdict::default();
    for seed in (arguments.seed..).take(count) {
        let round = play(setting, scenario, seed, seconds(arguments, scenario), None).await;
        let round = round.map_err(|error| format!("{} {seed}: {error}", scenario.name))?;
        let name = format!("{} #{seed}", scenario.name);
        say(&report::row(&name, 1, &round.verdict));
        round.remark.iter().for_each(|remark| say(&format!("    {remark}")));
        settle(arguments, scenario, &round);
        sum.add(round.verdict);
    }
    Ok((count, sum))
}

/// Every planted bug, in the scenario that must catch it.
async fn plant(arguments: &Arguments, setting: &Setting, score: &mut Score) -> Result<(), String> {
    for scenario in SCENARIOS {
        for bug in scenario.catches {
            if arguments.bug.as_ref().is_some_and(|name| *name != bug.name()) {
                continue;
            }
            let caught = catch(arguments, setting, scenario, *bug).await?;
            match caught {
                true => score.passed += 1,
                false => score.failed += 1,
            }
        }
    }
    Ok(())
}

/// Rounds until a bug that is planted in the server must be found.
const ROUNDS_TO_CATCH: u64 = 2;

async fn catch(
    arguments: &Arguments,
    setting: &Setting,
    scenario: &Scenario,
    bug: Bug,
) -> Result<bool, String> {
    let started = clock::now_ns();
    let seconds = scenario.short_seconds.max(8);
    for seed in (arguments.seed..).take(ROUNDS_TO_CATCH as usize) {
        let round = play(setting, scenario, seed, seconds, Some(bug)).await;
        let round =
            round.map_err(|error| format!("{} with {}: {error}", scenario.name, bug.name()))?;
        if round.verdict.is_clean() {
            continue;
        }
        let found = report::broken(&round.verdict);
        let _ = std::fs::remove_dir_all(&round.folder);
        let ms = clock::ms_between(started, clock::now_ns());
        let name = bug.name();
        say(&format!(
            "{name:<24} caught by {:<11} in {:>5.1} s: {found}",
            scenario.name,
            ms as f64 / 1_000.0
        ));
        return Ok(true);
    }
    say(&format!("{:<24} NOT caught by {}", bug.name(), scenario.name));
    Ok(false)
}

fn chosen<'a>(arguments: &Arguments, setting: &Setting) -> Result<Vec<&'a Scenario>, String> {
    let promised =
        |scenario: &&Scenario| scenario.needs.iter().all(|need| setting.known.contains(need));
    match arguments.scenario.as_deref() {
        Some("all") => Ok(SCENARIOS.iter().collect()),
        Some(names) => names
            .split(',')
            .map(|name| {
                let found = SCENARIOS.iter().find(|scenario| scenario.name == name);
                found.ok_or_else(|| format!("no scenario {name}"))
            })
            .collect(),
        None if arguments.short => {
            let short = SCENARIOS.iter().filter(|scenario| 0 < scenario.short_seconds);
            Ok(short.filter(promised).collect())
        }
        None => Ok(SCENARIOS.iter().filter(promised).collect()),
    }
}

fn seconds(arguments: &Arguments, scenario: &Scenario) -> u64 {
    let own = if arguments.short { scenario.short_seconds } else { scenario.seconds };
    arguments.seconds.unwrap_or(own)
}

/// A round that went well leaves nothing behind; one that failed tells.
fn settle(arguments: &Arguments, scenario: &Scenario, round: &Round) {
    if !round.verdict.is_clean() {
        report::tell_failure(scenario.name, round);
    } else if !arguments.keep {
        let _ = std::fs::remove_dir_all(&round.folder);
    }
}
