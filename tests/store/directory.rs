//! The promises of `Directory`, on both stores.

use std::sync::Arc;
use std::time::Duration;

use cardroom::clock::Clock;
use cardroom::poker::ids::{InstanceId, Millis, PlayerId, SessionId};
use cardroom::protocol::{PrivateId, SocketId};
use cardroom::store::directory::{
    Announced, ConnectionRecord, Directory, Figures, InstanceRecord, Lease, RecoverablePlace,
    RecoveryRecord,
};
use cardroom::store::{MemoryStore, Position, RedisStore, StoreError};

use crate::store::redis_server::RedisServer;

struct Fixture {
    directory: Arc<dyn Directory>,
    /// How long a lease is in the tests that wait for its end.
    lease_ms: u64,
}

macro_rules! directory_contract {
    ($name:ident, $options:tt, $fixture:expr, [$($test:ident),* $(,)?]) => {
        mod $name {
            $(
                #[tokio::test $options]
                async fn $test() {
                    super::$test(&$fixture.await).await;
                }
            )*
        }
    };
    ($name:ident, $options:tt, $fixture:expr) => {
        directory_contract!(
            $name,
            $options,
            $fixture,
            [
                an_instance_lives_as_long_as_its_lease,
                an_instance_that_retired_is_gone,
                a_wish_to_drain_is_heard_with_each_sign_of_life,
                a_wish_to_drain_ends_with_the_lease,
                the_living_are_listed_with_their_latest_figures,
                of_many_instances_each_is_told_apart,
                a_socket_is_listed_until_its_lease_ends,
                a_renewal_prolongs_the_lease,
                a_player_is_online_until_the_last_socket_goes,
                a_session_lists_its_own_sockets,
                a_socket_that_came_back_elsewhere_is_not_taken_back,
                a_large_batch_is_written_whole,
                a_recovery_record_is_kept_for_its_window,
                of_two_claims_the_second_sees_the_first,
                who_lost_a_claim_keeps_nothing,
                what_is_forgotten_cannot_be_claimed,
            ]
        );
    };
}

directory_contract!(memory, (start_paused = true), super::memory());
directory_contract!(on_redis, (), super::on_redis());

async fn memory() -> Fixture {
    let clock = Clock::starting_at(Millis(1_700_000_000_000));
    Fixture { directory: Arc::new(MemoryStore::new(clock, 8)), lease_ms: 15_000 }
}

async fn on_redis() -> Fixture {
    // Real time: as short as a busy machine allows, which sleeps too long.
    Fixture { directory: Arc::new(RedisServer::shared().store().await), lease_ms: 4_500 }
}

const LONG_MS: u64 = 60_000;
const BEGAN: Announced = Announced { lease: Lease::Began, is_asked_to_drain: false };
const RENEWED: Announced = Announced { lease: Lease::Renewed, is_asked_to_drain: false };

async fn an_instance_lives_as_long_as_its_lease(fixture: &Fixture) {
    let (directory, lease_ms) = (&*fixture.directory, fixture.lease_ms);
    assert_eq!(directory.instance(InstanceId(1)).await, Ok(None));
    assert_eq!(directory.announce(instance(1), lease_ms).await, Ok(BEGAN));
    assert_eq!(directory.instance(InstanceId(1)).await, Ok(Some(instance(1))));
    sleep_ms(lease_ms * 2 / 3).await;
    let moved = InstanceRecord { address: String::new(), ..instance(1) };
    assert_eq!(directory.announce(moved.clone(), lease_ms).await, Ok(RENEWED));
    sleep_ms(lease_ms * 2 / 3).await;
    assert_eq!(directory.instance(InstanceId(1)).await, Ok(Some(moved)));
    sleep_ms(lease_ms).await;
    assert_eq!(directory.instance(InstanceId(1)).await, Ok(None));
    assert_eq!(directory.are_alive(vec![InstanceId(1)]).await, Ok(vec![false]));
    assert_eq!(directory.announce(instance(1), lease_ms).await, Ok(BEGAN));
}

