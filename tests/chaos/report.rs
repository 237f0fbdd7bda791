//! The table.

use std::io::Write as _;

use crate::round::Round;
use crate::verdict::{Verdict, percentile};

/// Says something to whoever watches; nothing depends on it.
pub(crate) fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

pub(crate) fn head() -> String {
    format!(
        "{:<12} {:>6} {:>8} {:>8} {:>5} {:>4} {:>5} {:>7} {:>7} {:>6} {:>7} {:>8} {:>21} {:>7} {:>15}  {}",
        "scenario",
        "rounds",
        "commands",
        "acked",
        "lost",
        "dup",
        "gaps",
        "reorder",
        "diverge",
        "cuts",
        "replay",
        "snapshot",
        "recovery p50/p99/max",
        "lag max",
        "back p50/max ms",
        "verdict"
    )
}

pub(crate) fn row(name: &str, rounds: usize, verdict: &Verdict) -> String {
    let (replay, snapshot) = (&verdict.recovered_by_replay, &verdict.recovered_by_snapshot);
    let recovered = replay.len() + snapshot.len();
    let share = |part: usize| match recovered {
        0 => "-".to_owned(),
        whole => format!("{:.1}%", part as f64 * 100.0 / whole as f64),
    };
    let all: Vec<u64> = replay.iter().chain(snapshot).copied().collect();
    let (p50, p99, max) = (percentile(&all, 50), percentile(&all, 99), percentile(&all, 100));
    let back = &verdict.service_back_ms;
    let back = match back.is_empty() {
        true => "-".to_owned(),
        false => format!("{}/{}", percentile(back, 50), percentile(back, 100)),
    };
    format!(
        "{:<12} {:>6} {:>8} {:>8} {:>5} {:>4} {:>5} {:>7} {:>7} {:>6} {:>7} {:>8} {:>21} {:>7} {:>15}  {}",
        name,
        rounds,
        verdict.commands,
        verdict.acked,
        verdict.lost,
        verdict.duplicated,
        verdict.gaps,
        verdict.reordered,
        verdict.diverged,
        verdict.cuts,
        share(replay.len()),
        share(snapshot.len()),
        format!("{p50}/{p99}/{max} ms"),
        verdict.lag_ms_max,
        back,
        broken(verdict),
    )
}

/// The invariants that did not hold, with their numbers.
pub(crate) fn broken(verdict: &Verdict) -> String {
    if verdict.is_clean() {
        return "ok".to_owned();
    }
    let counts = verdict.counts().iter();
    counts.map(|(invariant, count)| format!("{invariant}:{count}")).collect::<Vec<_>>().join(" ")
}

/// All there is to know of a round that failed.
pub(crate) fn tell_failure(name: &str, round: &Round) {
    say(&format!(
        "--- {name} failed with seed {}; history in {}",
        round.seed,
        round.folder.display()
    ));
    for violation in round.verdict.violations() {
        say(&format!("    {:<4} {}", violation.invariant, violation.text));
    }
    say("    schedule:");
    round.schedule.iter().for_each(|line| say(&format!("    {line}")));
}
