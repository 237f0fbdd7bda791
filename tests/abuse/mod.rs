//! The short forms: what is abused stands, and lets go of the abuser. The long
//! ones print figures (`make abuse`, README.md).

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

use std::path::Path;

const SERVER: &str = env!("CARGO_BIN_EXE_cardroom");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_stop_reading_are_closed_and_their_rooms_play_on() {
    let outcome = slow::run(Path::new(SERVER), slow::SHORT).await.expect("good players stay");
    assert_eq!(outcome.still_there, 0, "of {}: {:#?}", outcome.slow, outcome.lines());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn abandoned_connections_leave_nothing_behind() {
    let outcome = churn::run(Path::new(SERVER), churn::SHORT).await.expect("it serves on");
    assert_eq!(outcome.problems(), [""; 0], "{:#?}", outcome.lines());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_does_everything_slowly_is_not_waited_for() {
    let outcome =
        slowloris::run(Path::new(SERVER), slowloris::SHORT).await.expect("good players stay");
    assert_eq!(outcome.problems(), [""; 0], "{:#?}", outcome.lines());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_tries_a_hundred_times_too_often_gets_no_more_than_the_budget() {
    let outcome =
        attacker::run(Path::new(SERVER), attacker::SHORT).await.expect("good players stay");
    assert_eq!(outcome.problems(), [""; 0], "{:#?}", outcome.lines());
}
