//! The promises of `SessionStore`, one test each.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cardroom::limits::Limit;
use cardroom::poker::deck::Deck;
use cardroom::poker::event::{Event, Fact};
use cardroom::poker::evolve::evolve;
use cardroom::poker::ids::{InstanceId, JoinCode, Millis, PlayerId, SessionId};
use cardroom::poker::policy::Policy;
use cardroom::poker::session::{Opening, Session};
use cardroom::poker::settings::Settings;
use cardroom::store::{
    Attempt, Budget, Charge, CommitError, Entry, Lifetime, Loaded, Missing, OutOf, Party, Position,
    SessionStore, StoreError, Stored, Tombstone, Update,
};

use super::Fixture;

pub(super) const HOUR_MS: u64 = 3_600_000;
/// Attempts at a commit that may be late, 100 ms apart.
const PATIENCE: u32 = 50;

pub(crate) async fn a_session_is_loaded_as_it_was_created(fixture: &Fixture) {
    let store = &*fixture.store;
    let created = create(store, 1).await;
    assert_eq!(created.position.version, 1);
    assert_eq!(load(store, created.session.id).await, created);
}

pub(crate) async fn an_id_or_code_that_is_taken_is_refused(fixture: &Fixture) {
    let store = &*fixture.store;
    create(store, 1).await;
    let lifetime = for_an_hour(store);
    let same_code = Opening { id: opening(2).id, ..opening(1) };
    let same_id = Opening { code: opening(2).code, ..opening(1) };
    assert_eq!(store.create(same_id, lifetime).await, Err(StoreError::Exists));
    assert_eq!(store.create(same_code, lifetime).await, Err(StoreError::Exists));
}

pub(crate) async fn a_code_stands_for_its_session(fixture: &Fixture) {
    let store = &*fixture.store;
    let created = create(store, 1).await;
    assert_eq!(store.resolve(created.session.code).await, Ok(Some(created.session.id)));
    assert_eq!(store.resolve(opening(2).code).await, Ok(None));
}

pub(crate) async fn a_commit_is_loaded_and_read(fixture: &Fixture) {
    let store = &*fixture.store;
    let created = create(store, 1).await;
    let id = created.session.id;
    let events = [away(1, true), away(2, false)];
    let position = accepted(store, id, created.position, &events).await;

    assert_eq!(position.version, 3);
    assert_eq!(position.epoch, created.position.epoch);
    let mut expected = created.session.clone();
    events.iter().for_each(|event| evolve(&mut expected, event));
    assert_eq!(load(store, id).await, Loaded { session: expected, position });
    let missing = store.read_after(id, created.position).await.unwrap();
    assert_eq!(missed_events(&missing), events);
    assert_eq!(missed_up_to(&missing), Some(position));
    let nothing = Missing::Entries(Vec::new());
    assert_eq!(store.read_after(id, position).await.unwrap(), nothing);
}

pub(crate) async fn of_two_commits_behind_one_position_one_wins(fixture: &Fixture) {
    let store = &*fixture.store;
    let created = create(store, 1).await;
    let id = created.session.id;
    let (one, other) = ([away(1, true)], [away(2, true)]);
    let (first, second) = tokio::join!(
        commit(store, id, created.position, &one),
        commit(store, id, created.position, &other),
    );
    assert_eq!(u8::from(first.is_ok()) + u8::from(second.is_ok()), 1);
    assert_eq!(load(store, id).await.position.version, 2);
}

pub(crate) async fn the_loser_learns_what_it_missed(fixture: &Fixture) {
    let store = &*fixture.store;
    let created = create(store, 1).await;
    let id = created.session.id;
    let won = [away(1, true), away(2, true)];
    let position = accepted(store, id, created.position, &won).await;
    let lost = commit(store, id, created.position, &[away(3, true)]).await;
    let Err(CommitError::Conflict(missing)) = lost else { panic!("not a conflict: {lost:?}") };
    assert_eq!(missed_events(&missing), won);
    assert_eq!(missed_up_to(&missing), Some(position));
}

