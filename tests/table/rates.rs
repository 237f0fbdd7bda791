//! How often, over real sockets of two instances: what was used up at one is
//! used up at the other, and a flood reaches no store.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use cardroom::api::Failure;
use cardroom::api::client_event::EventName;
use cardroom::clock::Clock;
use cardroom::hub::Hub;
use cardroom::identity::Keyring;
use cardroom::limits::Limit;
use cardroom::poker::ids::{Millis, SessionRef};
use cardroom::store::MemoryStore;
use cardroom::table::{CreateRequest, Created, JoinRequest, Table, TableOptions};
use secrecy::ExposeSecret;

use super::*;

const VOTES_PER_MINUTE: u64 = 10;
const CARDS: [&str; 2] = ["3", "5"];

impl Guest {
    /// Votes until it is refused; how often that went well.
    async fn use_up_votes(&mut self) -> u64 {
        for (number, card) in (0..).zip(CARDS.iter().cycle()) {
            let answer = self.ask("vote:submit", vote(card)).await;
            if answer["ok"] == false {
                assert_eq!(answer["error"]["code"], "RATE_LIMITED", "{answer}");
                return number;
            }
        }
        unreachable!("the cards come again and again")
    }
}

impl Scene {
    /// The guest, at one of the instances.
    async fn guest_at(&self, server: SocketAddr) -> Guest {
        let mut guest = Guest { socket: join_websocket(server).await, asked: 0 };
        let join = json!({"sessionId": self.session, "playerToken": self.token});
        assert_eq!(guest.ask("session:join", join).await["ok"], true);
        guest
    }
}

#[tokio::test]
async fn a_reconnect_to_another_instance_resets_nothing() {
    let mut scene = Scene::open().await;
    assert_eq!(scene.guest.use_up_votes().await, VOTES_PER_MINUTE);
    let mut elsewhere = scene.guest_at(scene.other).await;
    let refused = elsewhere.ask("vote:submit", vote("8")).await;
    assert_eq!(refused["error"]["code"], "RATE_LIMITED");
    let retry_after = refused["error"]["retryAfter"].as_u64().expect("seconds");
    assert!((1..=60).contains(&retry_after), "{retry_after}");
    // Another event, and another seat, have budgets of their own.
    assert_eq!(elsewhere.ask("vote:change", vote("8")).await["ok"], true);
    assert_eq!(scene.host.ask("vote:submit", vote("8")).await["ok"], true);
    let again = elsewhere.ask("vote:submit", vote("8")).await;
    assert!(again["error"]["retryAfter"].as_u64() <= Some(retry_after));
}

#[tokio::test]
async fn a_refusal_is_told_by_rate_limit_too() {
    let mut scene = Scene::open().await;
    scene.guest.use_up_votes().await;
    let mut elsewhere = scene.guest_at(scene.other).await;
    say(&mut elsewhere.socket, &format!("42{}", json!(["vote:submit", vote("8")]))).await;
    let told = elsewhere.hears("rate:limit").await;
    assert_eq!((&told["event"], &told["limit"]), (&json!("vote:submit"), &json!(10)));
    assert_eq!(told["windowSeconds"], 60);
    assert!((1..=60).contains(&told["retryAfter"].as_u64().expect("seconds")));
    let error = elsewhere.hears("session:error").await;
    assert_eq!((&error["code"], &error["event"]), (&json!("RATE_LIMITED"), &json!("vote:submit")));
}

#[tokio::test]
async fn tabs_on_two_instances_share_a_budget() {
    let mut scene = Scene::open().await;
    let mut tab = scene.guest_at(scene.other).await;
    let mut accepted = 0;
    for (number, card) in (0..30).zip(CARDS.iter().cycle()) {
        let voter = if number % 2 == 0 { &mut scene.guest } else { &mut tab };
        accepted += u64::from(voter.ask("vote:submit", vote(card)).await["ok"] == true);
    }
    assert_eq!(accepted, VOTES_PER_MINUTE);
}

#[tokio::test]
async fn a_denied_flood_reaches_no_store() {
    let mut scene = Scene::open().await;
    scene.guest.use_up_votes().await;
    let mut elsewhere = scene.guest_at(scene.other).await;
    // The first refusal is the store's; the others are answered from memory.
    elsewhere.ask("vote:submit", vote("8")).await;
    let before = scene.store.asked();
    for _ in 0..150 {
        let refused = elsewhere.ask("vote:submit", vote("8")).await;
        assert_eq!(refused["error"]["code"], "RATE_LIMITED");
    }
    assert_eq!(scene.store.asked(), before);
}

