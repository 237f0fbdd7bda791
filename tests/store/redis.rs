//! What is to be said of the store in Redis alone.

use std::sync::Arc;
use std::time::Duration;

use cardroom::limits::Limit;
use cardroom::poker::evolve::evolve;
use cardroom::store::redis::{ConnectError, LinkError, RedisOptions};
use cardroom::store::{
    CommitError, Lifetime, Loaded, Position, RedisStore, SessionStore, StoreError, Subscription,
    Tombstone, Update,
};
use tokio::time::timeout;

use crate::store::contract::{
    attempt, away, commit, create, load, missed_events, missed_up_to, numbered, opening, tried,
};
use crate::store::redis_server::RedisServer;

const LONG: Duration = Duration::from_secs(20);

/// Two instances on one Redis, and a session.
async fn two(server: &RedisServer) -> (RedisStore, RedisStore, Loaded) {
    let prefix = RedisServer::prefix();
    let (one, other) = (server.connect(&prefix).await, server.connect(&prefix).await);
    let created = create(&one, 1).await;
    (one, other, created)
}

async fn hear(subscription: &mut Subscription) -> (Position, Position, usize) {
    match timeout(LONG, subscription.next()).await.expect("an update in time") {
        Some(Update::Committed { previous, entries }) => {
            let last = entries.last().expect("an update is not empty");
            (previous, last.position, entries.len())
        }
        other => panic!("not committed: {other:?}"),
    }
}

/// Follows updates without a gap from `from` to `to`.
async fn follow(subscription: &mut Subscription, from: Position, to: Position) {
    let mut at = from;
    while at != to {
        let (previous, position, _) = hear(subscription).await;
        assert_eq!(previous, at, "no gap");
        at = position;
    }
}

#[tokio::test]
async fn an_instance_hears_what_another_commits() {
    let (one, other, created) = two(RedisServer::shared()).await;
    let id = created.session.id;
    let mut at_one = one.subscribe(id).await.unwrap();
    let mut at_other = other.subscribe(id).await.unwrap();
    let mut position = created.position;
    for number in 0..20 {
        let store = if number % 3 == 0 { &other } else { &one };
        position = commit(store, id, position, &[away(number, true)]).await.unwrap();
    }
    follow(&mut at_one, created.position, position).await;
    follow(&mut at_other, created.position, position).await;
    assert_eq!(load(&other, id).await, load(&one, id).await);

    other.whisper(id, away(7, true)).await.unwrap();
    let heard = timeout(LONG, at_one.next()).await.unwrap();
    assert!(matches!(heard, Some(Update::Whispered(event)) if *event == away(7, true)));
}

#[tokio::test]
async fn an_accepted_commit_costs_one_round_trip() {
    const COMMITS: u64 = 100;
    let server = RedisServer::start();
    let store = server.store().await;
    let created = create(&store, 1).await;
    let id = created.session.id;
    let _subscription = store.subscribe(id).await.unwrap();
    // Loads the script.
    let mut position = commit(&store, id, created.position, &[away(0, true)]).await.unwrap();
    let () = server.ask(&["CONFIG", "RESETSTAT"]).await;
    // Their attempts are counted with them.
    let limit = Limit::per_minute(COMMITS as u32 / 10);
    for number in 0..COMMITS {
        let attempts = [attempt((number % 10) as u8, "vote:submit", limit)];
        position = tried(&store, id, position, &[away(number, true)], &attempts).await.unwrap();
    }
    let attempts = [attempt(0, "vote:submit", limit)];
    let one_more = tried(&store, id, position, &[away(0, true)], &attempts).await;
    assert!(matches!(one_more, Err(CommitError::Denied(_))), "{one_more:?}");
    let stats: String = server.ask(&["INFO", "commandstats"]).await;
    let calls = |command: &str| {
        let line = stats.lines().find_map(|line| line.strip_prefix(&format!("cmdstat_{command}:")));
        let calls = line.and_then(|line| line.strip_prefix("calls="));
        calls.and_then(|calls| calls.split(',').next()).map_or(0, |calls| calls.parse().unwrap())
    };
    assert_eq!(calls("evalsha"), COMMITS + 1);
    // Nobody but the one who commits would hear the bell.
    assert_eq!((calls("spublish"), calls("pubsub|shardnumsub")), (0, COMMITS));
    // Nothing else was sent for them: no read of what we know, no code.
    for never in ["eval", "xrange", "get", "exists", "ssubscribe", "hgetall"] {
        assert_eq!(calls(never), 0, "{never}: {stats}");
    }
}