pub(crate) async fn a_commit_that_is_repeated_is_a_conflict_with_itself(fixture: &Fixture) {
    let store = &*fixture.store;
    let created = create(store, 1).await;
    let id = created.session.id;
    let entries = Entry::behind(created.position, 7, [away(1, true)]);
    let commit = || {
        let attempts = vec![attempt(1, "vote:submit", PER_HOUR)];
        store.commit(id, created.position, Arc::clone(&entries), attempts, for_an_hour(store))
    };
    assert!(commit().await.is_ok());
    // A store may also find out by itself, and say that it was accepted.
    let again = commit().await;
    let missing = Missing::Entries(entries.to_vec());
    assert!(again.is_ok() || again == Err(CommitError::Conflict(missing)), "{again:?}");
    assert_eq!(load(store, id).await.position, entries[0].position);
    // Its attempt counts once, of two.
    let one_more = || store.attempt(id, vec![attempt(1, "vote:submit", PER_HOUR)]);
    assert_eq!(one_more().await, Ok(Vec::new()));
    assert_eq!(one_more().await.map(|denied| denied.len()), Ok(1));
}

pub(crate) async fn a_foreign_position_is_a_conflict(fixture: &Fixture) {
    let store = &*fixture.store;
    let created = create(store, 1).await;
    let id = created.session.id;
    let at = created.position;
    // The version alone proves nothing: neither another history of the same
    // length nor another life of the session may be appended to.
    for foreign in [
        Position { nonce: at.nonce ^ 1, ..at },
        Position { epoch: at.epoch ^ 1, ..at },
        Position { version: at.version + 1, ..at },
    ] {
        let refused = commit(store, id, foreign, &[away(1, true)]).await;
        assert_eq!(refused, Err(CommitError::Conflict(Missing::Unreachable)));
        assert_eq!(store.read_after(id, foreign).await, Ok(Missing::Unreachable));
    }
}

pub(crate) async fn many_writers_lose_nothing(fixture: &Fixture) {
    const WRITERS: u64 = 8;
    const COMMITS: u64 = 20;
    let created = create(&*fixture.store, 1).await;
    let id = created.session.id;
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        let store = Arc::clone(&fixture.store);
        let mut position = created.position;
        writers.spawn(async move {
            for number in 0..COMMITS {
                let event = away(writer * COMMITS + number, true);
                loop {
                    match commit(&*store, id, position, std::slice::from_ref(&event)).await {
                        Ok(next) => break position = next,
                        Err(CommitError::Conflict(missing)) => {
                            position = missed_up_to(&missing).expect("somebody was faster");
                        }
                        Err(error) => panic!("unexpected: {error}"),
                    }
                    tokio::task::yield_now().await;
                }
            }
        });
    }
    writers.join_all().await;

    let missing = fixture.store.read_after(id, created.position).await.unwrap();
    let events = missed_events(&missing);
    let mut stamps: Vec<u64> = events.iter().map(|event| event.at.0).collect();
    stamps.sort_unstable();
    assert_eq!(stamps, (0..WRITERS * COMMITS).collect::<Vec<_>>());
}

pub(crate) async fn a_subscriber_hears_every_update_in_order(fixture: &Fixture) {
    let store = &*fixture.store;
    let created = create(store, 1).await;
    let id = created.session.id;
    let mut subscription = store.subscribe(id).await.unwrap();
    let mut expected = created.position;
    let mut position = created.position;
    for number in 0..5 {
        position = accepted(store, id, position, &[away(number, true)]).await;
    }
    for number in 0..5 {
        let Some(Update::Committed { previous, entries }) = subscription.next().await else {
            panic!("update {number} is missing");
        };
        assert_eq!(previous, expected);
        assert_eq!(entries.len(), 1);
        assert_eq!(entries[0].event, away(number, true));
        expected = entries[0].position;
    }
    assert_eq!(expected, position);
}

pub(crate) async fn a_subscriber_that_lags_notices(fixture: &Fixture) {
    let store = &*fixture.store;
    let created = create(store, 1).await;
    let id = created.session.id;
    let mut subscription = store.subscribe(id).await.unwrap();
    let mut position = created.position;
    for number in 0..2_000 {
        position = accepted(store, id, position, &[away(number, true)]).await;
    }
    // Either it hears all of them or it is told that it did not.
    let mut heard = 0;
    while heard < 2_000 {
        match subscription.next().await {
            Some(Update::Committed { .. }) => heard += 1,
            Some(Update::Whispered(_)) => {}
            None => return,
        }
    }
}

pub(crate) async fn a_whisper_is_heard_and_not_kept(fixture: &Fixture) {
    let store = &*fixture.store;
    let created = create(store, 1).await;
    let id = created.session.id;
    let mut subscription = store.subscribe(id).await.unwrap();
    store.whisper(id, away(7, true)).await.unwrap();
    assert!(matches!(
        subscription.next().await,
        Some(Update::Whispered(event)) if *event == away(7, true)
    ));
    assert_eq!(load(store, id).await, created);
}