/// Reads, refusals and what changes nothing lead to no commit, and count.
#[tokio::test]
async fn what_leads_to_no_commit_counts_for_all_instances() {
    let mut scene = Scene::open().await;
    let mut elsewhere = scene.guest_at(scene.other).await;
    for (event, payload, limit) in [
        ("history:get", json!({}), 10),
        ("heartbeat", json!({"timestamp": 1}), 30),
        ("session:sync", json!({}), 30),
        // A guest may not: refused by the rules.
        ("session:lock", json!({"locked": true}), 10),
        // The same again: accepted, without effect.
        ("presence:set", json!({"away": false}), 12),
    ] {
        let mut counted = 0;
        for number in 0..2 * limit {
            let asker = if number % 2 == 0 { &mut scene.guest } else { &mut elsewhere };
            let answer = asker.ask(event, payload.clone()).await;
            counted += u32::from(answer["error"]["code"] != "RATE_LIMITED");
        }
        assert_eq!(counted, limit, "{event}");
    }
}

#[tokio::test]
async fn of_a_batch_only_who_asked_too_often_is_refused() {
    let mut scene = Scene::open().await;
    scene.guest.use_up_votes().await;
    let mut elsewhere = scene.guest_at(scene.other).await;
    let mut third = Guest { socket: join_websocket(scene.other).await, asked: 0 };
    let join = json!({"sessionId": scene.session, "playerName": "Cleo"});
    assert_eq!(third.ask("session:join", join).await["ok"], true);
    // The task of the session is busy with a conflict; the rest waits for it.
    scene.store.set(Fault::Conflicts(1));
    let (denied, accepted) = tokio::join!(
        elsewhere.ask("vote:submit", vote("8")),
        third.ask("vote:submit", vote("13")),
    );
    assert_eq!(denied["error"]["code"], "RATE_LIMITED");
    assert_eq!(accepted["ok"], true, "{accepted}");
    let synced = scene.host.ask("session:sync", json!({})).await;
    assert_eq!(synced["snapshot"]["round"]["voteCount"], 2);
}

#[tokio::test]
async fn without_a_store_an_instance_limits_by_itself() {
    let mut scene = Scene::open().await;
    scene.store.set(Fault::Away);
    for _ in 0..VOTES_PER_MINUTE {
        let refused = scene.guest.ask("vote:submit", vote("5")).await;
        assert_eq!(refused["error"]["code"], "STATE_UNAVAILABLE");
    }
    let refused = scene.guest.ask("vote:submit", vote("5")).await;
    assert_eq!(refused["error"]["code"], "RATE_LIMITED");
    for number in 0..40 {
        let beat = scene.guest.ask("heartbeat", json!({"timestamp": 1})).await;
        assert_eq!(beat["ok"] == true, number < 30, "{number}: {beat}");
    }
}

#[tokio::test]
async fn an_outcome_that_is_unknown_counts_once() {
    let mut scene = Scene::open().await;
    scene.store.set(Fault::LosesReplies);
    for card in ["1", "2", "3"] {
        let unknown = scene.guest.ask("vote:submit", vote(card)).await;
        assert_eq!(unknown["error"]["code"], "STATE_UNAVAILABLE");
        scene.store.set(Fault::None);
        assert_eq!(scene.host.hears("vote:submitted").await["hasVoted"], true);
        scene.store.set(Fault::LosesReplies);
    }
    scene.store.set(Fault::None);
    assert_eq!(scene.guest.use_up_votes().await, VOTES_PER_MINUTE - 3);
}

#[tokio::test]
async fn who_may_not_leave_stays() {
    let store = Arc::new(FaultyStore::new(Clock::system()));
    let rate_limits = BTreeMap::from([(EventName::SessionLeave, Limit::per_minute(2))]);
    let scene = Scene::of(store, TableOptions { rate_limits, ..TableOptions::default() }).await;
    for server in [scene.server, scene.other] {
        let mut tab = scene.guest_at(server).await;
        assert_eq!(tab.ask("session:leave", json!({})).await["ok"], true);
        assert_eq!(tab.ask("session:sync", json!({})).await["error"]["code"], "NOT_JOINED");
    }
    let mut tab = scene.guest_at(scene.server).await;
    let refused = tab.ask("session:leave", json!({})).await;
    assert_eq!(refused["error"]["code"], "RATE_LIMITED");
    assert_eq!(tab.ask("session:sync", json!({})).await["ok"], true);
}

