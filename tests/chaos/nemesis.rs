//! What is done to the servers while the clients play.

use std::time::Duration;

use tokio::time::Instant;

use crate::fault_proxy::Mode;
use crate::random::Random;
use crate::world::{World, pause_ms};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nemesis {
    Nothing,
    KillInstances,
    /// A rolling restart: each drains, ends and is started again.
    Roll,
    KillRedis,
    EmptyRedis,
    FlushAll,
    KillPubSub,
    Pause,
    Links,
    LoseAcks,
    FailOver,
    FlushScripts,
    RollBack,
}

impl Nemesis {
    /// Rages until its time is over; nothing is healed yet then.
    pub(crate) async fn rage(
        self,
        world: &mut World,
        random: &mut Random,
        time: Duration,
    ) -> Result<(), String> {
        let until = Instant::now() + time;
        let left = || until.saturating_duration_since(Instant::now());
        // Once in a round, in the middle of it.
        let some_time = |random: &mut Random| {
            let whole = time.as_millis() as u64;
            random.between(whole / 4, whole / 2)
        };
        match self {
            Self::Nothing => {}
            Self::Roll => {
                for index in 0..world.instances.len() {
                    pause_ms(3_000).await;
                    world.roll_instance(index).await?;
                }
            }
            Self::KillRedis => {
                pause_ms(some_time(random)).await;
                world.kill_redis().await;
                pause_ms(random.between(50, 1_500)).await;
                world.start_redis().await?;
            }
            Self::EmptyRedis => {
                pause_ms(some_time(random)).await;
                world.archive().await?;
                world.kill_redis().await;
                pause_ms(random.between(50, 1_500)).await;
                world.start_redis().await?;
            }
            Self::FlushAll => {
                pause_ms(some_time(random)).await;
                world.flush().await?;
            }
            Self::RollBack => {
                pause_ms(some_time(random) / 2).await;
                world.tell_redis(&["SAVE"]).await?;
                pause_ms(random.between(300, 1_500)).await;
                world.kill_redis().await;
                world.start_redis().await?;
            }
            _ => {
                while !left().is_zero() {
                    self.strike(world, random).await?;
                }
            }
        }
        tokio::time::sleep(left()).await;
        Ok(())
    }

    /// One of many blows.
    async fn strike(self, world: &mut World, random: &mut Random) -> Result<(), String> {
        let index = random.below(world.instances.len());
        match self {
            Self::KillInstances => {
                pause_ms(random.between(1_500, 3_000)).await;
                world.kill_instance(index).await;
                pause_ms(random.between(500, 1_500)).await;
                world.start_instance(index).await?;
            }
            Self::KillPubSub => {
                world.tell_redis(&["CLIENT", "KILL", "TYPE", "pubsub"]).await?;
                pause_ms(1_000).await;
            }
            Self::FlushScripts => {
                world.tell_redis(&["SCRIPT", "FLUSH"]).await?;
                pause_ms(random.between(100, 600)).await;
            }
            Self::Pause => {
                let ms = random.between(200, 5_000);
                if random.below(3) == 0 {
                    world.pause_redis();
                    pause_ms(ms).await;
                    world.resume_redis();
                } else {
                    world.pause_instance(index);
                    pause_ms(ms).await;
                    world.resume_instance(index);
                }
                pause_ms(random.between(1_000, 3_000)).await;
            }
            Self::FailOver => {
                pause_ms(random.between(500, 2_000)).await;
                match random.below(3) {
                    0 => world.kill_redis().await,
                    1 => world.pause_redis(),
                    _ => world.isolate_redis(),
                }
                world.fail_over().await?;
                pause_ms(random.between(500, 2_000)).await;
                world.heal_redis().await?;
            }
            Self::LoseAcks => {
                world.set_client_proxy(index, Mode::HalfOpen);
                pause_ms(random.between(100, 600)).await;
                world.cut_client_proxy(index);
                world.set_client_proxy(index, Mode::Pass);
                pause_ms(random.between(100, 400)).await;
            }
            Self::Links => Self::strike_link(world, random, index).await,
            _ => pause_ms(100).await,
        }
        Ok(())
    }

    async fn strike_link(world: &mut World, random: &mut Random, index: usize) {
        let ms = random.between(200, 2_500);
        let is_redis = random.below(2) == 0;
        let mode = match random.below(5) {
            0 => Mode::Delay(Duration::from_millis(random.between(5, 120))),
            1 => Mode::HalfOpen,
            2 => Mode::Stalled,
            3 => Mode::Refuse,
            _ => Mode::Pass,
        };
        let set = |world: &mut World, mode| match is_redis {
            true => world.set_redis_proxy(index, mode),
            false => world.set_client_proxy(index, mode),
        };
        let cut = |world: &mut World| match is_redis {
            true => world.cut_redis_proxy(index),
            false => world.cut_client_proxy(index),
        };
        set(world, mode);
        if matches!(mode, Mode::Refuse | Mode::Pass) {
            cut(world);
        }
        pause_ms(ms).await;
        // What was held back arrives late, or never.
        if mode == Mode::HalfOpen && random.below(2) == 0 {
            cut(world);
        }
        set(world, Mode::Pass);
        pause_ms(random.between(200, 1_000)).await;
    }
}