pub(crate) async fn a_long_log_loads_as_a_short_one(fixture: &Fixture) {
    let store = &*fixture.store;
    let created = create(store, 1).await;
    let id = created.session.id;
    let mut expected = created.session.clone();
    let mut position = created.position;
    for number in 0..1_500 {
        let event = connected(number);
        evolve(&mut expected, &event);
        position = accepted(store, id, position, &[event]).await;
    }
    assert_eq!(load(store, id).await, Loaded { session: expected, position });
}

pub(crate) async fn what_is_too_far_back_is_said_to_be_unreachable(fixture: &Fixture) {
    let store = &*fixture.store;
    let created = create(store, 1).await;
    let id = created.session.id;
    let mut position = created.position;
    let mut recent = position;
    for number in 0..3_000 {
        position = accepted(store, id, position, &[away(number, true)]).await;
        if number == 2_800 {
            recent = position;
        }
    }
    // The log may be trimmed, but never within the last 256 events, and what
    // is missing is never passed over.
    match store.read_after(id, created.position).await.unwrap() {
        Missing::Unreachable => {}
        Missing::Entries(entries) => assert_eq!(entries.len(), 3_000),
    }
    let missing = store.read_after(id, recent).await.unwrap();
    assert_eq!(missed_events(&missing).len(), 199);
    assert_eq!(missed_up_to(&missing), Some(position));
}

pub(crate) async fn a_session_whose_time_is_over_leaves_a_tombstone(fixture: &Fixture) {
    let (store, hour_ms) = (&*fixture.store, fixture.hour_ms);
    let created = store.create(opening(1), lifetime(store, hour_ms)).await.expect("room");
    let id = created.session.id;
    // A commit moves the end, so far that a busy machine looks before it comes.
    sleep_ms(hour_ms / 4).await;
    let longer_ms = 3 * hour_ms;
    let entries = Entry::behind(created.position, 7, [away(1, true)]);
    let position = entries[0].position;
    let committed =
        store.commit(id, created.position, entries, Vec::new(), lifetime(store, longer_ms)).await;
    assert!(committed.is_ok(), "{committed:?}");
    sleep_ms(hour_ms).await;
    assert_eq!(load(store, id).await.position, position);

    sleep_ms(longer_ms).await;
    assert_eq!(store.load(id).await, Ok(Stored::Gone(Tombstone::Expired)));
    let late = commit(store, id, position, &[away(2, true)]).await;
    assert_eq!(late, Err(CommitError::Store(StoreError::Gone)));
    // A late visitor with the code finds the tombstone, not nothing.
    assert_eq!(store.resolve(created.session.code).await, Ok(Some(id)));
}

pub(crate) async fn a_tombstone_goes_as_well(fixture: &Fixture) {
    let (store, hour_ms) = (&*fixture.store, fixture.hour_ms);
    let created = store.create(opening(1), lifetime(store, hour_ms)).await.expect("room");
    sleep_ms(4 * hour_ms).await;
    assert_eq!(store.load(created.session.id).await, Ok(Stored::Unknown));
    assert_eq!(store.resolve(created.session.code).await, Ok(None));
}

pub(crate) async fn a_full_store_says_so_and_has_room_again(fixture: &Fixture) {
    let store = &*fixture.store;
    fixture.fill().await;
    let one_more = opening(200);
    let refused = store.create(one_more.clone(), for_an_hour(store)).await;
    assert_eq!(refused, Err(StoreError::Full));
    fixture.make_room().await;
    assert!(store.create(one_more, for_an_hour(store)).await.is_ok());
}

pub(crate) async fn what_was_lost_is_put_back(fixture: &Fixture) {
    let store = &*fixture.store;
    let opening = opening(1);
    let session = Session::open(&opening, store.now());
    let position = Position { epoch: 77, version: 12, nonce: 99 };
    let replica = Loaded { session, position };
    assert_eq!(store.restore(replica.clone(), for_an_hour(store)).await, Ok(()));
    assert_eq!(load(store, opening.id).await, replica);
    assert_eq!(store.resolve(opening.code).await, Ok(Some(opening.id)));
    let nothing = Missing::Entries(Vec::new());
    assert_eq!(store.read_after(opening.id, position).await, Ok(nothing));
    // It goes on where it was.
    let mut subscription = store.subscribe(opening.id).await.unwrap();
    let next = accepted(store, opening.id, position, &[away(1, true)]).await;
    assert_eq!(next.version, 13);
    assert!(matches!(
        subscription.next().await,
        Some(Update::Committed { previous, .. }) if previous == position
    ));
    assert_eq!(load(store, opening.id).await.position, next);
}

