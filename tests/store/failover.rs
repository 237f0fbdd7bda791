//! What is accepted under strict durability outlives the server that took it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use cardroom::poker::ids::SessionId;
use cardroom::store::redis::{Durability, RedisOptions};
use cardroom::store::{
    CommitError, Loaded, Missing, Position, RedisStore, SessionStore, StoreError, Stored, Update,
};
use tokio::time::timeout;

use crate::store::contract::{away, commit, create, load, missed_events, missed_up_to, opening};
use crate::store::redis::lifetime;
use crate::store::redis_server::{RedisServer, options};
use crate::store::redis_sites::{ClusterSite, Patience, SentinelSite, online_replicas, wait_until};
use crate::support::ports::free_port;

const LONG: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(50);

/// Patience as it is configured, so that a server that is gone is noticed.
fn impatient(url: &str, prefix: &str) -> RedisOptions {
    RedisOptions {
        command_timeout: Duration::from_secs(1),
        connect_timeout: Duration::from_secs(1),
        ..options(url, prefix)
    }
}

/// Commits one event after the other until it is told to stop; the stamps of
/// those that were accepted, and the longest time without one.
async fn write(
    store: Arc<RedisStore>,
    id: SessionId,
    from: Position,
    first_stamp: u64,
    is_over: Arc<AtomicBool>,
) -> (Vec<u64>, Duration) {
    let (mut position, mut accepted, mut stamp) = (from, Vec::new(), first_stamp);
    let (mut longest, mut last) = (Duration::ZERO, now());
    while !is_over.load(Ordering::Relaxed) {
        match commit(&*store, id, position, &[away(stamp, true)]).await {
            Ok(next) => {
                accepted.push(stamp);
                (position, stamp) = (next, stamp + 1);
                tokio::time::sleep(Duration::from_millis(5)).await;
                longest = longest.max(last.elapsed());
                last = now();
            }
            Err(CommitError::Conflict(missing)) if missed_up_to(&missing).is_some() => {
                position = missed_up_to(&missing).expect("just seen");
            }
            // Nobody knows what became of it: the next one has another stamp.
            Err(CommitError::Conflict(_) | CommitError::Store(StoreError::Unavailable(_))) => {
                stamp += 1;
                if let Ok(Stored::Live(loaded)) = store.load(id).await {
                    position = loaded.position;
                }
            }
            Err(error) => panic!("unexpected: {error}"),
        }
    }
    (accepted, longest)
}

/// A session, as soon as the replicas keep up with the primary.
async fn begin(store: &RedisStore) -> Loaded {
    for number in 1..=20 {
        let created = store.create(opening(number), lifetime(store)).await;
        match created {
            Ok(created) => return created,
            Err(StoreError::Unavailable(_)) => tokio::time::sleep(Duration::from_millis(200)).await,
            Err(error) => panic!("unexpected: {error}"),
        }
    }
    panic!("no replica keeps up");
}

