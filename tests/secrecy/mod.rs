//! Before the reveal nobody but the voter can tell what was voted: random
//! sessions on two instances, each played twice with other votes, are the
//! same to everybody else, byte by byte. `make secrecy` plays a thousand.
//!
//! SECRECY_SEED repeats a run, SECRECY_SCHEDULES lengthens it.

mod ballots;
mod canonical;
mod client;
mod dice;
mod judge;
mod moves;
mod roles;
mod schedule;
mod stage;
mod wire;

use std::collections::BTreeMap;
use std::env;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::secrecy::ballots::Ballots;
use crate::secrecy::dice::Dice;
use crate::secrecy::judge::Horizon;
use crate::secrecy::schedule::{Recording, Schedule};
use crate::secrecy::stage::{Remains, Stage};

/// In `make test`; takes less than a minute.
const SCHEDULES: u64 = 150;
/// Sessions that are played at the same time.
const AT_ONCE: usize = 24;
/// After so many, servers and Redis begin anew, with other settings.
const BATCH: u64 = 125;
/// How long a seat waits for its player is a matter of seconds; so that time
/// decides nothing it is for ever, or not at all.
const SETTINGS: [&[&str]; 2] =
    [&["session.disconnect_grace_ms=600000"], &["session.disconnect_grace_ms=0"]];

#[derive(Debug, Default)]
struct Figures {
    schedules: usize,
    steps: usize,
    votes: usize,
    varied: usize,
    reveals: usize,
    to_the_end: usize,
    shown_behind: usize,
    streams: usize,
    packets: usize,
    bytes: usize,
    reconnects: usize,
    recovered: usize,
    rest: usize,
    series: usize,
    log_lines: usize,
    doorbells: usize,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn others_cannot_tell_what_was_voted() {
    let number = |name: &str| env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seed = number("SECRECY_SEED").unwrap_or_else(|| RandomState::new().hash_one(0) % 1_000_000);
    let schedules = number("SECRECY_SCHEDULES").unwrap_or(SCHEDULES);
    let started = Instant::now();
    let mut figures = Figures::default();
    let mut from = seed;
    for batch in 0.. {
        let until = (from + BATCH).min(seed + schedules);
        if until <= from {
            break;
        }
        let seeds: Vec<u64> = (from..until).collect();
        let settings = SETTINGS[batch % SETTINGS.len()];
        if let Err(difference) = compare(&seeds, settings, &mut figures).await {
            panic!("SECRECY_SEED={seed} SECRECY_SCHEDULES={schedules}: {difference}");
        }
        from = until;
    }
    show(seed, &figures, started.elapsed().as_secs_f64());
    assert!(0 < figures.varied, "votes varied");
    assert!(0 < figures.shown_behind, "what was shown at last made a difference");
    assert!(0 < figures.recovered, "what was missed was replayed");
}

/// A batch, twice.
async fn compare(seeds: &[u64], settings: &[&str], figures: &mut Figures) -> Result<(), String> {
    let drawn = |seed: u64, labels: Vec<String>| Ballots::drawn(labels, Dice::new(!seed));
    let (first, left) = play(seeds, settings, drawn).await?;

    let mut plans = BTreeMap::new();
    for (seed, recording) in &first {
        let mut dice = Dice::new(seed ^ 0xBA11_07);
        let horizon = match dice.below(recording.reveals.len() + 1) {
            end if end == recording.reveals.len() => Horizon::END,
            place => {
                let (step, seq) = recording.reveals[place];
                Horizon { step, seq }
            }
        };
        plans.insert(*seed, (horizon, recording.ballots.varied(horizon.step, &mut dice)));
    }
    let plans = Arc::new(plans);
    let given = {
        let plans = Arc::clone(&plans);
        move |seed: u64, labels: Vec<String>| {
            Ballots::given(labels, Dice::new(!seed ^ 1), plans[&seed].1.clone())
        }
    };
    let (second, right) = play(seeds, settings, given).await?;

    let sessions = |recordings: &BTreeMap<u64, Recording>| -> BTreeMap<String, u64> {
        recordings.iter().map(|(seed, recording)| (recording.session.clone(), *seed)).collect()
    };
    for (seed, one) in &first {
        let (other, horizon) = (&second[seed], plans[seed].0);
        let compared = judge::streams(one, other, horizon)
            .map_err(|difference| format!("schedule {seed}, up to {horizon:?}: {difference}"))?;
        figures.schedules += 1;
        figures.steps += one.steps as usize;
        figures.votes += one.figures.votes;
        figures.varied += one.ballots.differing_from(&other.ballots);
        figures.reveals += one.reveals.len();
        figures.to_the_end += usize::from(horizon.step == u32::MAX);
        figures.shown_behind += usize::from(compared.differs_behind);
        figures.streams += compared.streams;
        figures.packets += compared.packets;
        figures.bytes += compared.bytes;
        figures.reconnects += one.figures.reconnects;
        figures.recovered += one.figures.recovered;
        figures.rest += one.figures.rest;
    }
    let compared = judge::remains(&left, &right, [&sessions(&first), &sessions(&second)])?;
    figures.series += compared.streams;
    figures.log_lines += compared.packets;
    figures.doorbells += compared.bytes;
    Ok(())
}

/// Plays every schedule once, on servers of its own.
async fn play(
    seeds: &[u64],
    settings: &[&str],
    ballots: impl Fn(u64, Vec<String>) -> Ballots + Clone + Send + 'static,
) -> Result<(BTreeMap<u64, Recording>, Remains), String> {
    let stage = Stage::open(settings).await?;
    let turns = Arc::new(Semaphore::new(AT_ONCE));
    let mut playing = JoinSet::new();
    for seed in seeds {
        let (seed, turns, servers) = (*seed, Arc::clone(&turns), Arc::clone(&stage.servers));
        let ballots = ballots.clone();
        playing.spawn(async move {
            let _turn = turns.acquire().await.map_err(|error| error.to_string())?;
            let schedule = Schedule::new(seed, servers, |labels| ballots(seed, labels));
            let played = schedule.run().await;
            played
                .map(|recording| (seed, recording))
                .map_err(|failure| format!("schedule {seed}: {failure}"))
        });
    }
    let mut recordings = BTreeMap::new();
    while let Some(played) = playing.join_next().await {
        let (seed, recording) = played.map_err(|error| error.to_string())??;
        recordings.insert(seed, recording);
    }
    Ok((recordings, stage.close().await?))
}

#[expect(clippy::print_stdout, reason = "figures are to be read")]
fn show(seed: u64, figures: &Figures, seconds: f64) {
    let rows: [(&str, usize); 16] = [
        ("schedules, each played twice", figures.schedules),
        ("steps", figures.steps),
        ("votes cast", figures.votes),
        ("of one voter, different in the second run", figures.varied),
        ("reveals", figures.reveals),
        ("schedules compared to their end", figures.to_the_end),
        ("schedules that differ behind their horizon", figures.shown_behind),
        ("streams compared", figures.streams),
        ("packets and answers compared", figures.packets),
        ("bytes compared", figures.bytes),
        ("reconnects", figures.reconnects),
        ("of them recovered by replay", figures.recovered),
        ("answers over HTTP", figures.rest),
        ("series of /metrics", figures.series),
        ("lines of logs", figures.log_lines),
        ("messages between instances through Redis", figures.doorbells),
    ];
    println!("seed {seed}, {seconds:.1} s");
    for (what, count) in rows {
        println!("{count:>12}  {what}");
    }
}
