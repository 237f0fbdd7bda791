//! Clients that mean no good, and what they cost: figures of the real server.
//! See README.md.

mod attacker;
mod budgets;
mod churn;
mod figures;
mod flood;
mod kernel;
mod net;
mod party;
mod peer;
mod redis;
mod server;
mod slow;
mod slowloris;
mod watching;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;

/// Abuses a server and prints what that costs it and others.
#[derive(Debug, Parser)]
struct Arguments {
    /// Only these, separated by commas: slow, churn, slowloris, attacker.
    #[arg(long)]
    scenario: Option<String>,

    /// Small numbers, for a first look.
    #[arg(long)]
    short: bool,

    /// The server; the one beside this program otherwise.
    #[arg(long)]
    binary: Option<PathBuf>,
}

const SCENARIOS: [&str; 4] = ["slow", "churn", "slowloris", "attacker"];

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match tokio::runtime::Runtime::new() {
        Ok(runtime) => match runtime.block_on(run(&arguments)) {
            Ok(0) => ExitCode::SUCCESS,
            Ok(_) => ExitCode::FAILURE,
            Err(error) => {
                say(&format!("abuse: {error}"));
                ExitCode::FAILURE
            }
        },
        Err(error) => {
            say(&format!("abuse: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// How many scenarios went wrong.
async fn run(arguments: &Arguments) -> Result<usize, String> {
    let binary = match &arguments.binary {
        Some(binary) => binary.canonicalize(),
        None => std::env::current_exe().map(|own| {
            let built = own.parent().and_then(Path::parent).unwrap_or_else(|| Path::new("."));
            built.join("cardroom")
        }),
    };
    let binary = binary.map_err(|error| error.to_string())?;
    let chosen = match &arguments.scenario {
        Some(names) => names.split(',').collect(),
        None => SCENARIOS.to_vec(),
    };
    let mut failed = 0;
    for scenario in chosen {
        say(&format!("{scenario} ({})", load()));
        let (lines, problems) = play(scenario, &binary, arguments.short).await?;
        lines.iter().for_each(|line| say(&format!("  {line}")));
        problems.iter().for_each(|problem| say(&format!("  WRONG: {problem}")));
        failed += usize::from(!problems.is_empty());
        say(&format!("  ({})", load()));
    }
    Ok(failed)
}

/// The table, and what is wrong in it.
async fn play(
    scenario: &str,
    binary: &Path,
    is_short: bool,
) -> Result<(Vec<String>, Vec<String>), String> {
    match scenario {
        "slow" => {
            let plan = if is_short { slow::SHORT } else { slow::LONG };
            let outcome = slow::run(binary, plan).await?;
            Ok((outcome.lines(), outcome.problems()))
        }
        "churn" => {
            let plan = if is_short { churn::SHORT } else { churn::LONG };
            let outcome = churn::run(binary, plan).await?;
            Ok((outcome.lines(), outcome.problems()))
        }
        "slowloris" => {
            let plan = if is_short { slowloris::SHORT } else { slowloris::LONG };
            let outcome = slowloris::run(binary, plan).await?;
            Ok((outcome.lines(), outcome.problems()))
        }
        "attacker" => {
            let plan = if is_short { attacker::SHORT } else { attacker::LONG };
            let outcome = attacker::run(binary, plan).await?;
            Ok((outcome.lines(), outcome.problems()))
        }
        other => Err(format!("no scenario {other}; there are {}", SCENARIOS.join(", "))),
    }
}

/// What else the machine does decides what the figures are worth.
fn load() -> String {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let first = load.split(' ').next().unwrap_or("?").to_owned();
    format!("load {first} on {cores} cores")
}

fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}
