//! Budgets in Redis: shared by all instances, exact, cheap, and gone with time.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use cardroom::limits::{Limit, Window};
use cardroom::poker::ids::{Millis, SessionId};
use cardroom::store::{
    Budget, Charge, CommitError, Entry, Lifetime, Party, Position, RedisStore, SessionStore,
    Tombstone,
};
use tokio::time::sleep;

use crate::store::contract::{attempt, away, create};
use crate::store::redis_server::RedisServer;

/// `limits::Window` and its twin in Lua give the same answers.
#[test]
fn the_window_in_lua_is_the_window_in_rust() {
    const TAKE: &str = include_str!("../../src/store/redis/lua/window.lua");
    // Several asks of one budget: how many fit, and the wait for one more.
    const DRIVER: &str = "
        local held, answers = false, {}
        for i = 1, #ARGV, 5 do
          local n = {}
          for j = 0, 4 do n[j + 1] = tonumber(ARGV[i + j]) end
          local fit, wait, after = take(held, n[1], n[2], n[3], n[4], n[5])
          answers[#answers + 1], answers[#answers + 2] = fit, wait
          held = after or held
        end
        return answers";
    let server = RedisServer::start();
    let script = format!("{TAKE}\n{DRIVER}");
    let limits = (
        prop_oneof![1_u32..6, 254_u32..260, Just(100_000)],
        prop_oneof![Just(1_000_u64), Just(60_000)],
    );
    let steps = proptest::collection::vec((0_u64..3, 1_u64..2_000, 1_u32..90), 1..200);
    let mut runner =
        TestRunner::new(Config { cases: 200, failure_persistence: None, ..Config::default() });
    let verdict = runner.run(&(limits, steps), |((attempts_max, window_ms), steps)| {
        let mut window = Window::default();
        let (mut asks, mut expected) = (Vec::new(), Vec::new());
        let mut now = Millis(1_795_000_000_000);
        for (number, (pace, step_ms, wanted)) in steps.into_iter().enumerate() {
            // Now and then nothing passes, and now and then the limit changes.
            now = now.add_ms(pace * step_ms / 4);
            let changed = if number % 50 == 49 { attempts_max / 2 + 1 } else { attempts_max };
            let limit = Limit { attempts_max: changed, window_ms };
            let fit = match window.room(limit, now, wanted) {
                Ok(()) => {
                    expected.extend([i64::from(wanted), 0]);
                    wanted
                }
                Err(shortage) => {
                    let wait = shortage.exceeded.retry_after_ms as i64;
                    expected.extend([i64::from(shortage.fit), wait]);
                    shortage.fit
                }
            };
            if 0 < fit {
                window.count(limit, now, fit);
            }
            let numbers = [now.0, changed.into(), window_ms, limit.grain_ms(), wanted.into()];
            asks.extend(numbers.map(|number| number.to_string()));
        }
        let mut words = vec!["EVAL", script.as_str(), "0"];
        words.extend(asks.iter().map(String::as_str));
        let answers: Vec<i64> = server.ask_now(&words);
        prop_assert_eq!(answers, expected);
        Ok(())
    });
    verdict.expect("both agree");
}

#[tokio::test]
async fn instances_share_every_budget() {
    let server = RedisServer::shared();
    let prefix = RedisServer::prefix();
    let (one, other) = (server.connect(&prefix).await, server.connect(&prefix).await);
    let id = create(&one, 1).await.session.id;
    let vote = || vec![attempt(1, "vote:submit", Limit::per_minute(10))];
    let mut admitted = 0;
    for number in 0..50 {
        let store = if number % 2 == 0 { &one } else { &other };
        admitted += u32::from(store.attempt(id, vote()).await.unwrap().is_empty());
    }
    assert_eq!(admitted, 10);
    let guess = || {
        let limit = Limit::per_minute(20);
        vec![Budget { what: "failed-joins", limit, charge: Charge::Count }]
    };
    let asked = (0..100).map(|number| {
        let store = if number % 2 == 0 { &one } else { &other };
        store.charge(Party::Everybody, guess())
    });
    let answers = futures_util::future::join_all(asked).await;
    assert_eq!(answers.into_iter().filter(|answer| *answer == Ok(Ok(()))).count(), 20);
}

#[tokio::test]
async fn budgets_are_forgotten_when_nothing_in_them_counts() {
    let server = RedisServer::start();
    let prefix = RedisServer::prefix();
    let store = server.connect(&prefix).await;
    let id = create(&store, 1).await.session.id;
    let key = format!("{prefix}session:{{{id}}}");
    let fields = async || -> i64 { server.ask(&["HLEN", &key]).await };
    let before = fields().await;
    let limit = Limit { attempts_max: 10, window_ms: 50 };
    for player in 0..200 {
        store.attempt(id, vec![attempt(player, "vote:submit", limit)]).await.unwrap();
    }
    assert_eq!(fields().await, before + 200 + 1);
    sleep(Duration::from_millis(60)).await;
    // The sweep is due once a minute: as if the last one had been then.
    let _: i64 = server.ask(&["HINCRBY", &key, "swept", "-60001"]).await;
    store.attempt(id, vec![attempt(7, "story:update", limit)]).await.unwrap();
    assert_eq!(fields().await, before + 1 + 1);

    // A window that does not end before anybody has looked.
    let limit = Limit { attempts_max: 10, window_ms: 10_000 };
    let budget = Budget { what: "session:join", limit, charge: Charge::Count };
    let network = Party::from(std::net::IpAddr::from([10, 0, 0, 1]));
    store.charge(network, vec![budget]).await.unwrap().unwrap();
    let key = format!("{prefix}rate:session:join:{{10.0.0.1}}");
    let left_ms: i64 = server.ask(&["PTTL", &key]).await;
    assert!((1..=10_001).contains(&left_ms), "{left_ms}");
}

/// A large limit costs no list of as many stamps.
#[tokio::test]
async fn a_large_budget_takes_little_room() {
    let server = RedisServer::start();
    let prefix = RedisServer::prefix();
    let store = server.connect(&prefix).await;
    let id = create(&store, 1).await.session.id;
    let limit = Limit { attempts_max: 100_000, window_ms: 640 };
    for _ in 0..3_000 {
        let many = vec![attempt(1, "vote:submit", limit); 20];
        assert_eq!(store.attempt(id, many).await, Ok(Vec::new()));
    }
    let key = format!("{prefix}session:{{{id}}}");
    let field = format!("rate:{}:vote:submit", attempt(1, "", limit).player);
    let bytes: usize = server.ask(&["HSTRLEN", &key, &field]).await;
    assert!(bytes <= 3 + 9 * 66, "{bytes} bytes");
}

/// What an attempt adds to the work of Redis; told, not judged: the machine
/// has other things to do.
#[tokio::test]
#[expect(clippy::print_stdout, reason = "the figures are what people look for")]
async fn an_attempt_adds_little_to_a_commit() {
    const COMMITS: u64 = 2_000;
    let server = RedisServer::start();
    let store = server.store().await;
    let mut best = [f64::MAX; 2];
    for round in 0..6 {
        let with_attempt = round % 2;
        let created = create(&store, round).await;
        let (id, mut position) = (created.session.id, created.position);
        position = committed(&store, id, position, 0, with_attempt == 1).await;
        let () = server.ask(&["CONFIG", "RESETSTAT"]).await;
        for number in 0..COMMITS {
            position = committed(&store, id, position, number, with_attempt == 1).await;
        }
        let stats: String = server.ask(&["INFO", "commandstats"]).await;
        let line = stats.lines().find(|line| line.starts_with("cmdstat_evalsha:")).expect("it");
        let per_call = line.split("usec_per_call=").nth(1).and_then(|rest| rest.split(',').next());
        let per_call: f64 = per_call.expect("a number").parse().expect("a number");
        let slot = &mut best[usize::from(with_attempt)];
        *slot = slot.min(per_call);
        assert!(line.contains("calls=20"), "one call each: {line}");
    }
    println!("evalsha of a commit: {:.1} us without, {:.1} us with an attempt", best[0], best[1]);
}

async fn committed(
    store: &RedisStore,
    id: SessionId,
    expected: Position,
    number: u64,
    with_attempt: bool,
) -> Position {
    let entries = Entry::behind(expected, number + 1, [away(number, true)]);
    let position = entries[0].position;
    let player = (number % 10) as u8;
    let vote = attempt(player, "vote:submit", Limit { attempts_max: 30, window_ms: 10 });
    let kept_until = store.now().add_ms(3_600_000);
    let lifetime =
        Lifetime { kept_until, tombstone: Tombstone::Expired, tombstone_until: kept_until };
    loop {
        let attempts = if with_attempt { vec![vote] } else { Vec::new() };
        match store.commit(id, expected, Arc::clone(&entries), attempts, lifetime).await {
            Ok(_) => return position,
            Err(CommitError::Denied(_)) => sleep(Duration::from_millis(1)).await,
            Err(error) => panic!("unexpected: {error}"),
        }
    }
}
