//! Somebody who tries a hundred times what he may, on two instances with one
//! Redis, beside players who play.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use super::budgets::{Account, Budget};
use super::figures::median;
use super::flood::{Aim, CREATE, Flood, RETURN, SEATED, WRONG_CODE};
use super::party::{Party, Seen, Size};
use super::redis::Redis;
use super::server::Server;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    size: Size,
    rounds: u32,
    /// Without the attack, and with it.
    quiet: Duration,
    attack: Duration,
}

/// Each of the twenty votes every two and a half seconds, a bit below the limit.
pub(crate) const LONG: Plan = Plan {
    size: Size { rooms: 4, players: 5, votes: 2, stories: 0 },
    rounds: 5,
    quiet: Duration::from_secs(15),
    attack: Duration::from_secs(15),
};

pub(crate) const SHORT: Plan = Plan {
    size: Size { rooms: 2, players: 4, votes: 1, stories: 0 },
    rounds: 1,
    quiet: Duration::from_secs(1),
    attack: Duration::from_secs(4),
};

#[derive(Debug, Default)]
pub(crate) struct Outcome {
    players: usize,
    quiet: Phase,
    attacked: Phase,
    growths: Vec<f64>,
    /// From the first attempt to the last.
    lasted: Duration,
    accounts: Vec<(Budget, Account)>,
    returns: u64,
    by_polling: u64,
    turned_away: u64,
    not_opened: u64,
    closed: u64,
    /// As the servers count them, the attacker's own goings too.
    closings: BTreeMap<String, f64>,
    not_tried: u64,
}

/// All phases of one kind.
#[derive(Debug, Default)]
struct Phase {
    seen: Seen,
    seconds: f64,
    script_calls: f64,
    /// Of both servers.
    cpu_seconds: f64,
}

struct Field {
    redis: Redis,
    servers: [Server; 2],
}

pub(crate) async fn run(binary: &Path, plan: Plan) -> Result<Outcome, String> {
    let redis = Redis::start().await?;
    let settings = [
        format!("redis.url={}", redis.url()),
        // For machines that do ten other things.
        "redis.command_timeout_ms=10000".to_owned(),
        r#"auth.token_keys=[{ kid = "t", secret = "of all instances, 32 bytes long." }]"#
            .to_owned(),
    ];
    let servers = [
        Server::start_as_set(binary, &settings).await?,
        Server::start_as_set(binary, &settings).await?,
    ];
    let addresses = [servers[0].address, servers[1].address];
    let field = Field { redis, servers };
    let mut party = Party::begin_over(&addresses, plan.size, "vote:change").await?;
    let room = party.rooms.first().ok_or("no room")?;
    let (session, story) = (room.session.clone(), room.story.clone());
    let flood = Flood::prepare(Aim { servers: addresses, session, story }).await?;
    // Whatever is done for the first time is done now.
    party.play(plan.quiet / 2).await?;

    let mut outcome =
        Outcome { players: plan.size.rooms * plan.size.players, ..Outcome::default() };
    let begun = Instant::now();
    for _ in 0..plan.rounds {
        let before = outcome.quiet.add(&field, &mut party, plan.quiet).await?;
        flood.rage(true);
        let after = outcome.attacked.add(&field, &mut party, plan.attack).await?;
        flood.rage(false);
        outcome.growths.push(growth(before, after));
        outcome.lasted = begun.elapsed();
        // What is under way ends: it belongs to neither.
        party.play(plan.quiet / 10).await?;
    }
    outcome.take(&flood);
    for server in &field.servers {
        for (reason, count) in server.figures().await?.closings() {
            *outcome.closings.entry(reason).or_default() += count;
        }
    }
    Ok(outcome)
}

/// In percent.
fn growth(before: f64, after: f64) -> f64 {
    (after / before.max(1e-3) - 1.0) * 100.0
}

impl Phase {
    /// Its p99.
    async fn add(
        &mut self,
        field: &Field,
        party: &mut Party,
        time: Duration,
    ) -> Result<f64, String> {
        let (calls, cpu) = (field.redis.script_calls().await?, field.cpu_seconds().await?);
        let begun = Instant::now();
        party.seen();
        let seen = party.play(time).await?;
        self.seconds += begun.elapsed().as_secs_f64();
        self.script_calls += field.redis.script_calls().await? - calls;
        self.cpu_seconds += field.cpu_seconds().await? - cpu;
        self.seen.and(&seen);
        Ok(seen.acknowledged.percentile(99))
    }

