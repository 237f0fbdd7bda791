//! One contract, every store: what `SessionStore` promises, in tests that
//! know nothing of the implementation; and what is to be said of one alone.

mod contract;
mod directory;
mod failover;
mod figures;
mod idle;
mod presence;
mod rates;
mod redis;
pub(crate) mod redis_server;
mod redis_sites;
mod restore;
mod tls;

use std::sync::Arc;
use std::time::Duration;

use cardroom::clock::Clock;
use cardroom::poker::ids::Millis;
use cardroom::store::{MemoryStore, RedisStore, SessionStore};

use redis_server::{RedisServer, options};
use redis_sites::{ClusterSite, Patience, SentinelSite};

/// A store to judge.
pub(crate) struct Fixture {
    pub(crate) store: Arc<dyn SessionStore>,
    /// How long an hour takes in the tests that wait for one: the memory
    /// store's time is paused, that of Redis is real.
    pub(crate) hour_ms: u64,
    room: Room,
}

/// Servers that only have to be there until the test ends.
type Others = Vec<RedisServer>;

/// What makes the store full.
enum Room {
    /// So many sessions.
    Sessions(u8),
    /// No more memory for these servers, which nobody else uses.
    Memory(Vec<RedisServer>, Others),
    /// It is shared: it must not be filled.
    Shared,
}

impl Fixture {
    pub(crate) async fn fill(&self) {
        match &self.room {
            Room::Sessions(count) => {
                for number in 0..*count {
                    contract::create(&*self.store, number).await;
                }
            }
            Room::Memory(servers, _others) => {
                for server in servers {
                    server.set("maxmemory", "1").await;
                }
            }
            Room::Shared => panic!("others use it"),
        }
    }

    pub(crate) async fn make_room(&self) {
        match &self.room {
            Room::Sessions(_) => {
                tokio::time::sleep(Duration::from_millis(contract::HOUR_MS + 1)).await;
            }
            Room::Memory(servers, _) => {
                for server in servers {
                    server.set("maxmemory", "0").await;
                }
            }
            Room::Shared => {}
        }
    }
}

/// Declares tests of the contract for one store, with tokio's options.
macro_rules! contract_suite {
    ($name:ident, $options:tt, $fixture:expr, [$($test:ident),* $(,)?]) => {
        mod $name {
            $(
                #[tokio::test $options]
                async fn $test() {
                    super::contract::$test(&$fixture.await).await;
                }
            )*
        }
    };
}

/// All of them; a full store in a suite of its own.
macro_rules! whole_contract {
    ($name:ident, $full_name:ident, $options:tt, $fixture:expr, $full_fixture:expr) => {
        contract_suite!(
            $name,
            $options,
            $fixture,
            [
                a_session_is_loaded_as_it_was_created,
                an_id_or_code_that_is_taken_is_refused,
                a_code_stands_for_its_session,
                a_commit_is_loaded_and_read,
                of_two_commits_behind_one_position_one_wins,
                the_loser_learns_what_it_missed,
                a_commit_that_is_repeated_is_a_conflict_with_itself,
                a_foreign_position_is_a_conflict,
                many_writers_lose_nothing,
                a_subscriber_hears_every_update_in_order,
                a_subscriber_that_lags_notices,
                a_whisper_is_heard_and_not_kept,
                a_long_log_loads_as_a_short_one,
                what_is_too_far_back_is_said_to_be_unreachable,
                a_session_whose_time_is_over_leaves_a_tombstone,
                a_tombstone_goes_as_well,
                what_was_lost_is_put_back,
                what_lives_is_not_put_back,
                what_is_over_stays_over,
                of_too_many_attempts_nothing_is_committed,
                attempts_without_a_commit_count_in_the_same_budget,
                a_window_opens_when_its_oldest_attempt_leaves,
                budgets_of_a_party_are_charged_together_or_not,
                an_unknown_session_is_unknown,
            ]
        );
        contract_suite!(
            $full_name,
            $options,
            $full_fixture,
            [a_full_store_says_so_and_has_room_again]
        );
    };
}

whole_contract!(
    memory,
    memory_full,
    (start_paused = true),
    super::memory_store(),
    super::memory_store()
);

whole_contract!(
    on_redis,
    on_redis_full,
    (),
    super::shared(&super::RedisServer::shared().url()),
    super::alone(vec![super::RedisServer::start()], Vec::new(), |servers| servers[0].url())
);

whole_contract!(
    on_sentinel,
    on_sentinel_full,
    (),
    super::shared(&super::SentinelSite::shared().url()),
    {
        let site = super::SentinelSite::start(super::Patience::Long);
        let url = site.url();
        super::alone(site.servers, site.sentinels, move |_| url)
    }
);

whole_contract!(
    on_cluster,
    on_cluster_full,
    (),
    super::shared(&super::ClusterSite::shared().url()),
    {
        let site = super::ClusterSite::start(super::Patience::Long);
        let url = site.url();
        super::alone(site.servers, Vec::new(), move |_| url)
    }
);

async fn memory_store() -> Fixture {
    const SESSIONS_MAX: u8 = 8;
    let clock = Clock::starting_at(Millis(1_700_000_000_000));
    Fixture {
        store: Arc::new(MemoryStore::new(clock, SESSIONS_MAX.into())),
        hour_ms: contract::HOUR_MS,
        room: Room::Sessions(SESSIONS_MAX),
    }
}

/// Real time: as short as a busy machine allows.
const REDIS_HOUR_MS: u64 = 5_000;

/// A store on servers that other tests use too.
async fn shared(url: &str) -> Fixture {
    let options = options(url, &RedisServer::prefix());
    let store = Arc::new(RedisStore::connect(options).await.expect("a store"));
    Fixture { store, hour_ms: REDIS_HOUR_MS, room: Room::Shared }
}

/// A store on servers of its own.
async fn alone(
    servers: Vec<RedisServer>,
    others: Others,
    url: impl FnOnce(&[RedisServer]) -> String,
) -> Fixture {
    let options = options(&url(&servers), &RedisServer::prefix());
    let store = Arc::new(RedisStore::connect(options).await.expect("a store"));
    Fixture { store, hour_ms: REDIS_HOUR_MS, room: Room::Memory(servers, others) }
}