async fn an_instance_that_retired_is_gone(fixture: &Fixture) {
    let directory = &*fixture.directory;
    directory.announce(instance(1), LONG_MS).await.unwrap();
    directory.retire(InstanceId(1)).await.unwrap();
    directory.retire(InstanceId(2)).await.unwrap();
    assert_eq!(directory.instance(InstanceId(1)).await, Ok(None));
}

async fn a_wish_to_drain_is_heard_with_each_sign_of_life(fixture: &Fixture) {
    let directory = &*fixture.directory;
    assert_eq!(directory.request_drain(InstanceId(1)).await, Ok(false), "nobody is there");
    assert_eq!(directory.announce(instance(1), LONG_MS).await, Ok(BEGAN));
    directory.announce(instance(2), LONG_MS).await.unwrap();
    assert_eq!(directory.announce(instance(1), LONG_MS).await, Ok(RENEWED));
    for _ in 0..2 {
        assert_eq!(directory.request_drain(InstanceId(1)).await, Ok(true));
        let asked = Announced { is_asked_to_drain: true, ..RENEWED };
        assert_eq!(directory.announce(instance(1), LONG_MS).await, Ok(asked));
    }
    assert_eq!(directory.announce(instance(2), LONG_MS).await, Ok(RENEWED), "nobody asked it");
    assert_eq!(directory.instance(InstanceId(1)).await, Ok(Some(instance(1))));
}

async fn a_wish_to_drain_ends_with_the_lease(fixture: &Fixture) {
    let (directory, lease_ms) = (&*fixture.directory, fixture.lease_ms);
    directory.announce(instance(1), lease_ms).await.unwrap();
    directory.request_drain(InstanceId(1)).await.unwrap();
    sleep_ms(lease_ms + 50).await;
    assert_eq!(directory.request_drain(InstanceId(1)).await, Ok(false));
    assert_eq!(directory.announce(instance(1), LONG_MS).await, Ok(BEGAN));
    directory.request_drain(InstanceId(1)).await.unwrap();
    directory.retire(InstanceId(1)).await.unwrap();
    assert_eq!(directory.announce(instance(1), LONG_MS).await, Ok(BEGAN));
}

async fn the_living_are_listed_with_their_latest_figures(fixture: &Fixture) {
    let (directory, lease_ms) = (&*fixture.directory, fixture.lease_ms);
    assert_eq!(directory.instances().await, Ok(Vec::new()));
    directory.announce(instance(1), lease_ms).await.unwrap();
    for number in [3, 2] {
        directory.announce(instance(number), LONG_MS).await.unwrap();
    }
    assert_eq!(directory.instances().await, Ok(vec![instance(1), instance(2), instance(3)]));
    let busy = Figures { connections: 20_000, draining: true, ..instance(2).figures };
    let busy = InstanceRecord { figures: busy, ..instance(2) };
    directory.announce(busy.clone(), LONG_MS).await.unwrap();
    directory.retire(InstanceId(3)).await.unwrap();
    sleep_ms(lease_ms + 50).await;
    assert_eq!(directory.instances().await, Ok(vec![busy]));
}

async fn of_many_instances_each_is_told_apart(fixture: &Fixture) {
    let directory = &*fixture.directory;
    let ids: Vec<InstanceId> = (0..1_200).map(InstanceId).collect();
    for id in ids.iter().filter(|id| id.0.is_multiple_of(300)) {
        directory.announce(instance(id.0), LONG_MS).await.unwrap();
    }
    let alive = directory.are_alive(ids.clone()).await.unwrap();
    let expected: Vec<bool> = ids.iter().map(|id| id.0.is_multiple_of(300)).collect();
    assert_eq!(alive, expected);
    assert_eq!(directory.are_alive(Vec::new()).await, Ok(Vec::new()));
}

async fn a_socket_is_listed_until_its_lease_ends(fixture: &Fixture) {
    let (directory, lease_ms) = (&*fixture.directory, fixture.lease_ms);
    let record = connection(1, 1, 1, 1);
    assert!(is_absent(directory, &record).await);
    directory.track(vec![record.clone()], lease_ms).await.unwrap();
    assert!(is_present(directory, &record).await);
    sleep_ms(lease_ms + 50).await;
    assert!(is_absent(directory, &record).await, "nobody took it back, and it went");
}