    fn calls_per_second(&self) -> f64 {
        self.script_calls / self.seconds
    }
}

impl Field {
    async fn cpu_seconds(&self) -> Result<f64, String> {
        let [one, other] = &self.servers;
        Ok(one.figures().await?.cpu_seconds() + other.figures().await?.cpu_seconds())
    }
}

impl Outcome {
    fn take(&mut self, flood: &Flood) {
        let budgets = SEATED.into_iter().chain([RETURN, CREATE, WRONG_CODE]);
        self.accounts =
            budgets.map(|budget| (budget, flood.ledger().account(budget.what))).collect();
        let counts = flood.counts();
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        self.returns = read(&counts.returns);
        self.by_polling = read(&counts.by_polling);
        self.turned_away = read(&counts.turned_away);
        self.not_opened = read(&counts.not_opened);
        self.closed = read(&counts.closed);
        self.not_tried = read(&counts.not_tried);
    }

    /// How many windows were begun.
    fn windows(&self, budget: &Budget) -> usize {
        (self.lasted.as_secs_f64() / budget.window.as_secs_f64()).ceil() as usize
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!(
            "{:<16} {:>7} {:>8} {:>8} {:>9} {:>16} {:>11}",
            "tried", "times", "× budget", "refused", "admitted", "most in a window", "budget"
        )];
        for (budget, account) in &self.accounts {
            let times = account.attempts as f64 / (budget.attempts_max as f64)
                * (budget.window.as_secs_f64() / self.attacked.seconds);
            lines.push(format!(
                "{:<16} {:>7} {times:>8.0} {:>8} {:>9} {:>16} {:>5} / {:>3.0} s",
                budget.what,
                account.attempts,
                account.refused,
                account.admitted(),
                account.most_within(budget.window),
                budget.attempts_max,
                budget.window.as_secs_f64(),
            ));
        }
        let refused: usize = self.accounts.iter().map(|(_, account)| account.refused).sum();
        let [quiet, attacked] = [&self.quiet, &self.attacked];
        let p99 = |phase: &Phase| phase.seen.acknowledged.percentile(99);
        let more = (attacked.calls_per_second() - quiet.calls_per_second()) * attacked.seconds;
        lines.extend([
            format!(
                "came back                  {} times ({:.0}/s, {} by polling), answered 503: {}, not opened: {}, too many at once for this machine: {}",
                self.returns,
                self.returns as f64 / attacked.seconds,
                self.by_polling,
                self.turned_away,
                self.not_opened,
                self.not_tried
            ),
            format!(
                "closed by the server       {} connections; of all that ended, by reason: {}",
                self.closed,
                self.closings
                    .iter()
                    .map(|(reason, count)| format!("{reason} {count}"))
                    .collect::<Vec<_>>()
                    .join(", ")
            ),
            format!(
                "scripts called in Redis    {:.1}/s without, {:.1}/s with; {:.3} more for each refused attempt, {:.2} for each that came back",
                quiet.calls_per_second(),
                attacked.calls_per_second(),
                more / (refused.max(1) as f64),
                more / (self.returns.max(1) as f64)
            ),
            format!(
                "processor, both servers    {:.1} % of a core without, {:.1} % with",
                quiet.cpu_seconds / quiet.seconds * 100.0,
                attacked.cpu_seconds / attacked.seconds * 100.0
            ),
            format!("acknowledged, without it   {}", quiet.seen.acknowledged.words()),
            format!("acknowledged, with it      {}", attacked.seen.acknowledged.words()),
            format!(
                "p99 of {} players grows by {:+.1} %; median of {} rounds {:+.1} % (goal: < 20 %)",
                self.players,
                growth(p99(quiet), p99(attacked)),
                self.growths.len(),
                median(self.growths.clone())
            ),
        ]);
        lines
    }

    pub(crate) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for (budget, account) in &self.accounts {
            let (what, most) = (budget.what, account.most_within(budget.window));
            if budget.is_exceeded(most) {
                problems.push(format!(
                    "{what}: {most} admitted in {} s, the budget is {}",
                    budget.window.as_secs(),
                    budget.attempts_max
                ));
            }
            let all = account.admitted().div_ceil(self.windows(budget).max(1));
            if budget.is_exceeded(all) {
                problems.push(format!("{what}: {} admitted in all", account.admitted()));
            }
            if account.refused == 0 {
                problems.push(format!("{what}: nothing was refused"));
            }
        }
        problems
    }
}