/// What a commit costs less, most of the time: four commands.
#[tokio::test]
async fn a_life_is_prolonged_in_steps() {
    const HOUR_MS: u64 = 3_600_000;
    let server = RedisServer::shared();
    let prefix = RedisServer::prefix();
    let store = server.connect(&prefix).await;
    // A thousandth of what is left, ten seconds at the most.
    for (number, life_ms, step_ms) in [(1, HOUR_MS, 3_600), (2, 24 * HOUR_MS, 10_000)] {
        let created = create(&store, number).await;
        let id = created.session.id;
        let mut position = created.position;
        let from = store.now();
        let lasting = |more_ms: u64, tombstone| {
            let kept_until = from.add_ms(life_ms + more_ms);
            Lifetime { kept_until, tombstone, tombstone_until: kept_until.add_ms(1_000) }
        };
        let (less, more) = (step_ms / 10 * 9, step_ms / 10 * 11);
        // What is shorter, or ends otherwise, is written at once.
        let steps = [
            (0, Tombstone::Expired, 0),
            (less, Tombstone::Expired, 0),
            (more, Tombstone::Expired, more),
            (more + less, Tombstone::Expired, more),
            (more + less, Tombstone::Ended, more + less),
            (more, Tombstone::Ended, more),
        ];
        for (number, (more_ms, tombstone, expected_ms)) in (0..).zip(steps) {
            let entries = numbered(position, &[away(number, true)]);
            let tail = entries.last().expect("an entry").position;
            let lifetime = lasting(more_ms, tombstone);
            store.commit(id, position, entries, Vec::new(), lifetime).await.expect("accepted");
            position = tail;
            let expected = lasting(expected_ms, tombstone);
            for (key, until) in [
                ("", expected.kept_until),
                (":log", expected.kept_until),
                (":snapshot", expected.kept_until),
                (":tombstone", expected.tombstone_until),
            ] {
                let key = format!("{prefix}session:{{{id}}}{key}");
                let expiry: u64 = server.ask(&["PEXPIRETIME", &key]).await;
                assert_eq!(expiry, until.0, "{key}, step {number} of {life_ms} ms");
            }
        }
    }
}

#[tokio::test]
async fn scripts_that_the_server_forgot_are_loaded_again() {
    let server = RedisServer::start();
    let store = server.store().await;
    let created = create(&store, 1).await;
    let id = created.session.id;
    let mut position = created.position;
    for number in 0..3 {
        let () = server.ask(&["SCRIPT", "FLUSH"]).await;
        position = commit(&store, id, position, &[away(number, true)]).await.unwrap();
    }
    assert_eq!(load(&store, id).await.position, position);
}

#[tokio::test]
async fn connections_that_are_cut_cost_no_commit() {
    let server = RedisServer::start();
    let store = server.store().await;
    let created = create(&store, 1).await;
    let id = created.session.id;
    let mut position = created.position;
    for number in 0..20 {
        let _: i64 = server.ask(&["CLIENT", "KILL", "TYPE", "normal"]).await;
        position = commit(&store, id, position, &[away(number, true)]).await.unwrap();
    }
    let missing = store.read_after(id, created.position).await.unwrap();
    assert_eq!(missed_events(&missing).len(), 20);
}