async fn a_renewal_prolongs_the_lease(fixture: &Fixture) {
    let (directory, lease_ms) = (&*fixture.directory, fixture.lease_ms);
    let record = connection(1, 1, 1, 1);
    directory.track(vec![record.clone()], lease_ms).await.unwrap();
    sleep_ms(lease_ms * 2 / 3).await;
    let later = ConnectionRecord { last_activity: Millis(77), ..record };
    directory.track(vec![later.clone()], lease_ms).await.unwrap();
    sleep_ms(lease_ms * 2 / 3).await;
    assert!(is_present(directory, &later).await);
}

async fn a_player_is_online_until_the_last_socket_goes(fixture: &Fixture) {
    let directory = &*fixture.directory;
    // One player: two tabs here, one at another instance; and somebody else.
    let (here, tab, there) =
        (connection(1, 1, 1, 1), connection(2, 1, 1, 1), connection(3, 1, 1, 2));
    let neighbour = connection(4, 1, 2, 1);
    let all = vec![here.clone(), tab.clone(), there.clone(), neighbour.clone()];
    directory.track(all, LONG_MS).await.unwrap();
    for gone in [tab, there] {
        directory.untrack(vec![gone]).await.unwrap();
        assert!(is_present(directory, &here).await);
    }
    directory.untrack(vec![here.clone()]).await.unwrap();
    assert!(is_absent(directory, &here).await);
    assert!(is_present(directory, &neighbour).await);
    // Somebody may go twice.
    directory.untrack(vec![here, neighbour.clone()]).await.unwrap();
    assert!(is_absent(directory, &neighbour).await);
}

async fn a_session_lists_its_own_sockets(fixture: &Fixture) {
    let directory = &*fixture.directory;
    let all = vec![
        connection(1, 1, 1, 1),
        connection(2, 1, 2, 2),
        connection(3, 2, 1, 1),
        connection(4, 2, 3, 2),
    ];
    directory.track(all, LONG_MS).await.unwrap();
    assert_eq!(directory.session_connections(session(1)).await, Ok(vec![socket(1), socket(2)]));
    assert_eq!(directory.session_connections(session(2)).await, Ok(vec![socket(3), socket(4)]));
    assert_eq!(directory.session_connections(session(3)).await, Ok(Vec::new()));
    assert_eq!(directory.is_player_online(session(1), player(3)).await, Ok(false));
}

async fn a_socket_that_came_back_elsewhere_is_not_taken_back(fixture: &Fixture) {
    let directory = &*fixture.directory;
    let (before, after) = (connection(1, 1, 1, 1), connection(1, 1, 1, 2));
    directory.track(vec![before.clone()], LONG_MS).await.unwrap();
    directory.track(vec![after.clone()], LONG_MS).await.unwrap();
    assert_eq!(directory.session_connections(session(1)).await, Ok(vec![socket(1)]));
    // The first instance notices at last.
    directory.untrack(vec![before]).await.unwrap();
    assert!(is_present(directory, &after).await);
}

async fn a_large_batch_is_written_whole(fixture: &Fixture) {
    const SOCKETS: u64 = 1_300;
    let directory = &*fixture.directory;
    // Most in one session, some in many.
    let crowd = (0..SOCKETS).map(|number| match number {
        0..800 => connection(number, 1, number, 1),
        _ => connection(number, number, number, 1),
    });
    let crowd: Vec<ConnectionRecord> = crowd.collect();
    directory.track(crowd.clone(), LONG_MS).await.unwrap();
    assert_eq!(directory.session_connections(session(1)).await.unwrap().len(), 800);
    assert!(is_present(directory, &crowd[799]).await && is_present(directory, &crowd[1_299]).await);
    directory.untrack(crowd.clone()).await.unwrap();
    assert_eq!(directory.session_connections(session(1)).await, Ok(Vec::new()));
    assert!(is_absent(directory, &crowd[799]).await && is_absent(directory, &crowd[1_299]).await);
}