pub(crate) async fn what_lives_is_not_put_back(fixture: &Fixture) {
    let store = &*fixture.store;
    let created = create(store, 1).await;
    let id = created.session.id;
    let position = accepted(store, id, created.position, &[away(1, true)]).await;
    let newer = Position { version: 99, ..position };
    let other_epoch = Position { epoch: position.epoch ^ 1, ..newer };
    for position in [created.position, newer, other_epoch] {
        let replica = Loaded { position, ..created.clone() };
        assert_eq!(store.restore(replica, for_an_hour(store)).await, Ok(()));
    }
    assert_eq!(load(store, id).await.position, position);
}

pub(crate) async fn what_is_over_stays_over(fixture: &Fixture) {
    let (store, hour_ms) = (&*fixture.store, fixture.hour_ms);
    let created = store.create(opening(1), lifetime(store, hour_ms)).await.expect("room");
    sleep_ms(hour_ms + hour_ms / 4).await;
    let again = store.restore(created.clone(), for_an_hour(store)).await;
    assert_eq!(again, Err(StoreError::Gone), "its tombstone stands");
    let other = Loaded { session: Session::open(&opening(2), store.now()), ..created };
    let a_second_ago = store.now().saturating_sub_ms(1_000);
    let past = Lifetime { kept_until: a_second_ago, ..lifetime(store, hour_ms) };
    assert_eq!(store.restore(other, past).await, Err(StoreError::Gone), "its time is over");
}

pub(crate) async fn of_too_many_attempts_nothing_is_committed(fixture: &Fixture) {
    let store = &*fixture.store;
    let created = create(store, 1).await;
    let id = created.session.id;
    let (ann, bob) = (attempt(1, "vote:submit", PER_HOUR), attempt(2, "vote:submit", PER_HOUR));
    // Those of one commit count together: the third of a budget of two.
    let attempts = [ann, bob, ann, bob, ann];
    let denied = tried(store, id, created.position, &[away(1, true)], &attempts).await;
    let Err(CommitError::Denied(denied)) = denied else { panic!("not denied: {denied:?}") };
    assert_eq!(denied.iter().map(|one| one.attempt).collect::<Vec<_>>(), [4]);
    assert_eq!(denied[0].exceeded.retry_after_ms, PER_HOUR.window_ms);
    assert_eq!(load(store, id).await, created);

    // None of them was counted.
    let attempts = [ann, bob, ann];
    let position = tried(store, id, created.position, &[away(1, true)], &attempts).await.unwrap();
    let denied = tried(store, id, position, &[away(2, true)], &[bob, ann, bob]).await;
    let Err(CommitError::Denied(denied)) = denied else { panic!("not denied: {denied:?}") };
    assert_eq!(denied.iter().map(|one| one.attempt).collect::<Vec<_>>(), [1, 2]);
    // Who was faster is said first.
    let late = tried(store, id, created.position, &[away(3, true)], &[ann]).await;
    assert!(matches!(late, Err(CommitError::Conflict(_))), "{late:?}");
    assert_eq!(load(store, id).await.position, position);
}

pub(crate) async fn attempts_without_a_commit_count_in_the_same_budget(fixture: &Fixture) {
    let store = &*fixture.store;
    let created = create(store, 1).await;
    let id = created.session.id;
    let (ann, other) = (attempt(1, "vote:submit", PER_HOUR), attempt(1, "story:update", PER_HOUR));
    assert_eq!(store.attempt(id, vec![ann]).await, Ok(Vec::new()));
    let position = tried(store, id, created.position, &[away(1, true)], &[ann]).await.unwrap();
    // As many as fit, each in the budget of its own seat and event.
    let denied = store.attempt(id, vec![ann, other, other, other]).await.unwrap();
    assert_eq!(denied.iter().map(|one| one.attempt).collect::<Vec<_>>(), [0, 3]);
    let denied = tried(store, id, position, &[away(2, true)], &[other]).await;
    assert!(matches!(denied, Err(CommitError::Denied(_))), "{denied:?}");
    // Nor has another session anything to do with it.
    let elsewhere = create(store, 2).await.session.id;
    assert_eq!(store.attempt(elsewhere, vec![ann]).await, Ok(Vec::new()));
    let unknown = store.attempt(opening(3).id, vec![ann]).await;
    assert_eq!(unknown, Err(StoreError::Gone));
}

