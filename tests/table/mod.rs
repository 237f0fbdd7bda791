//! The table on a store that fails: what was acknowledged is true, and what
//! is true is told in the end.

mod faulty_store;
mod instances;
mod lost;
mod rates;
mod recovery;
mod slow_directory;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use cardroom::clock::Clock;
use cardroom::connection::{Connections, Upper};
use cardroom::hub::Hub;
use cardroom::identity::Keyring;
use cardroom::poker::policy::Policy;
use cardroom::store::MemoryStore;
use cardroom::store::directory::Directory;
use cardroom::table::{Table, TableOptions};

use crate::support::eio::{join_websocket, patient, say, see_text, serve};
use crate::support::raw_ws::{RawWs, Seen, TEXT};
use faulty_store::{Fault, FaultyStore};

/// A table with a host and one guest.
struct Scene {
    store: Arc<FaultyStore>,
    host: Guest,
    guest: Guest,
    /// The guest's.
    token: String,
    session: String,
    server: SocketAddr,
    /// Another instance.
    other: SocketAddr,
}

/// A client made of packets.
struct Guest {
    socket: RawWs,
    asked: u32,
}

impl Scene {
    async fn open() -> Self {
        Self::with(Policy::default()).await
    }

    async fn with(policy: Policy) -> Self {
        let store = Arc::new(FaultyStore::new(Clock::system()));
        let policy = Policy { disconnect_grace_ms: 50, online_coalesce_ms: 10, ..policy };
        let options = TableOptions { policy, ..TableOptions::default() };
        Self::of(store, options).await
    }

    async fn of(store: Arc<FaultyStore>, options: TableOptions) -> Self {
        Self::beside(Arc::new(MemoryStore::new(Clock::system(), 8)), store, options).await
    }

    async fn beside(
        directory: Arc<dyn Directory>,
        store: Arc<FaultyStore>,
        options: TableOptions,
    ) -> Self {
        let instance = || {
            let keyring = Keyring::ephemeral([7; 32]);
            let (store, directory) = (Arc::clone(&store) as _, Arc::clone(&directory));
            let table = Table::new(store, directory, Hub::new(), keyring, options.clone());
            serve(Connections::new(patient(), Upper::SocketIo(Arc::new(table))))
        };
        let (server, other) = (instance(), instance());

        let mut host = Guest { socket: join_websocket(server).await, asked: 0 };
        let created =
            host.ask("session:create", json!({"name": "Sprint", "playerName": "Ann"})).await;
        let mut guest = Guest { socket: join_websocket(server).await, asked: 0 };
        let join = json!({"sessionId": created["code"], "playerName": "Bob"});
        let joined = guest.ask("session:join", join).await;
        let token = joined["playerToken"].as_str().expect("a token").to_owned();
        host.hears("player:joined").await;
        let session = joined["sessionId"].as_str().expect("an id").to_owned();
        Self { store, host, guest, token, session, server, other }
    }
}

impl Guest {
    /// The acknowledgement of an event.
    async fn ask(&mut self, event: &str, payload: Value) -> Value {
        self.asked += 1;
        say(&mut self.socket, &format!("42{}{}", self.asked, json!([event, payload]))).await;
        let answer = format!("43{}[", self.asked);
        loop {
            let packet = self.next().await;
            if let Some(rest) = packet.strip_prefix(&answer) {
                let body = rest.strip_suffix(']').expect("one argument");
                return serde_json::from_str(body).expect("an acknowledgement is JSON");
            }
        }
    }

    /// The next event of that name; others are passed over.
    async fn hears(&mut self, event: &str) -> Value {
        loop {
            let packet = self.next().await;
            let Some(array) = packet.strip_prefix("42") else { continue };
            let array: Value = serde_json::from_str(array).expect("an event is JSON");
            if array[0] == event {
                return array[1].clone();
            }
        }
    }

    async fn next(&mut self) -> String {
        tokio::time::timeout(Duration::from_secs(30), see_text(&mut self.socket))
            .await
            .expect("something is said in time")
    }
}

fn vote(value: &str) -> Value {
    json!({"storyId": "s1", "value": value})
}

