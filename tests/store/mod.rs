//! One contract, every store: what `SessionStore` promises, in tests that
//! know nothing of the implementation.

mod contract;

use std::sync::Arc;

use cardroom::clock::Clock;
use cardroom::poker::ids::Millis;
use cardroom::store::{MemoryStore, SessionStore};

/// A store to judge, and how many sessions it holds.
pub(crate) struct Fixture {
    pub(crate) store: Arc<dyn SessionStore>,
    pub(crate) sessions_max: usize,
}

/// Declares the suite for one store.
macro_rules! contract_suite {
    ($name:ident, $fixture:expr, [$($test:ident),* $(,)?]) => {
        mod $name {
            $(
                #[tokio::test(start_paused = true)]
                async fn $test() {
                    super::contract::$test(&$fixture).await;
                }
            )*
        }
    };
}

contract_suite!(
    memory,
    super::memory_store(),
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
        a_full_store_says_so_and_has_room_again,
        an_unknown_session_is_unknown,
    ]
);

fn memory_store() -> Fixture {
    const SESSIONS_MAX: usize = 8;
    let clock = Clock::starting_at(Millis(1_700_000_000_000));
    Fixture { store: Arc::new(MemoryStore::new(clock, SESSIONS_MAX)), sessions_max: SESSIONS_MAX }
}