pub(crate) async fn a_window_opens_when_its_oldest_attempt_leaves(fixture: &Fixture) {
    let (store, window_ms) = (&*fixture.store, fixture.hour_ms / 4 * 3);
    let id = create(store, 1).await.session.id;
    let limit = Limit { attempts_max: 2, window_ms };
    let once = || async {
        let denied = store.attempt(id, vec![attempt(1, "vote:submit", limit)]).await.unwrap();
        denied.first().map(|denied| denied.exceeded.retry_after_ms)
    };
    assert_eq!(once().await, None);
    sleep_ms(window_ms / 2).await;
    assert_eq!(once().await, None);
    let retry_after_ms = once().await.expect("the window is full");
    assert!(retry_after_ms <= window_ms / 2, "{retry_after_ms}");
    // What is denied does not extend it.
    sleep_ms(retry_after_ms / 2).await;
    let left_ms = once().await.expect("the window is full");
    assert!(left_ms <= retry_after_ms - retry_after_ms / 2, "{left_ms} of {retry_after_ms}");
    sleep_ms(left_ms + 1).await;
    assert_eq!(once().await, None);
    assert!(once().await.is_some());
}

pub(crate) async fn budgets_of_a_party_are_charged_together_or_not(fixture: &Fixture) {
    let (store, window_ms) = (&*fixture.store, fixture.hour_ms);
    let network = |text: &str| Party::from(text.parse::<IpAddr>().expect("an address"));
    let limit = Limit { attempts_max: 2, window_ms };
    let budget = |what, charge| Budget { what, limit, charge };
    let count = |what| vec![budget(what, Charge::Count)];
    let home = network("2001:db8::1");
    assert_eq!(store.charge(home, count("guess")).await, Ok(Ok(())));
    assert_eq!(store.charge(network("2001:db8::2"), count("guess")).await, Ok(Ok(())));
    let full = store.charge(network("2001:db8::3"), count("guess")).await.unwrap();
    let OutOf { budget: which, exceeded } = full.expect_err("the /64 has used it up");
    assert_eq!(which, 0);
    assert!((1..=window_ms).contains(&exceeded.retry_after_ms), "{exceeded:?}");

    // Where one has no room the other counts nothing.
    let both = || vec![budget("join", Charge::Count), budget("guess", Charge::Look)];
    for _ in 0..3 {
        let refused = store.charge(home, both()).await.unwrap();
        assert_eq!(refused.map_err(|out_of| out_of.budget), Err(1));
    }
    for _ in 0..2 {
        assert_eq!(store.charge(home, count("join")).await, Ok(Ok(())));
    }
    // Looking counts nothing, and everybody else is somebody else.
    for party in [network("2001:db8:0:1::1"), network("10.0.0.1"), Party::Everybody] {
        for _ in 0..3 {
            let look = vec![budget("guess", Charge::Look)];
            assert_eq!(store.charge(party, look).await, Ok(Ok(())));
        }
    }
    sleep_ms(exceeded.retry_after_ms + 1).await;
    assert_eq!(store.charge(home, count("guess")).await, Ok(Ok(())));
}

pub(crate) async fn an_unknown_session_is_unknown(fixture: &Fixture) {
    let store = &*fixture.store;
    let id = opening(1).id;
    assert_eq!(store.load(id).await, Ok(Stored::Unknown));
    assert!(matches!(store.subscribe(id).await, Err(StoreError::Gone)));
    assert!(store.is_ready().await);
}

pub(super) fn opening(number: u8) -> Opening {
    let name = "Sprint".parse().expect("a session name");
    Opening {
        id: SessionId::from_random([number; 10]),
        code: JoinCode::from_random([number; 5]),
        policy: Policy::default(),
        settings: Settings::new(name, Deck::default()),
        password: None,
        host: PlayerId::from_random([number; 16]),
        host_name: "Ann".parse().expect("a player name"),
        host_avatar: Default::default(),
    }
}

/// Too few to be used up by chance.
const PER_HOUR: Limit = Limit { attempts_max: 2, window_ms: HOUR_MS };