#[tokio::test]
async fn a_command_without_a_store_is_refused_and_has_no_effect() {
    let mut scene = Scene::open().await;
    scene.store.set(Fault::Away);
    let refused = scene.guest.ask("vote:submit", vote("5")).await;
    assert_eq!(refused["error"]["code"], "STATE_UNAVAILABLE");
    assert_eq!(refused["error"]["retryAfter"], 1);

    scene.store.set(Fault::None);
    let synced = scene.guest.ask("session:sync", json!({})).await;
    assert_eq!(synced["snapshot"]["round"]["voteCount"], 0);
    assert_eq!(synced["snapshot"]["you"].get("vote"), None);
    let accepted = scene.guest.ask("vote:submit", vote("8")).await;
    assert_eq!(accepted["ok"], true);
    assert_eq!(accepted["seq"].as_u64(), synced["seq"].as_u64().map(|seq| seq + 1));
    assert_eq!(scene.host.hears("vote:submitted").await["seq"], accepted["seq"]);
}

#[tokio::test]
async fn a_commit_whose_reply_is_lost_is_told_once_and_in_order() {
    let mut scene = Scene::open().await;
    scene.store.set(Fault::LosesReplies);
    let unknown = scene.guest.ask("vote:submit", vote("5")).await;
    assert_eq!(unknown["error"]["code"], "STATE_UNAVAILABLE");

    // Nobody asks for anything: the table finds out by itself.
    scene.store.set(Fault::None);
    let told = scene.host.hears("vote:submitted").await;
    assert_eq!(told["voteCount"], 1);
    let again = scene.guest.ask("vote:submit", vote("5")).await;
    assert_eq!((&again["ok"], &again["seq"]), (&json!(true), &told["seq"]));
    let revealed = scene.host.ask("cards:reveal", json!({})).await;
    assert_eq!(revealed["seq"].as_u64(), told["seq"].as_u64().map(|seq| seq + 1));
}

#[tokio::test]
async fn somebody_who_left_while_the_store_was_away_leaves_afterwards() {
    let mut scene = Scene::open().await;
    scene.store.set(Fault::Away);
    drop(scene.guest);
    // The connection ends by its closed socket; the host notices nothing yet.
    let refused = scene.host.ask("vote:submit", vote("5")).await;
    assert_eq!(refused["error"]["code"], "STATE_UNAVAILABLE");
    scene.store.set(Fault::None);
    let left = scene.host.hears("player:left").await;
    assert_eq!((&left["reason"], &left["playerCount"]), (&json!("disconnected"), &json!(1)));
}

/// Guards against a seat that stays online though its socket never got in: what
/// was in doubt is heard of by an update, before it would be asked for.
#[tokio::test]
async fn somebody_who_joined_in_vain_leaves_afterwards() {
    let mut scene = Scene::open().await;
    scene.store.set(Fault::LosesReplies);
    let mut socket = Guest { socket: join_websocket(scene.server).await, asked: 0 };
    let join = json!({"sessionId": scene.session, "playerName": "Cid"});
    let refused = socket.ask("session:join", join).await;
    assert_eq!(refused["error"]["code"], "STATE_UNAVAILABLE");
    assert_eq!(scene.host.hears("player:joined").await["player"]["name"], "Cid");
    scene.store.set(Fault::None);
    let left = scene.host.hears("player:left").await;
    assert_eq!((&left["reason"], &left["playerCount"]), (&json!("disconnected"), &json!(2)));
}

/// Each knows everybody once: by his snapshot, or by what he is told after it.
#[tokio::test]
async fn who_joins_at_the_same_moment_is_seated_together() {
    const NEWCOMERS: usize = 20;
    let mut scene = Scene::open().await;
    let mut newcomers = Vec::new();
    for _ in 0..NEWCOMERS {
        newcomers.push(Guest { socket: join_websocket(scene.server).await, asked: 0 });
    }
    let before = scene.store.commits();
    for (number, newcomer) in newcomers.iter_mut().enumerate() {
        let join = json!({"sessionId": scene.session, "playerName": format!("N{number}")});
        say(&mut newcomer.socket, &format!("421{}", json!(["session:join", join]))).await;
    }
    for newcomer in &mut newcomers {
        let joined = newcomer.hears("session:joined").await;
        let players = joined["snapshot"]["players"].as_array().expect("a list");
        let mut known: Vec<Value> = players.iter().map(|player| player["id"].clone()).collect();
        let mut seq = joined["snapshot"]["seq"].as_u64().expect("a number");
        while known.len() < NEWCOMERS + 2 {
            let told = newcomer.hears("player:joined").await;
            seq += 1;
            assert_eq!(told["seq"], seq, "nothing is missed between them");
            assert!(!known.contains(&told["player"]["id"]), "told twice: {told}");
            known.push(told["player"]["id"].clone());
        }
    }
    for _ in 0..NEWCOMERS {
        scene.host.hears("player:joined").await;
    }
    let commits = scene.store.commits() - before;
    assert!(commits < NEWCOMERS as u32 / 2, "{commits} commits");
}

