//! What was received, and what is replayed, is together what would have been
//! received without the cut: wherever the cut is, and whatever happens.

use std::net::SocketAddr;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use cardroom::clock::Clock;
use cardroom::limits::Limit;
use cardroom::store::MemoryStore;
use cardroom::table::{RecoveryOptions, TableOptions};

use crate::support::eio::{expect_close_without_code, open_websocket, say, see_text};
use crate::table::faulty_store::FaultyStore;
use crate::table::slow_directory::SlowDirectory;
use crate::table::{Guest, Scene};

/// Who does something, and what. Refusals are part of it.
#[derive(Debug, Clone)]
struct Step {
    is_host: bool,
    event: &'static str,
    payload: &'static str,
}

fn step() -> impl Strategy<Value = Step> {
    let events = select(vec![
        ("vote:submit", r#"{"storyId":"s1","value":"5"}"#),
        ("vote:submit", r#"{"storyId":"s1","value":"8","confidence":3}"#),
        ("vote:change", r#"{"storyId":"s1","value":"13"}"#),
        ("vote:retract", r#"{"storyId":"s1"}"#),
        ("cards:reveal", "{}"),
        ("game:reset", "{}"),
        ("story:create", r#"{"title":"T"}"#),
        ("story:create", r#"{"title":"T","clientRef":"c"}"#),
        ("story:activate", r#"{"storyId":"s2"}"#),
        ("player:nudge", "{}"),
        ("player:update", r#"{"name":"Ada"}"#),
        ("player:update", r#"{"isSpectator":true}"#),
        ("reaction:send", r#"{"emoji":"👍"}"#),
        ("timer:start", r#"{"duration":60}"#),
        ("session:configure", r#"{"autoReveal":true,"revealCountdownMs":10000}"#),
        ("session:configure", r#"{"allowChangeAfterReveal":true}"#),
        ("session:lock", r#"{"locked":true}"#),
        ("heartbeat", r#"{"timestamp":1}"#),
    ]);
    (any::<bool>(), events).prop_map(|(is_host, (event, payload))| Step { is_host, event, payload })
}

/// A tab of the guest's seat that keeps all that it is told, word for word.
struct Tab {
    guest: Guest,
    sid: String,
    pid: String,
    /// The events of the session, without those that may be lost.
    heard: Vec<String>,
}

impl Tab {
    async fn open(scene: &Scene) -> Self {
        let mut socket = open_websocket(scene.server).await;
        say(&mut socket, "40").await;
        let (sid, pid) = ids(&see_text(&mut socket).await);
        let mut tab = Self { guest: Guest { socket, asked: 0 }, sid, pid, heard: Vec::new() };
        tab.ask("session:join", json!({"sessionId": scene.session, "playerToken": scene.token}))
            .await;
        tab
    }

    /// Comes back as somebody who has heard only so much.
    async fn recover(&mut self, server: SocketAddr, known: usize) {
        let mut socket = open_websocket(server).await;
        let offset = self.heard.get(..known).and_then(|known| known.iter().rev().find_map(offset));
        let said = json!({"pid": self.pid, "offset": offset});
        say(&mut socket, &format!("40{said}")).await;
        self.heard.truncate(known);
        let mut missed = Vec::new();
        let answer = loop {
            let packet = see_text(&mut socket).await;
            if packet.starts_with("40") {
                break packet;
            }
            missed.push(packet);
        };
        assert_eq!(ids(&answer), (self.sid.clone(), self.pid.clone()), "the same socket");
        missed.into_iter().for_each(|packet| self.hear(packet));
        self.guest = Guest { socket, asked: 0 };
    }

    /// The acknowledgement; what comes before it is kept.
    async fn ask(&mut self, event: &str, payload: Value) -> Value {
        self.guest.asked += 1;
        let asked = self.guest.asked;
        say(&mut self.guest.socket, &format!("42{asked}{}", json!([event, payload]))).await;
        let answer = format!("43{asked}[");
        loop {
            let packet = self.guest.next().await;
            if let Some(rest) = packet.strip_prefix(&answer) {
                let body = rest.strip_suffix(']').expect("one argument");
                return serde_json::from_str(body).expect("an acknowledgement is JSON");
            }
            self.hear(packet);
        }
    }

    /// All that was said before has arrived.
    async fn settle(&mut self) {
        self.ask("session:sync", json!({})).await;
    }

    fn hear(&mut self, packet: String) {
        // Not even the snapshot, to be somebody who has heard nothing since.
        let is_snapshot = packet.starts_with("42[\"session:joined\"");
        if !is_snapshot && offset(&packet).is_some() {
            self.heard.push(packet);
        }
    }
}

fn ids(answer: &str) -> (String, String) {
    let object = answer.strip_prefix("40").expect("a CONNECT answer");
    let ids: Value = serde_json::from_str(object).expect("JSON");
    let text = |key: &str| ids[key].as_str().expect("an id").to_owned();
    (text("sid"), text("pid"))
}

fn offset(packet: impl AsRef<str>) -> Option<String> {
    let array: Value = serde_json::from_str(packet.as_ref().strip_prefix("42")?).ok()?;
    Some(array.as_array()?.get(2)?.as_str()?.to_owned())
}

fn play(cases: u32, steps: usize, story: impl AsyncFn(Vec<Step>)) {
    let config = Config { failure_persistence: None, ..Config::with_cases(cases) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let schedules = prop::collection::vec(step(), 1..steps);
    let played = TestRunner::new(config).run(&schedules, |schedule| {
        runtime.block_on(story(schedule));
        Ok(())
    });
    played.expect("what is replayed is what was missed");
}

#[test]
fn wherever_the_cut_is_the_rest_is_replayed() {
    play(24, 24, async |schedule| {
        let mut scene = Scene::open().await;
        let mut tab = Tab::open(&scene).await;
        for Step { is_host, event, payload } in schedule {
            let by = if is_host { &mut scene.host } else { &mut scene.guest };
            by.ask(event, serde_json::from_str(payload).expect("JSON")).await;
            tab.settle().await;
        }
        let uncut = tab.heard.clone();
        for known in 0..=uncut.len() {
            let server = if known % 2 == 0 { scene.other } else { scene.server };
            tab.recover(server, known).await;
            assert_eq!(tab.heard, uncut, "cut after {known}");
        }
    });
}

#[test]
fn between_the_replay_and_what_is_told_live_nothing_is_lost_or_doubled() {
    play(12, 60, async |schedule| {
        let mut scene = Scene::open().await;
        let mut uncut = Tab::open(&scene).await;
        let mut cut = Tab::open(&scene).await;
        for (turn, burst) in schedule.chunks(7).enumerate() {
            // Nobody waits for an answer: some come before, some after.
            for Step { is_host, event, payload } in burst {
                let by = if *is_host { &mut scene.host } else { &mut scene.guest };
                say(&mut by.socket, &format!("42[\"{event}\",{payload}]")).await;
            }
            let known = cut.heard.len();
            let server = if turn % 2 == 0 { scene.other } else { scene.server };
            cut.recover(server, known).await;
        }
        scene.host.ask("session:sync", json!({})).await;
        scene.guest.ask("session:sync", json!({})).await;
        uncut.settle().await;
        // On another instance the last words may still be on their way.
        while cut.heard.len() < uncut.heard.len() {
            let packet = cut.guest.next().await;
            cut.hear(packet);
        }
        cut.settle().await;
        assert_eq!(cut.heard, uncut.heard);
    });
}

/// The answer to a CONNECT that says this.
async fn connect(server: SocketAddr, said: Value) -> (String, String) {
    let mut socket = open_websocket(server).await;
    say(&mut socket, &format!("40{said}")).await;
    loop {
        let packet = see_text(&mut socket).await;
        if packet.starts_with("40") {
            return ids(&packet);
        }
    }
}

/// Guards against a socket that is not recovered because it was lost before the
/// directory had heard of its place: who has heard of it may be back sooner.
#[tokio::test]
async fn who_is_cut_the_moment_he_sits_comes_back() {
    let store = Arc::new(FaultyStore::new(Clock::system()));
    let directory = SlowDirectory(MemoryStore::new(Clock::system(), 8));
    let scene = Scene::beside(Arc::new(directory), store, TableOptions::default()).await;
    for is_noticed in [false, true] {
        let mut socket = open_websocket(scene.server).await;
        let auth = json!({"sessionId": scene.session, "playerName": "Cid"});
        say(&mut socket, &format!("40{auth}")).await;
        let (sid, pid) = ids(&see_text(&mut socket).await);
        let joined = see_text(&mut socket).await;
        assert!(joined.starts_with("42[\"session:joined\""), "{joined}");
        if is_noticed {
            // The engine's end of it: the server lets go of the socket first.
            say(&mut socket, "1").await;
            expect_close_without_code(&mut socket).await;
        }
        let said = json!({"pid": pid, "offset": offset(&joined)});
        assert_eq!(connect(scene.server, said).await, (sid, pid));
    }
}

#[tokio::test]
async fn ids_that_are_made_up_are_looked_for_only_so_often() {
    let store = Arc::new(FaultyStore::new(Clock::system()));
    let recovery = RecoveryOptions { failed: Limit::per_minute(2), ..RecoveryOptions::default() };
    let scene = Scene::of(store, TableOptions { recovery, ..TableOptions::default() }).await;
    let (sid, pid) = connect(scene.server, json!({})).await;
    assert_eq!(connect(scene.server, json!({"pid": pid})).await, (sid.clone(), pid.clone()));
    for made_up in ["AAAAAAAAAAAAAAAAAAAA", "not even one"] {
        assert_ne!(connect(scene.server, json!({"pid": made_up})).await.0, sid);
    }
    assert_ne!(connect(scene.server, json!({"pid": pid})).await.0, sid, "nobody looks any more");
}

#[tokio::test]
async fn what_is_replayed_has_a_limit() {
    let store = Arc::new(FaultyStore::new(Clock::system()));
    let recovery = RecoveryOptions { replay_entries_max: 3, ..RecoveryOptions::default() };
    let mut scene = Scene::of(store, TableOptions { recovery, ..TableOptions::default() }).await;
    let mut tab = Tab::open(&scene).await;
    for (missed, value) in ["1", "2", "3", "5"].into_iter().enumerate() {
        let vote = json!({"storyId": "s1", "value": value});
        assert_eq!(scene.host.ask("vote:submit", vote).await["ok"], true);
        if missed < 3 {
            tab.recover(scene.server, 0).await;
        }
    }
    assert_eq!(tab.heard.len(), 3);
    let second = tab.heard.get(1).and_then(offset);
    let (sid, _) = connect(scene.server, json!({"pid": tab.pid})).await;
    assert_ne!(sid, tab.sid, "four are too many");
    let (sid, _) = connect(scene.server, json!({"pid": tab.pid, "offset": second})).await;
    assert_eq!(sid, tab.sid, "fewer are not");
}
