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
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::secrecy::ballots::Ballots;
use crate::secrecy::client::Tape;
use crate::secrecy::dice::Dice;
use crate::secrecy::judge::Horizon;
use crate::secrecy::schedule::{Recording, Schedule};
use crate::secrecy::stage::{Remains, Stage};

/// In `make test`, as far as the time suffices.
const SCHEDULES: u64 = 150;
const TIME_MAX: Duration = Duration::from_secs(50);
const SMALL_BATCH: u64 = 25;
/// Sessions that are played at the same time.
const AT_ONCE: usize = 24;
/// After so many, servers and Redis begin anew, with the other settings: those
/// of its first seed's parity, so that both numbers are odd.
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
    let asked = number("SECRECY_SCHEDULES");
    let (schedules, batch) = asked.map_or((SCHEDULES, SMALL_BATCH), |asked| (asked, BATCH));
    let started = Instant::now();
    let mut figures = Figures::default();
    let mut from = seed;
    let mut last_took = Duration::ZERO;
    loop {
        let begun = Instant::now();
        // Whoever asks for a number gets it.
        let is_late = asked.is_none() && TIME_MAX < started.elapsed() + last_took;
        let until = (from + batch).min(seed + schedules);
        if until <= from || is_late {
            break;
        }
        let seeds: Vec<u64> = (from..until).collect();
        let played = Twice::play(&seeds, SETTINGS[from as usize % SETTINGS.len()]).await;
        if let Err(found) = played.and_then(|twice| twice.compare(&mut figures)) {
            panic!("SECRECY_SEED={from} SECRECY_SCHEDULES={}: {found}", until - from);
        }
        from = until;
        last_took = begun.elapsed();
    }
    show(seed, &figures, started.elapsed().as_secs_f64());
    assert!(0 < figures.varied, "votes varied");
    assert!(0 < figures.shown_behind, "what was shown at last made a difference");
    assert!(0 < figures.recovered, "what was missed was replayed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_judge_finds_every_leak() {
    let mut twice = Twice::play(&[5, 6, 7], SETTINGS[0]).await.expect("played");
    twice.compare(&mut Figures::default()).expect("no difference");
    // Nothing is shown where the comparison has to look at all of it.
    twice.horizons.values_mut().for_each(|horizon| *horizon = Horizon { step: 9, seq: u64::MAX });
    twice.compare(&mut Figures::default()).expect("no difference");
    for (what, leak) in LEAKS {
        let kept = twice.second.clone();
        let (logs, metrics, published) = {
            let remains = &twice.remains[1];
            (remains.logs.clone(), remains.metrics.clone(), remains.published.clone())
        };
        leak(&mut twice);
        let found = twice.compare(&mut Figures::default());
        assert!(found.is_err(), "{what} was not found");
        twice.second = kept;
        twice.remains[1] = Remains { logs, metrics, published };
    }
    twice.compare(&mut Figures::default()).expect("no difference");
}

type Leak = fn(&mut Twice);

/// What a server that leaks would have let out in the second run.
const LEAKS: &[(&str, Leak)] = &[
    ("a value in a packet", |twice| {
        let line = &mut sams(twice)[3].1;
        *line = line.replacen('{', "{\"value\":\"5\",", 1);
    }),
    ("a byte more in a packet", |twice| sams(twice)[4].1.push(' ')),
    ("a packet more", |twice| {
        let again = sams(twice)[5].clone();
        sams(twice).insert(5, again);
    }),
    ("a packet less", |twice| drop(sams(twice).remove(4))),
    ("packets in another order", |twice| sams(twice).swap(3, 4)),
    ("a line in the log", |twice| {
        twice.remains[1].logs[1] += "2026-01-01T00:00:00Z DEBUG cardroom: voted value=5\n";
    }),
    ("a word in the log", |twice| {
        let log = &mut twice.remains[1].logs[0];
        *log = log.replacen("event=\"vote:submit\"", "event=\"vote:submit\" value=5", 1);
    }),
    ("a number", |twice| {
        let page = &mut twice.remains[1].metrics[0];
        let votes = "cardroom_events_total{event=\"vote:submit\",outcome=\"ok\"}";
        *page.get_mut(votes).expect("the votes are counted") += 1.0;
    }),
    ("a series", |twice| {
        let series = "cardroom_votes_total{value=\"5\"}".to_owned();
        twice.remains[1].metrics[1].insert(series, 1.0);
    }),
    ("a byte from instance to instance", |twice| {
        let mut channels = twice.remains[1].published.values_mut();
        channels.next().expect("a session").push("b1:1:1:1:5".to_owned());
    }),
];

/// What the spectator of the first schedule received.
fn sams(twice: &mut Twice) -> &mut Tape {
    let recording = twice.second.values_mut().next().expect("a schedule");
    let sam = recording.streams.iter_mut().find(|stream| stream.name == "Sam");
    &mut sam.expect("Sam was there").tape
}

/// A batch that was played twice.
struct Twice {
    first: BTreeMap<u64, Recording>,
    second: BTreeMap<u64, Recording>,
    horizons: BTreeMap<u64, Horizon>,
    remains: [Remains; 2],
}

impl Twice {
    async fn play(seeds: &[u64], settings: &[&str]) -> Result<Self, String> {
        let drawn = |seed: u64, labels: Vec<String>| Ballots::drawn(labels, Dice::new(!seed));
        let (first, left) = play(seeds, settings, drawn).await?;
        let mut horizons = BTreeMap::new();
        let mut varied = BTreeMap::new();
        for (seed, recording) in &first {
            let mut dice = Dice::new(seed ^ 0x00BA_1107);
            let horizon = match dice.below(recording.reveals.len() + 1) {
                end if end == recording.reveals.len() => Horizon::END,
                place => {
                    let (step, seq) = recording.reveals[place];
                    Horizon { step, seq }
                }
            };
            horizons.insert(*seed, horizon);
            varied.insert(*seed, recording.ballots.varied(horizon.step, &mut dice));
        }
        let varied = Arc::new(varied);
        let given = move |seed: u64, labels: Vec<String>| {
            Ballots::given(labels, Dice::new(!seed ^ 1), varied[&seed].clone())
        };
        let (second, right) = play(seeds, settings, given).await?;
        Ok(Self { first, second, horizons, remains: [left, right] })
    }

    fn compare(&self, figures: &mut Figures) -> Result<(), String> {
        for (seed, one) in &self.first {
            let (other, horizon) = (&self.second[seed], self.horizons[seed]);
            let compared = judge::streams(one, other, horizon)
                .map_err(|found| format!("schedule {seed}, up to {horizon:?}: {found}"))?;
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
        let sessions = |recordings: &BTreeMap<u64, Recording>| -> BTreeMap<String, u64> {
            recordings.iter().map(|(seed, recording)| (recording.session.clone(), *seed)).collect()
        };
        let [left, right] = &self.remains;
        let compared =
            judge::remains(left, right, [&sessions(&self.first), &sessions(&self.second)])?;
        figures.series += compared.streams;
        figures.log_lines += compared.packets;
        figures.doorbells += compared.bytes;
        Ok(())
    }
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
