//! Measures cardroom over real sockets, side by side with the floor of its
//! libraries (`bench/floor`) and with socket.io on Node (`bench/peers/node`).
//!
//! The servers take turns, scenario by scenario and round by round, so that
//! whatever else the machine does hits all of them. What is compared is the
//! processor time that the operating system booked on them: on a machine that
//! others share it says more than the clock.

mod figures;
mod ledger;
mod pace;
mod process;
mod report;
mod scenario;
mod seat;
mod swarm;
mod target;
mod wire;
mod wrong;

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use tokio::task::LocalSet;

use crate::figures::Figures;
use crate::report::Report;
use crate::scenario::{NAMES, Scenario, Windows};
use crate::target::{Kind, Programs, Target};

#[derive(Parser)]
struct Options {
    /// The servers, with commas between them; ratios are to the first.
    #[arg(long, value_enum, value_delimiter = ',', default_values = ["floor", "embedded", "redis", "node"])]
    targets: Vec<Kind>,
    #[arg(long, value_delimiter = ',', help = NAMES)]
    scenarios: Vec<Scenario>,
    #[arg(long, default_value_t = 2)]
    rounds: u32,
    /// Seconds that are measured, of each run.
    #[arg(long, default_value_t = 3)]
    seconds: u64,
    #[arg(long, default_value = "target/release/cardroom")]
    cardroom: PathBuf,
    #[arg(long, default_value = "bench/load/cardroom.toml")]
    settings: PathBuf,
    #[arg(long, default_value = "target/release/cardroom-floor")]
    floor: PathBuf,
    #[arg(long, default_value = "bench/peers/node/server.mjs")]
    node_peer: PathBuf,
    #[arg(long, default_value = "target/bench")]
    logs: PathBuf,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    LocalSet::new().run_until(measure(Options::parse())).await
}

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "the table and how far it is")]
async fn measure(options: Options) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(&options.logs)?;
    let programs = Programs {
        cardroom: options.cardroom,
        settings: options.settings,
        floor: options.floor,
        node_peer: options.node_peer,
        logs: options.logs,
    };
    let scenarios =
        if options.scenarios.is_empty() { Scenario::TABLE.to_vec() } else { options.scenarios };
    let windows =
        Windows { warm_up: Duration::from_secs(1), window: Duration::from_secs(options.seconds) };
    let mut shared = BTreeMap::new();
    if scenarios.iter().any(|scenario| !scenario.wants_fresh_server()) {
        for kind in &options.targets {
            shared.insert(*kind, Target::start(*kind, &programs).await?);
        }
    }
    let mut report = Report::default();
    for round in 1..=options.rounds {
        for scenario in &scenarios {
            for kind in options.targets.iter().filter(|kind| scenario.suits(**kind)) {
                let run = format!("{} {}, round {round}", scenario.name(), kind.name());
                eprintln!("{run} of {}", options.rounds);
                let target = shared.get(kind);
                match scenario.run_on(*kind, target, &programs, windows).await {
                    Ok(figures) => {
                        if 0 < figures.wrongs.count() {
                            let Figures { wrongs, remark, .. } = &figures;
                            report.note(format!("{run}: {wrongs}{remark}"));
                        }
                        report.add(*scenario, *kind, figures);
                    }
                    Err(error) => report.note(format!("{run}: failed, {error}")),
                }
            }
        }
    }
    println!("{}", report.markdown());
    for target in shared.into_values() {
        target.end().await;
    }
    Ok(())
}