/// Reads on, in pieces: a reply holds so many. What was read once stays.
async fn read(
    store: Arc<RedisStore>,
    id: SessionId,
    from: Position,
    is_over: Arc<AtomicBool>,
) -> (Vec<u64>, Position) {
    let (mut stamps, mut position) = (Vec::new(), from);
    while !is_over.load(Ordering::Relaxed) {
        match store.read_after(id, position).await {
            Ok(Missing::Unreachable) => {
                let now = load(&*store, id).await.position;
                panic!("what was read at {position:?} is gone, or far behind {now:?}");
            }
            Ok(missing) => {
                stamps.extend(missed_events(&missing).iter().map(|event| event.at.0));
                position = missed_up_to(&missing).unwrap_or(position);
            }
            Err(StoreError::Unavailable(_)) => {}
            Err(error) => panic!("unexpected: {error}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    (stamps, position)
}

/// A replica that is still being filled lets nobody confirm what is read.
async fn load_in_time(store: &RedisStore, id: SessionId) -> Loaded {
    let loaded = async {
        loop {
            match store.load(id).await {
                Ok(Stored::Live(loaded)) => return *loaded,
                Err(StoreError::Unavailable(_)) => tokio::time::sleep(PAUSE).await,
                other => panic!("not live: {other:?}"),
            }
        }
    };
    timeout(LONG, loaded).await.expect("replicas in time")
}

#[allow(clippy::disallowed_methods, reason = "other processes fail in real time")]
fn now() -> Instant {
    Instant::now()
}

/// Two stores that write while `fail` happens; afterwards everything that was
/// accepted is in the log, once and in order, and both see the same.
async fn lose_nothing(url: &str, fail: impl AsyncFnOnce(SessionId) -> String) -> Duration {
    let prefix = RedisServer::prefix();
    let one = Arc::new(RedisStore::connect(impatient(url, &prefix)).await.expect("a store"));
    let other = Arc::new(RedisStore::connect(impatient(url, &prefix)).await.expect("a store"));
    let created = begin(&one).await;
    let id = created.session.id;
    let _subscription = other.subscribe(id).await.unwrap();
    let is_over = Arc::new(AtomicBool::new(false));
    let writers = [(&one, 1_000_000), (&other, 2_000_000)].map(|(store, first_stamp)| {
        let is_over = Arc::clone(&is_over);
        tokio::spawn(write(Arc::clone(store), id, created.position, first_stamp, is_over))
    });
    let reader = tokio::spawn(read(Arc::clone(&other), id, created.position, Arc::clone(&is_over)));
    tokio::time::sleep(Duration::from_millis(300)).await;
    let new_url = fail(id).await;
    // As long as a replica that is gone may be missed, and a little.
    tokio::time::sleep(Duration::from_millis(4_000)).await;
    is_over.store(true, Ordering::Relaxed);
    let mut longest = Duration::ZERO;
    let mut accepted = Vec::new();
    for writer in writers {
        let (stamps, gap) = timeout(LONG, writer).await.expect("an end").expect("no panic");
        assert!(stamps.len() > 5, "{} were accepted", stamps.len());
        longest = longest.max(gap);
        accepted.extend(stamps);
    }
    let witness = RedisStore::connect(impatient(&new_url, &prefix)).await.expect("a store");
    let seen = load_in_time(&witness, id).await;
    assert_eq!(seen, load_in_time(&one, id).await);
    assert_eq!(seen, load_in_time(&other, id).await);
    let (mut stamps, mut position) = reader.await.expect("no panic");
    while position != seen.position {
        let missing = witness.read_after(id, position).await.unwrap();
        stamps.extend(missed_events(&missing).iter().map(|event| event.at.0));
        position = missed_up_to(&missing).expect("some");
    }
    let lost: Vec<&u64> = accepted.iter().filter(|stamp| !stamps.contains(stamp)).collect();
    assert!(lost.is_empty(), "accepted and lost: {lost:?}");
    let count = stamps.len();
    stamps.sort_unstable();
    stamps.dedup();
    assert_eq!(stamps.len(), count, "nothing twice");
    longest
}

#[tokio::test(flavor = "multi_thread")]
async fn a_primary_that_is_killed_takes_nothing_with_it() {
    let mut site = SentinelSite::start(Patience::Short);
    let url = site.url();
    for round in 0..3 {
        let longest = lose_nothing(&url, async |_| {
            tokio::task::block_in_place(|| {
                site.wait_for_replicas();
                let port = site.primary_port();
                let dead = site.servers.iter().position(|server| server.port() == port);
                let dead = site.servers.swap_remove(dead.expect("one of ours"));
                let port = dead.kill();
                wait_until("another primary", || site.has_left(port));
                wait_until("a replica", || 1 <= site.replicas_online());
                site.servers.push(SentinelSite::server_at(port, Some(site.primary_port())));
            });
            url.clone()
        })
        .await;
        assert!(longest < Duration::from_secs(20), "round {round}: {longest:?}");
        tokio::task::block_in_place(|| {
            wait_until("replicas again", || site.replicas_online() == 2);
        });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_primary_that_hangs_and_comes_back_changes_nothing() {
    let site = SentinelSite::start(Patience::Short);
    let url = site.url();
    lose_nothing(&url, async |_| {
        tokio::task::block_in_place(|| {
            site.wait_for_replicas();
            let port = site.primary_port();
            let primary = site.servers.iter().find(|server| server.port() == port).expect("ours");
            let pid = primary.pid();
            super::redis_server::signal(&pid, "STOP");
            wait_until("another primary", || site.primary_port() != port);
            super::redis_server::signal(&pid, "CONT");
            wait_until("replicas again", || site.replicas_online() == 2);
        });
        url.clone()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_loses_a_primary_and_nothing_else() {
    let mut site = ClusterSite::start(Patience::Short);
    let url = site.url();
    let seeds: Vec<String> = site.servers.iter().map(RedisServer::address).collect();
    let all = format!("redis://{}", seeds.join(","));
    lose_nothing(&url, async |id| {
        tokio::task::block_in_place(|| {
            let slot: i64 = site.servers[0].ask_now(&["CLUSTER", "KEYSLOT", &format!("{{{id}}}")]);
            let owner = (0..3).find(|index| slot < 16_384 * (index + 1) / 3).expect("a shard");
            let dead = site.servers.remove(usize::try_from(owner).expect("small"));
            let bus_port: Vec<String> = dead.ask_now(&["CONFIG", "GET", "cluster-port"]);
            let port = dead.kill();
            wait_until("a cluster that serves again", || {
                let info: String = site.servers[0].ask_now(&["CLUSTER", "INFO"]);
                let nodes: String = site.servers[0].ask_now(&["CLUSTER", "NODES"]);
                let dead = nodes.lines().find(|line| line.contains(&format!(":{port}@")));
                // Its line ends with its slots, as long as it has any.
                let is_replaced = dead.is_some_and(|line| line.ends_with("connected"));
                is_replaced && info.contains("cluster_state:ok")
            });
            // Without it, its shard has no replica, and accepts nothing.
            site.servers.push(ClusterSite::node_at(port, &bus_port[1], Patience::Short));
        });
        all.clone()
    })
    .await;
}

/// A primary and one replica, as one URL.
fn pair() -> (RedisServer, RedisServer) {
    let primary = SentinelSite::server(None);
    let replica = SentinelSite::server(Some(primary.port()));
    wait_until("a replica", || online_replicas(&primary) == 1);
    (primary, replica)
}

fn strict(url: &str, prefix: &str) -> RedisOptions {
    RedisOptions { durability: Durability::Strict, ..impatient(url, prefix) }
}

#[tokio::test]
async fn what_no_replica_has_is_neither_accepted_nor_seen() {
    let (primary, replica) = pair();
    let prefix = RedisServer::prefix();
    let one = RedisStore::connect(strict(&primary.url(), &prefix)).await.expect("a store");
    let other = RedisStore::connect(strict(&primary.url(), &prefix)).await.expect("a store");
    let created = create(&one, 1).await;
    let id = created.session.id;
    let mut subscription = other.subscribe(id).await.unwrap();

    let pid = replica.pid();
    super::redis_server::signal(&pid, "STOP");
    let refused = timeout(LONG, commit(&one, id, created.position, &[away(1, true)])).await;
    assert!(
        matches!(refused, Ok(Err(CommitError::Store(StoreError::Unavailable(_))))),
        "{refused:?}"
    );
    // It is in the log, and nobody is shown it.
    let key = format!("{prefix}session:{{{id}}}");
    let (version, confirmed): (u64, u64) =
        primary.ask(&["HMGET", &key, "version", "confirmed"]).await;
    assert_eq!((version, confirmed), (2, 1));
    assert!(matches!(other.load(id).await, Err(StoreError::Unavailable(_))));
    let unseen = other.read_after(id, created.position).await;
    assert!(matches!(unseen, Err(StoreError::Unavailable(_))));
    let refused = commit(&other, id, created.position, &[away(2, true)]).await;
    assert!(matches!(refused, Err(CommitError::Store(StoreError::Unavailable(_)))));
    assert!(timeout(Duration::from_millis(100), subscription.next()).await.is_err());

    // As soon as the replica has it, everybody hears of it, though whoever
    // committed it has given up.
    super::redis_server::signal(&pid, "CONT");
    let heard = timeout(LONG, subscription.next()).await.expect("in time");
    assert!(matches!(heard, Some(Update::Committed { .. })));
    assert_eq!(load(&one, id).await.position.version, 2);
}

#[tokio::test]
async fn without_a_replica_strict_accepts_nothing() {
    let alone = RedisServer::start_at(free_port());
    let store = RedisStore::connect(strict(&alone.url(), "")).await.expect("a store");
    let refused = timeout(LONG, store.create(opening(1), lifetime(&store))).await;
    assert!(matches!(refused, Ok(Err(StoreError::Unavailable(_)))), "{refused:?}");
}

/// Guards against a server that comes back as an empty replica under an
/// address that an instance still takes for the primary's.
#[tokio::test(flavor = "multi_thread")]
async fn a_replica_is_not_believed_about_sessions() {
    let primary = RedisServer::start();
    let replica = SentinelSite::server_at(free_port(), Some(primary.port()));
    let store = RedisStore::connect(impatient(&replica.url(), &RedisServer::prefix())).await;
    let store = store.expect("a store");
    let answer = store.load(opening(1).id).await;
    assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
}
