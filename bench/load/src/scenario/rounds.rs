//! Rounds as people play them: everybody votes within a few seconds, some
//! change their mind, the host reveals and begins anew.

use std::io;
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};

use crate::figures::Figures;
use crate::ledger::Ledger;
use crate::scenario::Windows;
use crate::scenario::votes::{Usage, seats};
use crate::swarm::Swarm;
use crate::target::{Kind, Target};

/// From the beginning of a round to its reveal.
const ROUND: Duration = Duration::from_secs(2);

pub(super) async fn run(
    target: &Target,
    rooms: usize,
    size: usize,
    windows: Windows,
) -> io::Result<Figures> {
    let swarm = Swarm::new(Ledger::new(rooms, size, target.kind != Kind::Floor));
    swarm.connect(&target.addresses, seats(target, rooms, size).await?).await?;
    swarm.settle().await;
    let usage = Usage::begin(target, &swarm).await;
    let end = Instant::now() + windows.window;
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    while Instant::now() < end {
        let begin = Instant::now();
        let mut moves = Vec::with_capacity(rooms * size * 2);
        for player in 0..rooms * size {
            moves.push((random.below(ROUND * 8 / 10), player));
            if random.next() % 10 < 3 {
                moves.push((random.below(ROUND * 8 / 10), player));
            }
        }
        moves.sort_unstable();
        for (after, player) in moves {
            sleep_until(begin + after).await;
            swarm.vote(player, Instant::now());
        }
        sleep_until(begin + ROUND).await;
        (0..rooms).for_each(|room| swarm.command(room * size, "cards:reveal"));
        sleep(ROUND / 10).await;
        (0..rooms).for_each(|room| swarm.command(room * size, "game:reset"));
        sleep(ROUND / 10).await;
    }
    let figures = usage.end(target, &swarm).await;
    swarm.drop_all();
    Ok(figures.judged(swarm.wrongs()))
}

/// xorshift64: the same game for every server.
struct Random(u64);

impl Random {
    const fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: Duration) -> Duration {
        let limit = u64::try_from(limit.as_micros()).unwrap_or(u64::MAX);
        Duration::from_micros(self.next() % limit)
    }
}
