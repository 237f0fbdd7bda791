//! Redis comes back empty: what was acknowledged is put back by those who
//! serve it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use cardroom::poker::evolve::evolve;
use cardroom::store::{
    CommitError, Entry, Lifetime, Loaded, Missing, RedisStore, SessionStore, StoreError, Stored,
    Subscription, Tombstone, Update,
};
use tokio::time::{Instant, timeout};

use crate::store::contract::{away, commit, create, load};
use crate::store::redis::lifetime;
use crate::store::redis_server::RedisServer;

const LONG: Duration = Duration::from_secs(20);

/// One that serves a session, as a table does.
struct Replica {
    store: RedisStore,
    loaded: Loaded,
    subscription: Subscription,
    /// Of all events that were applied, in order.
    stamps: Vec<u64>,
}

impl Replica {
    async fn new(store: RedisStore, created: &Loaded) -> Self {
        let id = created.session.id;
        let subscription = store.subscribe(id).await.unwrap();
        Self { loaded: load(&store, id).await, store, subscription, stamps: Vec::new() }
    }

    /// Evolves by one update, if there is one.
    async fn follow(&mut self) {
        let next = timeout(Duration::from_millis(2), self.subscription.next()).await;
        match next {
            Ok(Some(Update::Committed { entries, .. })) => self.take(&entries),
            Ok(None) => self.rejoin().await,
            _ => {}
        }
    }

    fn take(&mut self, entries: &[Entry]) {
        for Entry { position, event } in entries {
            if position.version == self.loaded.position.version + 1 {
                evolve(&mut self.loaded.session, event);
                self.loaded.position = *position;
                self.stamps.push(event.at.0);
            }
        }
    }

    /// Subscribes and catches up; puts back what is not there.
    async fn rejoin(&mut self) {
        timeout(LONG, async {
            while self.try_rejoin().await.is_err() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        })
        .await
        .expect("comes back");
    }

    async fn try_rejoin(&mut self) -> Result<(), StoreError> {
        let id = self.loaded.session.id;
        let has_more = match self.store.load(id).await? {
            Stored::Live(stored) => stored.position.version < self.loaded.position.version,
            Stored::Unknown => true,
            Stored::Gone(tombstone) => panic!("over: {tombstone:?}"),
        };
        if has_more {
            let lifetime = lifetime(&self.store);
            self.store.restore(self.loaded.clone(), lifetime).await?;
        }
        self.subscription = self.store.subscribe(id).await?;
        match self.store.read_after(id, self.loaded.position).await? {
            Missing::Entries(entries) => self.take(&entries),
            Missing::Unreachable => return Err(StoreError::Unavailable("less".to_owned())),
        }
        Ok(())
    }

    /// Writes until it is told to stop; the stamps of those that were
    /// accepted.
    async fn write(mut self, first_stamp: u64, is_over: Arc<AtomicBool>) -> (Vec<u64>, Self) {
        let (mut stamp, mut accepted) = (first_stamp, Vec::new());
        let id = self.loaded.session.id;
        while !is_over.load(Ordering::Relaxed) {
            self.follow().await;
            let entries = Entry::behind(self.loaded.position, stamp * 7_919, [away(stamp, true)]);
            let lifetime = lifetime(&self.store);
            let position = self.loaded.position;
            match self.store.commit(id, position, Arc::clone(&entries), Vec::new(), lifetime).await
            {
                Ok(_) => {
                    self.take(&entries);
                    accepted.push(stamp);
                }
                Err(CommitError::Conflict(Missing::Entries(entries))) => self.take(&entries),
                Err(_) => self.rejoin().await,
            }
            stamp += 1;
        }
        (accepted, self)
    }
}