#[tokio::test]
async fn who_is_refused_again_and_again_is_let_go() {
    let store = Arc::new(FaultyStore::new(Clock::system()));
    let options = TableOptions { rejected: Limit::per_minute(20), ..TableOptions::default() };
    let mut scene = Scene::of(store, options).await;
    scene.guest.use_up_votes().await;
    for _ in 0..19 {
        scene.guest.ask("vote:submit", vote("8")).await;
    }
    say(&mut scene.guest.socket, &format!("42{}", json!(["vote:submit", vote("8")]))).await;
    assert_eq!(scene.guest.hears("connection:error").await["code"], "RATE_LIMITED");
    while let Seen::Frame { opcode: TEXT, .. } = scene.guest.socket.see().await {}
}

/// Two instances, asked as if from anywhere.
struct Doors {
    tables: [Table; 2],
}

impl Doors {
    fn open(options: &TableOptions) -> Self {
        let store = Arc::new(MemoryStore::new(Clock::starting_at(Millis(1 << 40)), 1_000));
        let table = || {
            let keyring = Keyring::ephemeral([7; 32]);
            let (store, directory) = (Arc::clone(&store) as _, Arc::clone(&store) as _);
            Table::new(store, directory, Hub::new(), keyring, options.clone())
        };
        Self { tables: [table(), table()] }
    }

    async fn create(&self, number: usize, from: &str) -> Result<Created, Failure> {
        let request = CreateRequest {
            name: "Sprint".parse().expect("a name"),
            deck: None,
            patch: Default::default(),
            password: None,
            player_name: None,
            avatar: None,
        };
        self.tables[number % 2].create(request, address(from)).await
    }

    async fn join(
        &self,
        number: usize,
        session: &str,
        token: Option<&str>,
        from: &str,
    ) -> Result<(), Failure> {
        let session: SessionRef = session.parse().expect("an id or a code");
        let name = Some("Bob".parse().expect("a name"));
        let request =
            JoinRequest { name, token: token.map(str::to_owned), ..JoinRequest::default() };
        self.tables[number % 2].join(session, request, address(from)).await.map(drop)
    }
}

fn address(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

/// How many of a number of attempts were not refused for their number.
async fn let_through<T, F: Future<Output = Result<T, Failure>>>(
    attempts: usize,
    attempt: impl Fn(usize) -> F,
) -> usize {
    let mut count = 0;
    for number in 0..attempts {
        count += usize::from(!matches!(attempt(number).await, Err(Failure::RateLimited { .. })));
    }
    count
}

#[tokio::test(start_paused = true)]
async fn an_office_behind_one_address_comes_in() {
    let doors = Doors::open(&TableOptions::default());
    let session = doors.create(0, "10.0.0.9").await.expect("a session").session.to_string();
    let newcomers = let_through(50, |number| doors.join(number, &session, None, "10.0.0.1"));
    assert_eq!(newcomers.await, 50);
    // Guesses are another matter, and a /64 is one address.
    let guesses = let_through(40, |number| {
        let (doors, from) = (&doors, format!("2001:db8::{number}"));
        async move { doors.join(number, "ABCDEFGH", None, &from).await }
    });
    assert_eq!(guesses.await, 20);
}

#[tokio::test(start_paused = true)]
async fn sessions_are_opened_by_an_address_so_often_on_all_instances() {
    let doors = Doors::open(&TableOptions::default());
    let opened = let_through(30, |number| doors.create(number, "10.0.0.1"));
    assert_eq!(opened.await, 10);
    assert!(doors.create(0, "10.0.0.2").await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn guesses_are_counted_on_all_instances_and_keep_no_holder_of_a_token_out() {
    let doors = Doors::open(&TableOptions::default());
    let created = doors.create(0, "10.0.0.9").await.expect("a session");
    let (session, token) = (created.session.to_string(), created.host_token.expose_secret());
    let guesses = let_through(40, |number| doors.join(number, "ABCDEFGH", None, "10.0.0.1"));
    assert_eq!(guesses.await, 20);
    let kept_out = doors.join(0, &session, None, "10.0.0.1").await;
    assert!(matches!(kept_out, Err(Failure::RateLimited { .. })), "{kept_out:?}");
    assert!(doors.join(1, &session, None, "10.0.0.2").await.is_ok());
    // By its seat, wherever it comes from: so often and no more.
    let returns = let_through(50, |number| {
        let from = if number % 3 == 0 { "10.0.0.1" } else { "10.0.0.3" };
        doors.join(number, &session, Some(token), from)
    });
    assert_eq!(returns.await, 30);
}