async fn a_recovery_record_is_kept_for_its_window(fixture: &Fixture) {
    let (directory, lease_ms) = (&*fixture.directory, fixture.lease_ms);
    assert_eq!(directory.claim(private(1), InstanceId(2)).await, Ok(None));
    let (seated, standing) = (recovery(1, 0), RecoveryRecord { place: None, ..recovery(2, 0) });
    let kept = vec![seated.clone(), standing.clone(), recovery(3, 0)];
    assert_eq!(directory.keep_recoverable(kept, lease_ms).await, Ok(Vec::new()));
    assert_eq!(directory.claim(private(1), InstanceId(2)).await, Ok(Some(seated)));
    assert_eq!(directory.claim(private(2), InstanceId(2)).await, Ok(Some(standing)));
    sleep_ms(lease_ms + 50).await;
    assert_eq!(directory.claim(private(3), InstanceId(2)).await, Ok(None));
}

async fn of_two_claims_the_second_sees_the_first(fixture: &Fixture) {
    let directory = &*fixture.directory;
    directory.keep_recoverable(vec![recovery(1, 4)], LONG_MS).await.unwrap();
    let (one, other) = tokio::join!(
        directory.claim(private(1), InstanceId(2)),
        directory.claim(private(1), InstanceId(3)),
    );
    let mut seen = [one.unwrap().unwrap(), other.unwrap().unwrap()];
    seen.sort_by_key(|record| record.claims);
    let [first, second] = seen;
    assert_eq!(first, recovery(1, 4));
    assert!([InstanceId(2), InstanceId(3)].contains(&second.owner));
    assert_eq!(second, RecoveryRecord { owner: second.owner, ..recovery(1, 5) });
}

async fn who_lost_a_claim_keeps_nothing(fixture: &Fixture) {
    let directory = &*fixture.directory;
    let stale = recovery(1, 0);
    directory.keep_recoverable(vec![stale.clone()], LONG_MS).await.unwrap();
    directory.claim(private(1), InstanceId(2)).await.unwrap();
    let left = directory.keep_recoverable(vec![recovery(2, 0), stale], LONG_MS).await;
    assert_eq!(left, Ok(vec![private(1)]));
    // Whoever claimed it writes it from now on.
    let own = RecoveryRecord { owner: InstanceId(2), place: None, ..recovery(1, 1) };
    assert_eq!(directory.keep_recoverable(vec![own.clone()], LONG_MS).await, Ok(Vec::new()));
    assert_eq!(directory.claim(private(1), InstanceId(3)).await, Ok(Some(own)));
}

async fn what_is_forgotten_cannot_be_claimed(fixture: &Fixture) {
    let directory = &*fixture.directory;
    directory.keep_recoverable(vec![recovery(1, 0), recovery(2, 0)], LONG_MS).await.unwrap();
    directory.forget_recoverable(vec![private(1), private(3)]).await.unwrap();
    assert_eq!(directory.claim(private(1), InstanceId(2)).await, Ok(None));
    assert_eq!(directory.claim(private(2), InstanceId(2)).await, Ok(Some(recovery(2, 0))));
}

/// What Redis alone promises: names that tell no secrets, and an end of
/// everything.
#[tokio::test]
async fn every_key_ends_by_itself_and_gives_no_secret_away() {
    let server = RedisServer::start();
    let store = server.store().await;
    store.announce(instance(1), 15_000).await.unwrap();
    store.track(vec![connection(1, 1, 1, 1)], 15_000).await.unwrap();
    store.keep_recoverable(vec![recovery(1, 0)], 120_000).await.unwrap();
    store.claim(private(1), InstanceId(2)).await.unwrap();
    let keys: Vec<String> = server.ask(&["KEYS", "*"]).await;
    assert_eq!(keys.len(), 6, "{keys:?}");
    for key in &keys {
        let ttl: i64 = server.ask(&["PTTL", key]).await;
        let (least, most) = match key.split(':').nth(1) {
            Some("instance") => (5_000, 15_000),
            Some("recovery") => (110_000, 120_000),
            _ => (3_590_000, 3_600_000),
        };
        assert!((least..=most).contains(&ttl), "{key} ends in {ttl} ms");
        assert!(!key.contains(private(1).expose()), "{key}");
    }
    // Cluster: what one script touches has one slot.
    let of_session: Vec<&String> = keys.iter().filter(|key| key.contains(":session:")).collect();
    assert!(of_session.iter().all(|key| key.contains(&format!("{{{}}}", session(1)))));
}