/// Two that serve a session and write; Redis loses everything, again and
/// again; nothing that was accepted is lost.
async fn survive(
    prefix: &str,
    server: RedisServer,
    lose: impl AsyncFn(RedisServer) -> RedisServer,
) {
    const ROUNDS: usize = 3;
    let (one, other) = (server.connect(prefix).await, server.connect(prefix).await);
    let created = create(&one, 1).await;
    let id = created.session.id;
    let is_over = Arc::new(AtomicBool::new(false));
    let replicas = [Replica::new(one, &created).await, Replica::new(other, &created).await];
    let writers = replicas
        .into_iter()
        .zip([1_000_000, 2_000_000])
        .map(|(replica, stamp)| tokio::spawn(replica.write(stamp, Arc::clone(&is_over))));
    let writers: Vec<_> = writers.collect();
    let mut server = server;
    for _ in 0..ROUNDS {
        tokio::time::sleep(Duration::from_millis(300)).await;
        server = lose(server).await;
        // The barrier, and what comes before it.
        tokio::time::sleep(Duration::from_millis(2_500)).await;
    }
    is_over.store(true, Ordering::Relaxed);
    let mut accepted = Vec::new();
    let mut replicas = Vec::new();
    for writer in writers {
        let (stamps, replica) = timeout(LONG, writer).await.expect("an end").expect("no panic");
        assert!(stamps.len() > 20, "{} were accepted", stamps.len());
        accepted.extend(stamps);
        replicas.push(replica);
    }
    let end = load(&server.connect(prefix).await, id).await;
    for replica in &mut replicas {
        replica.rejoin().await;
        assert_eq!(replica.loaded, end);
        let lost: Vec<_> =
            accepted.iter().filter(|stamp| !replica.stamps.contains(stamp)).collect();
        assert!(lost.is_empty(), "accepted and lost: {lost:?}");
        assert_eq!(replica.stamps.len() as u64 + 1, end.position.version, "nothing twice");
    }
    assert_eq!(replicas[0].stamps, replicas[1].stamps);
    let found = replicas[0].store.resolve(created.session.code).await;
    assert_eq!(found, Ok(Some(id)), "by its code");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_emptied_redis_is_filled_again() {
    let lose = async |server: RedisServer| {
        let () = server.ask(&["FLUSHALL"]).await;
        server
    };
    survive(&RedisServer::prefix(), RedisServer::start(), lose).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_was_restarted_without_persistence_is_filled_again() {
    let lose = async |server: RedisServer| {
        let port = server.kill();
        tokio::task::block_in_place(|| RedisServer::start_at(port))
    };
    survive(&RedisServer::prefix(), RedisServer::start(), lose).await;
}

/// A session that two followed, of whom one knows more.
async fn two_versions(server: &RedisServer) -> (RedisStore, Loaded, RedisStore, Loaded) {
    let prefix = RedisServer::prefix();
    let (one, other) = (server.connect(&prefix).await, server.connect(&prefix).await);
    let behind = create(&one, 1).await;
    let id = behind.session.id;
    let _subscription = other.subscribe(id).await.unwrap();
    let mut position = behind.position;
    for stamp in 0..5 {
        position = commit(&other, id, position, &[away(stamp, true)]).await.unwrap();
    }
    let ahead = load(&other, id).await;
    let () = server.ask(&["FLUSHALL"]).await;
    (one, behind, other, ahead)
}

#[tokio::test]
async fn of_two_versions_the_higher_one_wins() {
    let server = RedisServer::start();
    for higher_comes_first in [true, false] {
        let (one, behind, other, ahead) = two_versions(&server).await;
        let id = behind.session.id;
        let _subscription = one.subscribe(id).await;
        let (first, second) = ((&one, &behind), (&other, &ahead));
        let order = if higher_comes_first { [second, first] } else { [first, second] };
        for (store, replica) in order {
            store.restore(replica.clone(), lifetime(store)).await.unwrap();
        }
        assert_eq!(load(&one, id).await, ahead);
        // What led there was put back as well, for those who missed it.
        let missing = other.read_after(id, ahead.position).await.unwrap();
        assert_eq!(missing, Missing::Entries(Vec::new()));
        // A commit waits for the barrier, and is accepted.
        let position = commit(&one, id, ahead.position, &[away(9, true)]).await.unwrap();
        assert_eq!(load(&other, id).await.position, position);
        // Now it is too late for anybody else.
        let late =
            Loaded { position: cardroom::store::Position { version: 99, ..position }, ..ahead };
        other.restore(late, lifetime(&other)).await.unwrap();
        assert_eq!(load(&one, id).await.position, position);
    }
}

#[tokio::test]
async fn whoever_knows_more_hears_that_less_was_put_back() {
    const ROUNDS: u8 = 8;
    /// Of the store: what it would take without the doorbell, each time but
    /// the first.
    const HEAD_CHECK: Duration = Duration::from_millis(1_500);
    let server = RedisServer::start();
    let prefix = RedisServer::prefix();
    let (one, other) = (server.connect(&prefix).await, server.connect(&prefix).await);
    let mut took = Duration::ZERO;
    for number in 1..=ROUNDS {
        let behind = create(&one, number).await;
        let id = behind.session.id;
        let mut subscription = other.subscribe(id).await.unwrap();
        commit(&other, id, behind.position, &[away(1, true)]).await.unwrap();
        assert!(matches!(subscription.next().await, Some(Update::Committed { .. })));
        let () = server.ask(&["FLUSHALL"]).await;
        one.restore(behind, lifetime(&one)).await.unwrap();
        let put_back = Instant::now();
        let heard = timeout(LONG, subscription.next()).await;
        assert!(matches!(heard, Ok(None)), "{heard:?}");
        took += put_back.elapsed();
    }
    assert!(took < HEAD_CHECK * u32::from(ROUNDS) / 2, "{took:?}");
}

#[tokio::test]
async fn what_is_over_is_not_put_back() {
    let server = RedisServer::start();
    let store = server.store().await;
    let created = create(&store, 1).await;
    let past = Lifetime {
        kept_until: store.now().add_ms(3_000),
        tombstone: Tombstone::Ended,
        tombstone_until: store.now().add_ms(60_000),
    };
    let entries = Entry::behind(created.position, 7, [away(1, true)]);
    store.commit(created.session.id, created.position, entries, Vec::new(), past).await.unwrap();
    let ended = load(&store, created.session.id).await;
    tokio::time::sleep(Duration::from_millis(3_100)).await;
    // Whatever the replica believes, the tombstone stands.
    let refused = store.restore(ended.clone(), lifetime(&store)).await;
    assert_eq!(refused, Err(StoreError::Gone));
    // And without one, its own time does.
    let () = server.ask(&["FLUSHALL"]).await;
    assert_eq!(store.restore(ended, past).await, Err(StoreError::Gone));
}

#[tokio::test]
async fn a_redis_that_came_back_as_it_was_gets_the_end_again() {
    let server = RedisServer::start();
    for is_continued in [false, true] {
        let prefix = RedisServer::prefix();
        let (one, other) = (server.connect(&prefix).await, server.connect(&prefix).await);
        let created = create(&one, 1).await;
        let id = created.session.id;
        let _subscription = one.subscribe(id).await.unwrap();
        let then = commit(&one, id, created.position, &[away(1, true)]).await.unwrap();
        let keys = ["", ":log", ":snapshot", ":tombstone"];
        let keys = keys.map(|suffix| format!("{prefix}session:{{{id}}}{suffix}"));
        for key in &keys {
            let _: i64 = server.ask(&["COPY", key, &format!("old-{key}")]).await;
        }
        let position = commit(&one, id, then, &[away(2, true), away(3, true)]).await.unwrap();
        let replica = load(&one, id).await;
        for key in &keys {
            let _: i64 = server.ask(&["COPY", &format!("old-{key}"), key, "REPLACE"]).await;
        }
        assert_eq!(load(&other, id).await.position, then);
        if is_continued {
            let elsewhere = commit(&other, id, then, &[away(4, true)]).await.unwrap();
            one.restore(replica, lifetime(&one)).await.unwrap();
            assert_eq!(load(&other, id).await.position, elsewhere, "that is history now");
        } else {
            one.restore(replica.clone(), lifetime(&one)).await.unwrap();
            assert_eq!(load(&other, id).await, replica);
            commit(&other, id, position, &[away(5, true)]).await.unwrap();
        }
    }
}