#[tokio::test]
async fn a_lost_subscription_comes_back_and_catches_up() {
    let server = RedisServer::start();
    let (one, other, created) = two(&server).await;
    let id = created.session.id;
    let mut subscription = other.subscribe(id).await.unwrap();
    let mut position = created.position;
    for number in 0..6 {
        let _: i64 = server.ask(&["CLIENT", "KILL", "TYPE", "pubsub"]).await;
        position = commit(&one, id, position, &[away(number, true)]).await.unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    follow(&mut subscription, created.position, position).await;
}

#[tokio::test]
async fn a_doorbell_that_never_rang_is_noticed() {
    let prefix = RedisServer::prefix();
    let server = RedisServer::shared();
    let store = server.connect(&prefix).await;
    let created = create(&store, 1).await;
    let id = created.session.id;
    let mut subscription = store.subscribe(id).await.unwrap();
    // A commit by hand, told to nobody; the opening serves as its event.
    let script = "local opening = redis.call('XRANGE', KEYS[2], '-', '+')[1][2][2] \
        redis.call('XADD', KEYS[2], '2-77', 'e', opening, 't', 1) \
        return redis.call('HSET', KEYS[1], 'version', 2, 'nonce', 77)";
    let key = format!("{prefix}session:{{{id}}}");
    let _: i64 = server.ask(&["EVAL", script, "2", &key, &format!("{key}:log")]).await;
    let position = Position { version: 2, nonce: 77, ..created.position };
    follow(&mut subscription, created.position, position).await;
}

#[tokio::test]
async fn a_log_is_trimmed_behind_its_snapshot_and_never_within_the_window() {
    const COMMITS: u64 = 1_500;
    let server = RedisServer::start();
    for (replay_window, fewest, most) in [
        (Duration::from_secs(300), COMMITS + 1, COMMITS + 1),
        // By number alone: as many as are kept, and what a snapshot waits for.
        (Duration::ZERO, 256, 256 + 512),
    ] {
        let prefix = RedisServer::prefix();
        let options = RedisOptions { replay_window, ..server.options(&prefix) };
        let store = RedisStore::connect(options).await.expect("a store");
        let created = create(&store, 1).await;
        let id = created.session.id;
        let (opened, mut replica, mut asked) = (created.position, created, 0);
        for number in 0..COMMITS {
            let entries = numbered(replica.position, &[away(number, true)]);
            let until = store.now().add_ms(3_600_000);
            let lifetime = Lifetime {
                kept_until: until,
                tombstone: Tombstone::Expired,
                tombstone_until: until,
            };
            let commit =
                store.commit(id, replica.position, Arc::clone(&entries), Vec::new(), lifetime);
            let receipt = commit.await.expect("nobody else writes");
            for entry in entries.iter() {
                evolve(&mut replica.session, &entry.event);
                replica.position = entry.position;
            }
            if receipt.snapshot_is_due {
                asked += 1;
                // The first is lost on its way: it is asked for again.
                if asked != 1 {
                    store.keep_snapshot(replica.clone()).await.expect("kept");
                }
            }
        }
        assert!((4..=6).contains(&asked), "asked for {asked} snapshots");
        let key = format!("{prefix}session:{{{id}}}");
        let entries: u64 = server.ask(&["XLEN", &format!("{key}:log")]).await;
        assert!((fewest..=most).contains(&entries), "{entries} entries");
        let snapshot: u64 = server.ask(&["HGET", &key, "snapshot"]).await;
        assert!(COMMITS - 512 <= snapshot, "the snapshot follows: {snapshot}");
        assert_eq!(load(&store, id).await, replica);
        // One that comes late, and one of a history that was lost.
        let late = Loaded { position: opened, ..replica.clone() };
        let nonce = replica.position.nonce + 1;
        let lost = Loaded { position: Position { nonce, ..replica.position }, ..replica.clone() };
        for other in [late, lost] {
            store.keep_snapshot(other).await.expect("passed over");
            let kept: u64 = server.ask(&["HGET", &key, "snapshot"]).await;
            assert_eq!(kept, snapshot);
        }
        let all_die_together: Vec<i64> = vec![
            server.ask(&["PEXPIRETIME", &key]).await,
            server.ask(&["PEXPIRETIME", &format!("{key}:log")]).await,
            server.ask(&["PEXPIRETIME", &format!("{key}:snapshot")]).await,
        ];
        assert!(all_die_together.iter().all(|at| *at == all_die_together[0] && 0 < *at));
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_said_to_be_broken() {
    let server = RedisServer::start();
    let prefix = RedisServer::prefix();
    let store = server.connect(&prefix).await;
    let created = create(&store, 1).await;
    let key = format!("{prefix}session:{{{}}}:snapshot", created.session.id);
    let () = server.ask(&["SET", &key, "\u{9}junk"]).await;
    let broken = store.load(created.session.id).await;
    let expected = "schema 9 is not known here (a newer version wrote it?)".to_owned();
    assert_eq!(broken, Err(StoreError::Broken(expected)));
}

#[tokio::test]
async fn while_redis_is_away_nothing_is_accepted() {
    let server = RedisServer::start();
    let options = RedisOptions {
        command_timeout: Duration::from_secs(2),
        ..server.options(&RedisServer::prefix())
    };
    let store = RedisStore::connect(options).await.expect("a store");
    let created = create(&store, 1).await;
    let id = created.session.id;
    assert!(store.is_ready().await);

    let port = server.kill();
    let refused = timeout(LONG, commit(&store, id, created.position, &[away(1, true)])).await;
    assert!(matches!(refused, Ok(Err(CommitError::Store(StoreError::Unavailable(_))))));
    assert!(!store.is_ready().await);

    let server = RedisServer::start_at(port);
    timeout(LONG, async {
        while !store.is_ready().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .expect("back");
    assert!(store.create(opening(2), lifetime(&store)).await.is_ok());
    drop(server);
}

pub(super) fn lifetime(store: &RedisStore) -> Lifetime {
    let kept_until = store.now().add_ms(60_000);
    Lifetime { kept_until, tombstone: Tombstone::Expired, tombstone_until: kept_until }
}

#[tokio::test]
async fn a_redis_that_would_lose_sessions_is_refused() {
    let server = RedisServer::start();
    server.set("maxmemory-policy", "allkeys-lru").await;
    let refused = RedisStore::connect(server.options("")).await.err().expect("refused");
    assert!(matches!(&refused, ConnectError::Evicts { found, .. } if found == "allkeys-lru"));

    let nobody = RedisOptions {
        connect_timeout: Duration::from_millis(500),
        ..RedisOptions::new("redis://:canary@127.0.0.1:1".to_owned().into())
    };
    let refused = RedisStore::connect(nobody.clone()).await.err().expect("refused");
    assert!(matches!(refused, ConnectError::Link(LinkError::Unreachable(_))));
    assert!(!format!("{refused} {refused:?} {nobody:?}").contains("canary"));
    let nonsense = RedisOptions::new("http://:canary@x".to_owned().into());
    let refused = RedisStore::connect(nonsense).await.err().expect("refused");
    assert!(!format!("{refused} {refused:?}").contains("canary"));
}

#[tokio::test]
async fn two_instances_that_write_at_once_lose_nothing() {
    const COMMITS: u64 = 50;
    let (one, other, created) = two(RedisServer::shared()).await;
    let id = created.session.id;
    let mut subscription = other.subscribe(id).await.unwrap();
    let write = async |store: &RedisStore, first: u64| {
        let mut position = created.position;
        for number in first..first + COMMITS {
            loop {
                match commit(store, id, position, &[away(number, true)]).await {
                    Ok(next) => break position = next,
                    Err(CommitError::Conflict(missing)) => {
                        position = missed_up_to(&missing).expect("somebody was faster");
                    }
                    Err(error) => panic!("unexpected: {error}"),
                }
            }
        }
    };
    // Whoever does not listen meanwhile is told that it missed some.
    let listen = async {
        let mut at = created.position;
        while at.version < 1 + 2 * COMMITS {
            let (previous, position, _) = hear(&mut subscription).await;
            assert_eq!(previous, at, "no gap");
            at = position;
        }
        at
    };
    let ((), (), heard) = tokio::join!(write(&one, 0), write(&other, 1_000), listen);
    assert_eq!(load(&one, id).await.position, heard);
}