/// The store lists the seat of a join that was refused; neither that nor what
/// is done about it may cost the player the seat when the next join goes well.
#[tokio::test]
async fn somebody_who_joined_in_vain_and_comes_again_stays() {
    let mut scene = Scene::open().await;
    drop(scene.guest);
    scene.host.hears("player:left").await;
    let join = json!({"sessionId": scene.session, "playerToken": scene.token});
    scene.store.set(Fault::LosesReplies);
    let mut again = Guest { socket: join_websocket(scene.server).await, asked: 0 };
    let refused = again.ask("session:join", join.clone()).await;
    assert_eq!(refused["error"]["code"], "STATE_UNAVAILABLE");
    scene.store.set(Fault::None);
    assert_eq!(again.ask("session:join", join).await["ok"], true);
    // Longer than a seat waits for its player here.
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(again.ask("vote:submit", vote("5")).await["ok"], true);
}

#[tokio::test]
async fn of_a_contended_session_every_command_gets_its_turn() {
    let mut scene = Scene::open().await;
    // More than three busy instances ever take from a fourth in a row: with
    // sixteen attempts and pauses between them it was told that the store is away.
    scene.store.set(Fault::Conflicts(100));
    let accepted = scene.guest.ask("vote:submit", vote("5")).await;
    assert_eq!(accepted["ok"], true);
    assert_eq!(scene.host.hears("vote:submitted").await["seq"], accepted["seq"]);
}

/// Over the wire a session lives five minutes at least; here it lives less.
#[tokio::test]
async fn a_session_that_nobody_touches_expires_after_a_notice() {
    let policy = Policy { session_ttl_ms: 5_000, expiry_notice_ms: 3_500, ..Policy::default() };
    let mut scene = Scene::with(policy).await;
    let notice = scene.guest.hears("session:expiring").await;
    // What changes the session keeps it alive, and the notice comes again.
    let vote = scene.guest.ask("vote:submit", vote("5")).await;
    assert_eq!(vote["ok"], true);
    let again = scene.guest.hears("session:expiring").await;
    assert!(notice["expiresAt"].as_str() < again["expiresAt"].as_str());

    let ended = scene.guest.hears("session:ended").await;
    assert_eq!((&ended["reason"], &ended["by"]), (&json!("expired"), &Value::Null));
    assert_eq!(scene.guest.next().await, "41");
    assert_eq!(scene.host.hears("session:ended").await["reason"], "expired");
}

#[tokio::test]
async fn a_session_whose_task_panicked_is_served_again() {
    let mut scene = Scene::open().await;
    scene.store.set(Fault::Panics);
    say(&mut scene.guest.socket, &format!("42{}", json!(["vote:submit", vote("5")]))).await;
    // Closed at the engine level, after which clients come back by themselves.
    for guest in [&mut scene.guest, &mut scene.host] {
        while let Seen::Frame { opcode: TEXT, payload } = guest.socket.see().await {
            assert_ne!(payload, b"41");
        }
    }
    scene.store.set(Fault::None);
    let mut again = Guest { socket: join_websocket(scene.server).await, asked: 0 };
    let session = again
        .ask("session:join", json!({"sessionId": scene.session, "playerToken": scene.token}))
        .await;
    assert_eq!(session["snapshot"]["round"]["voteCount"], 0);
    assert_eq!(again.ask("vote:submit", vote("5")).await["ok"], true);
}