pub(super) fn attempt(player: u8, event: &'static str, limit: Limit) -> Attempt {
    Attempt { player: PlayerId::from_random([player; 16]), event, limit }
}

fn for_an_hour(store: &dyn SessionStore) -> Lifetime {
    lifetime(store, HOUR_MS)
}

/// So long, and so long again as a tombstone.
fn lifetime(store: &dyn SessionStore, kept_ms: u64) -> Lifetime {
    let kept_until = store.now().add_ms(kept_ms);
    Lifetime {
        kept_until,
        tombstone: Tombstone::Expired,
        tombstone_until: kept_until.add_ms(kept_ms),
    }
}

/// Where time is paused, it passes at once.
async fn sleep_ms(milliseconds: u64) {
    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
}

pub(super) async fn create(store: &dyn SessionStore, number: u8) -> Loaded {
    for _ in 0..PATIENCE {
        match store.create(opening(number), for_an_hour(store)).await {
            // As with a commit: it may have been accepted, and shows itself then.
            Err(StoreError::Unavailable(_)) => sleep_ms(100).await,
            created => return created.expect("room for a session"),
        }
        if let Ok(Stored::Live(created)) = store.load(opening(number).id).await {
            return *created;
        }
    }
    panic!("no session in {PATIENCE} attempts");
}

pub(super) async fn load(store: &dyn SessionStore, id: SessionId) -> Loaded {
    match store.load(id).await {
        Ok(Stored::Live(loaded)) => *loaded,
        other => panic!("not live: {other:?}"),
    }
}

/// One attempt.
pub(super) async fn commit(
    store: &dyn SessionStore,
    id: SessionId,
    expected: Position,
    events: &[Event],
) -> Result<Position, CommitError> {
    let entries = numbered(expected, events);
    let position = entries.last().map_or(expected, |entry| entry.position);
    store.commit(id, expected, entries, Vec::new(), for_an_hour(store)).await.map(|_| position)
}

/// As often as it takes: strict durability refuses while a busy replica is
/// late. A commit that is repeated finds itself if it had been accepted.
async fn accepted(
    store: &dyn SessionStore,
    id: SessionId,
    expected: Position,
    events: &[Event],
) -> Position {
    let outcome = tried(store, id, expected, events, &[]).await;
    outcome.unwrap_or_else(|error| panic!("unexpected: {error}"))
}

/// An answer, with attempts that are to be counted.
pub(super) async fn tried(
    store: &dyn SessionStore,
    id: SessionId,
    expected: Position,
    events: &[Event],
    attempts: &[Attempt],
) -> Result<Position, CommitError> {
    let entries = numbered(expected, events);
    let position = entries.last().map_or(expected, |entry| entry.position);
    for _ in 0..PATIENCE {
        let (entries, lifetime) = (Arc::clone(&entries), for_an_hour(store));
        let outcome = store.commit(id, expected, entries, attempts.to_vec(), lifetime).await;
        match outcome {
            Err(CommitError::Store(StoreError::Unavailable(_))) => sleep_ms(100).await,
            outcome => return outcome.map(|_| position),
        }
    }
    panic!("not accepted in {PATIENCE} attempts");
}

pub(super) fn numbered(expected: Position, events: &[Event]) -> Arc<[Entry]> {
    static NONCES: AtomicU64 = AtomicU64::new(1);
    let nonce = NONCES.fetch_add(1, Ordering::Relaxed);
    Entry::behind(expected, nonce, events.iter().cloned())
}

pub(super) fn missed_events(missing: &Missing) -> Vec<Event> {
    match missing {
        Missing::Entries(entries) => entries.iter().map(|entry| entry.event.clone()).collect(),
        Missing::Unreachable => panic!("the log must reach back so far"),
    }
}

pub(super) fn missed_up_to(missing: &Missing) -> Option<Position> {
    match missing {
        Missing::Entries(entries) => entries.last().map(|entry| entry.position),
        Missing::Unreachable => None,
    }
}

/// An event that is told apart by its time.
pub(super) fn away(at: u64, is_away: bool) -> Event {
    let fact = Fact::AwaySet { player: opening(1).host, is_away };
    Event { at: Millis(at), seq: 0, by: None, request: None, fact }
}

/// An event that leaves a trace in the session.
fn connected(number: u64) -> Event {
    let instance = InstanceId(number % 7);
    let fact = Fact::SeatConnected { player: opening(1).host, instance };
    Event { at: Millis(number), seq: number, by: None, request: None, fact }
}