#[tokio::test]
async fn a_redis_that_is_away_is_an_error() {
    let server = RedisServer::start();
    let options = cardroom::store::redis::RedisOptions {
        command_timeout: Duration::from_secs(5),
        ..server.options(&RedisServer::prefix())
    };
    let store = RedisStore::connect(options).await.expect("a store");
    server.kill();
    let is_away = |error: StoreError| matches!(error, StoreError::Unavailable(_));
    assert!(store.announce(instance(1), LONG_MS).await.is_err_and(is_away));
    assert!(store.track(vec![connection(1, 1, 1, 1)], LONG_MS).await.is_err_and(is_away));
    assert!(store.are_alive(vec![InstanceId(1)]).await.is_err_and(is_away));
    assert!(store.is_player_online(session(1), player(1)).await.is_err_and(is_away));
    assert!(store.keep_recoverable(vec![recovery(1, 0)], LONG_MS).await.is_err_and(is_away));
}

async fn is_present(directory: &dyn Directory, record: &ConnectionRecord) -> bool {
    let listed = directory.session_connections(record.session).await.unwrap();
    let is_online = directory.is_player_online(record.session, record.player).await.unwrap();
    let found = directory.connection(record.socket).await.unwrap();
    listed.contains(&record.socket) && is_online && found.as_ref() == Some(record)
}

async fn is_absent(directory: &dyn Directory, record: &ConnectionRecord) -> bool {
    let listed = directory.session_connections(record.session).await.unwrap();
    let is_online = directory.is_player_online(record.session, record.player).await.unwrap();
    let found = directory.connection(record.socket).await.unwrap();
    !listed.contains(&record.socket) && !is_online && found.is_none()
}

fn instance(number: u64) -> InstanceRecord {
    let address = format!("10.0.0.1:{number}");
    let figures = Figures { connections: number, updated_at: Millis(7), ..Figures::default() };
    let task =
        number.is_multiple_of(2).then(|| format!("arn:aws:ecs:eu-central-1:1:task/c/{number}"));
    InstanceRecord { id: InstanceId(number), address, task, started: Millis(5), figures }
}

fn connection(socket_: u64, session_: u64, player_: u64, instance: u64) -> ConnectionRecord {
    ConnectionRecord {
        socket: socket(socket_),
        session: session(session_),
        player: player(player_),
        instance: InstanceId(instance),
        connected_at: Millis(10),
        last_activity: Millis(20),
    }
}

fn recovery(number: u64, claims: u32) -> RecoveryRecord {
    RecoveryRecord {
        id: private(number),
        socket: socket(number),
        owner: InstanceId(1),
        claims,
        place: Some(RecoverablePlace {
            session: session(number),
            player: player(number),
            generation: 2,
            joined_at: Position { epoch: u64::MAX, version: 3, nonce: 4 },
        }),
    }
}

fn socket(number: u64) -> SocketId {
    SocketId::from_random(bytes(number))
}

fn private(number: u64) -> PrivateId {
    PrivateId::from_random(bytes(number + 1_000_000))
}

fn session(number: u64) -> SessionId {
    SessionId::from_random(bytes(number))
}

fn player(number: u64) -> PlayerId {
    PlayerId::from_random(bytes(number))
}

/// In the order of the numbers.
fn bytes<const N: usize>(number: u64) -> [u8; N] {
    let mut bytes = [0; N];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    bytes
}

/// Where time is paused, it passes at once.
async fn sleep_ms(milliseconds: u64) {
    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
}
